"""Per-camera colour correction: an exposure and a small colour matrix, fitted in training.

Cameras of a capture rarely agree: the same wall is warmer in one and darker in the next. Without
a correction, Gaussians learn to differ with the direction they are seen from. The image rendered
for a training camera is passed through that camera's affine correction before it is compared;
playback renders without any. The mean over the cameras is the identity by construction: that is
the gauge, otherwise all corrections could drift together and take the scene's colours with them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from streamstgs.trainer.setting_checks import Share, Weight, check_ranges
from torch import Tensor


@dataclass(frozen=True)
class ColorCorrectionConfig:
    """How per-camera colour correction is fitted, in the coarse stage; later stages keep it.

    Args:
        enabled: Fit a colour correction for each training camera.
        lr: Learning rate at the start.
        lr_final: Internal. Share of the learning rate that is left at the end. At a constant rate
            each view's last steps stay in the corrections, as a tint of some 8-bit steps that every
            later stage then fits.
        weight: Internal. Weight of the mean squared distance from the identity (L_correction).
    """

    enabled: bool = True
    lr: Weight = 1e-3
    lr_final: Share = 0.01
    weight: Weight = 0.1

    def __post_init__(self) -> None:
        check_ranges(self, "color_correction")


class ColorCorrection:
    """The affine colour corrections of C cameras under optimisation, and their Adam."""

    def __init__(self, cameras: int, config: ColorCorrectionConfig, device: torch.device) -> None:
        self.config = config
        self.offsets = torch.zeros(cameras, 3, 4, device=device, requires_grad=True)
        self.optimizer = torch.optim.Adam([self.offsets], lr=config.lr, fused=device.type == "cuda")

    def deviations(self) -> Tensor:
        """[C, 3, 4] difference from the identity; zero in the mean over the cameras."""
        return self.offsets - self.offsets.mean(dim=0)

    def matrices(self) -> Tensor:
        """[C, 3, 4]: a matrix, and in the last column an offset."""
        return self.deviations() + torch.eye(3, 4, device=self.offsets.device)

    def of(self, views: list[int]) -> Tensor:
        """[V, 3, 4] matrices of some cameras; the device is not waited for."""
        matrices = self.matrices()
        return torch.stack([matrices[v] for v in views])

    def loss(self) -> Tensor:
        """L_correction: weighted mean squared distance from the identity."""
        return self.config.weight * self.deviations().square().mean()

    def decay_rate(self, progress: float) -> None:
        """Exponential decay of the learning rate; `progress` 0..1."""
        self.optimizer.param_groups[0]["lr"] = self.config.lr * self.config.lr_final**progress

    def step(self) -> None:
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)


def correct_colors(images: Tensor, matrices: Tensor) -> Tensor:
    """Images [C, H, W, 3] as the cameras with the corrections [C, 3, 4] would record them."""
    flat = images.flatten(1, 2)  # [C, H * W, 3]
    seen = torch.baddbmm(matrices[:, None, :, 3], flat, matrices[:, :, :3].mT)
    return seen.view_as(images)
