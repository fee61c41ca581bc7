"""Camera paths: an orbit, a fixed preset, or keyframes from a file (`camera.files.path_files`)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from streamstgs.app.player.camera.files.path_files import read_camera_path
from streamstgs.app.player.camera.orbit import OrbitCamera, OrbitView
from streamstgs.app.player.errors import CameraPathError
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.renderer import Camera

TURN_S_MIN = 8.0  # a faster turn makes the viewer dizzy
SWING_RAD_MIN = math.radians(20.0)


class CameraPath(Protocol):
    """Gives a camera for each time."""

    def camera_at(self, time_s: float, width: int, height: int) -> Camera: ...


@dataclass(frozen=True)
class StillPath:
    """A camera with one fixed pose."""

    orbit: OrbitCamera

    def camera_at(self, time_s: float, width: int, height: int) -> Camera:
        return self.orbit.to_camera(width, height)


@dataclass(frozen=True)
class OrbitPath:
    """A camera that orbits the scene, or swings to and fro if one side only was filmed.

    Args:
        orbit: The camera at time 0.
        turn_s: The time of one turn, or of one swing to and fro.
        swing_rad: The ends of a swing as angles from the camera at time 0, the first at most 0 and
            the second at least 0; None orbits in full turns.
    """

    orbit: OrbitCamera
    turn_s: float
    swing_rad: tuple[float, float] | None = None

    @staticmethod
    def of(meta: SceneMeta, duration_s: float) -> OrbitPath:
        """An orbit from the opening view; full turns if presets surround the scene."""
        return OrbitPath(OrbitCamera.from_meta(meta), max(duration_s, TURN_S_MIN), _swing(meta))

    def view_at(self, time_s: float) -> OrbitView:
        """The view at a time."""
        view, turn_rad = self.orbit.view, self._turn_rad(time_s)
        return OrbitView(
            view.pivot, view.yaw_rad + turn_rad, view.pitch_rad, view.distance, view.fov_y_rad
        )

    def _turn_rad(self, time_s: float) -> float:
        phase = 2 * math.pi * time_s / self.turn_s
        if self.swing_rad is None:
            return phase
        first, last = self.swing_rad
        middle, half = (first + last) / 2, (last - first) / 2
        return middle + half * math.sin(phase - math.asin(middle / half))  # 0 at time 0

    def camera_at(self, time_s: float, width: int, height: int) -> Camera:
        return self.orbit.to_camera(width, height, self.view_at(time_s))


def camera_path(name: str, meta: SceneMeta, duration_s: float) -> CameraPath:
    """The camera path that the option `--camera` names.

    Args:
        name: `orbit`, the name of a preset of the scene, or the path of a camera path file: this
            project's own JSON, that of nerfstudio, or that of SuperSplat.
        duration_s: The length of the video; an orbit closes with it.

    Raises:
        CameraPathError: The name is none of these, or the file is malformed; the message says how.
    """
    if name == "orbit":
        return OrbitPath.of(meta, duration_s)
    for preset in meta.presets:
        if preset.name.casefold() == name.casefold():
            orbit = OrbitCamera.from_meta(meta)
            orbit.go_to_preset(preset)
            return StillPath(orbit)
    if name.casefold().endswith(".json"):
        return read_camera_path(Path(name), meta)
    known = ", ".join(["orbit", *(preset.name for preset in meta.presets), "a path.json file"])
    raise CameraPathError(f"This scene has no camera called {name!r}; it has: {known}.")


def _swing(meta: SceneMeta) -> tuple[float, float] | None:
    """None if the presets surround the scene, else the angles that they span, from the first."""
    if not meta.presets:
        return None
    orbit = OrbitCamera.from_meta(meta)
    yaws = []
    for preset in meta.presets:
        orbit.go_to_preset(preset)
        yaws.append(orbit.view.yaw_rad % (2 * math.pi))
    opening = yaws[0]
    yaws.sort()
    gaps = [b - a for a, b in zip(yaws, [*yaws[1:], yaws[0] + 2 * math.pi], strict=True)]
    if max(gaps) < math.radians(150.0):
        return None
    end = gaps.index(max(gaps))
    least = -((opening - yaws[(end + 1) % len(yaws)]) % (2 * math.pi))
    most = (yaws[end] - opening) % (2 * math.pi)
    missing = max(SWING_RAD_MIN - (most - least) / 2, 0.0)
    return least - missing, most + missing
