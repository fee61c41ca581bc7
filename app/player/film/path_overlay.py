"""The camera path in the picture: its curve and the frusta of its keyframes as lines.

It projects in NumPy and draws nothing, so that a window can draw it over the image of any backend.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from streamstgs.app.player.camera.keyframes import CameraKeyframe, KeyframePath
from streamstgs.renderer import Camera

Array = NDArray[np.float64]
SAMPLES_PER_SEGMENT = 24
SEGMENTS_MAX = 400
FRUSTUM_SHARE = 0.15  # of the mean distance from eye to target: the depth of the drawn frusta
TINY = 1e-9


@dataclass(frozen=True)
class PathLines:
    """Lines in the world.

    Args:
        curve: [N, 2, 3] from point to point along the path of the eye.
        frusta: [K, 9, 2, 3] edges of each keyframe's frustum; the last one points up.
    """

    curve: Array
    frusta: Array

    @staticmethod
    def of(path: KeyframePath) -> PathLines:
        """The lines of a camera path."""
        keys = path.keyframes
        eyes = np.array([path.keyframe_at(time_s).position for time_s in _sample_times(path)])
        away = [math.dist(key.position, key.target) for key in keys]
        depth = FRUSTUM_SHARE * sum(away) / len(away)
        frusta = np.stack([_frustum(key, path.aspect, depth) for key in keys])
        return PathLines(np.stack([eyes[:-1], eyes[1:]], axis=1), frusta)


def on_screen(lines: Array, camera: Camera, near: float) -> Array:
    """[M, 2, 2] px: lines [N, 2, 3] of the world as a camera sees them.

    What lies before the near plane is cut off; lines that are before it as a whole are left out.
    """
    viewmat = camera.viewmat.numpy().astype(np.float64)
    seen = lines @ viewmat[:3, :3].T + viewmat[:3, 3]
    depth = seen[..., 2]
    seen = seen[(depth > near).any(axis=1)]
    for end in (0, 1):
        here, other = seen[:, end], seen[:, 1 - end]
        before = here[:, 2] < near
        share = (near - here[before, 2]) / (other[before, 2] - here[before, 2])
        here[before] += share[:, None] * (other[before] - here[before])
    K = camera.K.numpy().astype(np.float64)
    flat = seen @ K.T
    return np.asarray(flat[..., :2] / flat[..., 2:])


def _sample_times(path: KeyframePath) -> Array:
    times = np.array([key.time_s for key in path.keyframes])
    count = min(SAMPLES_PER_SEGMENT, max(SEGMENTS_MAX // max(len(times) - 1, 1), 1))
    steps = np.arange(0.0, len(times) - 1 + TINY, 1.0 / count)
    return np.interp(steps, np.arange(len(times)), times)


def _frustum(key: CameraKeyframe, aspect: float, depth: float) -> Array:
    """[9, 2, 3] edges of a frustum: from the eye to its corners, around, and a line up."""
    eye, forward = np.array(key.position), np.array(key.target) - np.array(key.position)
    forward /= max(float(np.linalg.norm(forward)), TINY)
    right = np.cross(forward, np.array(key.up))
    right /= max(float(np.linalg.norm(right)), TINY)
    up = np.cross(right, forward)
    half = min(depth * math.tan(key.fov_y_rad / 2), 2.0 * depth)
    middle = eye + depth * forward
    corners = [
        middle + x * half * aspect * right + y * half * up
        for x, y in ((-1, 1), (1, 1), (1, -1), (-1, -1))
    ]
    around = zip(corners, [*corners[1:], corners[0]], strict=True)
    top = middle + half * up
    edges = [(eye, corner) for corner in corners]
    return np.array([*edges, *around, (top, top + 0.4 * half * up)])
