"""Relocation of dead Gaussians onto living ones (3DGS-MCMC, Kheradmand et al. 2024)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

COPIES_MAX = 51


def split_opacity_and_scale(
    opacities: Tensor, scales: Tensor, copies: Tensor
) -> tuple[Tensor, Tensor]:
    """Opacity and scale of each of n equal Gaussians that together render like one (Eq. 9).

    Args:
        opacities: [K] of the Gaussian to be split.
        scales: [K, 3].
        copies: [K] int, n >= 1, the original counted.
    """
    copies = copies.clamp(1, COPIES_MAX)
    # Double precision: the sum below alternates.
    shared = 1 - (1 - opacities.double()) ** copies.double().reciprocal()
    weights = _binomial_weights(opacities.device)  # [n, k]
    powers = shared[:, None] ** (torch.arange(COPIES_MAX, device=opacities.device) + 1)
    partial = powers @ weights.T  # [K, n]: inner sum over k for each i
    total = partial.cumsum(dim=1).gather(1, (copies - 1)[:, None])[:, 0]
    return shared.float(), scales * (opacities / total).float()[:, None]


def _binomial_weights(device: torch.device) -> Tensor:
    weights = torch.zeros(COPIES_MAX, COPIES_MAX, dtype=torch.float64)
    for i in range(COPIES_MAX):
        for k in range(i + 1):
            weights[i, k] = math.comb(i, k) * (-1) ** k / math.sqrt(k + 1)
    return weights.to(device)


def choose_targets(
    weights: Tensor, count: int, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Draw Gaussians to copy by weight [N]; -> (targets [count], times each was drawn [N])."""
    targets = torch.multinomial(weights, count, replacement=True, generator=generator)
    return targets, torch.bincount(targets, minlength=len(weights))
