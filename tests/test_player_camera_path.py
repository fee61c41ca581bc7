"""Camera paths."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from streamstgs.app.player.camera.path import (
    SWING_RAD_MIN,
    OrbitPath,
    StillPath,
    camera_path,
    read_camera_path,
)
from streamstgs.app.player.errors import CameraPathError
from streamstgs.codec.package.scene_meta import CameraPreset, SceneMeta
from streamstgs.renderer import Camera

from tests.synthetic import SyntheticSource

META = SyntheticSource().meta


FAR_AWAY = [[0.6, -0.8, 0, 9e8], [0.8, 0.6, 0, 9e8], [0, 0, 1, 0], [0, 0, 0, 1]]


def ring(*degrees: float) -> SceneMeta:
    return replace(
        META,
        presets=tuple(
            CameraPreset(
                f"at {angle}",
                (4 * math.sin(math.radians(angle)), 0.0, -4 * math.cos(math.radians(angle))),
                (0.0, 0.0, 0.0),
                0.7,
            )
            for angle in degrees
        ),
    )


def write(folder: Path, data: Any) -> Path:
    path = folder / "path.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path


def key(time_s: float, **change: Any) -> dict[str, Any]:
    entry = {"time_s": time_s, "position": [time_s, 0, -4], "target": [0, 0, 0], "fov_y_rad": 0.8}
    return {name: value for name, value in (entry | change).items() if value is not None}


def test_orbit_closes_and_starts_at_the_opening_view() -> None:
    path = camera_path("orbit", ring(0, 120, 240), 10.0)
    assert isinstance(path, OrbitPath)
    assert path.swing_rad is None
    start, end = path.camera_at(0.0, 64, 36), path.camera_at(10.0, 64, 36)
    assert torch.allclose(start.viewmat, end.viewmat, atol=1e-5)
    assert start.position.tolist() == pytest.approx([0, 0, -4], abs=1e-5)
    half = path.camera_at(5.0, 64, 36)
    assert half.position.tolist() == pytest.approx([0, 0, 4], abs=1e-4)


@pytest.mark.parametrize(
    "angles", [(-40, 0, 40), (0, -40, 40), (40, -40, 0), (10, 170), (200, 290)]
)
def test_orbit_swings_between_the_ends_of_what_was_filmed(angles: tuple[float, ...]) -> None:
    path = OrbitPath.of(ring(*angles), 10.0)
    middle = math.radians((min(angles) + max(angles)) / 2)
    turns = []
    for step in range(100):
        x, _, z = path.camera_at(step / 10, 64, 36).position.tolist()
        turns.append(math.remainder(math.atan2(x, -z) - middle, 2 * math.pi))
    half = math.radians((max(angles) - min(angles)) / 2)
    assert (min(turns), max(turns)) == pytest.approx((-half, half), abs=0.01)
    assert turns[0] == pytest.approx(math.radians(angles[0]) - middle, abs=1e-5)


def test_orbit_swings_a_little_around_a_single_camera() -> None:
    assert OrbitPath.of(ring(70), 10.0).swing_rad == pytest.approx((-SWING_RAD_MIN, SWING_RAD_MIN))
    assert OrbitPath.of(replace(META, presets=()), 10.0).swing_rad is None


def test_presets_are_found_by_name() -> None:
    path = camera_path("front", META, 1.0)
    assert isinstance(path, StillPath)
    assert path.camera_at(3.0, 32, 18).position.tolist() == pytest.approx([0, 0, -4], abs=1e-6)
    with pytest.raises(CameraPathError, match=r"orbit, Front, a path\.json"):
        camera_path("behind", META, 1.0)


def test_keyframes_are_met_and_the_path_is_smooth(tmp_path: Path) -> None:
    keys = [key(0.0), key(1.0, position=[1, -2, -4]), key(3.0, fov_y_rad=0.5)]
    path = read_camera_path(write(tmp_path, {"keyframes": keys}), META)
    for entry in keys:
        expected = Camera.look_at(
            torch.tensor(entry["position"]).float(),
            torch.zeros(3),
            torch.tensor(META.up),
            entry["fov_y_rad"],
            64,
            36,
        )
        camera = path.camera_at(entry["time_s"], 64, 36)
        assert torch.allclose(camera.viewmat, expected.viewmat, atol=1e-5)
        assert torch.allclose(camera.K, expected.K, rtol=1e-5)
    steps = [path.camera_at(i / 100, 64, 36).position for i in range(-20, 330)]
    speeds = torch.stack([b - a for a, b in pairwise(steps)])
    assert (speeds[1:] - speeds[:-1]).norm(dim=1).max() < 0.1 * speeds.norm(dim=1).max()
    assert torch.equal(steps[0], steps[10])  # still before the first
    assert torch.equal(steps[-1], steps[-2])


def test_a_viewmat_keyframe_gives_that_camera(tmp_path: Path) -> None:
    up = torch.tensor([0.3, -1.0, 0.1])  # rolled
    wanted = Camera.look_at(torch.tensor([1.0, 2.0, -3.0]), torch.zeros(3), up, 0.9, 64, 36)
    entry = {"time_s": 0, "viewmat": wanted.viewmat.tolist(), "fov_y_rad": 0.9}
    path = read_camera_path(write(tmp_path, {"keyframes": [entry]}), META)
    camera = path.camera_at(5.0, 64, 36)
    assert torch.allclose(camera.viewmat, wanted.viewmat, atol=1e-5)
    assert torch.allclose(camera.K, wanted.K, rtol=1e-5)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ([], "keyframes"),
        ({"keyframes": []}, "at least one"),
        ({"keyframes": [3]}, "not an object"),
        ({"keyframes": [key(0, position=None)]}, "position is missing"),
        ({"keyframes": [key(0, position=[1, 2])]}, "position in keyframe 0 should be 3 numbers"),
        ({"keyframes": [key(0, position=[1e30, 0, 0])]}, "position in keyframe 0"),
        ({"keyframes": [key(0, position=["a", 0, 0])]}, "position in keyframe 0"),
        ({"keyframes": [key(0, target=[math.nan, 0, 0])]}, "target"),
        ({"keyframes": [key(0, fov_y_rad=4)]}, "fov_y_rad"),
        ({"keyframes": [key(0, target=[0, 0, -4])]}, "no direction"),
        ({"keyframes": [key(0, target=[0, 1, -4])]}, "straight up"),
        ({"keyframes": [key(1), key(1)]}, "not after"),
        ({"keyframes": [key(0, viewmat=[[2, 0, 0, 0]] * 4)]}, "viewmat"),
        ({"keyframes": [key(0, viewmat=[[1] * 5] * 4)]}, "viewmat in keyframe 0 .* 4 x 4 numbers"),
        ({"keyframes": [key(0, viewmat=FAR_AWAY)]}, "cannot be used: `position`"),
    ],
)
def test_malformed_files_are_refused(tmp_path: Path, data: Any, words: str) -> None:
    path = write(tmp_path, data)
    with pytest.raises(CameraPathError, match=words):
        camera_path(str(path), META, 1.0)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CameraPathError, match=r"none\.json"):
        camera_path(str(tmp_path / "none.json"), META, 1.0)
