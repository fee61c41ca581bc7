"""How the pictures of two eyes share one picture. Importing this loads no large library."""

from __future__ import annotations

from typing import Literal, get_args

StereoLayout = Literal["off", "side-by-side", "side-by-side-full", "top-bottom"]
STEREO_LAYOUTS: tuple[StereoLayout, ...] = get_args(StereoLayout)
EYE_DISTANCE_LIMITS = (0.0, 0.2)
USUAL_EYE_DISTANCE = 1 / 30  # of the distance to the camera's target, a rule of photographers


def mono_point(
    x: float, y: float, width: float, height: float, layout: StereoLayout
) -> tuple[float, float]:
    """The point of the view between the eyes that is shown at a point of the whole picture."""
    if layout == "top-bottom":
        return x, 2 * (y % (height / 2))
    if layout == "side-by-side":
        return 2 * (x % (width / 2)), y
    if layout == "side-by-side-full":
        return x % (width / 2) + width / 4, y
    return x, y
