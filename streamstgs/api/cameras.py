"""Cameras of the public interface: a position and a point to look at, without an image size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from streamstgs.app.player.camera.framing import Vector, natural_aspect
from streamstgs.app.player.camera.keyframes import CameraKeyframe, KeyframePath
from streamstgs.app.player.errors import CameraPathError
from streamstgs.codec.package.scene_meta import CameraPreset, SceneMeta
from streamstgs.renderer.camera import Camera as PinholeCamera


@dataclass(frozen=True)
class Camera:
    """A view of a scene, independent of the image size.

    Example:
        camera = st.Camera(position=(0, -1, -4), look_at=(0, 0, 0), fov_y_rad=0.8)

    Args:
        position: (x, y, z) of the camera, world units.
        look_at: (x, y, z) of the point in the middle of the image, world units.
        up: direction that points up in the image; None takes that of the scene.
        fov_y_rad: vertical field of view, radians, in an image of the scene's own aspect ratio.
            Narrower images keep the horizontal field of view.
    """

    position: Vector
    look_at: Vector
    up: Vector | None = None
    fov_y_rad: float = math.radians(50.0)

    @staticmethod
    def from_matrix(viewmat: Sequence[Sequence[float]], fov_y_rad: float) -> Camera:
        """A camera from a world-to-camera matrix.

        Args:
            viewmat: [4, 4] rotation and translation, OpenCV axes (x right, y down, z forward).
            fov_y_rad: vertical field of view, radians.
        """
        matrix = np.asarray(viewmat, dtype=np.float64)
        rotation = matrix[:3, :3]
        position = -rotation.T @ matrix[:3, 3]
        return Camera(
            _vector(position), _vector(position + rotation[2]), _vector(-rotation[1]), fov_y_rad
        )

    @staticmethod
    def from_preset(preset: CameraPreset) -> Camera:
        """The camera of a named view of a scene."""
        return Camera(preset.position, preset.target, None, preset.fov_y_rad)


AnyCamera = str | Camera | PinholeCamera | None


def pinhole_camera(
    camera: AnyCamera, meta: SceneMeta, size: tuple[int, int] | None
) -> PinholeCamera:
    """The calibrated camera of an image.

    Args:
        camera: name of a camera of the scene, a `Camera`, or a calibrated camera, which is resized
            if `size` is another one; None for the scene's first camera.
        size: (width, height) px; None for the size of a calibrated camera, else of the capture.

    Raises:
        PlayerError: the scene has no such camera, or the camera looks along its own `up`.
    """
    if isinstance(camera, PinholeCamera):
        return camera if size is None else camera.resized(*size)
    width, height = size or natural_size(meta)
    return static_path(camera, meta).camera_at(0.0, width, height)


def static_path(camera: str | Camera | None, meta: SceneMeta) -> KeyframePath:
    """A camera path that stands still at a camera of the scene.

    Raises:
        PlayerError: as `pinhole_camera`.
    """
    chosen = camera if isinstance(camera, Camera) else named_camera(camera, meta)
    up = chosen.up or meta.up
    forward = np.subtract(chosen.look_at, chosen.position)
    if np.linalg.norm(np.cross(forward, up)) < 1e-9:
        raise CameraPathError("The camera looks along its `up`, or nowhere; change look_at or up.")
    keyframe = CameraKeyframe(0.0, chosen.position, chosen.look_at, up, chosen.fov_y_rad)
    return KeyframePath((keyframe,), natural_aspect(meta))


def named_camera(name: str | None, meta: SceneMeta) -> Camera:
    """A camera of the scene by its name, in any case; the opening view for None.

    Raises:
        PlayerError: the scene has no camera of this name; the message lists those it has.
    """
    for preset in meta.presets:
        if name is None or preset.name.casefold() == name.casefold():
            return Camera.from_preset(preset)
    if name is None:
        return opening_view(meta)
    known = ", ".join(preset.name for preset in meta.presets) or "none"
    raise CameraPathError(f"This scene has no camera called {name!r}; it has: {known}.")


def opening_view(meta: SceneMeta) -> Camera:
    """The view of a scene without named cameras: all of it, from the front."""
    from streamstgs.app.player.camera.orbit import OrbitCamera

    orbit = OrbitCamera.from_meta(meta)
    return Camera(orbit.position, meta.center, None, orbit.view.fov_y_rad)


def natural_size(meta: SceneMeta) -> tuple[int, int]:
    """(width, height) px of the capture, 1280 x 720 for scenes that do not tell it."""
    return (meta.width, meta.height) if meta.width > 0 and meta.height > 0 else (1280, 720)


def _vector(array: np.ndarray) -> Vector:
    return (float(array[0]), float(array[1]), float(array[2]))
