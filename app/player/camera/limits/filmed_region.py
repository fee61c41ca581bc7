"""How well the cameras of a capture saw what a viewer looks at."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from streamstgs.app.player.camera.framing import Vector
from streamstgs.codec.package.filmed_view import FilmedView

Array = NDArray[np.float64]

VIEWS_MAX = 64  # of more views, so many are looked at
SPACING_LIMITS_RAD = (math.radians(11.0), math.radians(40.0))
SPACING_OF_ONE_RAD = math.radians(20.0)  # the spacing that a single view counts as
ANGLE_SHARE = 1.15  # of the spacing: no gap is left between neighbours
SOFT_ANGLE = 0.4  # share of the largest angle over which moves become slow
OUTSIDE = 1.2  # largest distance of the target from the middle of a filmed picture; 1 is its edge
SOFT_OUTSIDE = 0.35
NEAREST, FARTHEST = (
    0.08,
    2.5,
)  # of the camera to its target, relative to the distance that was filmed
SOFT_DISTANCE = 0.35  # the same as a logarithm
_TINY = 1e-9
_SMALLEST = 1e-300


class FilmedRegion:
    """Tells how far a view is from those that were filmed.

    Args:
        views: What the cameras of the capture saw; at least one.
        up: The unit vector that points up in the world.

    Attributes:
        views: The views that are looked at.
        lowest: The height of the lowest camera along `up`.
    """

    def __init__(self, views: Sequence[FilmedView], up: Vector) -> None:
        step = -(-len(views) // VIEWS_MAX)
        self.views = tuple(views[::step])
        self._positions = np.array([view.position for view in self.views], dtype=np.float64)
        self._forward = np.array([view.forward for view in self.views], dtype=np.float64)
        upwards = np.array([view.up for view in self.views], dtype=np.float64)
        self._right = np.cross(self._forward, upwards)
        self._upwards = upwards
        self._half_width = np.tan(np.array([view.fov_x_rad / 2 for view in self.views]))
        self._half_height = np.tan(np.array([view.fov_y_rad / 2 for view in self.views]))
        self.lowest = float((self._positions @ np.array(up)).min())
        self._spacing_rad = self._spacing()

    def margin(self, eye: Vector, target: Vector) -> float:
        """How far a view is within the region: 0 is the edge, 1 and more is well inside.

        Args:
            eye: The position of the camera, world units.
            target: The point that it looks at.
        """
        point, position = np.array(target), np.array(eye)
        offset, distance = _unit(position - point)
        offsets, distances = _unit(self._positions - point)
        outside = self._outside(point)
        sees = np.clip((OUTSIDE - outside) / SOFT_OUTSIDE, 0.0, 1.0)
        weights = sees if sees.any() else np.ones_like(sees)
        near = weights * self._likeness(offsets @ offset)
        share = near / max(float(near.sum()), _SMALLEST)
        usual = float(share @ (self._likeness(offsets @ offsets.T) @ weights))
        apart = 2 * math.log(max(usual / max(float(near.sum()), _SMALLEST), 1.0))
        limit = ANGLE_SHARE
        angle = (limit - math.sqrt(apart)) / (SOFT_ANGLE * limit)
        seen = (OUTSIDE - float(outside.min())) / SOFT_OUTSIDE
        filmed_from = float(share @ np.log(np.maximum(distances, _TINY)))
        farther = math.log(max(float(distance), _TINY)) - filmed_from
        closest = (farther - math.log(NEAREST)) / SOFT_DISTANCE
        farthest = (math.log(FARTHEST) - farther) / SOFT_DISTANCE
        return min(angle, seen, closest, farthest)

    def clearance(self, eye: Vector) -> float:
        """The distance from a point to the nearest camera, world units."""
        return float(np.linalg.norm(self._positions - np.array(eye), axis=1).min())

    def nearest_view(self, eye: Vector, target: Vector) -> FilmedView:
        """The filmed view that is most like a view, by direction first and then by distance."""
        position, point = np.array(eye), np.array(target)
        offset, distance = _unit(position - point)
        offsets, distances = _unit(self._positions - point)
        angle = np.arccos(np.clip(offsets @ offset, -1.0, 1.0))
        apart = np.abs(np.log(np.maximum(distances, _TINY) / max(float(distance), _TINY)))
        outside = np.clip(self._outside(point) - 1.0, 0.0, 10.0)
        return self.views[int((angle + 0.1 * apart + outside).argmin())]

    def _outside(self, point: Array) -> Array:
        """[C] how far a point is from the middle of each picture: 1 at its edge, inf behind."""
        offset = point - self._positions
        depth = np.einsum("cd,cd->c", offset, self._forward)
        across = np.abs(np.einsum("cd,cd->c", offset, self._right)) / self._half_width
        upwards = np.abs(np.einsum("cd,cd->c", offset, self._upwards)) / self._half_height
        ahead = depth > _TINY
        return np.where(ahead, np.maximum(across, upwards) / np.where(ahead, depth, 1.0), np.inf)

    def _likeness(self, cosines: Array) -> Array:
        """How much directions count as one: 1 for the same, a bell curve as wide as the spacing.

        Sums of it are smooth, unlike the angle to the nearest camera: the edge has no corners that
        a camera would be caught in.
        """
        angles = np.arccos(np.clip(cosines, -1.0, 1.0)) / self._spacing_rad
        return np.asarray(np.exp(-0.5 * angles**2))

    def _spacing(self) -> float:
        """The usual angle between neighbouring views in radians."""
        if len(self.views) < 2:
            return SPACING_OF_ONE_RAD
        middle = self._positions + self._forward * self._reach()[:, None]
        offsets, _ = _unit(self._positions - middle.mean(axis=0))
        cosines = offsets @ offsets.T
        np.fill_diagonal(cosines, -1.0)
        gaps = np.arccos(np.clip(cosines.max(axis=1), -1.0, 1.0))
        low, high = SPACING_LIMITS_RAD
        return min(max(float(np.median(gaps)), low), high)

    def _reach(self) -> Array:
        """[C] distance along each axis to the point nearest to where the axes meet."""
        away = np.eye(3) - self._forward[:, :, None] * self._forward[:, None, :]
        total = away.sum(axis=0) + 1e-6 * np.eye(3)  # parallel axes meet nowhere
        meeting = np.linalg.solve(total, np.einsum("cij,cj->i", away, self._positions))
        reach = np.einsum("cd,cd->c", meeting - self._positions, self._forward)
        return np.asarray(np.maximum(reach, _TINY))


def _unit(vectors: Array) -> tuple[Array, Array]:
    """Unit vectors along the last axis, and the lengths."""
    lengths = np.linalg.norm(vectors, axis=-1)
    return vectors / np.maximum(lengths, _TINY)[..., None], lengths
