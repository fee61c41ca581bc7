"""What each camera does to colours: an exposure and a small colour matrix, fitted in training.

Cameras of a capture rarely agree: the same wall is warmer in one and darker in the next. Without
a response, Gaussians learn to differ with the direction they are seen from. The picture drawn for
a training camera is passed through that camera's affine response before it is compared; playback
draws without any. The mean over the cameras is the identity by construction: that is the gauge,
otherwise all responses could drift together and take the scene's colours with them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from streamstgs.trainer.setting_checks import require_at_least, require_share
from torch import Tensor


@dataclass(frozen=True)
class ColorResponseConfig:
    """How responses are fitted, in the coarse stage; later stages keep them.

    Args:
        enabled: fit them; for cameras that agree there is nothing to fit.
        rate: learning rate at the start.
        final_rate: share of it that is left at the end. At a constant rate each view's last steps
            stay in the responses, as a tint of some 8-bit steps that every later stage then fits.
        weight: of the mean squared distance from the identity.
    """

    enabled: bool = True
    rate: float = 1e-3
    final_rate: float = 0.01
    weight: float = 0.1

    def __post_init__(self) -> None:
        require_at_least(0, self, "color_response", "rate", "weight")
        require_share(self, "color_response", "final_rate")


class ColorResponse:
    """The affine responses of C cameras under optimisation, and their Adam."""

    def __init__(self, cameras: int, config: ColorResponseConfig, device: torch.device) -> None:
        self.config = config
        self.offsets = torch.zeros(cameras, 3, 4, device=device, requires_grad=True)
        self.optimizer = torch.optim.Adam(
            [self.offsets], lr=config.rate, fused=device.type == "cuda"
        )

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
        """Weighted mean squared distance from the identity."""
        return self.config.weight * self.deviations().square().mean()

    def decay_rate(self, progress: float) -> None:
        """Exponential decay of the learning rate; `progress` 0..1."""
        self.optimizer.param_groups[0]["lr"] = self.config.rate * self.config.final_rate**progress

    def step(self) -> None:
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)


def respond(pictures: Tensor, matrices: Tensor) -> Tensor:
    """Pictures [C, H, W, 3] as cameras with the responses [C, 3, 4] would record them."""
    flat = pictures.flatten(1, 2)  # [C, H * W, 3]
    seen = torch.baddbmm(matrices[:, None, :, 3], flat, matrices[:, :, :3].mT)
    return seen.view_as(pictures)
