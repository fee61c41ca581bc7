"""Trajectories: straight paths and lifetimes of moving Gaussians, decoded as they were trained."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from streamstgs.codec.encoder.encode import encode_scene
from streamstgs.codec.errors import NotAScene
from streamstgs.codec.package.manifest_json import read_manifest, write_manifest
from streamstgs.codec.scene import open_scene
from streamstgs.renderer import Gaussians
from streamstgs.renderer.field_inference import GopDeformer
from streamstgs.renderer.field_kernels import list_present
from streamstgs.renderer.gop import Gop
from streamstgs.renderer.thread_pool import ThreadPool
from streamstgs.renderer.trajectories import ABSENT_LOGIT, Trajectories, present

from tests.synthetic import PathSource, SyntheticSource, random_canonical, trajectories


def test_at_its_centre_a_gaussian_is_as_it_is_stored() -> None:
    stored = replace(random_canonical(3), trajectories=trajectories(3))
    assert stored.trajectories is not None
    moved = stored.at(stored.trajectories.centers)
    assert torch.equal(moved.means, stored.means)
    assert torch.equal(moved.opacity_logits, stored.opacity_logits)
    assert moved.trajectories is None


def test_it_moves_in_a_straight_line_and_fades_with_time() -> None:
    paths = Trajectories(
        torch.tensor([[2.0, 0.0, -1.0]]), torch.tensor([0.5]), torch.tensor([0.25]).log()
    )
    stored = replace(random_canonical(1), trajectories=paths)
    for time in (0.0, 0.25, 1.0):
        moved = stored.at(time)
        expected = stored.means + torch.tensor([[2.0, 0.0, -1.0]]) * (time - 0.5)
        assert torch.allclose(moved.means, expected)
        faded = stored.opacity_logits - 0.5 * ((time - 0.5) / 0.25) ** 2
        assert torch.allclose(moved.opacity_logits, faded)


@pytest.mark.parametrize("time", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("count", [0, 1, 500])
def test_compiled_loop_lists_the_present_ones(count: int, time: float) -> None:
    paths = trajectories(count)
    stored = replace(random_canonical(count), trajectories=paths)
    moved = stored.at(time)
    expected = present(moved.opacity_logits)
    if count == 500:
        assert 0 < len(expected) < count
    rows, logits = np.full(count, -1), np.empty(count, np.float32)
    offsets = np.empty((count, 3), np.float32)
    values = (paths.centers, paths.log_extents.neg().exp(), paths.velocities, stored.opacity_logits)
    arrays = (value.numpy() for value in values)
    found = list_present(np.float32(time), *arrays, rows, logits, offsets)
    np.testing.assert_array_equal(rows[:found], expected.numpy())
    np.testing.assert_allclose(logits[:found], moved.opacity_logits[expected], atol=1e-4)
    shifts = (moved.means - stored.means)[expected]
    np.testing.assert_allclose(offsets[:found], shifts, atol=1e-5)


def test_without_trajectories_time_changes_nothing() -> None:
    stored = random_canonical(4)
    assert stored.at(0.3) is stored


def test_the_field_cannot_bring_back_what_is_absent() -> None:
    gop = SyntheticSource().gop(0)
    head = gop.field.heads["opacity_logits"][-1]
    torch.nn.init.constant_(head.bias, 20.0)
    logits = torch.tensor([ABSENT_LOGIT - 1, ABSENT_LOGIT + 1])
    at_rest = Trajectories(torch.zeros(2, 3), torch.full((2,), 0.5), torch.zeros(2))
    canonical = replace(random_canonical(2), opacity_logits=logits, trajectories=at_rest)
    windowed = torch.zeros(2, gop.field.config.window * gop.field.config.features)
    for found in (
        gop.field(canonical, windowed, 0.5).opacity_logits,
        gop.field.opacity_logits(canonical, windowed, 0.5),
    ):
        assert found.detach()[0] == ABSENT_LOGIT - 1
        assert found.detach()[1] == pytest.approx(ABSENT_LOGIT + 21, abs=1e-4)
    plain = replace(canonical, trajectories=None)  # the field alone may show and hide anything
    assert gop.field.opacity_logits(plain, windowed, 0.5).detach()[0] > 10
    assert gop.field(plain, windowed, 0.5).opacity_logits.detach()[0] > 10


def played(source: SyntheticSource, index: int = 0) -> Gop:
    """A GOP of a source as a player holds it, its features on a coarse scale."""
    gop = source.gop(index)
    codes = ((gop.features + 1) * 127.5).round().to(torch.uint8)
    channels = gop.features.shape[-1]
    step, offset = torch.full((channels,), 1 / 127.5), torch.full((channels,), -1.0)
    static = source.static.activate()
    return Gop(static, gop.canonical, codes, offset, step, gop.field, gop.frames)


def test_only_present_gaussians_are_given() -> None:
    gop = played(PathSource())
    for frame in (0.0, 2.5, 7.0):
        there = present(gop.canonical.at(frame / gop.frames).opacity_logits)
        assert 0 < len(there) < len(gop.canonical)
        assert len(gop.dynamic_at(frame)) == len(there)


def test_the_compiled_field_gives_the_same_gaussians() -> None:
    gop, pool = played(PathSource()), ThreadPool(2, "deform")
    try:
        deformer = GopDeformer(gop, pool)
        for frame in (0.0, 5.0, 2.25, 7.0):
            found, expected = deformer.gaussians_at(frame), gop.gaussians_at(frame)
            assert len(found) == len(expected)
            seen = expected.opacities > 1 / 255
            assert torch.allclose(found.opacities, expected.opacities, atol=1e-4)
            for name in ("means", "scales", "quats", "colors"):
                ours, theirs = getattr(found, name)[seen], getattr(expected, name)[seen]
                assert torch.allclose(ours, theirs, atol=2e-4), name
    finally:
        pool.close()


def test_a_package_keeps_them_and_says_version_2(tmp_path: Path) -> None:
    source = PathSource()
    encode_scene(source, tmp_path / "scene.stgs")
    with open_scene(str(tmp_path / "scene.stgs")) as scene:
        assert scene.manifest.version == 2
        decoded = scene.decode_gop(1, scene.qualities[-1])
        stored = decoded.canonical.trajectories
        trained = source.gop(1)
        assert stored is not None
        assert trained.canonical.trajectories is not None
        # Gaussians lie in another order: compare what is independent of it
        for name in ("velocities", "centers", "log_extents"):
            ours = getattr(stored, name).double()
            theirs = getattr(trained.canonical.trajectories, name).double()
            reach = theirs.abs().max()
            assert torch.allclose(ours.mean(0), theirs.mean(0), atol=0.01 * reach), name
            assert torch.allclose(ours.std(0), theirs.std(0), rtol=0.02), name
        assert isinstance(decoded.gaussians_at(2.5), Gaussians)


def test_a_package_without_them_stays_version_1(tmp_path: Path) -> None:
    encode_scene(SyntheticSource(), tmp_path / "scene.stgs")
    with open_scene(str(tmp_path / "scene.stgs")) as scene:
        assert scene.manifest.version == 1
        assert scene.decode_gop(0, scene.qualities[-1]).canonical.trajectories is None


def test_layers_of_a_gop_must_agree(tmp_path: Path) -> None:
    encode_scene(PathSource(), tmp_path / "scene.stgs")
    with open_scene(str(tmp_path / "scene.stgs")) as scene:
        manifest = scene.manifest
    gop = manifest.gops[0]
    (layer,) = gop.layers
    plain = {k: q for k, q in layer.quantisers.items() if k not in vars(trajectories(1))}
    half = replace(layer, count=layer.count // 2)
    mixed = replace(gop, layers=(half, replace(half, quantisers=plain)))
    broken = replace(manifest, gops=(mixed, *manifest.gops[1:]))
    with pytest.raises(NotAScene, match="trajectories"):
        read_manifest(write_manifest(broken))


def test_slices_and_maps_carry_them_along() -> None:
    stored = replace(random_canonical(6), trajectories=trajectories(6))
    part = stored[torch.tensor([4, 1])]
    assert part.trajectories is not None
    assert torch.equal(part.trajectories.centers, trajectories(6).centers[[4, 1]])
    assert len(stored.tensors()) == 8
