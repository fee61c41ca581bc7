"""A sequence whose Gaussians do not correspond -> pictures of it -> a capture that trains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from streamstgs.cli.command_line import main
from streamstgs.codec.encoder.config import EncoderConfig
from streamstgs.codec.encoder.encode import encode_scene
from streamstgs.codec.formats.gaussian_ply import write_gaussian_ply
from streamstgs.codec.formats.guessed_meta import guessed_meta
from streamstgs.codec.formats.raw_gaussians import raw_of
from streamstgs.codec.formats.registry import open_reader
from streamstgs.renderer import RenderSettings
from streamstgs.renderer.backends import reference
from streamstgs.trainer.coarse.config import CoarseConfig
from streamstgs.trainer.coarse.density import McmcConfig
from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.datasets import check_capture, load_frames, open_capture
from streamstgs.trainer.errors import SettingError
from streamstgs.trainer.evaluation.evaluate import EvaluateConfig, evaluate
from streamstgs.trainer.fine.config import GopConfig
from streamstgs.trainer.points.dynamic_points import HullConfig
from streamstgs.trainer.points.initial_points import InitialPointsConfig
from streamstgs.trainer.rig.config import SceneRigConfig
from streamstgs.trainer.rig.from_scene import cameras_around, held_out
from streamstgs.trainer.run_directory import load_run
from streamstgs.trainer.train import train

from tests.capture_scene import scene_at, single_thread

pytestmark = pytest.mark.usefixtures("one_thread")
FRAMES, FPS, CAMERAS = 4, 12, 8
PSNR_DB = 24.0  # of the held-out camera after a short training; initial points reach 14


def shuffled(frame: int) -> bytes:
    """The blobs of a frame in an order of their own, some of them in two halves."""
    gaussians = scene_at(2 * frame)
    halved = gaussians.map(lambda values: values[: 1 + frame])
    order = torch.randperm(7 + frame, generator=torch.Generator().manual_seed(frame))
    both = type(gaussians).concatenate([gaussians, halved])[order]
    return write_gaussian_ply(raw_of(both), up=(0.0, 0.0, 1.0))


@pytest.fixture(scope="module")
def sequence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sequence")
    for frame in range(FRAMES):
        (folder / f"frame_{frame}.ply").write_bytes(shuffled(frame))
    return folder


@pytest.fixture(scope="module")
def written(sequence: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("capture") / "blobs"
    words = ["capture", "from-scene", str(sequence), "-o", str(out), f"--scene-fps={FPS}"]
    words += ["--size=32x24", f"--cameras={CAMERAS}", "--backend=reference"]
    assert main(words) == 0
    return out


def test_sequence_without_correspondence_is_led_to_a_capture(
    sequence: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["encode", str(sequence), "-o", str(tmp_path / "a.stgs")]) == 1
    assert f"streamstgs capture from-scene {sequence}" in capsys.readouterr().err


def test_written_pictures_are_those_of_the_scene(sequence: Path, written: Path) -> None:
    capture = open_capture(written)
    check_capture(capture)
    assert (capture.frames, capture.fps, len(capture.views)) == (FRAMES, FPS, CAMERAS)
    assert [k for k, v in enumerate(capture.views) if v.split == "test"] == [4]
    with open_reader(sequence, fps=FPS) as reader:
        meta = reader.info.meta
        assert capture.up == pytest.approx(meta.up)
        assert capture.center == pytest.approx(meta.center, abs=1e-5)
        for frame in (0, FRAMES - 1):
            gaussians = reader.segment(frame).gaussians_at(frame / FPS)
            for view in capture.views[:3]:
                shown = load_frames((view,), [frame])[0][0].numpy().astype(float)
                settings = RenderSettings(meta.background, meta.near)
                colors, _ = reference.rasterize(gaussians, view.camera, settings)
                wanted = colors.clamp(0, 1).numpy() * 255
                assert np.abs(shown - wanted).max() <= 0.51
                assert wanted.max() > 60  # the scene is in the picture


def test_capture_of_a_scene_trains(written: Path, tmp_path: Path) -> None:
    config = TrainConfig(
        written,
        tmp_path / "run",
        gop_frames=FRAMES,
        device="cpu",
        points=InitialPointsConfig(fill=0),
        coarse=CoarseConfig(iterations=60, density=McmcConfig(cap_max=60)),
        hull=HullConfig(candidates=10_000),
        gop=GopConfig(init_count=48, iterations=60, features=4, width=16, sample_frames=2),
    )
    with single_thread():
        train(config)
        encode_scene(load_run(config.out), tmp_path / "blobs.stgs", EncoderConfig(qps=(16,)))
    figures = evaluate(EvaluateConfig(str(tmp_path / "blobs.stgs"), written, backend="reference"))
    assert figures["qualities"][0]["test"]["psnr"] > PSNR_DB


@pytest.mark.parametrize("size", [(64, 64), (96, 48), (48, 96)])
def test_cameras_see_the_centre_from_all_sides(size: tuple[int, int]) -> None:
    meta = guessed_meta(scene_at(0), "blobs", FPS, (0.0, 0.0, 1.0))
    config = SceneRigConfig(cameras=30, distance=1.5, lowest_deg=0, highest_deg=60)
    cameras = cameras_around(meta, config, size)
    center = torch.tensor(meta.center)
    away = torch.stack([camera.position - center for camera in cameras])
    assert away.norm(dim=1).numpy() == pytest.approx(1.5 * meta.radius, rel=1e-4)
    heights = torch.rad2deg(torch.asin(away[:, 2] / away.norm(dim=1)))
    assert 0 < float(heights.min()) < 3
    assert 56 < float(heights.max()) < 60
    assert len({int(torch.atan2(y, x) * 4 / torch.pi + 4) % 8 for x, y, _ in away}) == 8
    for camera in cameras:
        seen = camera.K @ (camera.viewmat[:3, :3] @ center + camera.viewmat[:3, 3])
        assert (seen[:2] / seen[2]).tolist() == pytest.approx([size[0] / 2, size[1] / 2], abs=0.01)
        half = torch.tensor(min(size) / 2) / camera.K[0, 0]
        assert float(2 * torch.atan(half)) == pytest.approx(meta.presets[0].fov_y_rad, rel=1e-4)


@pytest.mark.parametrize(("cameras", "held"), [(4, [2]), (8, [4]), (24, [6, 18])])
def test_some_cameras_are_held_out(cameras: int, held: list[int]) -> None:
    assert list(held_out(cameras)) == held


@pytest.mark.parametrize(
    ("settings", "word"),
    [({"cameras": 3}, "--cameras"), ({"lowest_deg": 50, "highest_deg": 40}, "--lowest-deg")],
)
def test_impossible_rigs_are_refused(settings: dict[str, float], word: str) -> None:
    with pytest.raises(SettingError, match=word):
        SceneRigConfig(**settings)  # type: ignore[arg-type]


def test_folder_with_other_files_is_left_alone(
    sequence: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "note.txt").write_text("mine")
    assert main(["capture", "from-scene", str(sequence), "-o", str(tmp_path)]) == 1
    assert "holds other files" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]
    assert main(["capture", "from-scene", str(sequence), "-o", "x", "--size", "0x9"]) == 2


def test_interrupted_rendering_leaves_nothing(
    sequence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Image.Image, "save", interrupted)
    words = ["capture", "from-scene", str(sequence), "-o", str(tmp_path / "out")]
    assert main([*words, "--size=8x8", "--cameras=4", "--backend=reference"]) == 130
    assert list(tmp_path.iterdir()) == []
