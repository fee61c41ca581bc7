"""The camera between input and picture: where it is going, and where it is now.

Owner: the GUI thread. Drags follow the pointer at once; steps (wheel, keys, presets) glide, as a
function of time so that the feel does not depend on the frame rate.
"""

from __future__ import annotations

import json
import math

from app.player.orbit_camera import OrbitCamera, OrbitView, Vector, approach
from renderer import Camera

GLIDE_HALF_LIFE_S = 0.045


class CameraMotion:
    """Moves an `OrbitCamera` and says what is to be shown of it."""

    def __init__(self, camera: OrbitCamera) -> None:
        self.orbit = camera
        self._shown = camera.view
        self._gliding = False

    @property
    def shown(self) -> OrbitView:
        return self._shown

    @property
    def gliding(self) -> bool:
        return self._gliding

    def follow(self) -> None:
        """Show where the camera is without delay."""
        self._gliding = False
        self._shown = self.orbit.view

    def glide(self) -> None:
        """Let the next `advance` calls bring the picture to where the camera is."""
        self._gliding = True

    def advance(self, dt_s: float) -> bool:
        """One step of a glide; whether what is shown has changed."""
        if not self._gliding:
            return False
        self._shown = approach(self._shown, self.orbit.view, dt_s, GLIDE_HALF_LIFE_S)
        self._gliding = self._shown != self.orbit.view
        return True

    def camera(self, width: int, height: int) -> Camera:
        return self.orbit.to_camera(width, height, self._shown)


def camera_json(orbit: OrbitCamera) -> str:
    """The camera as text for the clipboard: a camera path of one keyframe, which saved to a file
    is what `main.py render --camera` takes (`app.player.camera_path`)."""
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
    if not all(math.isfinite(value) for value in (x, y, z)):
        raise ValueError("not finite")
    return (x, y, z)
