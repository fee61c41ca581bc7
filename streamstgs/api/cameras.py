"""Cameras of the public interface: a position and a point to look at, without an image size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from streamstgs.app.player.arguments import finite, point
from streamstgs.app.player.camera.framing import Vector, natural_aspect
from streamstgs.app.player.camera.keyframes import CameraKeyframe, KeyframePath
from streamstgs.app.player.errors import ArgumentError, CameraPathError
from streamstgs.app.player.export.settings import checked_size
from streamstgs.codec.package.scene_meta import CameraPreset, SceneMeta
from streamstgs.renderer.camera import Camera as PinholeCamera
from streamstgs.renderer.rotations import is_rotation


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

    Vectors may be any sequence or array of three numbers; they are kept as tuples of floats.

    Raises:
        PlayerError: a number is not finite, or the field of view is not between 0 and pi.
    """

    position: Vector
    look_at: Vector
    up: Vector | None = None
    fov_y_rad: float = math.radians(50.0)

    def __post_init__(self) -> None:
        for name in ("position", "look_at", "up"):
            value = getattr(self, name)
            if value is not None or name != "up":
                object.__setattr__(self, name, point(f"`{name}` of a camera", value))
        if not 0.0 < finite("`fov_y_rad` of a camera", self.fov_y_rad) < math.pi:
            raise ArgumentError(
                f"`fov_y_rad` of a camera is {self.fov_y_rad}; it must be between 0 and pi."
            )

    @staticmethod
    def from_matrix(viewmat: Sequence[Sequence[float]], fov_y_rad: float) -> Camera:
        """A camera from a world-to-camera matrix.

        Args:
            viewmat: [4, 4] rotation and translation, OpenCV axes (x right, y down, z forward).
            fov_y_rad: vertical field of view, radians.

        Raises:
            PlayerError: the matrix is not [4, 4], or it does not turn and move only.
        """
        matrix = np.asarray(viewmat, dtype=np.float64)
        if matrix.shape != (4, 4) or not is_rotation(matrix[:3, :3]):
            raise ArgumentError(
                "A view matrix must be [4, 4] and hold a rotation without scale or mirror, and a "
                "translation."
            )
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
        PlayerError: the scene has no such camera, the camera looks along its own `up`, or a
            calibrated camera is none.
    """
    if isinstance(camera, PinholeCamera):
        _check_pinhole(camera)
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
    if not isinstance(name, str | None):
        raise ArgumentError(
            f"{name!r} is no camera; use a `Camera`, or the name of a camera of the scene."
        )
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


def _check_pinhole(camera: PinholeCamera) -> None:
    """Raise PlayerError for a calibrated camera that would draw nothing."""
    if not (torch.is_tensor(camera.viewmat) and torch.is_tensor(camera.K)):
        raise ArgumentError("viewmat and K must be torch tensors; use torch.as_tensor(array).")
    shapes = tuple(camera.viewmat.shape), tuple(camera.K.shape)
    if shapes != ((4, 4), (3, 3)):
        raise ArgumentError(f"viewmat and K have the shapes {shapes}; they must be [4, 4], [3, 3].")
    if not (camera.viewmat.isfinite().all() and camera.K.isfinite().all()):
        raise ArgumentError("A number of viewmat or K is not finite.")
    if not (camera.K[0, 0] > 0.0 and camera.K[1, 1] > 0.0):
        raise ArgumentError("A focal length in K is not above 0.")
    checked_size((camera.width, camera.height), False)


def _vector(array: np.ndarray) -> Vector:
    return (float(array[0]), float(array[1]), float(array[2]))
