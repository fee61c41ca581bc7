"""The camera as text on the clipboard."""

from __future__ import annotations

import json
import math

from streamstgs.app.player.arguments import FARTHEST
from streamstgs.app.player.camera.controller import CameraController
from streamstgs.app.player.camera.framing import Vector


def camera_json(camera: CameraController) -> str:
    """The pose of a camera as a camera path of one keyframe.

    Saved to a file it works as `streamstgs render --camera` (`app.player.camera.files.path_files`).
    """
    from streamstgs.app.player.camera.files.path_files import keyframes_json
    from streamstgs.app.player.camera.track import capture

    return keyframes_json([capture(camera, 0.0)])


def camera_from_json(text: str) -> tuple[Vector, Vector, Vector | None, float]:
    """(position, target, up, fov_y_rad) of a text of `camera_json`; up may be None.

    Raises:
        ValueError: The text is no camera.
    """
    try:
        data = json.loads(text[:10_000])["keyframes"][0]
        position, target = _vector(data["position"]), _vector(data["target"])
        up = _vector(data["up"]) if "up" in data else None
        fov_y_rad = float(data["fov_y_rad"])
    except (KeyError, IndexError, TypeError, RecursionError, ValueError) as error:
        raise ValueError("the clipboard holds no camera") from error
    if position == target or not math.isfinite(fov_y_rad):
        raise ValueError("the clipboard holds no camera")
    return position, target, up, fov_y_rad


def _vector(values: list[float]) -> Vector:
    x, y, z = (float(value) for value in values)
    if not all(abs(value) <= FARTHEST for value in (x, y, z)):
        raise ValueError("too far away")
    return (x, y, z)
