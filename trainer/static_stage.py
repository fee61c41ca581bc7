"""The coarse stage: the layer of Gaussians that never moves, shared by all GOPs.

It learns from the temporal medians, so that what passes by leaves no trace in it; a pixel whose
median is not trusted (something moves there most of the time) has no say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from renderer import Camera, CanonicalGaussians, RenderSettings
from renderer.gaussians import rotation_matrices
from trainer.background import StillView
from trainer.gaussian_parameters import GaussianParameters, GaussianRates
from trainer.losses import ssim
from trainer.random_source import RandomSource
from trainer.rasterizer import rasterize


@dataclass(frozen=True)
class StaticConfig:
    """Schedule and weights of the coarse stage.

    Args:
        cap: most Gaussians of the static layer.
        reliable_share: a median is trusted where at least this share of frames agrees with it.
        iterations: optimiser steps.
        relocate_every: steps between relocations of dead Gaussians and growth.
        relocate_until: share of the iterations after which density control stops.
        growth: most relative growth at a time.
        dead_opacity: below this a Gaussian is dead.
        opacity_weight, scale_weight: pull opacities and scales down (3DGS-MCMC, Eq. 12).
        exploration: scale of the noise that lets uncertain Gaussians wander (3DGS-MCMC, Eq. 8).
        ssim_share: b of L_c.
    """

    cap: int = 60_000
    reliable_share: float = 0.5
    iterations: int = 7_000
    relocate_every: int = 100
    relocate_until: float = 0.8
    growth: float = 0.05
    dead_opacity: float = 0.005
    opacity_weight: float = 0.01
    scale_weight: float = 0.01
    exploration: float = 5e5
    ssim_share: float = 0.2
    rates: GaussianRates = field(default_factory=GaussianRates)


def train_static(
    start: CanonicalGaussians,
    cameras: list[Camera],
    stills: list[StillView],
    background: tuple[float, float, float] | None,
    near: float,
    scene_scale: float,
    config: StaticConfig,
    random: RandomSource,
    report: Callable[[int, Tensor, CanonicalGaussians], None],
) -> CanonicalGaussians:
    """Fit the static layer to the medians of the training cameras.

    Args:
        background: colour behind the scene; None paints a random one each step, so that the
            Gaussians of a closed scene leave no holes.
        near: distance of the near plane, world units.
        report: called after each step with (steps made, loss, the Gaussians so far).
    """
    parameters = GaussianParameters(start, config.rates, scene_scale)
    for step in range(config.iterations):
        parameters.decay_means_rate(step / config.iterations)
        view = random.integer(len(cameras))
        settings = RenderSettings(background or random.color(), near)
        loss = _step_loss(parameters, cameras[view], stills[view], settings, config)
        loss.backward()
        parameters.optimizer.step()
        parameters.optimizer.zero_grad(set_to_none=True)
        early = step < config.relocate_until * config.iterations
        if early and step % config.relocate_every == 0 and step > 0:
            control_density(parameters, config, random)
        explore(parameters, config.exploration, random)
        report(step + 1, loss.detach(), parameters.canonical())
    return CanonicalGaussians(*(t.detach() for t in vars(parameters.canonical()).values()))


def _step_loss(
    parameters: GaussianParameters,
    camera: Camera,
    still: StillView,
    settings: RenderSettings,
    config: StaticConfig,
) -> Tensor:
    gaussians = parameters.canonical().activate()
    pictures, _ = rasterize(gaussians, [camera], settings)
    target = still.median[None].float() / 255
    trusted = (still.reliability >= config.reliable_share).float()[None, ..., None]
    l1 = ((pictures - target).abs() * trusted).mean()
    structure = 1 - ssim(pictures * trusted, target * trusted)
    return (
        (1 - config.ssim_share) * l1
        + config.ssim_share * structure
        + config.opacity_weight * gaussians.opacities.mean()
        + config.scale_weight * gaussians.scales.mean()
    )


@torch.no_grad()
def control_density(
    parameters: GaussianParameters, config: StaticConfig, random: RandomSource
) -> None:
    """Relocate the dead, then grow towards the cap; both copy Gaussians by opacity."""
    opacities = torch.sigmoid(parameters["opacity_logits"])
    parameters.relocate(opacities <= config.dead_opacity, opacities, random.generator)
    growth = min(int(config.growth * len(parameters)), config.cap - len(parameters))
    if growth > 0:
        opacities = torch.sigmoid(parameters["opacity_logits"])
        parameters.grow(growth, opacities, random.generator)


@torch.no_grad()
def explore(parameters: GaussianParameters, exploration: float, random: RandomSource) -> None:
    """Noise on the means along each Gaussian's own covariance, strong where it is transparent."""
    gaussians = parameters.canonical().activate()
    gate = torch.sigmoid(100 * (0.005 - gaussians.opacities))
    noise = random.normal(*gaussians.means.shape)
    rate = parameters.rate("means")
    axes = rotation_matrices(gaussians.quats) * gaussians.scales[:, None, :]
    covariances = axes @ axes.transpose(1, 2)
    scaled = noise * (gate * exploration * rate)[:, None]
    parameters["means"].add_((covariances @ scaled[..., None])[..., 0])
