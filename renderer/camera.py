"""A pinhole camera with OpenCV axes: x right, y down, z forward; pixel centres at +0.5."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Camera:
    """A calibrated view.

    Args:
        viewmat: [4, 4] world to camera, float32, on the CPU.
        K: [3, 3] intrinsics in pixels, float32, on the CPU.
        width: width of the picture in px.
        height: height of the picture in px.
    """

    viewmat: Tensor
    K: Tensor
    width: int
    height: int

    @property
    def position(self) -> Tensor:
        """[3] position of the camera in the world."""
        return -self.viewmat[:3, :3].T @ self.viewmat[:3, 3]

    def resized(self, width: int, height: int) -> Camera:
        """The same view with another picture size in px; each axis is scaled on its own."""
        scale = torch.tensor([[width / self.width], [height / self.height], [1.0]])
        return replace(self, K=self.K * scale, width=width, height=height)

    @staticmethod
    def look_at(
        position: Tensor, target: Tensor, up: Tensor, fov_y_rad: float, width: int, height: int
    ) -> Camera:
        """A camera at `position` [3] that looks at `target` [3], with `up` [3] pointing up."""
        forward = torch.nn.functional.normalize(target - position, dim=0)
        right = torch.nn.functional.normalize(torch.linalg.cross(forward, up), dim=0)
        down = torch.linalg.cross(forward, right)
        viewmat = torch.eye(4)
        viewmat[:3, :3] = torch.stack([right, down, forward])
        viewmat[:3, 3] = -viewmat[:3, :3] @ position
        focal_px = height / (2 * torch.tan(torch.tensor(fov_y_rad / 2)).item())
        K = torch.tensor([[focal_px, 0.0, width / 2], [0.0, focal_px, height / 2], [0.0, 0.0, 1.0]])
        return Camera(viewmat, K, width, height)
