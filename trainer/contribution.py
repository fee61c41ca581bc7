"""Which Gaussians the pictures can do without, decided by what leaving them out costs.

A Gaussian contributes to a picture the sum of its blending weights over the pixels. That sum is
the gradient of the summed picture with respect to its colour, so every rasteriser can tell it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import torch
from torch import Tensor

from renderer import Camera, Gaussians, RenderSettings
from trainer.rasterizer import rasterize

SEARCH_STEPS = 7  # the share to leave out is found to 1/128


def contributions(
    gaussians: Gaussians, cameras: Iterable[Camera], settings: RenderSettings
) -> Tensor:
    """[N] blending weights summed over all pixels of all cameras, in px."""
    total = torch.zeros(len(gaussians), device=gaussians.means.device)
    for camera in cameras:
        colors = torch.zeros_like(gaussians.colors).requires_grad_()
        pictures, _ = rasterize(replace(gaussians, colors=colors), [camera], settings)
        (weights,) = torch.autograd.grad(pictures.sum(), colors)
        total += weights[:, 0]
    return total


def dispensable(
    contribution: Tensor, quality_db: Callable[[Tensor], float], budget_db: float
) -> Tensor:
    """[N] bool: the most Gaussians, of least contribution, that cost at most `budget_db`; never all
    of them.

    Args:
        contribution: [N], of whatever pictures count.
        quality_db: PSNR in dB of training pictures drawn with the kept Gaussians [N] bool only.
        budget_db: what the pictures may lose.
    """
    rank = torch.empty_like(contribution, dtype=torch.long)
    rank[contribution.argsort()] = torch.arange(len(contribution), device=rank.device)
    least = quality_db(torch.ones_like(rank, dtype=torch.bool)) - budget_db
    step, share = 0.5, 0.0
    for _ in range(SEARCH_STEPS):
        tried = rank >= int((share + step) * len(rank))
        if quality_db(tried) >= least:
            share += step
        step /= 2
    return rank < int(share * len(rank))
