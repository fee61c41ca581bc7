"""Density control: the interface of strategies that prune, relocate and copy Gaussians.

A stage owns one strategy and calls it after each optimiser step, in the manner of gsplat. The
strategies: `McmcStrategy` (coarse/density.py) and `OpacityStrategy` (fine/density.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from streamstgs.trainer.optimization.gaussian_parameters import GaussianParameters
from torch import Tensor


@dataclass(frozen=True)
class DensityStatistics:
    """What a stage knows of its N Gaussians after a step.

    Args:
        opacities: Computes the opacities [T, N] at T sample frames; T is 1 where nothing moves.
            It costs time, so a strategy calls it only when it needs them.
        means_gradient: [N, 3] gradient of this step's loss by the centres; None without one.
    """

    opacities: Callable[[], Tensor]
    means_gradient: Tensor | None = None


class DensityStrategy(Protocol):
    """Decides when and how the number and the places of Gaussians change."""

    def step(
        self, parameters: GaussianParameters, statistics: DensityStatistics, iteration: int
    ) -> None:
        """Called after the optimiser step number `iteration`, counted from 0; changes the
        parameters in place where a change is due."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint has to keep, as tensors and plain values."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        ...
