"""What a camera of the capture saw. Importing this module loads no large library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamstgs.codec.package.scene_meta import CameraPreset, SceneMeta

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class FilmedView:
    """The place and the view cone of a camera that filmed a scene.

    Args:
        position: the eye, world units.
        forward: unit vector along the view.
        up: unit vector that points up in the picture, at a right angle to `forward`.
        fov_x_rad, fov_y_rad: angles between the edges of the picture.
    """

    position: Vector
    forward: Vector
    up: Vector
    fov_x_rad: float
    fov_y_rad: float

    @staticmethod
    def looking_at(
        position: Vector, target: Vector, up: Vector, fov_y_rad: float, aspect: float
    ) -> FilmedView | None:
        """Return the view of an upright camera; None if it looks nowhere or along `up`.

        Args:
            aspect: width / height of its picture.
        """
        forward = _unit([t - p for t, p in zip(target, position, strict=True)])
        if forward is None:
            return None
        along = sum(f * u for f, u in zip(forward, up, strict=True))
        upright = _unit([u - along * f for u, f in zip(up, forward, strict=True)])
        if upright is None:
            return None
        fov_x_rad = 2 * math.atan(math.tan(fov_y_rad / 2) * aspect)
        return FilmedView(position, forward, upright, fov_x_rad, fov_y_rad)


@dataclass(frozen=True)
class OpeningView:
    """A view whose window should show nothing that was not filmed.

    Args:
        view: what an upright camera of the scene's aspect ratio sees there.
        depth: distance of what it looks at, world units.
        filmed: what the cameras of the capture saw.
    """

    view: FilmedView
    depth: float
    filmed: tuple[FilmedView, ...]

    @staticmethod
    def of_scene(meta: SceneMeta, preset: CameraPreset) -> OpeningView | None:
        """Return the view of a preset; None where all around it may be shown, as of an object."""
        if meta.isolated is not False or not meta.filmed:
            return None
        aspect = meta.width / meta.height
        view = FilmedView.looking_at(
            preset.position, preset.target, meta.up, preset.fov_y_rad, aspect
        )
        if view is None:
            return None
        return OpeningView(view, math.dist(preset.position, preset.target), meta.filmed)


def filmed_views(meta: SceneMeta) -> tuple[FilmedView, ...]:
    """Return what the cameras of a capture saw; older scenes tell only of their presets."""
    if meta.filmed or meta.width < 1 or meta.height < 1:
        return meta.filmed
    aspect = meta.width / meta.height
    views = [
        FilmedView.looking_at(p.position, p.target, meta.up, p.fov_y_rad, aspect)
        for p in meta.presets
    ]
    return tuple(view for view in views if view is not None)


def _unit(vector: Sequence[float]) -> Vector | None:
    length = math.hypot(*vector)
    if not 1e-9 < length < math.inf:
        return None
    x, y, z = (value / length for value in vector)
    return (x, y, z)
