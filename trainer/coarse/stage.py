"""The coarse stage: plain 3D Gaussian Splatting with the density control of 3DGS-MCMC.

With a static split it learns the layer that never moves, shared by all GOPs, from the temporal
medians; without one, the Gaussians that every GOP starts from, from all frames as in the paper.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from streamstgs.renderer import Camera, CanonicalGaussians, Gaussians, RenderSettings
from streamstgs.trainer.coarse.color_response import ColorResponse, respond
from streamstgs.trainer.coarse.depth_supervision import depth_loss
from streamstgs.trainer.coarse.dropout import drop_out
from streamstgs.trainer.coarse.footage import CoarseBatch, CoarseFootage
from streamstgs.trainer.coarse.free_space import FreeSpace
from streamstgs.trainer.optimization.gaussian_parameters import GaussianParameters, GaussianRates
from streamstgs.trainer.optimization.losses import color_loss, unwanted_loss
from streamstgs.trainer.optimization.rasterizer import rasterize, rasterize_with_depth
from streamstgs.trainer.random_source import RandomSource
from streamstgs.trainer.setting_checks import (
    require,
    require_at_least,
    require_positive,
    require_share,
)
from torch import Tensor


@dataclass(frozen=True)
class StaticConfig:
    """Schedule and weights of the coarse stage.

    Args:
        cap: most Gaussians of the static layer.
        per_pixel: most Gaussians for each pixel of a picture: more would fit noise. None: no limit.
        learns_from: "medians" of the cameras, or the "frames" of the video.
        frames: at most so many frames of the video, evenly spread; they are held in memory.
        views: pictures that make a batch.
        reliable_share: a median is trusted where at least this share of frames agrees with it.
        iterations: optimiser steps.
        relocate_every: steps between relocations of dead Gaussians and growth.
        relocate_until: share of the iterations after which density control stops.
        growth: most relative growth at a time.
        dead_opacity: below this a Gaussian is dead.
        opacity_weight, scale_weight: pull opacities and scales down (3DGS-MCMC, Eq. 12); scales
            are in units of the scene, so that the same weight does for all captures.
        exploration: scale of the noise that lets uncertain Gaussians wander (3DGS-MCMC, Eq. 8),
            in units of the scene.
        ssim_share: b of L_c.
        dropout: share of Gaussians left out of a step; grows to this over the schedule.
        depth_weight: of the error of inverse depth where the initial points tell it.
        free_weight: of what is drawn where nothing stands (free_space.py).
        empty_weight: of what is drawn where a camera sees only the flat colour behind the scene:
            a haze of nearly that colour costs a picture nothing, but the views between.
    """

    cap: int = 200_000
    per_pixel: float | None = 0.2
    learns_from: Literal["medians", "frames"] = "medians"
    frames: int = 300
    views: int = 1
    reliable_share: float = 0.5
    iterations: int = 8_000
    relocate_every: int = 100
    relocate_until: float = 0.8
    growth: float = 0.05
    dead_opacity: float = 0.005
    opacity_weight: float = 0.01
    scale_weight: float = 0.14
    exploration: float = 4e6
    ssim_share: float = 0.2
    dropout: float = 0.2
    depth_weight: float = 0.2
    free_weight: float = 1.0
    empty_weight: float = 0.2
    rates: GaussianRates = field(default_factory=GaussianRates)

    def __post_init__(self) -> None:
        require_at_least(1, self, "static", "cap", "frames", "views", "iterations")
        require_at_least(1, self, "static", "relocate_every")
        require_at_least(0, self, "static", "growth", "exploration")
        weights = "opacity_weight", "scale_weight", "depth_weight", "free_weight", "empty_weight"
        require_at_least(0, self, "static", *weights)
        shares = "reliable_share", "relocate_until", "dead_opacity", "ssim_share", "dropout"
        require_share(self, "static", *shares)
        require(self.dropout < 1, "static.dropout", self.dropout, "less than 1")
        if self.per_pixel is not None:
            require_positive(self, "static", "per_pixel")
        self.rates.check("static.rates")

    def for_pictures(self, width: int, height: int) -> StaticConfig:
        """The same with the cap that pictures of this size in px allow."""
        if self.per_pixel is None:
            return self
        return replace(self, cap=min(self.cap, round(self.per_pixel * width * height)))


def train_static(
    start: CanonicalGaussians,
    footage: CoarseFootage,
    background: tuple[float, float, float] | None,
    near: float,
    scene_scale: float,
    config: StaticConfig,
    random: RandomSource,
    report: Callable[[int, Tensor, CanonicalGaussians], None],
    response: ColorResponse | None = None,
    free_space: FreeSpace | None = None,
) -> CanonicalGaussians:
    """Fit Gaussians to what the training cameras saw.

    Args:
        background: colour behind the scene; None paints a random one each step, so that the
            Gaussians of a closed scene leave no holes.
        near: distance of the near plane, world units.
        report: called after each step with (steps made, loss, the Gaussians so far).
        response: of the cameras to colours, fitted along.
        free_space: where nothing stands; None: that is not known.
    """
    parameters = GaussianParameters(start, config.rates, scene_scale)
    for step in range(config.iterations):
        parameters.decay_means_rate(step / config.iterations)
        if response is not None:
            response.decay_rate(step / config.iterations)
        settings = RenderSettings(background or random.color(), near)
        gaussians = parameters.canonical().activate()
        batch = footage.draw(config.views, random)
        shown = drop_out(gaussians, config.dropout * step / config.iterations, random)
        loss = _color_loss(
            shown, batch, footage.cameras, settings, scene_scale, config, response
        ) + shrinking_loss(gaussians, scene_scale, config)
        if free_space is not None and config.free_weight > 0:
            loss = loss + config.free_weight * free_space.loss(gaussians, random)
        loss.backward()
        _update(parameters, response)
        early = step < config.relocate_until * config.iterations
        if early and step % config.relocate_every == 0 and step > 0:
            control_density(parameters, config, random)
        if config.exploration > 0:
            explore(parameters, config.exploration, random)
        report(step + 1, loss.detach(), parameters.canonical())
    return parameters.detached()


def _color_loss(
    gaussians: Gaussians,
    batch: CoarseBatch,
    cameras: list[Camera],
    settings: RenderSettings,
    scene_scale: float,
    config: StaticConfig,
    response: ColorResponse | None,
) -> Tensor:
    """Colours, structure, depth and emptiness of a batch, and what keeps the responses small."""
    seen_by = [cameras[v] for v in batch.views]
    loss = torch.zeros((), device=batch.pictures.device)
    if batch.depths and config.depth_weight > 0:
        pictures, alphas, drawn = rasterize_with_depth(gaussians, seen_by, settings)
        for depth, known in zip(drawn, batch.depths, strict=True):
            error = depth_loss(depth, known, settings.near, scene_scale)
            loss = loss + config.depth_weight / len(drawn) * error
    else:
        pictures, alphas = rasterize(gaussians, seen_by, settings)
    if config.empty_weight > 0:
        loss = loss + config.empty_weight * unwanted_loss(alphas, batch.empty)
    if response is not None:
        pictures = respond(pictures, response.of(batch.views))
        loss = loss + response.loss()
    trusted = batch.trusted
    drawn_and_seen = pictures * trusted, batch.pictures * trusted
    return loss + color_loss(*drawn_and_seen, trusted[..., 0], config.ssim_share)


def shrinking_loss(gaussians: Gaussians, scene_scale: float, config: StaticConfig) -> Tensor:
    """Mean opacity, and mean scale in units of the scene, with their weights: what nobody needs
    fades (3DGS-MCMC, Eq. 12)."""
    opacity, scale = gaussians.opacities.mean(), gaussians.scales.mean() / scene_scale
    return config.opacity_weight * opacity + config.scale_weight * scale


def _update(parameters: GaussianParameters, response: ColorResponse | None) -> None:
    parameters.optimizer.step()
    parameters.optimizer.zero_grad(set_to_none=True)
    if response is not None:
        response.step()


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
    """Noise on the means along each Gaussian's own covariance, strong where it is transparent.

    In units of the scene: a capture in millimetres explores as one in metres.
    """
    gaussians = parameters.canonical().activate()
    gate = torch.sigmoid(100 * (0.005 - gaussians.opacities))
    noise = random.normal(*gaussians.means.shape)
    rate = parameters.rate("means") / parameters.scene_scale**2
    kick = noise * (gate * exploration * rate)[:, None]
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
