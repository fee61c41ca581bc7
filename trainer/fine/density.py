"""Density control of a GOP: judged by the opacity averaged over its time steps (paper Sec. 3.3).

Below the cap the dead are pruned and Gaussians that help are copied; at the cap the dead are
relocated to where they help (3DGS-MCMC), so that their number and their places on the grid stay.
"""

from __future__ import annotations

import torch
from streamstgs.codec.grid_sorting import SortSettings
from streamstgs.trainer.fine.config import GopConfig
from streamstgs.trainer.fine.start import grid_order
from streamstgs.trainer.optimization.gaussian_parameters import GaussianParameters
from streamstgs.trainer.random_source import RandomSource
from torch import Tensor

# Done many times: a fifth of the passes makes a grid nearly as smooth.
QUICKLY = SortSettings(radius_factor=0.5, passes=4)


def is_due(iteration: int, config: GopConfig) -> bool:
    early = iteration < config.relocate_until * config.iterations
    return early and iteration % config.relocate_every == config.relocate_every - 1


def control_density(
    parameters: GaussianParameters, opacity: Tensor, config: GopConfig, random: RandomSource
) -> None:
    """Relocate, or prune and grow, by the mean opacity [M] of each Gaussian over the GOP."""
    dead = opacity < config.dead_opacity
    cap = config.cap or 0
    if config.relocation and len(parameters) >= cap:
        parameters.relocate(dead, opacity, random.generator)
        return
    before = len(parameters)
    parameters.prune(dead)
    alive = opacity[~dead] if len(parameters) < before else opacity
    growth = max(0, min(int(config.growth * len(parameters)), cap - len(parameters)))
    if growth:
        parameters.grow(growth, alive, random.generator)
    if growth or len(parameters) < before:
        sort_again(parameters)


@torch.no_grad()
def sort_again(parameters: GaussianParameters) -> None:
    """Lay the Gaussians on a grid of their new number."""
    features = parameters["features"]
    step = max(1, features.shape[1] // 4)
    likeness = features[:, ::step].flatten(1)
    order = grid_order(parameters.canonical(), likeness, QUICKLY)
    parameters.reorder(order.to(features.device))
