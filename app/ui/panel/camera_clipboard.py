"""A camera as text, to be copied and pasted."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from streamstgs.app.player.camera.framing import FARTHEST, Vector

if TYPE_CHECKING:
    from streamstgs.app.player.camera.orbit import OrbitCamera


def camera_json(orbit: OrbitCamera) -> str:
    """The camera as text for the clipboard: a camera path of one keyframe, which saved to a file
    is what `streamstgs render --camera` takes (`app.player.camera.path`)."""
    keyframe = {
        "time_s": 0.0,
        "position": [round(value, 6) for value in orbit.position],
        "target": [round(value, 6) for value in orbit.view.pivot],
        "fov_y_rad": round(orbit.view.fov_y_rad, 6),
    }
    return json.dumps({"keyframes": [keyframe]})


def look_from_json(text: str) -> tuple[Vector, Vector, float]:
    """(position, target, fov_y_rad) of what `camera_json` wrote.

    Raises:
        ValueError: the text is not a camera.
    """
    try:
        data = json.loads(text[:10_000])["keyframes"][0]
        position, target = _vector(data["position"]), _vector(data["target"])
        fov_y_rad = float(data["fov_y_rad"])
    except (KeyError, IndexError, TypeError, RecursionError, ValueError) as error:
        raise ValueError("the clipboard holds no camera") from error
    if position == target or not math.isfinite(fov_y_rad):
        raise ValueError("the clipboard holds no camera")
    return position, target, fov_y_rad


def _vector(values: list[float]) -> Vector:
    x, y, z = (float(value) for value in values)
    if not all(abs(value) <= FARTHEST for value in (x, y, z)):
        raise ValueError("out of the world")
    return (x, y, z)
