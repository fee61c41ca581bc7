"""The contract that every backend keeps: the same mathematics, the same picture.

3D Gaussians are projected with the EWA approximation, dilated by `DILATION_PX2`, their opacity
scaled by sqrt(det(cov2d) / det(cov2d + dilation)) so that small splats neither swell nor shine
(anti-aliased mode of gsplat), sorted by depth and blended front to back.
"""

from typing import Protocol

import torch
from streamstgs.renderer.camera import Camera
from streamstgs.renderer.gaussians import Gaussians
from streamstgs.renderer.settings import RenderSettings
from torch import Tensor


class Backend(Protocol):
    """Draws Gaussians. One instance belongs to one thread."""

    name: str
    device: torch.device  # where `render` expects the Gaussians and returns the picture

    def render(self, gaussians: Gaussians, camera: Camera, settings: RenderSettings) -> Tensor:
        """[height, width, 3] float32 picture on `device`, display-encoded, >= 0, not clipped above.

        Gaussians that are behind the near plane, degenerate or not finite are left out.
        """
        ...
