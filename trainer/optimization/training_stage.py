"""What all stages of training have in common: steps, their statistics, and the loop over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import torch
from streamstgs.trainer.optimization.gaussian_parameters import GaussianParameters
from torch import Tensor


@dataclass(frozen=True)
class StepRecord:
    """Statistics of one optimiser step. Tensors stay on their device: reading one waits for it.

    Args:
        iteration: Number of steps made so far; the first step has 1.
        loss: [] the whole loss.
        losses: [] weighted terms of the loss, by the names of docs/training.md.
        gaussians: Number of Gaussians after the step.
        learning_rates: Learning rates of the step, by the name of what they belong to.
        gradient_norms: [] norm of the gradient by each tensor; empty unless the stage was asked.
    """

    iteration: int
    loss: Tensor
    losses: Mapping[str, Tensor]
    gaussians: int
    learning_rates: Mapping[str, float]
    gradient_norms: Mapping[str, Tensor] = field(default_factory=dict)


Stage = TypeVar("Stage", bound="TrainingStage")


class TrainingStage(Protocol):
    """A stage under optimisation."""

    iteration: int  # steps made so far

    @property
    def iterations(self) -> int:
        """Steps of the whole schedule."""
        ...

    def step(self) -> StepRecord:
        """Make one optimiser step."""
        ...


def run_schedule(stage: Stage, report: Callable[[Stage, StepRecord], None]) -> None:
    """Make the steps that are left of a stage's schedule; `report` is called after each."""
    while stage.iteration < stage.iterations:
        report(stage, stage.step())


@torch.no_grad()
def gradient_norms(parameters: GaussianParameters) -> dict[str, Tensor]:
    """[] norm of the loss gradient by each tensor of the Gaussians, before the optimiser step."""
    gradients = {name: parameters[name].grad for name in parameters.learning_rates()}
    return {name: g.norm() for name, g in gradients.items() if g is not None}
