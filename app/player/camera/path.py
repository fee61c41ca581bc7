"""Camera paths: an orbit, a fixed preset, or keyframes from a file.

A camera path file (path.json) is a JSON object:

    {"keyframes": [
      {"time_s": 0.0, "position": [0, -1, -4], "target": [0, 0, 0], "fov_y_rad": 0.8},
      {"time_s": 4.0, "position": [3, -1, -3], "target": [0, 0, 0], "fov_y_rad": 0.6,
       "up": [0, -1, 0]},
      {"time_s": 6.0, "viewmat": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 4], [0, 0, 0, 1]],
       "fov_y_rad": 0.8}
    ]}

Times grow from keyframe to keyframe. A keyframe has either `position` and `target` (world units;
without `up` the scene's is used) or `viewmat` (world to camera, OpenCV axes). Between keyframes the
camera follows a smooth curve through them; before the first and after the last it does not move.
Windows narrower than the scene's aspect ratio keep its width in view.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from streamstgs.app.player.camera.orbit import (
    OrbitCamera,
    OrbitView,
    Vector,
    focal_px,
    natural_aspect,
)
from streamstgs.app.player.errors import CameraPathError
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.renderer import Camera

FILE_BYTES_MAX = 4 << 20
TURN_S_MIN = 8.0  # a faster turn makes the viewer dizzy
SWING_RAD_MIN = math.radians(20.0)
FOV_MIN_RAD, FOV_MAX_RAD = 0.01, 3.1
Array = NDArray[np.float64]


class CameraPath(Protocol):
    """Gives a camera for each time."""

    def camera_at(self, time_s: float, width: int, height: int) -> Camera: ...


@dataclass(frozen=True)
class StillPath:
    """A camera with one fixed pose."""

    orbit: OrbitCamera

    def camera_at(self, time_s: float, width: int, height: int) -> Camera:
        return self.orbit.to_camera(width, height)


@dataclass(frozen=True)
class OrbitPath:
    """A camera that orbits the scene, or swings to and fro if one side only was filmed.

    Args:
        orbit: The camera at time 0.
        turn_s: The time of one turn, or of one swing to and fro.
        swing_rad: The angle to each side of a swing; None orbits in full turns.
    """

    orbit: OrbitCamera
    turn_s: float
    swing_rad: float | None = None

    @staticmethod
    def of(meta: SceneMeta, duration_s: float) -> OrbitPath:
        """An orbit from the opening view; full turns if presets surround the scene."""
        return OrbitPath(OrbitCamera.from_meta(meta), max(duration_s, TURN_S_MIN), _swing(meta))

    def camera_at(self, time_s: float, width: int, height: int) -> Camera:
        phase = 2 * math.pi * time_s / self.turn_s
        view = self.orbit.view
        turn = phase if self.swing_rad is None else self.swing_rad * math.sin(phase)
        moved = OrbitView(
            view.pivot, view.yaw_rad + turn, view.pitch_rad, view.distance, view.fov_y_rad
        )
        return self.orbit.to_camera(width, height, moved)


@dataclass(frozen=True)
class CameraKeyframe:
    """A camera at a time; `up` carries the roll and need not be orthogonal to the view."""

    time_s: float
    position: Vector
    target: Vector
    up: Vector
    fov_y_rad: float

    def row(self) -> list[float]:
        return [*self.position, *self.target, *self.up, self.fov_y_rad]


@dataclass(frozen=True)
class KeyframePath:
    """A smooth curve through keyframes (cubic Hermite, tangents from the neighbours).

    Args:
        keyframes: At least one keyframe, in the order of their times.
        aspect: Width / height of a picture of the scene.
    """

    keyframes: tuple[CameraKeyframe, ...]
    aspect: float

    def camera_at(self, time_s: float, width: int, height: int) -> Camera:
        here = self.keyframe_at(time_s)
        position, target, up = (
            torch.tensor(v).float() for v in (here.position, here.target, here.up)
        )
        camera = Camera.look_at(position, target, up, here.fov_y_rad, width, height)
        focal = focal_px(here.fov_y_rad, self.aspect, width, height)
        K = torch.tensor([[focal, 0.0, width / 2], [0.0, focal, height / 2], [0.0, 0.0, 1.0]])
        return Camera(camera.viewmat, K, width, height)

    def keyframe_at(self, time_s: float) -> CameraKeyframe:
        """The camera at a time on the curve, as a keyframe."""
        row = self._row_at(time_s)
        fov = min(max(float(row[9]), FOV_MIN_RAD), FOV_MAX_RAD)  # the curve may overshoot
        return CameraKeyframe(time_s, _vector(row[0:3]), _vector(row[3:6]), _vector(row[6:9]), fov)

    def _row_at(self, time_s: float) -> Array:
        times = np.array([keyframe.time_s for keyframe in self.keyframes])
        rows = np.array([keyframe.row() for keyframe in self.keyframes])
        left = min(max(bisect_right(times.tolist(), time_s) - 1, 0), len(times) - 1)
        right = min(left + 1, len(times) - 1)
        if left == right or time_s <= times[0]:
            return rows[left]
        slopes = np.gradient(rows, times, axis=0)
        slopes[0] = slopes[-1] = 0.0  # it sets off and arrives softly
        span = times[right] - times[left]
        u = (time_s - times[left]) / span
        row = np.asarray(
            (1 + 2 * u) * (1 - u) ** 2 * rows[left]
            + u * (1 - u) ** 2 * span * slopes[left]
            + u**2 * (3 - 2 * u) * rows[right]
            + u**2 * (u - 1) * span * slopes[right]
        )
        if rows[left][6:9] @ rows[right][6:9] < 0.0:  # a sum of opposite directions may vanish
            row[6:9] = _turned(rows[left][6:9], rows[right][6:9], row[3:6] - row[0:3], u)
        return row


def _turned(start: Array, end: Array, axis: Array, u: float) -> Array:
    """The up direction at share `u` of a turn from `start` to `end` around a view axis."""
    forward = axis / np.linalg.norm(axis)
    start, end = (v - forward * (v @ forward) for v in (start, end))
    angle = math.atan2(float(np.cross(start, end) @ forward), float(start @ end))
    turn = angle * u * u * (3 - 2 * u)
    turned: Array = start * math.cos(turn) + np.cross(forward, start) * math.sin(turn)
    return turned / np.linalg.norm(turned)


def camera_path(name: str, meta: SceneMeta, duration_s: float) -> CameraPath:
    """The camera path that the option `--camera` names.

    Args:
        name: `orbit`, the name of a preset of the scene, or the path of a camera path file.
        duration_s: The length of the video; an orbit closes with it.

    Raises:
        CameraPathError: The name is none of these, or the file is malformed; the message says how.
    """
    if name == "orbit":
        return OrbitPath.of(meta, duration_s)
    for preset in meta.presets:
        if preset.name.casefold() == name.casefold():
            orbit = OrbitCamera.from_meta(meta)
            orbit.go_to_preset(preset)
            return StillPath(orbit)
    if name.casefold().endswith(".json"):
        return read_camera_path(Path(name), meta)
    known = ", ".join(["orbit", *(preset.name for preset in meta.presets), "a path.json file"])
    raise CameraPathError(f"This scene has no camera called {name!r}; it has: {known}.")


def read_camera_path(path: Path, meta: SceneMeta) -> KeyframePath:
    """Read a camera path file.

    Raises:
        CameraPathError: The file is missing, too large, or not in the form of this module.
    """
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise CameraPathError(f"{path} is too large for a camera path.")
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CameraPathError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise CameraPathError(f"{path} is not JSON: {error}.") from error
    try:
        return KeyframePath(_keyframes(data, meta.up), natural_aspect(meta))
    except CameraPathError as error:
        raise CameraPathError(f"{path}: {error}") from error


def _swing(meta: SceneMeta) -> float | None:
    """None if the presets surround the scene, else half the angle that they span."""
    if not meta.presets:
        return None
    orbit = OrbitCamera.from_meta(meta)
    yaws = []
    for preset in meta.presets:
        orbit.go_to_preset(preset)
        yaws.append(orbit.view.yaw_rad % (2 * math.pi))
    yaws.sort()
    gaps = [b - a for a, b in zip(yaws, [*yaws[1:], yaws[0] + 2 * math.pi], strict=True)]
    if max(gaps) < math.radians(150.0):
        return None
    return max((2 * math.pi - max(gaps)) / 2, SWING_RAD_MIN)


def _keyframes(data: Any, up: Vector) -> tuple[CameraKeyframe, ...]:
    entries = data.get("keyframes") if isinstance(data, dict) else None
    if not isinstance(entries, list) or not entries:
        raise CameraPathError("it needs a list `keyframes` with at least one entry.")
    keyframes = tuple(_keyframe(entry, number, up) for number, entry in enumerate(entries))
    for number, (one, other) in enumerate(pairwise(keyframes)):
        if other.time_s <= one.time_s:
            raise CameraPathError(f"the time of keyframe {number + 1} is not after the one before.")
    return keyframes


def _keyframe(entry: Any, number: int, up: Vector) -> CameraKeyframe:
    if not isinstance(entry, dict):
        raise CameraPathError(f"keyframe {number} is not an object.")
    where = f"in keyframe {number}"
    fov = float(_numbers(entry, "fov_y_rad", (), where))
    if not FOV_MIN_RAD <= fov <= FOV_MAX_RAD:
        raise CameraPathError(f"fov_y_rad {where} is not {FOV_MIN_RAD} to {FOV_MAX_RAD}.")
    time_s = float(_numbers(entry, "time_s", (), where))
    if "viewmat" in entry:
        return _from_viewmat(_numbers(entry, "viewmat", (4, 4), where), time_s, fov, where)
    position = _numbers(entry, "position", (3,), where)
    target = _numbers(entry, "target", (3,), where)
    upward = _numbers(entry, "up", (3,), where) if "up" in entry else np.array(up)
    if np.linalg.norm(np.cross(target - position, upward)) < 1e-9:
        raise CameraPathError(f"the view {where} has no direction, or looks straight up or down.")
    return CameraKeyframe(time_s, _vector(position), _vector(target), _vector(upward), fov)


def _from_viewmat(viewmat: Array, time_s: float, fov_y_rad: float, where: str) -> CameraKeyframe:
    rotation = viewmat[:3, :3]
    turned = np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-3) and (
        np.linalg.det(rotation) > 0
    )
    if not turned or not np.allclose(viewmat[3], [0, 0, 0, 1]):
        raise CameraPathError(f"viewmat {where} is not a rotation and a translation.")
    position = -rotation.T @ viewmat[:3, 3]
    return CameraKeyframe(
        time_s, _vector(position), _vector(position + rotation[2]), _vector(-rotation[1]), fov_y_rad
    )


def _numbers(entry: dict[str, Any], key: str, shape: tuple[int, ...], where: str) -> Array:
    expected = f"{key} {where} should be " + ("a number" if not shape else f"{shape} numbers")
    try:
        values = np.array(entry[key], dtype=np.float64)
    except KeyError:
        raise CameraPathError(f"{key} is missing {where}.") from None
    except (TypeError, ValueError, OverflowError):
        raise CameraPathError(f"{expected}.") from None
    if values.shape != shape or not np.isfinite(values).all() or np.abs(values).max() > 1e9:
        raise CameraPathError(f"{expected}.")
    return values


def _vector(array: Array) -> Vector:
    return (float(array[0]), float(array[1]), float(array[2]))
