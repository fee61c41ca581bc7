"""Slows the camera towards the edge of what was filmed, and stops it there."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from streamstgs.app.player.camera.framing import Vector
from streamstgs.app.player.camera.limits.filmed_region import FilmedRegion
from streamstgs.app.player.camera.limits.surfaces import Surfaces
from streamstgs.app.player.camera.orbit import OrbitView
from streamstgs.codec.package.filmed_view import FilmedView
from streamstgs.codec.package.scene_meta import SceneMeta

NEAR_FACTOR = 1.15  # surfaces stay so far behind the near plane, or they would be cut open
CLEARANCE = 0.025  # least distance to surfaces, relative to the radius
GROUND_CLEARANCE = 0.04  # least height above the ground, relative to the radius
SOFT_HEIGHT = 0.08  # height over which moves down become slow, relative to the radius
FREE_AROUND_CAMERAS = 3.0  # clearances; a camera stood there, so the space is free
SEARCH_STEPS = 9  # bisections of a step
AT_EDGE = 0.06  # margins below this count as the edge
_SAME = 1e-9

EyeOf = Callable[[OrbitView], Vector]
Between = Callable[[float], OrbitView]


class CameraLimits:
    """Where the camera of one scene may go. Owner: the thread of the viewer model.

    Args:
        views: What the cameras of the capture saw; at least one.
        meta: Facts about the scene.
    """

    def __init__(self, views: Sequence[FilmedView], meta: SceneMeta) -> None:
        self.region = FilmedRegion(views, meta.up)
        self.surfaces: Surfaces | None = None  # written once they are known
        self._up, self._radius = meta.up, max(meta.radius, 1e-6)
        self._clearance = max(NEAR_FACTOR * meta.near, CLEARANCE * self._radius)

    def margin(self, eye: Vector, target: Vector) -> float:
        """How far a view is within the limits: 0 is the edge, 1 and more is well inside."""
        inside = min(self.region.margin(eye, target), self._above_ground(eye))
        if self.surfaces is None:
            return inside
        free = self.region.clearance(eye) < FREE_AROUND_CAMERAS * self._clearance
        if free:
            return inside
        room = self.surfaces.distance(eye) - self._clearance
        return min(inside, room / self._clearance)

    def is_edge(self, eye: Vector, target: Vector) -> bool:
        """Whether a view is at the edge or beyond it."""
        return self.margin(eye, target) < AT_EDGE

    def limited(self, start: OrbitView, between: Between, eye_of: EyeOf) -> OrbitView:
        """The view at the end of a step that becomes slower towards the edge.

        Each step outwards shrinks the margin by a share of what is left, so that the edge is
        reached softly. Steps inwards are whole, also from outside.

        Args:
            start: The view before the step.
            between: The view after a share of the step, 0 .. 1.
            eye_of: The eye of a view.
        """
        before, goal = self._margin_of(start, eye_of), between(1.0)
        lowest = min(self._margin_of(between(k / 4), eye_of) for k in range(1, 5))
        if lowest >= min(before, 1.0) - _SAME:
            return goal
        if before <= 0.0:
            return self._last(between, eye_of, before)
        slow_from = min(before, 1.0)
        loss = slow_from - lowest
        return self._last(between, eye_of, slow_from * math.exp(-loss / slow_from))

    def way_back(self, eye: Vector, target: Vector) -> tuple[Vector, Vector]:
        """Eye and target of the filmed view that is most like a view."""
        view = self.region.nearest_view(eye, target)
        depth = sum(
            (t - p) * f for t, p, f in zip(target, view.position, view.forward, strict=True)
        )
        reach = depth if depth > 0.05 * self._radius else self._radius
        x, y, z = (p + reach * f for p, f in zip(view.position, view.forward, strict=True))
        return view.position, (x, y, z)

    def _last(self, between: Between, eye_of: EyeOf, least: float) -> OrbitView:
        """The farthest view of a step before its margin falls below `least`."""
        low, high = 0.0, 1.0
        for k in range(1, 5):  # the first quarter that crosses it: a step may lead through a wall
            if self._margin_of(between(k / 4), eye_of) < least - _SAME:
                low, high = (k - 1) / 4, k / 4
                break
        for _ in range(SEARCH_STEPS):
            middle = (low + high) / 2
            if self._margin_of(between(middle), eye_of) >= least - _SAME:
                low = middle
            else:
                high = middle
        return between(low)

    def _margin_of(self, view: OrbitView, eye_of: EyeOf) -> float:
        return self.margin(eye_of(view), view.pivot)

    def _above_ground(self, eye: Vector) -> float:
        height = sum(u * e for u, e in zip(self._up, eye, strict=True))
        lowest = self.region.lowest - SOFT_HEIGHT * self._radius
        if self.surfaces is not None and self.surfaces.ground is not None:
            clear = max(GROUND_CLEARANCE * self._radius, self._clearance)
            lowest = min(lowest, self.surfaces.ground + clear)
        return (height - lowest) / (SOFT_HEIGHT * self._radius)
