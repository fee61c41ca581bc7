"""Checks of the numbers in camera path files; every failure is one `CameraPathError`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from streamstgs.app.player.arguments import FARTHEST
from streamstgs.app.player.camera.keyframes import (
    FOV_MAX_RAD,
    FOV_MIN_RAD,
    Array,
    CameraKeyframe,
    Easing,
    vector,
)
from streamstgs.app.player.errors import ArgumentError, CameraPathError
from streamstgs.renderer.rotations import is_rotation

FRAMES_MAX = 1_000_000  # of a file that holds the camera of each frame


def checked_numbers(entry: dict[str, Any], key: str, shape: tuple[int, ...], where: str) -> Array:
    """Finite numbers of a JSON object as an array of a shape.

    Raises:
        CameraPathError: They are missing, of another shape, or not finite.
    """
    count = "a number" if not shape else " x ".join(map(str, shape)) + " numbers"
    expected = f"{key} {where} should be {count}"
    try:
        values = np.array(entry[key], dtype=np.float64)
    except KeyError:
        raise CameraPathError(f"{key} is missing {where}.") from None
    except (TypeError, ValueError, OverflowError):
        raise CameraPathError(f"{expected}.") from None
    if values.shape != shape or not np.isfinite(values).all() or np.abs(values).max() > FARTHEST:
        raise CameraPathError(f"{expected}.")
    return values


def checked_object(value: Any, name: str) -> dict[str, Any]:
    """A JSON object. Raises CameraPathError."""
    if not isinstance(value, dict):
        raise CameraPathError(f"{name} is not an object.")
    return value


def checked_list(value: Any, name: str) -> list[Any]:
    """A JSON list with at least one entry. Raises CameraPathError."""
    if not isinstance(value, list) or not value:
        raise CameraPathError(f"it needs a list `{name}` with at least one entry.")
    return value


def checked_rate(entry: dict[str, Any], key: str, default: float, where: str) -> float:
    """Frames per second, above 0 and at most 1000. Raises CameraPathError."""
    rate = float(checked_numbers({key: entry.get(key, default)}, key, (), where))
    if not 0.0 < rate <= 1000.0:
        raise CameraPathError(f"{key} {where} is not above 0 and at most 1000.")
    return rate


def checked_fov(fov_rad: float, name: str, where: str) -> float:
    """A field of view in radians. Raises CameraPathError."""
    if not FOV_MIN_RAD <= fov_rad <= FOV_MAX_RAD:
        raise CameraPathError(f"{name} {where} is not {FOV_MIN_RAD} to {FOV_MAX_RAD} rad.")
    return fov_rad


def checked_order(keyframes: Sequence[CameraKeyframe]) -> tuple[CameraKeyframe, ...]:
    """Keyframes whose times grow. Raises CameraPathError."""
    for number, (one, other) in enumerate(pairwise(keyframes)):
        if other.time_s <= one.time_s:
            raise CameraPathError(f"the time of keyframe {number + 1} is not after the one before.")
    return tuple(keyframes)


def keyframe_of_view(
    time_s: float,
    position: Array,
    target: Array,
    up: Array,
    fov_y_rad: float,
    easing: Easing,
    where: str,
) -> CameraKeyframe:
    """A keyframe whose view has a direction and an up.

    Raises:
        CameraPathError: It has none, or a number is too large.
    """
    if np.linalg.norm(np.cross(target - position, up)) < 1e-9:
        raise CameraPathError(f"the view {where} has no direction, or looks straight up or down.")
    vectors = vector(position), vector(target), vector(up)
    try:
        return CameraKeyframe(time_s, *vectors, fov_y_rad, easing)
    except ArgumentError as error:
        raise CameraPathError(f"the view {where} cannot be used: {error}") from error


def keyframe_of_matrix(
    viewmat: Array, time_s: float, fov_y_rad: float, easing: Easing, name: str
) -> CameraKeyframe:
    """A keyframe of a [4, 4] world-to-camera matrix with OpenCV axes. Raises CameraPathError."""
    rotation = viewmat[:3, :3]
    if not is_rotation(rotation) or not np.allclose(viewmat[3], [0, 0, 0, 1]):
        raise CameraPathError(f"{name} is not a rotation and a translation.")
    position = -rotation.T @ viewmat[:3, 3]
    target, up = position + rotation[2], -rotation[1]
    return keyframe_of_view(time_s, position, target, up, fov_y_rad, easing, f"of {name}")


def checked_frame_count(duration_s: float, fps: float) -> int:
    """How many frames a path has with both its ends, at least 2. Raises CameraPathError."""
    count = max(round(duration_s * fps), 1) + 1
    if count > FRAMES_MAX:
        raise CameraPathError(f"A path of {count} frames is longer than {FRAMES_MAX} frames.")
    return count


def axes_of(keyframe: CameraKeyframe) -> Array:
    """[3, 3] unit vectors right, down and forward of a camera in the world, as rows."""
    forward = np.subtract(keyframe.target, keyframe.position)
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, keyframe.up)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(forward, right), forward])
