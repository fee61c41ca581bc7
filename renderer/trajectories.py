"""Straight paths and lifetimes: where a moving Gaussian is, and when, before any feature speaks.

Many Gaussians that each live for a few frames and move in a straight line describe fast motion
cheaply (FreeTimeGS, CVPR 2025). The deformation field then codes the remainder only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

ABSENT_LOGIT = -7.0  # far below the opacity that backends draw; the field cannot bring back these


@dataclass(frozen=True)
class Trajectories:
    """Velocity and lifetime of N Gaussians; time is 0..1 over the GOP.

    Args:
        velocities: [N, 3] world units per GOP.
        centers: [N] temporal centre: the time at which a Gaussian is at its canonical mean and most
            opaque.
        log_extents: [N] natural logarithm of the temporal extent.
    """

    velocities: Tensor
    centers: Tensor
    log_extents: Tensor

    def __len__(self) -> int:
        return len(self.velocities)

    def __getitem__(self, index: Tensor | slice) -> Trajectories:
        return self.map(lambda t: t[index])

    def to(self, device: torch.device | str) -> Trajectories:
        return self.map(lambda t: t.to(device))

    def map(self, change: Callable[[Tensor], Tensor]) -> Trajectories:
        """Trajectories of which each attribute is `change` of the attribute here."""
        return Trajectories(*(change(value) for value in vars(self).values()))

    def offsets(self, time: float | Tensor) -> Tensor:
        """[N, 3] from the canonical means to the means at a time, world units."""
        return self.velocities * (time - self.centers)[:, None]

    def fading(self, time: float | Tensor) -> Tensor:
        """[N] >= 0: how much less the opacity logits are at a time than at the temporal centres.

        It is half the squared distance from the centre in extents. A transparent Gaussian fades as
        a Gaussian of time; an opaque one stays opaque for longer.
        """
        return 0.5 * ((time - self.centers) * torch.exp(-self.log_extents)).square()


def present(opacity_logits: Tensor) -> Tensor:
    """[K] int64: the Gaussians that are there, by their opacity logits [N] before the field."""
    return (opacity_logits > ABSENT_LOGIT).nonzero()[:, 0]
