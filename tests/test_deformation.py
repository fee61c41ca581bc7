"""The deformation field, and its fast path at playback against the module itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from streamstgs.renderer import CanonicalGaussians, DeformationField, FieldConfig, Gaussians, Gop
from streamstgs.renderer.deformation import sinusoidal_encoding
from streamstgs.renderer.field_inference import FastField, GopDeformer
from streamstgs.renderer.field_kernels import CHUNK_ROWS
from streamstgs.renderer.loop_compiler import compiler
from streamstgs.renderer.settings import ALPHA_MIN
from streamstgs.renderer.thread_pool import ThreadPool

from tests.synthetic import random_canonical


def random_field(config: FieldConfig) -> DeformationField:
    """Every weight random, also those that a fresh field has at zero."""
    torch.manual_seed(11)
    field = DeformationField(config).eval()
    for parameter in field.parameters():
        torch.nn.init.normal_(parameter, std=0.15)
    return field


def random_gop(moving: int = 300, still: int = 50, frames: int = 6, **config: float) -> Gop:
    shape = FieldConfig(**{"features": 5, "width": 24, **config})
    random = torch.Generator().manual_seed(5)
    return Gop(
        static=random_canonical(still, seed=1).activate(),
        canonical=random_canonical(moving, seed=2),
        features=torch.randint(
            0, 256, (frames + shape.window - 1, moving, 5), dtype=torch.uint8, generator=random
        ),
        feature_offset=torch.tensor([-1.0, -0.5, 0.0, 0.2, -2.0]),
        feature_step=torch.tensor([0.01, 0.004, 0.002, 0.008, 0.015]),
        field=random_field(shape),
        frames=frames,
    )


def deformer_of(gop: Gop) -> GopDeformer:
    return GopDeformer(gop, ThreadPool(2, "deform"))


def assert_same(one: Gaussians, other: Gaussians) -> None:
    """The same opacities, and all the same where a Gaussian can be seen at all."""
    torch.testing.assert_close(one.opacities, other.opacities, atol=1e-4, rtol=1e-4)
    seen = other.opacities >= ALPHA_MIN
    for name, values in one.tensors().items():
        torch.testing.assert_close(values[seen], other.tensors()[name][seen], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("frame", [0, 3, 5, 2.25, 4.999, -1, 17])
@pytest.mark.parametrize(
    "config",
    [
        {},
        {"position_frequencies": 2, "extent": 3.0},
        {"position_frequencies": 1, "width": 20},
        {"width": 1},
        {"window": 1},
        {"window": 5},
    ],
    ids=str,
)
def test_fast_field_equals_the_module(config: dict[str, float], frame: float) -> None:
    gop = random_gop(**config)
    assert_same(deformer_of(gop).gaussians_at(frame), gop.gaussians_at(frame))


def test_neurons_that_are_zero_everywhere_are_passed_over() -> None:
    gop = random_gop()
    field = gop.field
    hidden = [field.temporal[0], field.temporal[2], *(head[0] for head in field.heads.values())]
    for layer in hidden:
        torch.nn.init.constant_(layer.bias[::2], -1000.0)
        torch.nn.init.constant_(layer.bias[:3], -1000.0)
    torch.nn.init.constant_(field.heads["colors"][0].bias, -1000.0)  # no neuron is left
    assert_same(deformer_of(gop).gaussians_at(2.5), gop.gaussians_at(2.5))


@pytest.mark.parametrize("position_frequencies", [0, 2])
def test_opacity_logits_equal_those_of_the_field(position_frequencies: int) -> None:
    gop = random_gop(position_frequencies=position_frequencies)
    looked_at = gop.canonical, gop.windowed_features(3), 0.5
    assert gop.field.opacity_logits(*looked_at).equal(gop.field(*looked_at).opacity_logits)


@pytest.mark.parametrize("moving", [1, 15, 17, CHUNK_ROWS, CHUNK_ROWS + 1, 3 * CHUNK_ROWS])
def test_all_chunks_are_deformed(moving: int) -> None:
    gop = random_gop(moving=moving)
    assert_same(deformer_of(gop).gaussians_at(1), gop.gaussians_at(1))


@pytest.mark.parametrize(("moving", "still"), [(0, 20), (20, 0), (0, 0)])
def test_empty_layers(moving: int, still: int) -> None:
    gop = random_gop(moving=moving, still=still)
    moved = deformer_of(gop).gaussians_at(2)
    assert len(moved) == moving + still
    assert_same(moved, gop.gaussians_at(2))


def test_going_back_gives_equal_gaussians() -> None:
    gop = random_gop()
    deformer = deformer_of(gop)
    first = Gaussians.concatenate([deformer.gaussians_at(1)])  # a copy
    deformer.gaussians_at(4)
    assert_same(deformer.gaussians_at(1), first)


def test_same_frame_is_computed_once() -> None:
    deformer = deformer_of(random_gop())
    moved = deformer.gaussians_at(3)
    moved.means.fill_(7.0)  # would be written over by new work
    assert deformer.gaussians_at(3).means.min() == 7.0


def test_module_runs_while_a_child_process_compiles(monkeypatch: pytest.MonkeyPatch) -> None:
    gop = random_gop()
    deformer = deformer_of(gop)
    monkeypatch.setattr(compiler, "is_running", lambda: True)
    monkeypatch.setattr(FastField, "write_at", lambda *_: pytest.fail("it would be compiled here"))
    for frame in (1.0, 2.5):
        assert_same(deformer.gaussians_at(frame), gop.gaussians_at(frame))
    monkeypatch.undo()
    fast = deformer.gaussians_at(3.0)
    assert fast.means.data_ptr() == deformer.gaussians_at(4.0).means.data_ptr()  # kept tensors
    assert_same(deformer.gaussians_at(3.0), gop.gaussians_at(3.0))


def test_gop_is_not_changed() -> None:
    gop = random_gop()
    static, canonical = gop.static.means.clone(), gop.canonical.quats.clone()
    deformer = deformer_of(gop)
    deformer.gaussians_at(0).means.add_(1.0)
    deformer.gaussians_at(1)
    assert torch.equal(gop.static.means, static)
    assert torch.equal(gop.canonical.quats, canonical)


def test_new_field_moves_nothing() -> None:
    gop = random_gop()
    fresh = replace(gop, field=DeformationField(gop.field.config).eval())
    assert_same(deformer_of(fresh).gaussians_at(3), fresh.gaussians_at(3))
    torch.testing.assert_close(fresh.dynamic_at(3).means, gop.canonical.means)


def test_zero_quaternions_stay_finite() -> None:
    gop = random_gop(moving=4)
    canonical = replace(gop.canonical, quats=torch.zeros(4, 4))
    still = replace(gop, canonical=canonical, field=DeformationField(gop.field.config).eval())
    assert deformer_of(still).gaussians_at(0).quats.isfinite().all()


def test_fractional_frames_lie_between_their_neighbours() -> None:
    gop = random_gop()
    middle = gop.windowed_features(2.5)
    expected = (gop.windowed_features(2) + gop.windowed_features(3)) / 2
    torch.testing.assert_close(middle, expected)


def test_windowed_features_start_with_the_oldest() -> None:
    gop = random_gop()
    window = gop.windowed_features(2).reshape(-1, 3, 5)
    for step in range(3):
        values = gop.features[2 + step].float() * gop.feature_step + gop.feature_offset
        torch.testing.assert_close(window[:, step], values)


def test_sinusoidal_encoding_by_hand() -> None:
    encoded = sinusoidal_encoding(torch.tensor([0.25]), 2)
    quarter = 0.5**0.5  # sin(pi/4) = cos(pi/4); the second octave is pi/2
    torch.testing.assert_close(
        encoded, torch.tensor([quarter, 1.0, quarter, 0.0]), atol=1e-6, rtol=0
    )


def test_position_deltas_are_in_units_of_the_extent() -> None:
    canonical = random_canonical(10)
    field = random_field(FieldConfig(features=2, width=8, extent=1.0))
    wide = DeformationField(FieldConfig(features=2, width=8, extent=4.0)).eval()
    wide.load_state_dict(field.state_dict())
    windowed = torch.rand(10, 6)
    near: CanonicalGaussians = field(canonical, windowed, 0.3)
    far: CanonicalGaussians = wide(canonical, windowed, 0.3)
    torch.testing.assert_close(far.means - canonical.means, 4 * (near.means - canonical.means))
    torch.testing.assert_close(far.quats, near.quats)


def test_hidden_gaussians_reappear_unchanged() -> None:
    """What one frame hides, another may show: then no old shape may be left in it."""
    gop = random_gop()
    logits = gop.canonical.opacity_logits - 7.0  # about half of them end up hidden
    gop = replace(gop, canonical=replace(gop.canonical, opacity_logits=logits))
    deformer = deformer_of(gop)
    hidden = [(gop.dynamic_at(f).opacities < ALPHA_MIN) for f in range(gop.frames)]
    assert (torch.stack(hidden).any(0) & ~torch.stack(hidden).all(0)).any()
    for frame in (0, 3, 1, 5, 2):
        assert_same(deformer.gaussians_at(frame), gop.gaussians_at(frame))


def test_static_gaussians_may_have_spherical_harmonics() -> None:
    gop = random_gop(moving=20, still=5)
    sh = torch.randn(5, 9, 3)
    gop = replace(gop, static=replace(gop.static, sh=sh))
    drawn = deformer_of(gop).gaussians_at(2.5)
    assert drawn.sh is not None
    torch.testing.assert_close(drawn.sh[:5], sh)
    torch.testing.assert_close(drawn.colors, gop.gaussians_at(2.5).colors)
