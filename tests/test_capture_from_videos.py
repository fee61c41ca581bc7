"""Videos that nobody has calibrated: a capture of them, or a refusal that names the cameras."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from streamstgs.cli.command_line import main
from streamstgs.trainer.datasets import check_capture, open_capture
from streamstgs.trainer.errors import CaptureError
from streamstgs.trainer.points.point_cloud import read_point_file
from streamstgs.trainer.rig.config import RigConfig
from streamstgs.trainer.rig.features import _joined
from streamstgs.trainer.rig.from_videos import calibrate_videos, find_videos

from tests.capture_samples import picture, write_video
from tests.textured_room import HEIGHT, WIDTH, room_cameras, write_room

pytest.importorskip("pycolmap")


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_room(tmp_path_factory.mktemp("room"), frames=3)
    (folder / "cameras.json").unlink()
    return folder


def aligned(found: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions [N, 3] moved, turned and scaled onto others, and the turn [3, 3]."""
    a, b = found - found.mean(axis=0), truth - truth.mean(axis=0)
    u, s, vt = np.linalg.svd(b.T @ a)
    sign = np.diag([1, 1, np.linalg.det(u @ vt)])
    turn, scale = u @ sign @ vt, np.trace(np.diag(s) @ sign) / (a * a).sum()
    return scale * a @ turn.T + truth.mean(axis=0), turn


def test_videos_are_calibrated(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "capture"
    words = ["capture", "from-videos", str(videos), "-o", str(out), "--one-lens"]
    assert main([*words, "--capture.held-out", "cam02"]) == 0
    assert f"streamstgs capture check {out}" in capsys.readouterr().err
    capture = open_capture(out)
    check_capture(capture)
    truth = room_cameras()
    assert [v.name for v in capture.split("test")] == ["cam02"]
    assert len(capture.views) == len(truth)
    assert capture.frames == 3
    places = np.stack([v.camera.position.numpy() for v in capture.views])
    true_places = np.stack([c.position.numpy() for c in truth])
    moved, turn = aligned(places, true_places)
    extent = np.ptp(true_places, axis=0).max()
    assert np.linalg.norm(moved - true_places, axis=1).max() < 0.02 * extent
    for view, camera in zip(capture.views, truth, strict=True):
        rest = camera.viewmat[:3, :3].numpy() @ turn @ view.camera.viewmat[:3, :3].numpy().T
        assert np.degrees(np.arccos(np.clip((np.trace(rest) - 1) / 2, -1, 1))) < 1.5
        assert view.reader.undistortion is None or view.reader.undistortion.kept > 0.9
    assert capture.points_path is not None
    assert len(read_point_file(capture.points_path)) > 100


def test_camera_that_sees_something_else_is_named(videos: Path, tmp_path: Path) -> None:
    for video in videos.glob("*.mp4"):
        shutil.copy(video, tmp_path)
    rng = np.random.default_rng(0)
    static = [rng.integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)] * 3
    write_video(tmp_path / "cam09.mp4", static, 20)
    out = tmp_path / "capture"
    with pytest.raises(CaptureError, match=r"1 of 6 cameras .*: cam09\. .*--leave-out"):
        calibrate_videos([tmp_path], out, RigConfig(one_lens=True, moments=1))
    assert not out.exists()
    calibrate_videos([tmp_path], out, RigConfig(one_lens=True, moments=1, leave_out=True))
    assert len(open_capture(out).views) == 5
    assert not (out / "cam09.mp4").exists()


def test_videos_without_texture_are_refused(tmp_path: Path) -> None:
    for k in range(3):
        write_video(tmp_path / f"{k}.mp4", [picture(k, 0, (64, 48))] * 2)
    with pytest.raises(CaptureError, match="no two of 3 cameras could be joined"):
        calibrate_videos([tmp_path], tmp_path / "out", RigConfig())
    assert not (tmp_path / "out").exists()


def test_too_few_videos_are_refused(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", [picture(0, 0)])
    with pytest.raises(CaptureError, match="1 videos cannot be calibrated"):
        find_videos([tmp_path])
    with pytest.raises(CaptureError, match="does not exist"):
        find_videos([tmp_path / "nowhere"])


def test_videos_of_one_name_are_refused(tmp_path: Path) -> None:
    paths = [tmp_path / "a.mp4", tmp_path / "b.mp4", tmp_path / "x" / "a.mp4"]
    for number, path in enumerate(paths):
        write_video(path, [picture(number, 0)])
    with pytest.raises(CaptureError, match="two videos are called a"):
        find_videos(paths)


def test_unknown_held_out_camera_is_named(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["capture", "from-videos", str(videos), "-o", str(tmp_path / "out")]
    assert main([*words, "--capture.held-out", "cam77"]) == 1
    assert "there is no camera cam77" in capsys.readouterr().err


def test_folder_with_other_files_is_left_alone(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "note.txt").touch()
    assert main(["capture", "from-videos", str(videos), "-o", str(tmp_path)]) == 1
    assert "other files" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["note.txt"]


def test_matches_of_moments_are_joined_without_mixing_them() -> None:
    first = {"points": {"a": np.zeros((4, 2)), "b": np.zeros((5, 2))}}
    second = {"points": {"a": np.zeros((2, 2)), "b": np.zeros((3, 2))}}
    first["matches"] = {("a", "b"): np.array([[0, 1], [3, 4]])}  # type: ignore[assignment]
    second["matches"] = {("b", "a"): np.array([[2, 1]])}  # type: ignore[assignment]
    assert _joined([first, second])["a", "b"].tolist() == [[0, 1], [3, 4], [5, 7]]


def test_lens_of_the_result_is_declared(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "capture"
    calibrate_videos(sorted(videos.glob("*.mp4")), out, RigConfig("SIMPLE_PINHOLE", one_lens=True))
    views = open_capture(out).views
    true_focal = room_cameras()[0].K[0, 0].item()
    assert all(v.camera.K[0, 0].item() == pytest.approx(true_focal, rel=0.02) for v in views)
    assert torch.equal(views[0].camera.K, views[3].camera.K)
