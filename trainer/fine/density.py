"""Density control of a GOP: which Gaussians are dead, where copies go, and how copies part.

A Gaussian is dead when it is transparent in all sampled frames. The paper averages the opacity
over the GOP (Sec. 3.3): a Gaussian that is seen for a few frames only then counts as dead. Below
the cap the dead are pruned and others are copied; at the cap the dead are relocated onto others
(3DGS-MCMC), so that their number and their places on the grid stay.

A copy shares the opacity of its original. Where most Gaussians are dead, copying all of them at
once onto the few others would leave these below the threshold, too. More would be dead the next
time, until all are equal and invisible. So no more are copied at a time than `growth` allows, no
more than there are living ones, and only originals of more than a few times the threshold.
"""

from __future__ import annotations

from typing import Any

import torch
from streamstgs.codec.encoder.grid_sorting import SortSettings
from streamstgs.renderer.gaussians import rotation_matrices
from streamstgs.trainer.fine.config import OpacityDensityConfig
from streamstgs.trainer.fine.start import grid_order
from streamstgs.trainer.optimization.density import DensityStatistics
from streamstgs.trainer.optimization.gaussian_parameters import GaussianParameters
from streamstgs.trainer.rng import Rng
from torch import Tensor

# Done many times: a fifth of the passes makes a grid nearly as smooth.
QUICKLY = SortSettings(radius_factor=0.5, passes=4)
SHAREABLE = 4.0  # an original has at least this many times the opacity below which one is dead


class OpacityStrategy:
    """Relocation or growth where the image is wrong, or by opacity (`DensityStrategy`).

    Args:
        iterations: Steps of the stage's whole schedule.
        keep_grid: Sort the grid again each time that the number changes; only L_spatial needs it.
    """

    def __init__(
        self, config: OpacityDensityConfig, iterations: int, rng: Rng, keep_grid: bool = True
    ) -> None:
        self.config, self.iterations, self.rng = config, iterations, rng
        self.keep_grid = keep_grid
        self._pull: Tensor | None = None  # [N] sum of gradient norms since the last refinement

    @torch.no_grad()
    def step(
        self, parameters: GaussianParameters, statistics: DensityStatistics, iteration: int
    ) -> None:
        if self.config.error_guided and statistics.means_gradient is not None:
            pull = statistics.means_gradient.norm(dim=1)
            self._pull = pull if self._pull is None else self._pull + pull
        if self.is_due(iteration):
            opacities = statistics.opacities()
            highest = opacities.amax(dim=0)
            weights = opacities.mean(dim=0)
            if self._pull is not None:
                weights = highest * self._pull
            self.refine(parameters, highest, weights)
            self._pull = None

    def is_due(self, iteration: int) -> bool:
        """Whether density control follows the step number `iteration`, counted from 0."""
        config = self.config
        early = iteration < config.refine_stop * self.iterations
        return early and iteration % config.refine_every == config.refine_every - 1

    @torch.no_grad()
    def refine(self, parameters: GaussianParameters, opacity: Tensor, weights: Tensor) -> None:
        """Relocate, or prune and grow.

        Args:
            opacity: [M] highest opacity of each Gaussian over the GOP.
            weights: [M] >= 0, how much a copy of each Gaussian is wanted.
        """
        config, generator = self.config, self.rng.generator
        dead = opacity < config.min_opacity
        weights = torch.where(opacity < SHAREABLE * config.min_opacity, 0.0, weights)
        cap = config.cap_max or 0
        if config.relocate and len(parameters) >= cap:
            dead = some_of(dead, self._most_copies(weights), self.rng)
            places, originals = parameters.relocate(dead, weights, generator)
            part(parameters, places, originals, config.split_jitter, self.rng)
            return
        before = len(parameters)
        parameters.prune(dead)
        alive = weights[~dead] if len(parameters) < before else weights
        growth = min(self._most_copies(alive), cap - len(parameters))
        if growth > 0:
            originals = parameters.grow(growth, alive, generator)
            count = len(parameters)
            places = torch.arange(count - growth, count, device=originals.device)
            part(parameters, places, originals, config.split_jitter, self.rng)
        if self.keep_grid and (growth > 0 or len(parameters) != before):
            sort_again(parameters)

    def _most_copies(self, weights: Tensor) -> int:
        """Largest number of copies at a time."""
        return min(int(self.config.growth * len(weights)), int((weights > 0).sum()))

    def state_dict(self) -> dict[str, Any]:
        return {"pull": self._pull}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._pull = state.get("pull")


def some_of(chosen: Tensor, most: int, rng: Rng) -> Tensor:
    """[M] bool: at most `most` of the chosen [M] bool, drawn at random."""
    places = chosen.nonzero()[:, 0]
    kept = places[rng.subset(most, len(places))]
    return torch.zeros_like(chosen).index_fill_(0, kept, True)


@torch.no_grad()
def part(
    parameters: GaussianParameters, places: Tensor, originals: Tensor, jitter: float, rng: Rng
) -> None:
    """Move copies [K] a little away from their originals [K], in space and in time."""
    if jitter <= 0 or len(places) == 0:
        return
    scales = parameters["log_scales"][originals].exp()
    quats = torch.nn.functional.normalize(parameters["quats"][originals], dim=-1)
    kick = jitter * scales * rng.normal(len(places), 3)
    parameters["means"][places] += (rotation_matrices(quats) @ kick[:, :, None])[:, :, 0]
    if "centers" not in parameters:
        return
    extents = parameters["log_extents"][originals].exp()
    before = parameters["centers"][originals]
    after = (before + jitter * extents * rng.normal(len(places))).clamp(0, 1)
    parameters["centers"][places] = after
    moved = parameters["velocities"][originals] * (after - before)[:, None]
    parameters["means"][places] += moved  # on the same path


@torch.no_grad()
def sort_again(parameters: GaussianParameters) -> None:
    """Lay the Gaussians on a grid of their new number."""
    features = parameters["features"]
    step = max(1, features.shape[1] // 4)
    likeness = features[:, ::step].flatten(1)
    order = grid_order(parameters.canonical(), likeness, QUICKLY)
    parameters.reorder(order.to(features.device))
