"""The camera between input and picture: where it is going, and where it is now.

Owner: the GUI thread. Drags follow the pointer at once; steps (wheel, keys, presets) glide, as a
function of time so that the feel does not depend on the frame rate.
"""

from __future__ import annotations

from streamstgs.app.player.camera.orbit import OrbitCamera, OrbitView, approach
from streamstgs.renderer import Camera

GLIDE_HALF_LIFE_S = 0.045


class CameraGlide:
    """Moves an `OrbitCamera`; replaced by the viewer model's `CameraController`."""

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
