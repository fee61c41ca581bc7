"""Density control of a GOP by the opacity averaged over its sample frames (paper Sec. 3.3).

Below the cap the dead are pruned and Gaussians of high opacity are copied; at the cap the dead are
relocated onto these (3DGS-MCMC), so that their number and their places on the grid stay.
"""

from __future__ import annotations

from typing import Any

import torch
from streamstgs.codec.encoder.grid_sorting import SortSettings
from streamstgs.trainer.fine.config import OpacityDensityConfig
from streamstgs.trainer.fine.start import grid_order
from streamstgs.trainer.optimization.density import DensityStatistics
from streamstgs.trainer.optimization.gaussian_parameters import GaussianParameters
from streamstgs.trainer.rng import Rng
from torch import Tensor

# Done many times: a fifth of the passes makes a grid nearly as smooth.
QUICKLY = SortSettings(radius_factor=0.5, passes=4)


class OpacityStrategy:
    """Relocation or growth by opacity (`DensityStrategy`).

    Args:
        iterations: Steps of the stage's whole schedule.
    """

    def __init__(self, config: OpacityDensityConfig, iterations: int, rng: Rng) -> None:
        self.config, self.iterations, self.rng = config, iterations, rng

    @torch.no_grad()
    def step(
        self, parameters: GaussianParameters, statistics: DensityStatistics, iteration: int
    ) -> None:
        if self.is_due(iteration):
            self.refine(parameters, statistics.opacities().mean(dim=0))

    def is_due(self, iteration: int) -> bool:
        """Whether density control follows the step number `iteration`, counted from 0."""
        config = self.config
        early = iteration < config.refine_stop * self.iterations
        return early and iteration % config.refine_every == config.refine_every - 1

    @torch.no_grad()
    def refine(self, parameters: GaussianParameters, opacity: Tensor) -> None:
        """Relocate, or prune and grow, by the mean opacity [M] of each Gaussian over the GOP."""
        config, generator = self.config, self.rng.generator
        dead = opacity < config.min_opacity
        cap = config.cap_max or 0
        if config.relocate and len(parameters) >= cap:
            parameters.relocate(dead, opacity, generator)
            return
        before = len(parameters)
        parameters.prune(dead)
        alive = opacity[~dead] if len(parameters) < before else opacity
        growth = max(0, min(int(config.growth * len(parameters)), cap - len(parameters)))
        if growth:
            parameters.grow(growth, alive, generator)
        if growth or len(parameters) < before:
            sort_again(parameters)

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing is kept between steps."""


@torch.no_grad()
def sort_again(parameters: GaussianParameters) -> None:
    """Lay the Gaussians on a grid of their new number."""
    features = parameters["features"]
    step = max(1, features.shape[1] // 4)
    likeness = features[:, ::step].flatten(1)
    order = grid_order(parameters.canonical(), likeness, QUICKLY)
    parameters.reorder(order.to(features.device))
