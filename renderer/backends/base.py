"""The contract of a backend: the same mathematics and the same picture, whichever draws it.

3D Gaussians are projected with the EWA approximation, dilated by `DILATION_PX2`, their opacity
scaled by sqrt(det(cov2d) / det(cov2d + dilation)) so that small splats neither swell nor shine
(anti-aliased mode of gsplat), sorted by depth and blended front to back. Gaussians that lie before
the near plane, are degenerate or have a number that is not finite are left out.

A render mode is a change of the Gaussians before a backend gets them (`Gaussians.painted`, another
opacity, other scales), so it is the same for all backends and no part of this contract.

Backends of other packages implement the protocol, best by subclassing `Backend`, and register
under the entry-point group `streamstgs.backends` (see `renderer.backends.plugins`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from streamstgs.renderer import fused
from streamstgs.renderer.camera import Camera
from streamstgs.renderer.gaussians import Gaussians
from streamstgs.renderer.settings import RenderSettings
from torch import Tensor


@dataclass(frozen=True)
class Capabilities:
    """Properties of a backend, fixed once it is made.

    Args:
        writes_rgb8: True if `render_rgb8` is faster than `render`, because the backend writes 8-bit
            pixels itself.
        output_bits: how exact a colour channel of `render` is, in bits; 32 for floats.
        driver: name of the graphics driver or device that draws; empty for none.
    """

    writes_rgb8: bool = False
    output_bits: int = 32
    driver: str = ""


@dataclass(frozen=True)
class RenderedChannels:
    """A picture with what lies behind its colours, on the backend's device.

    The weight of a Gaussian at a pixel is its alpha times the transmittance of the nearer ones.

    Args:
        color: [height, width, 3] float32 picture as `Backend.render` draws it, over the background.
        alpha: [height, width] float32 sum of the weights, 0..1: how much of the background is
            covered.
        depth: [height, width] float32 expected depth: sum of weight times z over the sum of
            weights, where z is the distance along the viewing axis in world units; 0 where no
            Gaussian is drawn.
    """

    color: Tensor
    alpha: Tensor
    depth: Tensor


@runtime_checkable
class Backend(Protocol):
    """Draws Gaussians. One instance belongs to one thread, except for `warm_up`.

    Attributes:
        name: of the backend, as users choose it.
        device: where the Gaussians must be and where pictures are returned.
        capabilities: fixed properties.
    """

    name: str
    device: torch.device
    capabilities: Capabilities

    def render(self, gaussians: Gaussians, camera: Camera, settings: RenderSettings) -> Tensor:
        """[height, width, 3] float32 picture on `device`, display-encoded, >= 0, not clipped above.

        Raises:
            RenderError: the picture or the number of Gaussians is beyond the backend's limits.
        """
        ...

    def render_channels(
        self, gaussians: Gaussians, camera: Camera, settings: RenderSettings
    ) -> RenderedChannels:
        """Colour, alpha and depth of one view; takes about twice as long as `render`.

        Raises:
            RenderError: the picture or the number of Gaussians is beyond the backend's limits.
        """
        ...

    def render_rgb8(self, gaussians: Gaussians, camera: Camera, settings: RenderSettings) -> Tensor:
        """[height, width, 3] uint8 picture of `render` on `device`, clipped to 0..1 and rounded.

        Raises:
            RenderError: the picture or the number of Gaussians is beyond the backend's limits.
        """
        return to_rgb8(self.render(gaussians, camera, settings))

    def timed_steps(
        self, gaussians: Gaussians, camera: Camera, settings: RenderSettings
    ) -> dict[str, float]:
        """Milliseconds of the steps of one `render_rgb8` by name, for benchmarks.

        "sort" is the sorting by depth. Empty where the backend cannot tell them apart.
        """
        return {}

    def warm_up(self) -> None:
        """Compile or load everything that drawing needs, so that the first picture is not late.

        May run in another thread than the one that draws.
        """
        return

    def close(self) -> None:
        """Free threads, contexts and devices. The backend cannot draw afterwards."""
        return


def to_rgb8(picture: Tensor) -> Tensor:
    """[H, W, 3] uint8 of a float picture, on its device: clipped to 0..1, scaled to 255, rounded.

    It may be a view of pixels of four bytes, whose fourth is 255.
    """
    plain = picture.dtype == torch.float32 and picture.is_contiguous() and picture.numel() > 0
    if plain and fused.runs_on(picture):
        from streamstgs.renderer.fused.pixels import rgb8

        return rgb8(picture.detach())
    return picture.detach().clamp(0.0, 1.0).mul_(255.0).add_(0.5).to(torch.uint8)
