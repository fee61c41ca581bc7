"""Sequences whose Gaussians correspond become scene packages; others are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from streamstgs.codec.encoder.config import (
    EncoderConfig,
    PosterSettings,
    QualitySettings,
    StaticLayerSettings,
)
from streamstgs.codec.formats.registry import open_reader
from streamstgs.trainer.errors import SequenceError, SettingError
from streamstgs.trainer.run_directory import RunDirectory
from streamstgs.trainer.trajectory_fit.encode import encode_sequence
from streamstgs.trainer.trajectory_fit.field import companded, computed_field
from streamstgs.trainer.trajectory_fit.fit import fit_gop, visible_units
from streamstgs.trainer.trajectory_fit.frames import WIDTH, TrackedFrames, canonical_of
from streamstgs.trainer.trajectory_fit.sequence import FitSettings, fit_sequence

from tests.splat_samples import made_up, npz, splat_file, write_sequence

FAST = EncoderConfig(
    qps=(12,),
    lowest_mbps=0.0,
    sort=False,
    preset="ultrafast",
    poster=PosterSettings(width_px=0),
    quality=QualitySettings(cameras=0),
    static=StaticLayerSettings(layers=1, presets=0, ring_views=0),
)


def swaying(frames: int = 10, count: int = 120, seed: int = 0) -> dict[str, np.ndarray]:
    """A ball of which one half sways and turns, and the other half stands still."""
    rng = np.random.default_rng(seed)
    means = np.repeat(rng.normal(size=(1, count, 3)) * 0.5, frames, axis=0)
    time = np.arange(frames) / 30
    half = means[0, :, 0] > 0
    means[:, half, 1] += 0.4 * np.sin(5 * time)[:, None] + 0.3 * time[:, None]
    quats = np.repeat(rng.normal(size=(1, count, 4)), frames, axis=0)
    quats[:, half, 1] += 0.3 * np.cos(4 * time)[:, None]
    quats[::2] *= -1  # the same rotations
    colors = np.repeat(rng.uniform(0.2, 0.8, (1, count, 3)), frames, axis=0)
    colors[:, half] *= (0.9 + 0.1 * np.cos(3 * time))[:, None, None]
    arrays = {
        "means3D": means,
        "unnorm_rotations": quats,
        "rgb_colors": colors,
        "logit_opacities": rng.uniform(0, 3, (count, 1)),
        "log_scales": rng.normal(-2, 0.2, (count, 3)),
    }
    return {name: values.astype(np.float32) for name, values in arrays.items()}


def test_field_decodes_what_features_code() -> None:
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(50, WIDTH, generator=generator)
    directions = torch.randn(3, WIDTH, generator=generator)
    shares = torch.rand(50, 3, generator=generator) * 2 - 1
    field, canonical = computed_field(directions, 2.0), canonical_of(rows)
    found = field(canonical, companded(shares), 0.3)
    wanted = canonical_of(rows + shares @ directions)
    for name, value in wanted.tensors().items():
        torch.testing.assert_close(found.tensors()[name], value, atol=2e-4, rtol=1e-4)


def test_small_changes_get_more_codes_than_large_ones() -> None:
    near, far = companded(torch.tensor([0.01, 1.0]))
    assert float(far) == 1.0
    assert float(near) > 0.03


def test_gop_follows_its_frames() -> None:
    generator = torch.Generator().manual_seed(1)
    start, velocity = torch.randn(2, 1, 40, WIDTH, generator=generator)
    time = torch.linspace(0, 1, 12)[:, None, None]
    rows = start + time * velocity * 0.2
    units = visible_units(rows[0])
    gop = fit_gop(rows, units, torch.eye(WIDTH))
    for frame in (0, 5, 11):
        found = gop.field(gop.canonical, gop.features[frame], frame / 12)
        wanted = canonical_of(rows[frame])
        torch.testing.assert_close(found.means, wanted.means, atol=1e-3, rtol=1e-3)
        torch.testing.assert_close(found.quats, wanted.quats, atol=1e-3, rtol=1e-3)
        torch.testing.assert_close(found.colors, wanted.colors, atol=1e-3, rtol=1e-3)


def test_sequence_becomes_a_scene(tmp_path: Path) -> None:
    path, out = tmp_path / "params.npz", tmp_path / "ball.stgs"
    path.write_bytes(npz(swaying()))
    with open_reader(path) as reader:
        named = {"title": "Ball", "licence": "CC0-1.0"}
        found = encode_sequence(reader, out, FAST, FitSettings(gop_frames=6), named=named)
    assert 40 < int(found.fit.static.sum()) < 80
    assert 1 <= found.fit.features <= 8
    assert found.errors.psnr_db > 40
    assert found.errors.relative_rmse < 0.005
    with open_reader(out) as scene:
        assert scene.info.frame_count == 10
        assert scene.info.segment_frames == (5, 5)
        assert (scene.info.meta.title, scene.info.meta.licence) == ("Ball", "CC0-1.0")


def test_tracked_files_are_a_sequence_too(tmp_path: Path) -> None:
    """Files of one number in one order; harmonics become their mean, and that is told."""
    folder, raw = tmp_path / "clip", made_up(60, degree=1)
    folder.mkdir()
    for frame in range(3):
        raw.means[:, 2] += np.float32(0.01)
        (folder / f"frame_{frame}.ply").write_bytes(splat_file(raw, "ply"))
    with open_reader(folder) as reader:
        frames = TrackedFrames(reader)
        fit = fit_sequence(frames, reader.info.meta, RunDirectory(tmp_path / "run"))
    assert frames.loses_harmonics
    assert not bool(fit.static.any())


def test_scene_of_one_frame_is_static(tmp_path: Path) -> None:
    path, out = tmp_path / "ball.ply", tmp_path / "ball.stgs"
    path.write_bytes(splat_file(made_up(60, degree=0), "ply"))
    with open_reader(path) as reader:
        found = encode_sequence(reader, out, FAST)
    assert bool(found.fit.static.all())
    assert found.errors.psnr_db > 40
    with open_reader(out) as scene:
        assert scene.info.frame_count == 1
        assert len(scene.segment(0).gaussians_at(0.0)) == 60


def test_frames_without_correspondence_are_refused(tmp_path: Path) -> None:
    with (
        open_reader(write_sequence(tmp_path / "mixed", count=60)) as reader,
        pytest.raises(SequenceError, match="another order"),
    ):
        list(TrackedFrames(reader).checked())
    folder = write_sequence(tmp_path / "clip", frames=2)
    (folder / "frame_1.ply").write_bytes(splat_file(made_up(39, degree=1), "ply"))
    with (
        open_reader(folder) as reader,
        pytest.raises(SequenceError, match="frame 1 has 39 Gaussians"),
    ):
        list(TrackedFrames(reader).checked())
    with pytest.raises(SettingError):
        FitSettings(gop_frames=0)


def test_command_encodes_a_sequence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from streamstgs.cli.command_line import main

    path, out = tmp_path / "params.npz", tmp_path / "ball.stgs"
    path.write_bytes(npz(swaying(frames=4, count=60)))
    options = ["--qps", "12", "--no-sort", "--poster.width-px", "0", "--quality.cameras", "0"]
    options += ["--static.layers", "1", "--static.presets", "0", "--static.ring-views", "0"]
    assert main(["encode", str(path), "-o", str(out), "--frames", "0:3", *options]) == 0
    told = capsys.readouterr().out
    assert "RMSE" in told
    assert "dB at worst" in told
    with open_reader(out) as scene:
        assert scene.info.frame_count == 3
    assert main(["encode", str(tmp_path / "nothing"), "-o", str(out)]) == 1
