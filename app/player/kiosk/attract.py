"""Moves the camera while the kiosk has no visitor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamstgs.app.player.camera.controller import CameraController

if TYPE_CHECKING:  # they load torch, and a window exists before that
    from streamstgs.app.player.camera.path import CameraPath
    from streamstgs.codec.package.scene_meta import SceneMeta

EASE_IN_S = 3.0  # the move reaches its full speed after this time


class AttractCamera:
    """Moves a camera along a path, from the opening of a scene or after a visitor has gone.

    Args:
        camera: The camera that is moved.
        turn_s: Seconds of one turn around a scene.
    """

    def __init__(self, camera: CameraController, turn_s: float) -> None:
        self._camera, self._turn_s = camera, turn_s
        self._path: CameraPath | None = None
        self._time_s = 0.0
        self._starting = False

    def enter(self, name: str, meta: SceneMeta) -> None:
        """Take the path of a scene, and begin at its start.

        Args:
            name: As of `camera.path.camera_path`.

        Raises:
            CameraPathError: There is no such camera; the camera stands still then.
        """
        from streamstgs.app.player.camera.path import camera_path

        self._path = None
        self._path = camera_path(name, meta, self._turn_s)
        self.restart()

    def restart(self) -> None:
        """Glide to the start of the path, and move on from there."""
        self._time_s, self._starting = 0.0, True

    def leave(self) -> None:
        """Stand still until the next scene."""
        self._path = None

    def advance(self, dt_s: float) -> None:
        """Move on by `dt_s`; waits for the glide to the start."""
        if self._path is None or not self._camera.available:
            return
        if self._starting:
            self._starting = False
            show(self._path, self._camera, 0.0)
            return
        if self._time_s == 0.0 and self._camera.gliding:
            return
        self._time_s += dt_s
        show(self._path, self._camera, eased(self._time_s))
        self._camera.finish_glide()


def eased(time_s: float) -> float:
    """The time along the path: it begins at rest and runs at normal speed after `EASE_IN_S`."""
    if time_s < EASE_IN_S:
        return time_s * time_s / (2 * EASE_IN_S)
    return time_s - EASE_IN_S / 2


def show(path: CameraPath, camera: CameraController, time_s: float) -> None:
    """Ask a camera for its pose on a path; along keyframes it goes to and fro."""
    from streamstgs.app.player.camera.keyframes import KeyframePath
    from streamstgs.app.player.camera.path import OrbitPath, StillPath
    from streamstgs.app.player.camera.track import apply_keyframe

    if isinstance(path, OrbitPath):
        camera.view = path.view_at(time_s)
    elif isinstance(path, StillPath):
        camera.view = path.orbit.view
    elif isinstance(path, KeyframePath):
        start_s, end_s = path.keyframes[0].time_s, path.keyframes[-1].time_s
        apply_keyframe(camera, path.keyframe_at(start_s + to_and_fro(time_s, end_s - start_s)))


def to_and_fro(time_s: float, length_s: float) -> float:
    """A time that runs from 0 to `length_s` and back, over and over."""
    if length_s <= 0.0:
        return 0.0
    phase_s = time_s % (2 * length_s)
    return min(phase_s, 2 * length_s - phase_s)
