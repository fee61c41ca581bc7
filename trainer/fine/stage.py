"""The fine stage: canonical Gaussians, temporal features and deformation field of one GOP.

`GopTraining.step` is one iteration of the method, its loss included. docs/training.md explains the
terms.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields, replace

import torch
from streamstgs.codec.encoder.grid_sorting import grid_shape
from streamstgs.codec.encoder.source import TrainedGop
from streamstgs.renderer import (
    CanonicalGaussians,
    DeformationField,
    FieldConfig,
    Gaussians,
    RenderSettings,
)
from streamstgs.renderer.trajectories import Trajectories, present
from streamstgs.trainer.coarse.color_correction import correct_colors
from streamstgs.trainer.fine.auxiliary import AuxiliaryPass, gop_times, with_batch
from streamstgs.trainer.fine.config import GopConfig
from streamstgs.trainer.fine.density import OpacityStrategy
from streamstgs.trainer.fine.frame_sampling import FrameSampler
from streamstgs.trainer.fine.quantisation import quantised_canonical, quantised_window
from streamstgs.trainer.fine.start import GopStart
from streamstgs.trainer.fine.training_views import GopBatch, GopViews
from streamstgs.trainer.optimization.density import DensityStatistics, DensityStrategy
from streamstgs.trainer.optimization.gaussian_parameters import GaussianParameters
from streamstgs.trainer.optimization.losses import (
    LossTerms,
    alpha_penalty,
    attribute_loss,
    color_loss,
    masked_l1,
    mse_loss,
    opacity_loss,
    temporal_loss,
)
from streamstgs.trainer.optimization.rasterizer import rasterize, rasterize_with_share
from streamstgs.trainer.optimization.training_stage import (
    StepRecord,
    gradient_norms,
    run_schedule,
)
from streamstgs.trainer.rng import Rng
from torch import Tensor

GEOMETRY = ("means", "quats", "log_scales")
OPACITY_SAMPLES = 12  # frames of a GOP, about
LASTING = 1.0  # temporal extent, in GOPs, from which on a Gaussian is seen all through the GOP


class GopTraining:
    """One GOP under optimisation (`TrainingStage`); `step` is one iteration of the method.

    Args:
        static: The static layer; empty where all Gaussians move.
        scene_scale: World units that the learning rate of the centres is a fraction of.
        with_gradient_norms: Records hold the norms of the gradients.
    """

    def __init__(
        self,
        start: GopStart,
        static: Gaussians,
        training_views: GopViews,
        scene_scale: float,
        config: GopConfig,
        rng: Rng,
        with_gradient_norms: bool = False,
    ) -> None:
        self.static, self.training_views = static, training_views
        self.config, self.rng = config, rng
        self.with_gradient_norms = with_gradient_norms
        device = start.features.device
        self.parameters = GaussianParameters(
            start.canonical,
            config,
            scene_scale,
            extra={
                "features": (start.features, config.features_lr),
                **_trajectory_parameters(start.canonical, config, scene_scale),
            },
        )
        self.field = _seeded_field(config, scene_scale, rng.integer(2**31)).to(device)
        self.field_optimizer = torch.optim.Adam(
            self.field.parameters(), lr=config.field_lr, fused=device.type == "cuda"
        )
        self.auxiliary: AuxiliaryPass | None = None
        if config.auxiliary.enabled:
            seed = rng.integer(2**31)
            self.auxiliary = AuxiliaryPass(self.field, config.auxiliary, device, seed)
        self.density: DensityStrategy = OpacityStrategy(
            config.density, config.iterations, rng, keep_grid=config.spatial_reg > 0
        )
        self.times = gop_times(training_views.count, device)
        self.sampler = FrameSampler(training_views.count, config.sampling, device)
        self.iteration = 0

    @property
    def iterations(self) -> int:
        return self.config.iterations

    def step(self) -> StepRecord:
        """One iteration: choose a frame and views, move, render, compare, regularise, update.

        The paper's loss is
            L = L_c + 2 L_t + a_sd L_sd + a_temp L_temp + L_spatial + a_o L_o.
        Ours differs: L_spatial has a weight, and two alpha penalties are added to each L_c,
        L_static and L_empty (`image_loss`).
        """
        config = self.config
        self._decay_learning_rates(self.iteration / config.iterations)
        frame = self.sampler.draw(self.rng)
        batch = self.training_views.draw(frame, config.batch_size, self.rng)
        moving = self.deformed(frame, disturb=True).activate()

        standing = self.always_there()
        loss = image_loss(self.static, moving, batch, config, standing)
        if not self.field_rests:
            loss.add("L_temp", config.temporal_reg, lambda: self._temporal_loss(frame))
        loss.add("L_spatial", config.spatial_reg, self._spatial_loss)
        loss.add("L_o", config.opacity_reg, lambda: self._opacity_loss(frame))
        if self.holds_opacity_back:
            loss.add("L_early", config.early_opacity_reg, lambda: self._early_opacity_loss(frame))
        if self.auxiliary and self._guides(self.auxiliary):
            weights = self.auxiliary.config
            guided, distillation = self._guided(self.auxiliary, moving, frame)
            static = self.static.detach()
            second = image_loss(static, guided, batch, config, standing)
            loss.add("L_t", weights.color_weight, lambda: second.total)
            loss.add("L_sd", weights.distillation_weight, lambda: distillation)
        total = loss.backward()

        norms = gradient_norms(self.parameters) if self.with_gradient_norms else {}
        rates = self.learning_rates()
        statistics = DensityStatistics(self.sampled_opacities, self.parameters["means"].grad)
        self.sampler.add(frame, loss.term("L_c"))
        self._update()
        self.density.step(self.parameters, statistics, self.iteration)
        self.iteration += 1
        return StepRecord(
            self.iteration, total, loss.detached(), len(self.parameters), rates, norms
        )

    @torch.no_grad()
    def always_there(self) -> Tensor | None:
        """[M] bool: Gaussians that are seen all through the GOP; None without trajectories.

        What was taken out of the static layer is of this kind. It has to show what does not move,
        too, such as a floor over which shadows pass.
        """
        if not self.has_trajectories:
            return None
        return self.parameters["log_extents"] >= math.log(LASTING)

    def _opacity_loss(self, frame: int) -> Tensor:
        """L_o of the Gaussians at a frame, before the field: its weights, which all Gaussians
        share, would fade all of them at once."""
        return opacity_loss(self.canonical().at(self.times[frame]).opacity_logits.sigmoid())

    @property
    def holds_opacity_back(self) -> bool:
        """Whether spatial opacity is still penalised."""
        until = self.config.early_opacity_until * self.config.iterations
        return self.has_trajectories and self.iteration < until

    def _early_opacity_loss(self, frame: int) -> Tensor:
        """Mean spatial opacity, weighted by how present each Gaussian is at the frame. How present
        it is takes no gradient: otherwise Gaussians would shorten their lives instead."""
        paths = self.canonical().trajectories
        assert paths is not None
        presence = torch.exp(-paths.fading(self.times[frame])).detach()
        return (self.parameters["opacity_logits"].sigmoid() * presence).mean()

    def _temporal_loss(self, frame: int) -> Tensor:
        """L_temp of the features around a frame."""
        features = self.parameters["features"].transpose(0, 1)
        return temporal_loss(features, frame, self.config.window, self.config.temporal_delta)

    def _spatial_loss(self) -> Tensor:
        """L_spatial of the attribute images."""
        grid = grid_shape(len(self.parameters))
        return attribute_loss(self.parameters.canonical(), self.parameters.scene_scale, *grid)

    def _guides(self, auxiliary: AuxiliaryPass) -> bool:
        """Whether this step has an auxiliary pass."""
        return auxiliary.is_due(self.iteration, self.iterations) and not self.field_rests

    def _guided(
        self, auxiliary: AuxiliaryPass, moving: Gaussians, frame: int
    ) -> tuple[Gaussians, Tensor]:
        """The moving Gaussians with a random batch as the transformer has it, and L_sd."""
        batch = self.rng.subset(auxiliary.config.batch_size, len(self.parameters))
        canonical = self.canonical().at(self.times[frame])
        picked = canonical.map(lambda t: t.index_select(0, batch))
        features = self._disturbed(self.parameters["features"].index_select(0, batch).clamp(-1, 1))
        guided, distillation = auxiliary.guided(picked, features, frame)
        return with_batch(moving, batch, guided), distillation

    def learning_rates(self) -> dict[str, float]:
        """The current learning rates, by what they belong to."""
        rates = self.parameters.learning_rates()
        return rates | {"field": self.field_optimizer.param_groups[0]["lr"]}

    def _decay_learning_rates(self, progress: float) -> None:
        left = self.config.lr_final**progress
        self.parameters.decay_means_rate(progress)
        self.parameters.decay_other_rates(self.config.attributes_lr_final**progress)
        if self.has_trajectories:
            scale = self.parameters.scene_scale
            self.parameters.set_rate("velocities", self.config.velocities_lr * scale * left)
            self.parameters.set_rate("centers", self.config.centers_lr * left)
            self.parameters.set_rate("log_extents", self.config.log_extents_lr * left)
        rested = self.config.field_start if self.has_trajectories else 0.0
        left_of_field = self.config.lr_final ** max(0.0, (progress - rested) / (1 - rested))
        self.parameters.set_rate("features", self.config.features_lr * left_of_field)
        self.field_optimizer.param_groups[0]["lr"] = self.config.field_lr * left_of_field
        if self.auxiliary:
            self.auxiliary.set_progress(left)

    def _update(self) -> None:
        held = self.config.standing_rate < 1
        before = {n: self.parameters[n].detach().clone() for n in GEOMETRY} if held else {}
        for optimizer in (self.parameters.optimizer, self.field_optimizer):
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        if self.auxiliary:
            self.auxiliary.step()
        if held:
            self._hold_back(before)

    @torch.no_grad()
    def _hold_back(self, before: dict[str, Tensor]) -> None:
        """Take back a part of the step of what is always there (`GopConfig.standing_rate`)."""
        standing = self.always_there()
        if standing is None:
            return
        for name, old in before.items():
            now = self.parameters[name]
            slowed = old.lerp(now, self.config.standing_rate)
            now.copy_(torch.where(standing[:, None], slowed, now))

    @torch.no_grad()
    def sampled_opacities(self) -> Tensor:
        """[T, M] at frames evenly spread over the GOP, and, where there are trajectories, the
        opacity of each Gaussian at its temporal centre."""
        count = self.training_views.count
        frames = range(0, count, max(1, count // OPACITY_SAMPLES))
        opacities = [self.deformed(f).opacity_logits.sigmoid() for f in frames]
        if self.has_trajectories:
            opacities.append(self.parameters["opacity_logits"].sigmoid())
        return torch.stack(opacities)

    def canonical(self) -> CanonicalGaussians:
        """The Gaussians as they are now, with their trajectories where the GOP has some."""
        canonical = self.parameters.canonical()
        if not self.has_trajectories:
            return canonical
        paths = Trajectories(*(self.parameters[f.name] for f in fields(Trajectories)))
        return replace(canonical, trajectories=paths)

    @property
    def has_trajectories(self) -> bool:
        """Whether the Gaussians have trajectories."""
        return "velocities" in self.parameters

    @property
    def field_rests(self) -> bool:
        """Whether field and features are still left out. Without trajectories they never are: only
        features say when a Gaussian is seen."""
        rested = self.config.field_start * self.config.iterations
        return self.has_trajectories and self.iteration < rested

    def features(self) -> Tensor:
        """[E, M, F] temporal features as they will be stored, within -1..1."""
        return self.parameters["features"].clamp(-1, 1).transpose(0, 1)

    def deformed(self, frame: int, disturb: bool = False) -> CanonicalGaussians:
        """The moving Gaussians at a frame, before activation."""
        time, canonical = self.times[frame], self._as_stored().at(self.times[frame])
        if self.field_rests:
            return canonical
        features = self.parameters["features"]
        if not self.has_trajectories:
            return self.field(canonical, self._field_input(features, frame, disturb), time)
        there = present(canonical.opacity_logits)
        shown = canonical.map(lambda t: t.index_select(0, there))
        if not self.rounds:  # rounding needs the features of all frames
            features = features[:, frame : frame + self.config.window]
        windowed = self._field_input(features.index_select(0, there), frame, disturb)
        moved = self.field(shown, windowed, time).tensors()
        return CanonicalGaussians.of_tensors(
            {n: t.index_copy(0, there, moved[n]) for n, t in canonical.tensors().items()}
        )

    @property
    def rounds(self) -> bool:
        """Whether features and attributes are rounded as the encoder rounds them."""
        return self.config.quantisation.is_active(self.iteration / self.config.iterations)

    def _as_stored(self) -> CanonicalGaussians:
        """The Gaussians as they are drawn: rounded, where training rounds."""
        canonical = self.canonical()
        if not self.rounds:
            return canonical
        return quantised_canonical(canonical, self.parameters.scene_scale)

    def _field_input(self, features: Tensor, frame: int, disturb: bool) -> Tensor:
        """[N, W*F] features of the window of a frame.

        Args:
            features: [N, E, F], or [N, W, F] of the window alone.
        """
        window, quantisation = self.config.window, self.config.quantisation
        if self.rounds:
            coded = quantised_window(features.clamp(-1, 1), frame, window, quantisation.qp)
            return coded.flatten(1)
        if features.shape[1] != window:
            features = features[:, frame : frame + window]
        windowed = features.clamp(-1, 1).flatten(1)
        return self._disturbed(windowed) if disturb else windowed

    def _disturbed(self, features: Tensor) -> Tensor:
        """Features with noise like that of the video codec."""
        if self.config.feature_noise <= 0:
            return features
        return features + self.config.feature_noise * self.rng.normal(*features.shape)

    @torch.no_grad()
    def gaussians_at(self, frame: int) -> Gaussians:
        """All Gaussians at a frame, static ones first."""
        return Gaussians.concatenate([self.static, self.deformed(frame).activate()])

    def trained(self) -> TrainedGop:
        """The result; the auxiliary transformer is not part of it."""
        return TrainedGop(
            self.canonical().map(Tensor.detach),
            self.features().detach(),
            self.field.eval(),
            self.training_views.count,
        )

    def state_dict(self) -> dict:
        state = {
            "iteration": self.iteration,
            "parameters": self.parameters.state_dict(),
            "field": self.field.state_dict(),
            "field_adam": self.field_optimizer.state_dict(),
            "density": self.density.state_dict(),
            "sampler": self.sampler.state_dict(),
            "rng": self.rng.state_dict(),
        }
        return state | ({"auxiliary": self.auxiliary.state_dict()} if self.auxiliary else {})

    def load_state_dict(self, state: dict) -> None:
        self.iteration = state["iteration"]
        self.parameters.load_state_dict(state["parameters"])
        self.field.load_state_dict(state["field"])
        self.field_optimizer.load_state_dict(state["field_adam"])
        if self.auxiliary:
            self.auxiliary.load_state_dict(state["auxiliary"])
        self.density.load_state_dict(state["density"])
        if "sampler" in state:  # checkpoints of earlier versions have none
            self.sampler.load_state_dict(state["sampler"])
        self.rng.load_state_dict(state["rng"])


def image_loss(
    static: Gaussians,
    moving: Gaussians,
    batch: GopBatch,
    config: GopConfig,
    always_there: Tensor | None = None,
) -> LossTerms:
    """L_c of the static and the moving Gaussians together, and terms of ours.

    L_static: moving Gaussians rendered where nothing moves, but for those that are seen all through
    the GOP. The static layer is for these pixels; GOPs that render there each in its own way would
    flicker at their boundaries.
    L_empty: any Gaussian rendered where only the flat colour behind the scene is seen.
    L_moving: L1 over the pixels that differ from the temporal median.
    L_mse: mean squared difference over all pixels.

    Args:
        always_there: [M] bool, moving Gaussians that L_static leaves alone; None for none.
    """
    source = batch.source
    settings = RenderSettings(batch.background, source.near)
    everything = Gaussians.concatenate([static, moving])
    moving_alphas: Tensor | None = None
    if config.static_alpha_reg > 0 and len(static) > 0:
        marked = torch.zeros_like(everything.opacities)
        marked[len(static) :] = 1 if always_there is None else (~always_there).float()
        images, alphas, moving_alphas = rasterize_with_share(
            everything, marked, batch.cameras, settings
        )
    else:
        images, alphas = rasterize(everything, batch.cameras, settings)
    if batch.corrections is not None:
        images = correct_colors(images, batch.corrections)

    loss = LossTerms()
    compared = images, batch.images, batch.masks
    loss.add("L_c", 1, lambda: color_loss(*compared, config.ssim_lambda))
    loss.add("L_mse", config.mse_lambda, lambda: mse_loss(images, batch.images))
    if (share := moving_alphas) is not None:
        static_alpha = config.static_alpha_reg
        loss.add("L_static", static_alpha, lambda: alpha_penalty(share, batch.static_pixels))
    if config.moving_l1 > 0 and (moves := batch.moving_pixels) is not None:
        seen = images, batch.images, moves
        loss.add("L_moving", config.moving_l1, lambda: masked_l1(*seen))
    if source.background is not None:
        empty_alpha = config.background_alpha_reg
        loss.add("L_empty", empty_alpha, lambda: alpha_penalty(alphas, batch.background_pixels))
    return loss


def train_gop(
    training: GopTraining, report: Callable[[GopTraining, StepRecord], None]
) -> TrainedGop:
    """Run the rest of the schedule; `report` gets the training and the record of each step."""
    run_schedule(training, report)
    return training.trained()


def _trajectory_parameters(
    canonical: CanonicalGaussians, config: GopConfig, scene_scale: float
) -> dict[str, tuple[Tensor, float]]:
    """Name -> (tensor, learning rate) of the trajectories; none where there are none."""
    if canonical.trajectories is None:
        return {}
    rates = config.velocities_lr * scene_scale, config.centers_lr, config.log_extents_lr
    paths = vars(canonical.trajectories)
    return {name: (paths[name], rate) for name, rate in zip(paths, rates, strict=True)}


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
