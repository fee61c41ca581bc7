"""Field of view and aspect ratio of a view. Imports nothing heavy: posters use it before torch."""

from __future__ import annotations

import math
from collections.abc import Sequence

from streamstgs.app.player.arguments import Vector
from streamstgs.codec.package.filmed_view import FilmedView, OpeningView
from streamstgs.codec.package.scene_meta import SceneMeta

_VIEWS_MAX = 48  # of more cameras, so many are looked at
_ZOOM_STEPS = 8
_BORDER_STEPS = 6  # points along each side of a window
_EDGE = 1.001  # rounding of what is written in a scene
FOV_LIMITS_RAD = (math.radians(5.0), math.radians(120.0))


def focal_px(fov_y_rad: float, aspect: float, width: int, height: int) -> float:
    """Focal length for a window of this size; narrower ones than `aspect` keep the width in view.

    Args:
        fov_y_rad: vertical field of view in a window of the scene's own aspect ratio.
        aspect: width / height of a picture of the scene.
    """
    half = math.tan(fov_y_rad / 2)
    return max(min(height / (2 * half), width / (2 * half * aspect)), 1e-6)


def opening_fov_y_rad(opening: OpeningView, aspect: float, width: int, height: int) -> float:
    """The field of view of an opening view that shows nothing unfilmed at the edges of a window.

    A window of another aspect ratio than the scene's shows more than its cameras did, above and
    below or at the sides. That is shown as far as other cameras saw it; the rest is cut off.

    Args:
        aspect: Width / height of a picture of the scene.
        width, height: Of the window, px.

    Returns:
        A vertical field of view as `focal_px` takes it, at most that of the view itself.
    """
    view, depth, filmed = opening.view, opening.depth, opening.filmed
    half = math.tan(view.fov_y_rad / 2)
    whole = focal_px(view.fov_y_rad, aspect, width, height)
    filled = max(height / (2 * half), width / (2 * half * aspect))
    step = -(-len(filmed) // _VIEWS_MAX) if filmed else 1
    others = filmed[::step]
    zoom = filled / whole
    for k in range(_ZOOM_STEPS):
        tried = zoom ** (k / _ZOOM_STEPS)
        if _border_is_filmed(
            view, depth, others, width / (whole * tried), height / (whole * tried)
        ):
            zoom = tried
            break
    return 2 * math.atan(half / zoom)


def _border_is_filmed(
    view: FilmedView, depth: float, others: Sequence[FilmedView], width: float, height: float
) -> bool:
    """Whether cameras saw every point of a window's border; its size is at depth 1."""
    needed = min(2, len(others))
    right = _cross(view.forward, view.up)
    steps = [k / _BORDER_STEPS - 0.5 for k in range(_BORDER_STEPS + 1)]
    sides = [(x, y) for x in (-0.5, 0.5) for y in steps] + [
        (x, y) for y in (-0.5, 0.5) for x in steps
    ]
    for x, y in sides:
        point = tuple(
            p + depth * (f + x * width * r + y * height * u)
            for p, f, r, u in zip(view.position, view.forward, right, view.up, strict=True)
        )
        seen = 0
        for other in others:
            seen += _sees(other, (point[0], point[1], point[2]))
            if seen >= needed:
                break
        if seen < needed:
            return False
    return True


def _sees(view: FilmedView, point: Vector) -> bool:
    offset = tuple(a - b for a, b in zip(point, view.position, strict=True))
    depth = sum(o * f for o, f in zip(offset, view.forward, strict=True))
    upwards = sum(o * u for o, u in zip(offset, view.up, strict=True))
    right = _cross(view.forward, view.up)
    across = sum(o * r for o, r in zip(offset, right, strict=True))
    wide, high = (depth * math.tan(fov / 2) for fov in (view.fov_x_rad, view.fov_y_rad))
    return depth > 0 and abs(across) <= _EDGE * wide and abs(upwards) <= _EDGE * high


def _cross(a: Vector, b: Vector) -> Vector:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def natural_aspect(meta: SceneMeta) -> float:
    """Width / height of a picture of the scene, 16:9 where it does not say."""
    return meta.width / meta.height if meta.width > 0 and meta.height > 0 else 16 / 9
