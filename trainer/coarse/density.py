"""Density control of the coarse stage: 3DGS-MCMC (Kheradmand et al. 2024).

Dead Gaussians are relocated onto living ones, others are copied until the cap is reached, and SGLD
noise moves transparent ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any

import torch
from annotated_types import Ge
from streamstgs.renderer import Gaussians
from streamstgs.trainer.optimization.density import DensityStatistics
from streamstgs.trainer.optimization.gaussian_parameters import GaussianParameters
from streamstgs.trainer.rng import Rng
from streamstgs.trainer.setting_checks import Count, Positive, Share, Weight, check_ranges
from torch import Tensor


@dataclass(frozen=True)
class McmcConfig:
    """Density control of the coarse stage.

    Args:
        cap_max: Most Gaussians of the stage.
        cap_per_pixel: Most Gaussians for each pixel of an image; more would fit noise. None sets
            no such limit.
        refine_every: Steps between relocations of dead Gaussians and growth.
        refine_stop: Share of the iterations after which both end.
        growth: Largest relative growth at a time.
        min_opacity: A Gaussian of at most this opacity is dead.
        noise_lr: Scale of the SGLD noise (3DGS-MCMC, Eq. 8), in units of the scene.
    """

    cap_max: Count = 200_000
    cap_per_pixel: Positive | None = 0.2
    refine_every: Count = 100
    refine_stop: Share = 0.8
    growth: Annotated[float, Ge(0)] = 0.05
    min_opacity: Share = 0.005
    noise_lr: Weight = 4e6

    def __post_init__(self) -> None:
        check_ranges(self, "coarse.density")

    def for_images(self, width: int, height: int) -> McmcConfig:
        """The same with the cap that images of this size in px allow."""
        if self.cap_per_pixel is None:
            return self
        return replace(self, cap_max=min(self.cap_max, round(self.cap_per_pixel * width * height)))


class McmcStrategy:
    """Relocation, growth and SGLD noise (`DensityStrategy`).

    Args:
        iterations: Steps of the stage's whole schedule.
    """

    def __init__(self, config: McmcConfig, iterations: int, rng: Rng) -> None:
        self.config, self.iterations, self.rng = config, iterations, rng

    @torch.no_grad()
    def step(
        self, parameters: GaussianParameters, statistics: DensityStatistics, iteration: int
    ) -> None:
        config = self.config
        early = iteration < config.refine_stop * self.iterations
        if early and iteration > 0 and iteration % config.refine_every == 0:
            self.refine(parameters)
        if config.noise_lr > 0:
            add_sgld_noise(parameters, config.noise_lr, self.rng)

    def refine(self, parameters: GaussianParameters) -> None:
        """Relocate the dead, then grow towards the cap; both copy Gaussians by opacity."""
        config, generator = self.config, self.rng.generator
        opacities = torch.sigmoid(parameters["opacity_logits"])
        parameters.relocate(opacities <= config.min_opacity, opacities, generator)
        growth = min(int(config.growth * len(parameters)), config.cap_max - len(parameters))
        if growth > 0:
            opacities = torch.sigmoid(parameters["opacity_logits"])
            parameters.grow(growth, opacities, generator)

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing is kept between steps."""


@torch.no_grad()
def add_sgld_noise(parameters: GaussianParameters, noise_lr: float, rng: Rng) -> None:
    """Noise on the means along each Gaussian's own covariance, strong where it is transparent.

    In units of the scene: a capture in millimetres gets the same noise as one in metres.
    """
    gaussians = parameters.canonical().activate()
    gate = torch.sigmoid(100 * (0.005 - gaussians.opacities))
    noise = rng.normal(*gaussians.means.shape)
    rate = parameters.rate("means") / parameters.scene_scale**2
    kick = noise * (gate * noise_lr * rate)[:, None]
    parameters["means"].add_(_times_covariance(gaussians, kick))


def _times_covariance(gaussians: Gaussians, vectors: Tensor) -> Tensor:
    """[N, 3] R S S R^T v: into each Gaussian's own axes, by its variances, and back; without the
    matrices, which take many more operations."""
    w, axis = gaussians.quats[:, :1], gaussians.quats[:, 1:]
    along = _rotated(-w, axis, vectors)  # the conjugate up to sign: R^T
    return _rotated(w, axis, along * gaussians.scales**2)


def _rotated(w: Tensor, axis: Tensor, vectors: Tensor) -> Tensor:
    """Vectors [N, 3] turned by unit quaternions: v + 2 w (u x v) + 2 u x (u x v)."""
    twice = 2 * torch.linalg.cross(axis, vectors)
    return vectors + w * twice + torch.linalg.cross(axis, twice)
