"""Cameras at times, and the smooth curve through them."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from streamstgs.app.player.arguments import finite, point, within
from streamstgs.app.player.camera.framing import Vector, focal_px
from streamstgs.app.player.errors import ArgumentError
from streamstgs.renderer import Camera

Array = NDArray[np.float64]
Easing = Literal["smooth", "linear", "ease-in", "ease-out", "ease-in-out", "hold"]
EASINGS: tuple[Easing, ...] = get_args(Easing)
FOV_MIN_RAD, FOV_MAX_RAD = 0.01, 3.1
ARC_SAMPLES = 256  # points of each segment that its length is measured with
TINY = 1e-9


@dataclass(frozen=True)
class CameraKeyframe:
    """A camera at a time.

    Args:
        time_s: Seconds from the start of the video.
        position: The eye in world units.
        target: The point in the middle of the image, in world units.
        up: The direction that points up in the image. It carries the roll and need not be
            orthogonal to the view.
        fov_y_rad: The vertical field of view in an image of the scene's own aspect ratio.
        easing: How the camera moves from here to the next keyframe. "smooth" follows the curve;
            "ease-in", "ease-out" and "ease-in-out" follow it and start, end or do both slowly;
            "linear" goes straight; "hold" stays and jumps.

    Raises:
        ArgumentError: A number is not finite, the field of view is not between 0 and pi, or there
            is no such easing.
    """

    time_s: float
    position: Vector
    target: Vector
    up: Vector
    fov_y_rad: float
    easing: Easing = "smooth"

    def __post_init__(self) -> None:
        finite("The time of a keyframe", self.time_s)
        within("The field of view of a keyframe", self.fov_y_rad, TINY, math.pi)
        for name in ("position", "target", "up"):
            object.__setattr__(self, name, point(f"`{name}` of a keyframe", getattr(self, name)))
        if self.easing not in EASINGS:
            known = ", ".join(EASINGS)
            raise ArgumentError(f"There is no easing {self.easing!r}; choose one of {known}.")

    def row(self) -> list[float]:
        """The ten numbers that are interpolated: position, target, up and field of view."""
        return [*self.position, *self.target, *self.up, self.fov_y_rad]


@dataclass(frozen=True)
class KeyframePath:
    """A smooth curve through keyframes (cubic Hermite, tangents from the neighbours).

    Args:
        keyframes: At least one keyframe, in the order of their times.
        aspect: Width / height of a picture of the scene.
        constant_speed: Whether the eye moves at one speed from the first keyframe to the last. The
            keyframes then set the shape of the curve; only the first and last times are kept.
    """

    keyframes: tuple[CameraKeyframe, ...]
    aspect: float
    constant_speed: bool = False

    @property
    def duration_s(self) -> float:
        """The time of the last keyframe."""
        return self.keyframes[-1].time_s

    def camera_at(self, time_s: float, width: int, height: int) -> Camera:
        """The renderer's camera at a time for an image of width x height px."""
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
        row, left = self._row_at(self._curve_time(time_s))
        fov = min(max(float(row[9]), FOV_MIN_RAD), FOV_MAX_RAD)  # the curve may overshoot
        vectors = vector(row[0:3]), vector(row[3:6]), vector(row[6:9])
        return CameraKeyframe(time_s, *vectors, fov, self.keyframes[left].easing)

    @cached_property
    def _times(self) -> Array:
        return np.array([keyframe.time_s for keyframe in self.keyframes])

    @cached_property
    def _rows(self) -> Array:
        return np.array([keyframe.row() for keyframe in self.keyframes])

    @cached_property
    def _slopes(self) -> Array:
        slopes = np.asarray(np.gradient(self._rows, self._times, axis=0))
        slopes[0] = slopes[-1] = 0.0  # the camera starts and stops softly
        return slopes

    @cached_property
    def _arc(self) -> tuple[Array, Array]:
        """Times along the curve, and the way that the eye has gone by then."""
        u = np.linspace(0.0, 1.0, ARC_SAMPLES + 1)
        times, lengths, gone = [self._times[:1]], [np.zeros(1)], 0.0
        for left in range(len(self.keyframes) - 1):
            eyes = self._segment(left, u)[:, 0:3]
            way = np.cumsum(np.linalg.norm(np.diff(eyes, axis=0), axis=1))
            lengths.append(gone + way)
            times.append(self._times[left] + u[1:] * (self._times[left + 1] - self._times[left]))
            gone += float(way[-1])
        return np.concatenate(times), np.concatenate(lengths)

    def _curve_time(self, time_s: float) -> float:
        """The time on the curve of the place where the camera is at a time."""
        if not self.constant_speed or not self._times[0] < time_s < self._times[-1]:
            return time_s
        times, lengths = self._arc
        if lengths[-1] < TINY:  # the camera turns and does not move
            return time_s
        share = (time_s - self._times[0]) / (self._times[-1] - self._times[0])
        return float(np.interp(share * lengths[-1], lengths, times))

    def _row_at(self, time_s: float) -> tuple[Array, int]:
        """The numbers at a time on the curve, and the keyframe whose segment it is in."""
        times, rows = self._times, self._rows
        left = min(max(bisect_right(times, time_s) - 1, 0), len(times) - 1)
        right = min(left + 1, len(times) - 1)
        easing = self.keyframes[left].easing
        if left == right or time_s <= times[0] or easing == "hold":
            return rows[left], left
        u = float((time_s - times[left]) / (times[right] - times[left]))
        row = self._segment(left, np.array([u]))[0]
        if rows[left][6:9] @ rows[right][6:9] < 0.0:  # a sum of opposite directions may vanish
            row[6:9] = _turned(
                rows[left][6:9], rows[right][6:9], row[3:6] - row[0:3], _eased(easing, u)
            )
        return _steadied(row, rows[left if u < 0.5 else right]), left

    def _segment(self, left: int, u: Array) -> Array:
        """[N, 10] numbers at shares `u` [N] of the time between a keyframe and the next one."""
        easing = self.keyframes[left].easing
        start, end = self._rows[left], self._rows[left + 1]
        u = np.asarray(_eased(easing, u))[:, None]
        if easing == "linear":
            return start + u * (end - start)
        if easing == "hold":
            return start + 0.0 * u
        span = self._times[left + 1] - self._times[left]
        return np.asarray(
            (1 + 2 * u) * (1 - u) ** 2 * start
            + u * (1 - u) ** 2 * span * self._slopes[left]
            + u**2 * (3 - 2 * u) * end
            + u**2 * (u - 1) * span * self._slopes[left + 1]
        )


def _eased(easing: Easing, u: Any) -> Any:
    """The share of a segment's curve that is done at share `u` of its time."""
    if easing == "ease-in":
        return u * u
    if easing == "ease-out":
        return u * (2 - u)
    if easing == "ease-in-out":
        return u * u * (3 - 2 * u)
    return u


def _turned(start: Array, end: Array, axis: Array, u: float) -> Array:
    """The up direction at share `u` of a turn from `start` to `end` around a view axis."""
    forward = axis / max(float(np.linalg.norm(axis)), TINY)
    start, end = (v - forward * (v @ forward) for v in (start, end))
    angle = math.atan2(float(np.cross(start, end) @ forward), float(start @ end))
    turn = angle * u * u * (3 - 2 * u)
    turned: Array = start * math.cos(turn) + np.cross(forward, start) * math.sin(turn)
    return turned / max(float(np.linalg.norm(turned)), TINY)


def _steadied(row: Array, nearest: Array) -> Array:
    """A row whose view has a direction, that of the nearest keyframe if its own vanishes."""
    if np.linalg.norm(row[3:6] - row[0:3]) < TINY:
        row[3:6] = row[0:3] + nearest[3:6] - nearest[0:3]
    forward = row[3:6] - row[0:3]
    if np.linalg.norm(np.cross(forward, row[6:9])) < TINY * np.linalg.norm(forward):
        row[6:9] = nearest[6:9]
    if np.linalg.norm(np.cross(forward, row[6:9])) < TINY * np.linalg.norm(forward):
        row[6:9] = np.eye(3)[int(np.abs(forward).argmin())]
    return row


def vector(array: Array) -> Vector:
    """Three numbers of an array as a tuple of floats."""
    return (float(array[0]), float(array[1]), float(array[2]))
