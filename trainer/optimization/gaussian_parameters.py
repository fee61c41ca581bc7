"""Gaussians under optimisation: parameters with their Adam state, relocated and grown together."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from streamstgs.renderer import CanonicalGaussians
from streamstgs.trainer.optimization.relocation import choose_targets, split_opacity_and_scale
from streamstgs.trainer.setting_checks import Weight
from torch import Tensor

ATTRIBUTES = ("means", "quats", "log_scales", "opacity_logits", "colors")


@dataclass(frozen=True)
class LearningRates:
    """Adam's learning rate of each attribute of the Gaussians; 0 keeps the attribute as it is.

    Args:
        means_lr: Learning rate of the centres at the start, in units of the scene's scale.
        means_lr_final: Learning rate of the centres at the end; the decay is exponential.
        quats_lr: Learning rate of the rotations.
        scales_lr: Learning rate of the logarithms of the scales.
        opacities_lr: Learning rate of the opacity logits.
        colors_lr: Learning rate of the colours.
    """

    means_lr: Weight = 1.6e-4
    means_lr_final: Weight = 1.6e-6
    quats_lr: Weight = 1e-3
    scales_lr: Weight = 5e-3
    opacities_lr: Weight = 5e-2
    colors_lr: Weight = 2.5e-3

    def by_attribute(self) -> dict[str, float]:
        """Learning rate of each of ATTRIBUTES, in their order."""
        rates = (
            self.means_lr, self.quats_lr, self.scales_lr, self.opacities_lr, self.colors_lr,
        )  # fmt: skip
        return dict(zip(ATTRIBUTES, rates, strict=True))


class GaussianParameters:
    """Owns the tensors of N Gaussians and one Adam over them.

    Args:
        canonical: The Gaussians before training.
        rates: Learning rates of their attributes.
        scene_scale: World units that the learning rate of the centres is a fraction of.
        extra: More per-Gaussian tensors, [N, ...] each, with their learning rates.
    """

    def __init__(
        self,
        canonical: CanonicalGaussians,
        rates: LearningRates,
        scene_scale: float,
        extra: dict[str, tuple[Tensor, float]] | None = None,
    ) -> None:
        self.rates = rates
        self.scene_scale = scene_scale
        tensors = {n: (getattr(canonical, n), rate) for n, rate in rates.by_attribute().items()}
        tensors["means"] = (canonical.means, rates.means_lr * scene_scale)
        tensors |= extra or {}
        self.optimizer = torch.optim.Adam(
            [
                {"params": [t.detach().clone().requires_grad_()], "lr": rate, "name": name}
                for name, (t, rate) in tensors.items()
            ],
            eps=1e-15,
            fused=canonical.means.is_cuda,
        )

    def __len__(self) -> int:
        return len(self["means"])

    def __contains__(self, name: str) -> bool:
        return any(g["name"] == name for g in self.optimizer.param_groups)

    def __getitem__(self, name: str) -> Tensor:
        return self._group(name)["params"][0]

    def canonical(self) -> CanonicalGaussians:
        return CanonicalGaussians.of_tensors({name: self[name] for name in ATTRIBUTES})

    def detached(self) -> CanonicalGaussians:
        """The current Gaussians without gradients."""
        return self.canonical().map(Tensor.detach)

    def picked(self, chosen: Tensor) -> CanonicalGaussians:
        """The Gaussians `chosen` [K] int64, each at most once."""
        # index_select: the gradient of plain indexing sorts the indices first
        return self.canonical().map(lambda t: t.index_select(0, chosen))

    def decay_means_rate(self, progress: float) -> None:
        """Exponential decay of the means' learning rate; `progress` 0..1."""
        rates = self.rates
        rate = rates.means_lr ** (1 - progress) * rates.means_lr_final**progress
        self.set_rate("means", rate * self.scene_scale)

    def decay_other_rates(self, left: float) -> None:
        """Set the learning rates of all attributes but the means to this share of the first."""
        for name, rate in self.rates.by_attribute().items():
            if name != "means":
                self.set_rate(name, rate * left)

    def rate(self, name: str) -> float:
        return self._group(name)["lr"]

    def learning_rates(self) -> dict[str, float]:
        """The current learning rate of every tensor, by its name."""
        return {g["name"]: g["lr"] for g in self.optimizer.param_groups}

    def set_rate(self, name: str, rate: float) -> None:
        self._group(name)["lr"] = rate

    @torch.no_grad()
    def relocate(
        self, dead: Tensor, weights: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Move dead Gaussians [N] bool onto living ones drawn by `weights` [N] >= 0.

        Returns:
            [K] the Gaussians that were moved, and [K] those that they copy; none where
            none is dead or no weight is positive.
        """
        places = dead.nonzero()[:, 0]
        weights = torch.where(dead, torch.zeros_like(weights), weights)
        if len(places) == 0 or weights.sum() <= 0:
            return places[:0], places[:0]
        targets = self._share_among_copies(weights, len(places), generator)
        for group in self.optimizer.param_groups:
            parameter = group["params"][0]
            parameter[places] = parameter[targets]
            for moment in ("exp_avg", "exp_avg_sq"):
                if moment in self.optimizer.state[parameter]:
                    self.optimizer.state[parameter][moment][targets] = 0
                    self.optimizer.state[parameter][moment][places] = 0
        return places, targets

    @torch.no_grad()
    def grow(self, count: int, weights: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Add `count` copies of Gaussians drawn by `weights` [N]; returns those copied [count]."""
        targets = self._share_among_copies(weights, count, generator)
        for group in self.optimizer.param_groups:
            old = group["params"][0]
            new = torch.cat([old, old[targets]]).detach().requires_grad_()
            state = self.optimizer.state.pop(old, {})
            for moment in ("exp_avg", "exp_avg_sq"):
                if moment in state:
                    state[moment] = torch.cat([state[moment], torch.zeros_like(old[targets])])
            group["params"][0] = new
            self.optimizer.state[new] = state
        return targets

    @torch.no_grad()
    def prune(self, dead: Tensor) -> None:
        """Drop Gaussians [N] bool; all of them never."""
        if dead.any() and not dead.all():
            self.reorder((~dead).nonzero()[:, 0])

    @torch.no_grad()
    def reorder(self, kept: Tensor) -> None:
        """Keep these Gaussians, in this order; Adam's state follows."""
        for group in self.optimizer.param_groups:
            old = group["params"][0]
            state = self.optimizer.state.pop(old, {})
            for moment in ("exp_avg", "exp_avg_sq"):
                if moment in state:
                    state[moment] = state[moment][kept]
            group["params"][0] = old[kept].detach().requires_grad_()
            self.optimizer.state[group["params"][0]] = state

    def _share_among_copies(
        self, weights: Tensor, count: int, generator: torch.Generator | None
    ) -> Tensor:
        """Choose Gaussians to copy, and dim these so that the image stays; -> targets [count]."""
        targets, times = choose_targets(weights, count, generator)
        chosen = times.nonzero()[:, 0]
        opacity, scale = split_opacity_and_scale(
            torch.sigmoid(self["opacity_logits"][chosen]),
            self["log_scales"][chosen].exp(),
            times[chosen] + 1,
        )
        self["opacity_logits"][chosen] = torch.logit(opacity.clamp(0.005, 1 - 1e-6))
        self["log_scales"][chosen] = scale.log()
        return targets

    def _group(self, name: str) -> dict:
        return next(g for g in self.optimizer.param_groups if g["name"] == name)

    def state_dict(self) -> dict:
        return {
            "tensors": {g["name"]: g["params"][0].detach() for g in self.optimizer.param_groups},
            "adam": self.optimizer.state_dict(),
        }

    @torch.no_grad()
    def load_state_dict(self, state: dict) -> None:
        for group in self.optimizer.param_groups:
            group["params"][0] = state["tensors"][group["name"]].clone().requires_grad_()
        self.optimizer.load_state_dict(state["adam"])
