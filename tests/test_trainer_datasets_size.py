"""Captures read at a smaller size: pictures, calibrations, and all that must agree about it."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import imageio.v3 as iio
import numpy as np
import pytest
import torch
from streamstgs.cli import command_line as main
from streamstgs.codec.encoder.config import EncoderConfig
from streamstgs.codec.encoder.encode import encode_scene
from streamstgs.codec.scene import Scene
from streamstgs.renderer import Camera, RenderSettings
from streamstgs.renderer.backends import reference
from streamstgs.trainer.datasets import CaptureConfig, check_capture, load_frames, open_capture
from streamstgs.trainer.datasets.readers import ImageFolderReader, VideoReader
from streamstgs.trainer.datasets.reduction import reduced
from streamstgs.trainer.errors import EvaluationError, RunError, SettingError
from streamstgs.trainer.evaluation.evaluate import EvaluateConfig, _compared_size, evaluate
from streamstgs.trainer.optimization.view_sampling import draw_views
from streamstgs.trainer.points.projection import project
from streamstgs.trainer.rng import Rng
from streamstgs.trainer.run_directory import RunDirectory, load_run
from streamstgs.trainer.train import _planned_gops

from tests.capture_scene import BACKGROUND, FRAMES, HEIGHT, WIDTH, scene_at, write_capture
from tests.test_project_cli import run_main
from tests.test_trainer_captures import entry, picture, write_json, write_video
from tests.test_trainer_end_to_end import QUICK

pytestmark = pytest.mark.usefixtures("one_thread")
HALF = CaptureConfig(HEIGHT // 2)


def exact_mean(image: np.ndarray, top: float, bottom: float, left: float, right: float) -> float:
    """Mean of an image [H, W] over a rectangle, by sampling it finely."""
    rows = np.linspace(top, bottom, 2001)[:-1] + (bottom - top) / 4000
    columns = np.linspace(left, right, 2001)[:-1] + (right - left) / 4000
    return float(image[np.ix_(rows.astype(int), columns.astype(int))].mean())


# Pictures


def test_halves_are_means_of_four() -> None:
    image = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    found = reduced(image, 16, 12)
    expected = image.reshape(12, 2, 16, 2, 3).astype(float).mean(axis=(1, 3))
    assert (found.dtype, found.shape) == (np.uint8, (12, 16, 3))
    assert np.abs(found - expected).max() <= 0.5


@pytest.mark.parametrize("size", [(5, 3), (9, 7), (10, 4), (1, 1)])
def test_any_size_is_the_mean_of_the_area_that_a_pixel_covers(size: tuple[int, int]) -> None:
    width, height = size
    image = np.random.default_rng(1).integers(0, 256, (7, 10, 3), dtype=np.uint8)
    found = reduced(image, width, height)
    for row in range(height):
        for column in range(width):
            area = [7 * row / height, 7 * (row + 1) / height]
            area += [10 * column / width, 10 * (column + 1) / width]
            expected = exact_mean(image[..., 1], *area)
            assert found[row, column, 1] == pytest.approx(expected, abs=1.0)


def test_a_flat_picture_stays_as_it_is_at_every_size() -> None:
    image = np.full((17, 23, 3), 201, np.uint8)
    for height in range(1, 18):
        assert (reduced(image, max(1, 23 * height // 17), height) == 201).all()


def test_a_picture_of_the_right_size_is_not_touched() -> None:
    image = np.zeros((6, 8, 3), np.uint8)
    assert reduced(image, 8, 6) is image


# Cameras


def test_a_point_is_seen_at_the_same_place_of_the_picture() -> None:
    camera = Camera(torch.eye(4), torch.tensor([[90.0, 0, 30], [0, 80, 17], [0, 0, 1]]), 64, 36)
    small = CaptureConfig(12).applied(camera)
    assert (small.width, small.height) == (21, 12)
    points = torch.tensor([[0.1, 0.05, 1.0], [-0.2, 0.1, 2.0]])
    scale = torch.tensor([21 / 64, 12 / 36])
    assert torch.allclose(project(points, small)[0], project(points, camera)[0] * scale)


def test_pictures_are_never_enlarged() -> None:
    camera = Camera(torch.eye(4), torch.eye(3), 64, 36)
    assert CaptureConfig(36).applied(camera) is camera
    assert CaptureConfig(1000).applied(camera) is camera
    assert CaptureConfig().applied(camera) is camera


def test_what_is_drawn_at_half_the_size_is_what_was_recorded_there(tiny_capture: Path) -> None:
    """The whole convention at once: were pixel centres off by half a pixel, edges would differ."""
    capture = open_capture(tiny_capture, HALF)
    for view in capture.views[:3]:
        (recorded,) = load_frames((view,), [0])
        drawn, _ = reference.rasterize(scene_at(0), view.camera, RenderSettings(BACKGROUND))
        error = (drawn - recorded[0].float() / 255).abs()
        assert error.mean() < 0.012
        moved = replace(
            view.camera, K=view.camera.K + torch.tensor([[0, 0, 0.5], [0] * 3, [0] * 3])
        )
        drawn, _ = reference.rasterize(scene_at(0), moved, RenderSettings(BACKGROUND))
        assert (drawn - recorded[0].float() / 255).abs().mean() > 2 * error.mean()


# Captures


def test_images_and_calibrations_are_reduced_together(tiny_capture: Path) -> None:
    recorded, small = open_capture(tiny_capture), open_capture(tiny_capture, HALF)
    check_capture(small)
    one = (recorded.views[1],), (small.views[1],)
    full, half = (load_frames(views, [0, FRAMES - 1])[0] for views in one)
    assert half.shape == (2, HEIGHT // 2, WIDTH // 2, 3)
    expected = full.float().reshape(2, HEIGHT // 2, 2, WIDTH // 2, 2, 3).mean(dim=(2, 4))
    assert (half - expected).abs().max() <= 0.5
    assert torch.equal(small.views[1].camera.K[:2], recorded.views[1].camera.K[:2] / 2)
    assert small.camera_distance == recorded.camera_distance


def test_videos_are_reduced(tmp_path: Path) -> None:
    write_video(tmp_path / "cam.mp4", [picture(1, k) for k in range(3)])
    frames = VideoReader("a", tmp_path / "cam.mp4", 32, 24, (16, 12)).read([0, 2])
    assert frames.shape == (2, 12, 16, 3)
    assert np.abs(frames[:, 8, 12].astype(int) - [[40] * 3, [60] * 3]).max() < 8


def test_the_recorded_size_is_still_checked(tmp_path: Path) -> None:
    iio.imwrite(tmp_path / "0.png", picture(0, 0, 34))
    reader = ImageFolderReader("a", (tmp_path / "0.png",), 32, 24, (16, 12))
    with pytest.raises(ValueError, match="camera a"):
        reader.read([0])


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Training cameras 1 and 3 with twice as many pixels each way as camera 2."""
    cameras = [entry(k) for k in range(4)]
    for number, camera in enumerate(cameras):
        size = 1 if number == 2 else 2
        camera["w"], camera["h"] = 32 * size, 24 * size
        camera["K"] = [[30 * size, 0, 16 * size], [0, 30 * size, 12 * size], [0, 0, 1]]
        (tmp_path / "ims" / str(number)).mkdir(parents=True)
        for frame in range(5):
            pixels = picture(number, frame).repeat(size, axis=0).repeat(size, axis=1)
            iio.imwrite(tmp_path / "ims" / str(number) / f"{frame}.png", pixels)
    write_json(tmp_path, cameras=cameras)
    return tmp_path


def test_cameras_of_several_sizes_can_be_read_at_one(mixed: Path) -> None:
    capture = open_capture(mixed, CaptureConfig(24))
    check_capture(capture)
    pictures = load_frames(capture.split("train"), [1])
    for number, found in enumerate(pictures, 1):
        assert np.array_equal(found[0], picture(number, 1))
    assert len({tuple(v.camera.K.flatten().tolist()) for v in capture.views}) == 1


@pytest.mark.slow
def test_cameras_of_several_sizes_are_trained(
    mixed: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Each batch has pictures of one size; the scene learns from all cameras."""
    with caplog.at_level(logging.INFO):
        check_capture(open_capture(mixed))
    assert "several sizes (32x24, 64x48)" in caplog.text
    done = run_main("train", str(mixed), "-o", str(mixed / "run"), *QUICK, OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr
    assert (mixed / "run" / "training.json").exists()


def test_batches_have_one_size_and_all_cameras_take_part() -> None:
    sizes = [(4, 3), (4, 3), (3, 4), (4, 3), (3, 4)]
    cameras = [Camera(torch.eye(4), torch.eye(3), *size) for size in sizes]
    rng, drawn = Rng(0, torch.device("cpu")), [0] * 5
    for _ in range(300):
        views = draw_views(cameras, 2, rng)
        assert len(set(views)) == 2
        assert len({sizes[v] for v in views}) == 1
        for view in views:
            drawn[view] += 1
    assert all(count == pytest.approx(120, abs=36) for count in drawn)
    one, other = Rng(3, torch.device("cpu")), Rng(3, torch.device("cpu"))
    assert draw_views(cameras[:2], 1, one) == other.choice(1, 2)  # as before there were sizes


@pytest.mark.parametrize("height", [0, -4])
def test_no_height_is_refused(height: int) -> None:
    with pytest.raises(
        SettingError, match=rf"--capture.height-px is {height}; it must be at least"
    ):
        CaptureConfig(height)


# Runs


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A capture, and a run of it at half its size."""
    folder = tmp_path_factory.mktemp("half")
    capture, run = write_capture(folder / "capture", cameras=4), folder / "run"
    done = run_main(
        "train", str(capture), "-o", str(run), *QUICK, "--capture.height-px=12",
        OMP_NUM_THREADS="1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return capture, run


def test_a_run_remembers_its_size(trained: tuple[Path, Path]) -> None:
    capture, run = trained
    meta = load_run(run).meta
    assert (meta.width, meta.height) == (16, 12)
    done = run_main("train", str(capture), "-o", str(run), *QUICK)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]  # after what the training would need
    assert "begun with other settings: capture.height_px: 12 -> None" in last
    assert "Traceback" not in done.stderr


def test_a_capture_that_changed_its_size_is_refused(trained: tuple[Path, Path]) -> None:
    capture, run = trained
    with pytest.raises(RunError, match="begun with pictures of 16x12 px, the capture has 32x24"):
        _planned_gops(RunDirectory(run), open_capture(capture))


def test_a_scene_is_compared_at_the_size_that_it_was_trained_at(
    trained: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture, run = trained
    scene = tmp_path / "half.stgs"
    encode_scene(load_run(run), scene, EncoderConfig(qps=(20,)))
    config = EvaluateConfig(str(scene), capture, cameras="all", backend="reference", lpips="none")
    figures = evaluate(config)
    assert figures["picture_px"] == ["16x12"]
    assert figures["recorded_px"] == ["32x24"]
    at_full_size = evaluate(replace(config, capture=CaptureConfig(HEIGHT)))
    assert at_full_size["picture_px"] == at_full_size["recorded_px"] == ["32x24"]
    before = tmp_path / "before.json"
    before.write_text(json.dumps(figures))
    with pytest.raises(EvaluationError, match=r"are of pictures of 16x12 px, these of 32x24 px"):
        evaluate(replace(config, capture=CaptureConfig(HEIGHT), compare=before))
    assert "comparison" in evaluate(replace(config, compare=before))
    command = ["evaluate", str(scene), "--data", str(capture), "--backend", "reference"]
    assert main.main([*command, "--lpips", "none"]) == 0
    assert "16x12 px, recorded at 32x24 px" in capsys.readouterr().out
    assert main.main([*command, "--lpips", "none", "--capture.height-px", "6"]) == 0
    assert "8x6 px, recorded at 32x24 px" in capsys.readouterr().out


def test_the_size_of_training_is_found_among_cameras_of_several_sizes(mixed: Path) -> None:
    """Camera 2 was recorded as small as all were read for training, the held-out one larger."""
    recorded = open_capture(mixed)
    config = EvaluateConfig("scene", mixed)

    def compared(width: int, height: int) -> CaptureConfig:
        scene = SimpleNamespace(meta=SimpleNamespace(width=width, height=height))
        return _compared_size(cast(Scene, scene), recorded, config)

    assert compared(32, 24) == CaptureConfig(24)
    assert compared(16, 12) == CaptureConfig(12)
    assert compared(64, 48) == CaptureConfig()
    assert compared(30, 24) == CaptureConfig()  # it was trained from something else
