"""The fine stage: canonical Gaussians, temporal features and deformation field of one GOP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from codec.grid_sorting import grid_shape, sort_grid
from codec.source import TrainedGop
from renderer import (
    Camera,
    CanonicalGaussians,
    DeformationField,
    FieldConfig,
    Gaussians,
    RenderSettings,
)
from trainer.gaussian_parameters import ATTRIBUTES, GaussianParameters, GaussianRates
from trainer.losses import color_loss, opacity_loss, spatial_loss, temporal_loss
from trainer.random_source import RandomSource
from trainer.rasterizer import rasterize


@dataclass(frozen=True)
class GopConfig:
    """Schedule and weights of the fine stage.

    Args:
        count: moving Gaussians of a GOP (fewer where little moves).
        iterations: optimiser steps.
        views: pictures of one frame that make a batch.
        features, window, width, position_frequencies: see `renderer.FieldConfig`.
        moments: times of the GOP at which the moving Gaussians start.
        relocate_every, relocate_until: density control, in steps and as share of the iterations.
        dead_opacity: dead below this mean opacity over the GOP.
        feature_noise: standard deviation of what the video codec will do to features of -1..1.
        feature_rate, field_rate: learning rates at the start.
        final_rate: what is left of them at the end; they fall exponentially, so that the last
            steps settle instead of jittering.
        ssim_share: b of L_c.
        temporal_weight, temporal_delta: L_temp and where its Huber turns linear.
        spatial_weight, opacity_weight: L_spatial and L_o.
    """

    count: int = 16_384
    iterations: int = 6_000
    views: int = 2
    features: int = 8
    window: int = 3
    width: int = 64
    position_frequencies: int = 0
    moments: int = 4
    relocate_every: int = 200
    relocate_until: float = 0.7
    dead_opacity: float = 0.01
    feature_noise: float = 0.005
    feature_rate: float = 5e-3
    field_rate: float = 1e-3
    final_rate: float = 0.02
    ssim_share: float = 0.2
    temporal_weight: float = 0.1
    temporal_delta: float = 0.02
    spatial_weight: float = 0.01
    opacity_weight: float = 0.005
    rates: GaussianRates = field(default_factory=GaussianRates)


@dataclass(frozen=True)
class GopFootage:
    """What a GOP is trained on; all on the training device.

    Args:
        cameras: the training cameras.
        frames: [G, H, W, 3] uint8, one tensor a camera.
        masks: [H, W] bool dynamic mask M, one a camera.
        background: RGB behind the scene, None for a closed scene.
        near: distance of the near plane, world units.
    """

    cameras: list[Camera]
    frames: list[Tensor]
    masks: list[Tensor]
    background: tuple[float, float, float] | None
    near: float

    @property
    def count(self) -> int:
        return len(self.frames[0])


@dataclass(frozen=True)
class GopStart:
    """The moving Gaussians before training.

    Args:
        canonical: M Gaussians in the order of the grid, row by row.
        features: [M, E, F].
    """

    canonical: CanonicalGaussians
    features: Tensor

    @staticmethod
    def sorted(
        found: CanonicalGaussians, birth: Tensor, frames: int, config: GopConfig
    ) -> GopStart:
        """Lay Gaussians, seen first at the frames `birth` [M], on the grid."""
        order = _grid_order(found, birth, grid_shape(len(found)))
        return GopStart(found[order], initial_features(birth[order], frames, config))

    @staticmethod
    def of_checkpoint(state: dict) -> GopStart:
        """The Gaussians of `GopTraining.state_dict`: a resumed GOP needs no new start."""
        tensors = state["parameters"]["tensors"]
        return GopStart(CanonicalGaussians(*(tensors[n] for n in ATTRIBUTES)), tensors["features"])


class GopTraining:
    """One GOP under optimisation; `step` is one iteration of the method."""

    def __init__(
        self,
        start: GopStart,
        static: Gaussians,
        footage: GopFootage,
        scene_scale: float,
        config: GopConfig,
        random: RandomSource,
    ) -> None:
        self.static, self.footage, self.config, self.random = static, footage, config, random
        self.grid = grid_shape(len(start.canonical))
        self.parameters = GaussianParameters(
            start.canonical,
            config.rates,
            scene_scale,
            extra={"features": (start.features, config.feature_rate)},
        )
        shape = FieldConfig(
            features=config.features,
            window=config.window,
            width=config.width,
            position_frequencies=config.position_frequencies,
            extent=scene_scale,
        )
        self.field = _seeded_field(shape, random.integer(2**31)).to(start.features.device)
        self.field_optimizer = torch.optim.Adam(self.field.parameters(), lr=config.field_rate)
        self.iteration = 0

    def step(self) -> Tensor:
        """One iteration: choose a frame and views, deform, draw, compare, regularise, update."""
        config = self.config
        self._decay_rates(self.iteration / config.iterations)
        frame = self.random.integer(self.footage.count)
        views = self.random.choice(config.views, len(self.footage.cameras))
        moving = self.deformed(frame, config.feature_noise).activate()
        loss = (
            self._color_loss(moving, frame, views)
            + config.temporal_weight * self._temporal_loss(frame)
            + config.spatial_weight * self._spatial_loss()
            + config.opacity_weight * opacity_loss(moving.opacities)
        )
        loss.backward()
        self._update()
        if self._relocates_now():
            self.relocate()
        self.iteration += 1
        return loss.detach()

    def features(self) -> Tensor:
        """[E, M, F] temporal features as they will be stored, within -1..1."""
        return self.parameters["features"].clamp(-1, 1).transpose(0, 1)

    def deformed(self, frame: int, noise: float) -> CanonicalGaussians:
        """The moving Gaussians at a frame, before activation."""
        window = self.config.window
        seen = self.parameters["features"][:, frame : frame + window].clamp(-1, 1).flatten(1)
        if noise > 0:
            seen = seen + noise * self.random.normal(*seen.shape)
        return self.field(self.parameters.canonical(), seen, frame / self.footage.count)

    @torch.no_grad()
    def gaussians_at(self, frame: int) -> Gaussians:
        """All Gaussians at a frame, static ones first."""
        return Gaussians.concatenate([self.static, self.deformed(frame, 0.0).activate()])

    def trained(self) -> TrainedGop:
        canonical = CanonicalGaussians(*(self.parameters[n].detach() for n in ATTRIBUTES))
        return TrainedGop(
            canonical, self.features().detach(), self.field.eval(), self.footage.count
        )

    @torch.no_grad()
    def relocate(self) -> int:
        """Move Gaussians that are transparent all through the GOP onto ones that are not."""
        frames = range(0, self.footage.count, max(1, self.footage.count // 8))
        opacities = torch.stack([self.deformed(f, 0.0).opacity_logits.sigmoid() for f in frames])
        mean = opacities.mean(dim=0)
        return self.parameters.relocate(
            mean < self.config.dead_opacity, mean, self.random.generator
        )

    def _color_loss(self, moving: Gaussians, frame: int, views: list[int]) -> Tensor:
        footage = self.footage
        behind = footage.background or self.random.color()
        gaussians = Gaussians.concatenate([self.static, moving])
        cameras = [footage.cameras[v] for v in views]
        pictures, _ = rasterize(gaussians, cameras, RenderSettings(behind, footage.near))
        target = torch.stack([footage.frames[v][frame] for v in views]).float() / 255
        masks = torch.stack([footage.masks[v] for v in views])
        return color_loss(pictures, target, masks, self.config.ssim_share)

    def _temporal_loss(self, frame: int) -> Tensor:
        features = self.parameters["features"].transpose(0, 1)
        return temporal_loss(features, frame, self.config.window, self.config.temporal_delta)

    def _spatial_loss(self) -> Tensor:
        """Attribute images against their blurred selves, on the cells that are filled."""
        height, width = self.grid
        scale = self.parameters.scene_scale
        planes = torch.cat(
            [
                self.parameters["means"] / scale,
                self.parameters["log_scales"] / 10,
                self.parameters["opacity_logits"][:, None] / 10,
                self.parameters["colors"],
            ],
            dim=1,
        )
        missing = height * width - len(planes)
        planes = torch.cat([planes, planes[-1:].detach().expand(missing, -1)])
        return spatial_loss(planes, height, width)

    def _decay_rates(self, progress: float) -> None:
        left = self.config.final_rate**progress
        self.parameters.decay_means_rate(progress)
        self.parameters.set_rate("features", self.config.feature_rate * left)
        self.field_optimizer.param_groups[0]["lr"] = self.config.field_rate * left

    def _update(self) -> None:
        for optimizer in (self.parameters.optimizer, self.field_optimizer):
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def _relocates_now(self) -> bool:
        config = self.config
        early = self.iteration < config.relocate_until * config.iterations
        return early and self.iteration % config.relocate_every == config.relocate_every - 1

    def state_dict(self) -> dict:
        return {
            "iteration": self.iteration,
            "parameters": self.parameters.state_dict(),
            "field": self.field.state_dict(),
            "field_adam": self.field_optimizer.state_dict(),
            "random": self.random.state_dict(),
        }

    def load_state_dict(self, state: dict) -> None:
        self.iteration = state["iteration"]
        self.parameters.load_state_dict(state["parameters"])
        self.field.load_state_dict(state["field"])
        self.field_optimizer.load_state_dict(state["field_adam"])
        self.random.load_state_dict(state["random"])


def initial_features(birth: Tensor, frames: int, config: GopConfig) -> Tensor:
    """[M, E, F] features that say when each Gaussian was seen.

    Channel 0 falls from 1 at the frame of birth to -1 one moment away, which lets the field learn
    in a few steps to show a Gaussian only around its own time; the others start at 0.
    """
    count = frames + config.window - 1
    time = torch.arange(count, device=birth.device) - config.window // 2
    reach = max(frames / config.moments, 1.0)
    away = (time[None] - birth[:, None]).abs() / reach
    features = torch.zeros(len(birth), count, config.features, device=birth.device)
    features[..., 0] = (1 - 2 * away).clamp(-1, 1) * 0.9
    return features


def _seeded_field(shape: FieldConfig, seed: int) -> DeformationField:
    """A field whose random weights depend on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return DeformationField(shape)


def _grid_order(start: CanonicalGaussians, birth: Tensor, grid: tuple[int, int]) -> Tensor:
    """Sorted order of the Gaussians, padding left out."""
    spread = start.means.std(dim=0).mean().clamp(min=1e-6)
    values = torch.cat(
        [start.means / spread, start.colors, birth[:, None] / birth.max().clamp(min=1)], dim=1
    )
    order = sort_grid(values, *grid, seed=0)
    return order[order >= 0]


def train_gop(training: GopTraining, report: Callable[[GopTraining, Tensor], None]) -> TrainedGop:
    """Run what is left of the schedule; `report` gets the training and the loss after each step."""
    while training.iteration < training.config.iterations:
        report(training, training.step())
    return training.trained()
