"""`capture check`: what will be read, cameras whose pose or time does not fit, in plain words."""

from __future__ import annotations

import json
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import torch
from streamstgs.cli.command_line import main
from streamstgs.trainer.capture_check.check import CheckConfig, check_folder
from streamstgs.trainer.capture_check.epipolar import (
    epipolar_errors,
    neighbour_pairs,
    pose_fits,
)
from streamstgs.trainer.capture_check.matches import PairMatches
from streamstgs.trainer.capture_check.report import for_people
from streamstgs.trainer.capture_check.synchrony import camera_offsets
from streamstgs.trainer.datasets import CaptureConfig
from streamstgs.trainer.points.projection import project

from tests.capture_scene import ring_cameras
from tests.textured_room import FPS, FRAMES, HEIGHT, WIDTH, room_cameras, turned, write_room

pytest.importorskip("pycolmap")


@pytest.fixture(scope="module")
def good_room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_room(tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def bad_room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Camera 2 is turned by a degree, camera 4 shows each moment two frames later."""
    cameras = room_cameras()
    told = [turned(c, 1.0) if k == 2 else c for k, c in enumerate(cameras)]
    return write_room(tmp_path_factory.mktemp("bad"), cameras, late={4: 2}, calibrated=told)


def test_good_capture_is_called_good(
    good_room: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet, figures = tmp_path / "sheet.png", tmp_path / "figures.json"
    words = ["capture", "check", str(good_room), "--sheet", str(sheet), "--json", str(figures)]
    assert main(words) == 0
    text = capsys.readouterr().out
    assert "Room (cameras.json)" in text
    assert "5, held out of training: cam01" in text
    assert f"{FRAMES} at {FPS} per second" in text
    assert f"{WIDTH}x{HEIGHT} (5 cameras)" in text
    assert "5 of 5 cameras checked, all of them fit" in text
    assert "5 of 5 cameras checked, all at the same moment" in text
    assert "No problems were found" in text
    document = json.loads(figures.read_text())
    assert document["good"]
    assert document["problems"] == []
    assert document["frames"] == FRAMES
    assert all(p["error_px"] < 0.5 and p["matches"] > 60 for p in document["poses"].values())
    assert all(abs(s["offset"]) < 0.3 for s in document["sync"].values())
    shown = iio.imread(sheet)
    assert shown.shape[0] > HEIGHT
    assert shown.std() > 20


def test_bad_pose_and_late_camera_are_named(
    bad_room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["capture", "check", str(bad_room)]) == 1
    problems = capsys.readouterr().out.split("Problems:\n")[1].splitlines()
    assert len(problems) == 2, problems
    assert problems[0].startswith("- camera cam02: its pose does not fit")
    assert problems[1].startswith("- camera cam04: shows each moment 2.")
    assert problems[1].endswith(
        "frames later than most cameras. Train with --capture.offset cam04=2"
    )


def test_offset_that_was_told_repairs_the_capture(bad_room: Path) -> None:
    config = CaptureConfig(offset=("cam04=2",))
    report = check_folder(bad_room, CheckConfig(config, poses=False))
    assert report.is_good
    assert report.frames == FRAMES - 2
    assert all(abs(s.offset or 0) < 0.3 for s in report.sync)
    wrong = check_folder(bad_room, CheckConfig(CaptureConfig(offset=("cam03=1",)), poses=False))
    assert any("cam04=2" in p and "cam03" not in p for p in wrong.problems)


def test_capture_that_cannot_be_read_is_a_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = tmp_path / "figures.json"
    assert main(["capture", "check", str(tmp_path), "--json", str(figures)]) == 1
    assert "holds no calibration" in capsys.readouterr().out
    document = json.loads(figures.read_text())
    assert not document["good"]
    assert "holds no calibration" in document["problems"][0]


def test_warnings_of_reading_are_in_the_report(good_room: Path) -> None:
    report = check_folder(good_room, CheckConfig(poses=False, sync=False))
    assert any("bt601 is assumed" in w for w in report.warnings)
    assert "Warnings:\n- 5 of 5 videos" in for_people(report)
    assert "not checked" in for_people(report)


# The statistics alone


def made_matches(noise_px: float = 0.3, outliers: float = 0.2) -> list[PairMatches]:
    """Pixels of points that all cameras of a ring see, some of them matched wrongly."""
    rng = np.random.default_rng(1)
    cameras = ring_cameras(8)
    points = torch.tensor(rng.normal(size=(60, 3)) * 0.5, dtype=torch.float32)
    seen = [project(points, c)[0].double().numpy() for c in cameras]
    found = []
    for a, b in neighbour_pairs(cameras):
        first, second = (seen[k] + rng.normal(size=seen[k].shape) * noise_px for k in (a, b))
        wrong = rng.random(60) < outliers
        second[wrong] = rng.random((int(wrong.sum()), 2)) * 30
        found.append(PairMatches((a, b), first, second))
    return found


def test_true_poses_fit_in_spite_of_wrong_matches() -> None:
    cameras = ring_cameras(8)
    assert np.median(epipolar_errors(cameras, made_matches(0, 0)[0])) < 1e-3
    exact = [PairMatches(m.pair, m.first, m.second) for m in made_matches(0.01, 0.2)]
    assert all(fit.fits for fit in pose_fits(cameras, exact))


@pytest.mark.parametrize("wrong", [{3}, {0, 5}])
def test_only_wrong_cameras_are_named(wrong: set[int]) -> None:
    cameras = [turned(c, 3.0) if k in wrong else c for k, c in enumerate(ring_cameras(8))]
    fits = pose_fits(cameras, made_matches(0.01, 0.2))
    assert {fit.camera for fit in fits if fit.fits is False} == wrong


def test_camera_without_matches_is_neither_right_nor_wrong() -> None:
    matches = [m for m in made_matches(0.01) if 6 not in m.pair]
    fits = pose_fits(ring_cameras(8), matches)
    assert fits[6].fits is None
    assert all(fit.fits for fit in fits if fit.camera != 6)


def test_one_wrong_pair_gives_no_verdict_on_a_camera() -> None:
    """A few wrong matches of one pair may agree on a geometry by chance."""
    rng = np.random.default_rng(3)
    matches = [m for m in made_matches(0.01) if 6 not in m.pair]
    matches.append(PairMatches((1, 6), rng.random((80, 2)) * 30, rng.random((80, 2)) * 30))
    fits = pose_fits(ring_cameras(8), matches)
    assert fits[6].fits is None
    assert all(fit.fits for fit in fits if fit.camera != 6)


def test_two_cameras_are_judged_by_their_pair() -> None:
    (pair,) = [m for m in made_matches(0.01, 0.1) if m.pair == (0, 1)]
    assert all(fit.fits for fit in pose_fits(ring_cameras(8)[:2], [pair]))


def test_neighbours_of_many_cameras_are_few() -> None:
    pairs = neighbour_pairs(ring_cameras(40))
    assert all((k, (k + 1) % 40) in pairs or ((k + 1) % 40, k) in pairs for k in range(40))
    assert len(pairs) < 40 * 6


def made_energies(late: dict[int, int], noise: float = 0.1) -> np.ndarray:
    """[8, 120] motion of one event as cameras near and far see it."""
    rng = np.random.default_rng(2)
    event = np.exp(np.convolve(rng.normal(size=240), np.hanning(7), "same"))
    rows = []
    for camera in range(8):
        start = 60 - late.get(camera, 0)
        strength = np.exp(rng.normal(size=120) * noise) * rng.uniform(0.3, 3)
        rows.append(event[start : start + 120] * strength)
    return np.stack(rows)


@pytest.mark.parametrize("late", [{}, {2: 3}, {1: -5, 6: 2, 7: 1}, {0: 20}])
def test_offsets_are_found(late: dict[int, int]) -> None:
    found = camera_offsets(made_energies(late), 24.0)
    assert [sync.frames for sync in found] == [late.get(k, 0) for k in range(8)]
    assert all(sync.offset is not None for sync in found)


def test_offsets_need_common_motion() -> None:
    noise = np.random.default_rng(0).uniform(1, 2, (8, 120))
    assert all(sync.frames == 0 for sync in camera_offsets(noise, 24.0))
    still = np.zeros((8, 120))
    assert all(sync.offset is None for sync in camera_offsets(still, 24.0))


def test_camera_that_sees_something_else_is_not_judged() -> None:
    energies = made_energies({})
    energies[3] = np.random.default_rng(4).uniform(1, 2, 120)
    found = camera_offsets(energies, 24.0)
    assert found[3].offset is None
    assert all(s.frames == 0 and s.offset is not None for k, s in enumerate(found) if k != 3)


def test_short_recording_is_not_judged() -> None:
    assert all(s.offset is None for s in camera_offsets(made_energies({})[:, :20], 24.0))
