"""Two pictures side by side or one above the other, for 3D displays and headsets."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from streamstgs.app.player.rendering.stereo_layouts import StereoLayout
from streamstgs.renderer import Camera


@dataclass(frozen=True)
class StereoCamera(Camera):
    """A camera whose picture holds those of two eyes.

    `viewmat` and `K` are of the point between the eyes. What is as far away as the convergence lies
    at the same place in both pictures: it appears on the screen.

    Args:
        left, right: The cameras of the eyes, each for a part of the picture.
        stacked: Whether the left eye is above the right one, instead of beside it.
    """

    left: Camera
    right: Camera
    stacked: bool

    @property
    def places(self) -> tuple[tuple[Camera, int, int], tuple[Camera, int, int]]:
        """Each eye with x and y of the upper left corner of its part, px."""
        if self.stacked:
            return (self.left, 0, 0), (self.right, 0, self.height - self.right.height)
        return (self.left, 0, 0), (self.right, self.width - self.right.width, 0)


def stereo_camera(
    camera: Camera, layout: StereoLayout, eye_distance: float, convergence: float
) -> Camera:
    """The stereo camera around a camera; the camera itself without a layout.

    "side-by-side" and "top-bottom" squeeze each eye's picture to half of its size, as 3D displays
    expect it; "side-by-side-full" gives each eye its half of the window unsqueezed.

    Args:
        camera: Between the eyes, for the whole picture.
        eye_distance: Relative to `convergence`.
        convergence: The distance along the view axis that appears on the screen, world units.
    """
    if layout == "off" or camera.width < 2 or camera.height < 2:
        return camera
    half = eye_distance * convergence / 2
    left, right = (_eye(camera, layout, side * half, convergence) for side in (-1.0, 1.0))
    return StereoCamera(
        camera.viewmat, camera.K, camera.width, camera.height, left, right, layout == "top-bottom"
    )


def same_eyes(a: Camera, b: Camera) -> bool:
    """Whether two cameras between the eyes have the same eyes, or both have one."""
    if not isinstance(a, StereoCamera) or not isinstance(b, StereoCamera):
        return type(a) is type(b)
    size = (a.left.width, a.left.height) == (b.left.width, b.left.height)
    same = size and torch.equal(a.left.K, b.left.K) and torch.equal(a.left.viewmat, b.left.viewmat)
    return same and a.stacked is b.stacked


def _eye(camera: Camera, layout: StereoLayout, aside: float, convergence: float) -> Camera:
    """The camera of an eye that stands so far to the right; both look at the same screen."""
    shift = torch.zeros(4, 4)
    shift[0, 3] = -aside
    K = camera.K.clone()
    K[0, 2] += K[0, 0] * aside / max(convergence, 1e-9)
    moved = replace(camera, viewmat=camera.viewmat + shift, K=K)
    if layout == "top-bottom":
        return moved.resized(camera.width, camera.height // 2)
    if layout == "side-by-side":
        return moved.resized(camera.width // 2, camera.height)
    K = K.clone()
    K[0, 2] -= (camera.width - camera.width // 2) / 2
    return replace(moved, K=K, width=camera.width // 2)
