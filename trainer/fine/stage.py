"""The fine stage: canonical Gaussians, temporal features and deformation field of one GOP.

`GopTraining.step` is the method in its order (docs/training.md); each step has a file of its own:
optimization/losses.py, auxiliary.py, density.py.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from streamstgs.codec.grid_sorting import grid_shape
from streamstgs.codec.source import TrainedGop
from streamstgs.renderer import CanonicalGaussians, DeformationField, FieldConfig, Gaussians
from streamstgs.trainer.fine.auxiliary import AuxiliaryPass, gop_times, with_batch
from streamstgs.trainer.fine.config import GopConfig
from streamstgs.trainer.fine.density import control_density, is_due
from streamstgs.trainer.fine.footage import GopFootage
from streamstgs.trainer.fine.start import GopStart
from streamstgs.trainer.optimization.gaussian_parameters import GaussianParameters
from streamstgs.trainer.optimization.losses import attribute_loss, opacity_loss, temporal_loss
from streamstgs.trainer.random_source import RandomSource
from torch import Tensor


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
        device = start.features.device
        self.parameters = GaussianParameters(
            start.canonical,
            config.rates,
            scene_scale,
            extra={"features": (start.features, config.feature_rate)},
        )
        self.field = _seeded_field(config, scene_scale, random.integer(2**31)).to(device)
        self.field_optimizer = torch.optim.Adam(
            self.field.parameters(), lr=config.field_rate, fused=device.type == "cuda"
        )
        self.auxiliary: AuxiliaryPass | None = None
        if config.auxiliary.enabled:
            seed = random.integer(2**31)
            self.auxiliary = AuxiliaryPass(self.field, config.auxiliary, device, seed)
        self.times = gop_times(footage.count, device)
        self.iteration = 0

    def step(self) -> Tensor:
        """One iteration: choose a frame and views, move, draw, compare, regularise, update."""
        config = self.config
        self._decay_rates(self.iteration / config.iterations)
        frame = self.random.integer(self.footage.count)
        views = self.random.choice(config.views, len(self.footage.cameras))
        behind = self.footage.background or self.random.color()
        moving = self.deformed(frame, disturb=True).activate()
        color = self._color_loss(self.static, moving, frame, views, behind)
        loss = color + self._regularisers(moving, frame)
        if self.auxiliary and self.auxiliary.is_due(self.iteration):
            loss = loss + self._auxiliary_loss(self.auxiliary, moving, frame, views, behind)
        loss.backward()
        self._update()
        if is_due(self.iteration, config):
            self.control_density()
        self.iteration += 1
        return loss.detach()

    def _color_loss(
        self,
        static: Gaussians,
        moving: Gaussians,
        frame: int,
        views: list[int],
        behind: tuple[float, float, float],
    ) -> Tensor:
        """L_c of the static and the moving Gaussians together."""
        config = self.config
        weights = config.ssim_share, config.still_weight, config.empty_weight
        return self.footage.loss(static, moving, frame, views, behind, *weights)

    def _regularisers(self, moving: Gaussians, frame: int) -> Tensor:
        """a_temp L_temp + L_spatial + a_o L_o; a term of weight 0 is not computed."""
        config = self.config
        loss = torch.zeros((), device=self.times.device)
        if config.temporal_weight:
            features = self.parameters["features"].transpose(0, 1)
            flicker = temporal_loss(features, frame, config.window, config.temporal_delta)
            loss = loss + config.temporal_weight * flicker
        if config.spatial_weight:
            grid = grid_shape(len(self.parameters))
            canonical, scale = self.parameters.canonical(), self.parameters.scene_scale
            loss = loss + config.spatial_weight * attribute_loss(canonical, scale, *grid)
        if config.opacity_weight:
            loss = loss + config.opacity_weight * opacity_loss(moving.opacities)
        return loss

    def _auxiliary_loss(
        self,
        auxiliary: AuxiliaryPass,
        moving: Gaussians,
        frame: int,
        views: list[int],
        behind: tuple[float, float, float],
    ) -> Tensor:
        """2 L_t + a_sd L_sd: a batch of Gaussians drawn as the transformer has them."""
        weights = auxiliary.config
        batch = self.random.subset(weights.batch, len(self.parameters))
        picked = self.parameters.picked(batch)
        features = self._disturbed(self.parameters["features"].index_select(0, batch).clamp(-1, 1))
        guided, distillation = auxiliary.guided(picked, features, frame)
        mixed = with_batch(moving, batch, guided)
        color = self._color_loss(self.static.detach(), mixed, frame, views, behind)
        return weights.color_weight * color + weights.distillation_weight * distillation

    def _decay_rates(self, progress: float) -> None:
        left = self.config.final_rate**progress
        self.parameters.decay_means_rate(progress)
        self.parameters.set_rate("features", self.config.feature_rate * left)
        self.field_optimizer.param_groups[0]["lr"] = self.config.field_rate * left
        if self.auxiliary:
            self.auxiliary.set_progress(left)

    def _update(self) -> None:
        for optimizer in (self.parameters.optimizer, self.field_optimizer):
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        if self.auxiliary:
            self.auxiliary.step()

    @torch.no_grad()
    def control_density(self) -> None:
        """See density.py."""
        control_density(self.parameters, self.mean_opacity(), self.config, self.random)

    def mean_opacity(self) -> Tensor:
        """[M] mean over (a few) time steps of the GOP."""
        frames = range(0, self.footage.count, max(1, self.footage.count // 8))
        opacities = [self.deformed(f).opacity_logits.sigmoid() for f in frames]
        return torch.stack(opacities).mean(dim=0)

    def features(self) -> Tensor:
        """[E, M, F] temporal features as they will be stored, within -1..1."""
        return self.parameters["features"].clamp(-1, 1).transpose(0, 1)

    def deformed(self, frame: int, disturb: bool = False) -> CanonicalGaussians:
        """The moving Gaussians at a frame, before activation."""
        window = self.config.window
        seen = self.parameters["features"][:, frame : frame + window].clamp(-1, 1).flatten(1)
        seen = self._disturbed(seen) if disturb else seen
        return self.field(self.parameters.canonical(), seen, self.times[frame])

    def _disturbed(self, features: Tensor) -> Tensor:
        """Features as the video codec will leave them."""
        if self.config.feature_noise <= 0:
            return features
        return features + self.config.feature_noise * self.random.normal(*features.shape)

    @torch.no_grad()
    def gaussians_at(self, frame: int) -> Gaussians:
        """All Gaussians at a frame, static ones first."""
        return Gaussians.concatenate([self.static, self.deformed(frame).activate()])

    def trained(self) -> TrainedGop:
        """What is written; the auxiliary transformer is not part of it."""
        return TrainedGop(
            self.parameters.detached(),
            self.features().detach(),
            self.field.eval(),
            self.footage.count,
        )

    def state_dict(self) -> dict:
        state = {
            "iteration": self.iteration,
            "parameters": self.parameters.state_dict(),
            "field": self.field.state_dict(),
            "field_adam": self.field_optimizer.state_dict(),
            "random": self.random.state_dict(),
        }
        return state | ({"auxiliary": self.auxiliary.state_dict()} if self.auxiliary else {})

    def load_state_dict(self, state: dict) -> None:
        self.iteration = state["iteration"]
        self.parameters.load_state_dict(state["parameters"])
        self.field.load_state_dict(state["field"])
        self.field_optimizer.load_state_dict(state["field_adam"])
        if self.auxiliary:
            self.auxiliary.load_state_dict(state["auxiliary"])
        self.random.load_state_dict(state["random"])


def train_gop(training: GopTraining, report: Callable[[GopTraining, Tensor], None]) -> TrainedGop:
    """Run what is left of the schedule; `report` gets the training and the loss after each step."""
    while training.iteration < training.config.iterations:
        report(training, training.step())
    return training.trained()


def _seeded_field(config: GopConfig, extent: float, seed: int) -> DeformationField:
    """A field whose random weights depend on the seed alone."""
    shape = FieldConfig(
        features=config.features,
        window=config.window,
        width=config.width,
        position_frequencies=config.position_frequencies,
        extent=extent,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return DeformationField(shape)
