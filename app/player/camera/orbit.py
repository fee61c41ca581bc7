"""The orbit camera: a pivot, three angles and a distance. Independent of windows.

Angles and lengths follow `docs/conventions.md`: OpenCV cameras, any unit vector as up. Orbiting
keeps the roll (0 is a level horizon) and cannot cross the poles.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from streamstgs.app.player.camera.framing import FOV_LIMITS_RAD, Vector, focal_px, natural_aspect
from streamstgs.codec.package.scene_meta import CameraPreset, SceneMeta
from streamstgs.renderer import Camera

Array = NDArray[np.float64]

ORBIT_RAD_PER_HEIGHT = 1.2 * math.pi  # dragging over the whole height of the view
DOLLY_PER_STEP = 0.88  # one notch of the wheel keeps this share of the distance
PITCH_LIMIT_RAD = math.pi / 2 - 0.01
DEFAULT_FOV_Y_RAD = math.radians(50.0)


@dataclass(frozen=True)
class OrbitView:
    """Position and direction of an orbit camera.

    Args:
        pivot: The point that the camera looks at and turns around, in world units.
        yaw_rad: The angle around the up axis; when it grows, the eye moves to its right.
        pitch_rad: The height of the eye above the pivot as an angle, -pi/2 .. pi/2.
        distance: The distance from eye to pivot in world units, above 0.
        fov_y_rad: The vertical field of view in a window of the scene's own aspect ratio.
        roll_rad: The angle around the view axis; positive turns the picture counter-clockwise.
    """

    pivot: Vector
    yaw_rad: float
    pitch_rad: float
    distance: float
    fov_y_rad: float = DEFAULT_FOV_Y_RAD
    roll_rad: float = 0.0


class OrbitCamera:
    """Geometry of a camera that orbits a pivot; `view` holds its pose and the methods change it.

    All pixel arguments are in the same unit (logical or device px); `viewport` is (width, height).

    Args:
        view: The pose at the start.
        up: The unit vector that points up in the world.
        aspect: Width / height of a picture of the scene; narrower windows see as much to the sides.
        min_distance, max_distance: Limits of the distance to the pivot in world units.
    """

    def __init__(
        self,
        view: OrbitView,
        up: Vector = (0.0, -1.0, 0.0),
        aspect: float = 16 / 9,
        min_distance: float = 1e-3,
        max_distance: float = 1e4,
    ) -> None:
        self._axes = _axes_of(up)
        self.aspect = aspect
        self.min_distance = min_distance
        self.max_distance = max_distance
        self.view = view

    @staticmethod
    def from_meta(meta: SceneMeta) -> OrbitCamera:
        """The opening view of a scene: its first preset, else the whole scene from the front."""
        radius = max(meta.radius, 1e-6)
        camera = OrbitCamera(
            OrbitView(meta.center, 0.0, math.radians(10.0), radius),
            up=meta.up,
            aspect=natural_aspect(meta),
            min_distance=radius * 0.01,
            max_distance=radius * 20.0,
        )
        if meta.presets:
            camera.go_to_preset(meta.presets[0])
        return camera

    @property
    def view(self) -> OrbitView:
        return self._view

    @view.setter
    def view(self, view: OrbitView) -> None:
        """Takes any view; what lies beyond the limits is brought back to them."""
        self._view = replace(
            view,
            pitch_rad=_clamp(view.pitch_rad, -PITCH_LIMIT_RAD, PITCH_LIMIT_RAD),
            distance=_clamp(view.distance, self.min_distance, self.max_distance),
            fov_y_rad=_clamp(view.fov_y_rad, *FOV_LIMITS_RAD),
            roll_rad=math.remainder(view.roll_rad, 2 * math.pi),
        )

    def orbit(self, dx_px: float, dy_px: float, viewport: tuple[int, int]) -> None:
        """Turn the scene with the pointer: dragging right turns its front to the right."""
        rad_per_px = ORBIT_RAD_PER_HEIGHT / max(viewport[1], 1)
        cos, sin = math.cos(self.view.roll_rad), math.sin(self.view.roll_rad)
        level_dx_px, level_dy_px = cos * dx_px - sin * dy_px, sin * dx_px + cos * dy_px
        self.view = replace(
            self.view,
            yaw_rad=self.view.yaw_rad - level_dx_px * rad_per_px,
            pitch_rad=self.view.pitch_rad + level_dy_px * rad_per_px,
        )

    def pan(self, dx_px: float, dy_px: float, viewport: tuple[int, int]) -> None:
        """Move the scene with the pointer; what lies at the pivot's depth follows it exactly."""
        units_per_px = self.view.distance / self._focal_px(*viewport)
        right, down, _ = self._directions()
        shift = (right * dx_px + down * dy_px) * units_per_px
        self.view = replace(self.view, pivot=_vector(np.array(self.view.pivot) - shift))

    def look(self, dx_px: float, dy_px: float, viewport: tuple[int, int]) -> None:
        """Turn the view around the eye: what lies under the pointer follows it."""
        focal = self._focal_px(*viewport)
        eye = np.array(self.position)
        cos, sin = math.cos(self.view.roll_rad), math.sin(self.view.roll_rad)
        level_dx_px, level_dy_px = cos * dx_px - sin * dy_px, sin * dx_px + cos * dy_px
        self.view = replace(
            self.view,
            yaw_rad=self.view.yaw_rad + level_dx_px / focal,
            pitch_rad=self.view.pitch_rad - level_dy_px / focal,
        )
        pivot = eye - self._outward(self.view) * self.view.distance
        self.view = replace(self.view, pivot=_vector(pivot))

    def fly(self, right: float, up: float, forward: float, least_distance: float) -> None:
        """Move the eye by world units, up along the up axis of the world.

        Forward comes nearer to the pivot, and pushes it ahead from `least_distance` on.
        """
        across, _, ahead = self._directions()
        shift = across * right + self._axes[2] * up
        distance = max(self.view.distance - forward, min(least_distance, self.view.distance))
        shift += ahead * (forward - (self.view.distance - distance))
        pivot = np.array(self.view.pivot) + shift
        self.view = replace(self.view, pivot=_vector(pivot), distance=distance)

    def dolly(
        self,
        steps: float,
        pointer: tuple[float, float] | None = None,
        viewport: tuple[int, int] = (1, 1),
    ) -> None:
        """Move towards the point under the pointer by `steps` wheel notches (negative: away).

        Args:
            pointer: The pointer in px from the top left corner; None moves towards the middle.
        """
        wanted = self.view.distance * DOLLY_PER_STEP**steps
        distance = _clamp(wanted, self.min_distance, self.max_distance)
        pivot = np.array(self.view.pivot)
        if pointer is not None:
            fixed = self.point_at_pivot_depth(pointer, viewport)
            pivot = fixed + (pivot - fixed) * (distance / self.view.distance)
        self.view = replace(self.view, pivot=_vector(pivot), distance=distance)

    def point_at_pivot_depth(
        self, pointer: tuple[float, float], viewport: tuple[int, int]
    ) -> NDArray[np.float64]:
        """[3] world point under the pointer, as far away as the pivot."""
        width, height = viewport
        units_per_px = self.view.distance / self._focal_px(width, height)
        right, down, _ = self._directions()
        offset = right * (pointer[0] - width / 2) + down * (pointer[1] - height / 2)
        return np.array(self.view.pivot) + offset * units_per_px

    def set_pivot(self, point: Vector) -> None:
        """Look at `point` and turn around it from now on; the eye and the roll stay."""
        self.look_from(self.position, point, self.view.fov_y_rad, self.view.roll_rad)

    def look_from(
        self, position: Vector, target: Vector, fov_y_rad: float, roll_rad: float = 0.0
    ) -> None:
        """Put the eye at `position` and the pivot at `target`."""
        offset = np.array(position, dtype=np.float64) - np.array(target, dtype=np.float64)
        east, north, up = self._axes
        self.view = OrbitView(
            pivot=_vector(np.array(target, dtype=np.float64)),
            yaw_rad=math.atan2(float(offset @ north), float(offset @ east)),
            pitch_rad=math.atan2(
                float(offset @ up), math.hypot(float(offset @ east), float(offset @ north))
            ),
            distance=float(np.linalg.norm(offset)),
            fov_y_rad=fov_y_rad,
            roll_rad=roll_rad,
        )

    def go_to_preset(self, preset: CameraPreset) -> None:
        """Take a named view of the scene."""
        self.look_from(preset.position, preset.target, preset.fov_y_rad)

    def frame_all(self, meta: SceneMeta) -> None:
        """Bring the whole scene into view from the side the camera is on."""
        self.view = replace(self.view, pivot=meta.center, distance=meta.radius)

    @property
    def position(self) -> Vector:
        """The eye in the world."""
        return self.position_of(self.view)

    def position_of(self, view: OrbitView) -> Vector:
        """The eye of any view of this camera."""
        return _vector(np.array(view.pivot) + self._outward(view) * view.distance)

    @property
    def up(self) -> Vector:
        """The unit vector in the world that points up on the screen; it shows the roll."""
        return _vector(-self._directions()[1])

    def roll_of(self, position: Vector, target: Vector, up: Vector) -> float:
        """The roll in radians of a camera at `position` that has `up` upwards on the screen."""
        forward = np.array(target, dtype=np.float64) - np.array(position, dtype=np.float64)
        right = np.cross(forward, self._axes[2])
        level_up = np.cross(right, forward)
        wanted = np.array(up, dtype=np.float64)
        right_share = float(wanted @ right) / max(float(np.linalg.norm(right)), 1e-12)
        up_share = float(wanted @ level_up) / max(float(np.linalg.norm(level_up)), 1e-12)
        return math.atan2(right_share, up_share)

    def to_camera(self, width: int, height: int, view: OrbitView | None = None) -> Camera:
        """The renderer's camera for a picture of this size.

        Windows narrower than the scene's aspect ratio keep its horizontal field of view, so that
        everything in the scene's own frame is visible in any window.

        Args:
            view: The pose to use instead of `self.view`, such as a step of a smooth move.
        """
        shown = view or self.view
        right, down, forward = self._directions(shown)
        rotation = np.stack([right, down, forward])
        viewmat = np.eye(4)
        viewmat[:3, :3] = rotation
        viewmat[:3, 3] = -rotation @ np.array(self.position_of(shown))
        focal = self._focal_px(width, height, shown)
        K = torch.tensor([[focal, 0.0, width / 2], [0.0, focal, height / 2], [0.0, 0.0, 1.0]])
        return Camera(torch.from_numpy(viewmat).float(), K, width, height)

    def _focal_px(self, width: int, height: int, view: OrbitView | None = None) -> float:
        return focal_px((view or self.view).fov_y_rad, self.aspect, width, height)

    def _outward(self, view: OrbitView) -> Array:
        """Unit vector from the pivot to the eye."""
        east, north, up = self._axes
        level = east * math.cos(view.yaw_rad) + north * math.sin(view.yaw_rad)
        return level * math.cos(view.pitch_rad) + up * math.sin(view.pitch_rad)

    def _directions(self, view: OrbitView | None = None) -> tuple[Array, Array, Array]:
        """Right, down and forward of the camera as unit vectors in the world."""
        pose = view or self.view
        forward = -self._outward(pose)
        right = np.cross(forward, self._axes[2])
        right /= np.linalg.norm(right)
        down = np.cross(forward, right)
        cos, sin = math.cos(pose.roll_rad), math.sin(pose.roll_rad)
        return cos * right + sin * down, cos * down - sin * right, forward


def _axes_of(up: Vector) -> tuple[Array, Array, Array]:
    """Right-handed orthonormal (east, north, up); -z is east where up allows it.

    A scene in OpenCV axes is captured from its -z side, so yaw 0 looks at its front.
    """
    axis = np.array(up, dtype=np.float64)
    length = np.linalg.norm(axis)
    axis = axis / length if length > 1e-9 else np.array([0.0, -1.0, 0.0])
    hint = np.array([0.0, 0.0, -1.0] if abs(axis[2]) < 0.9 else [0.0, -1.0, 0.0])
    east = hint - axis * (hint @ axis)
    east /= np.linalg.norm(east)
    return east, np.cross(axis, east), axis


def _vector(array: Array) -> Vector:
    return (float(array[0]), float(array[1]), float(array[2]))


def _clamp(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
