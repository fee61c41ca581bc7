"""The coarse stage: plain 3D Gaussian Splatting with the density control of 3DGS-MCMC.

With a static split it learns the layer that never moves, shared by all GOPs, from the temporal
medians; without one, the Gaussians that every GOP starts from, from all frames as in the paper.
`CoarseTraining.step` is one iteration, its loss included.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from streamstgs.renderer import CanonicalGaussians, Gaussians, RenderSettings
from streamstgs.trainer.coarse.color_correction import ColorCorrection, correct_colors
from streamstgs.trainer.coarse.config import CoarseConfig
from streamstgs.trainer.coarse.density import McmcStrategy
from streamstgs.trainer.coarse.depth_supervision import depth_loss
from streamstgs.trainer.coarse.dropout import drop_out
from streamstgs.trainer.coarse.free_space import FreeSpace
from streamstgs.trainer.coarse.training_views import CoarseBatch, CoarseViews
from streamstgs.trainer.optimization.density import DensityStatistics, DensityStrategy
from streamstgs.trainer.optimization.gaussian_parameters import GaussianParameters
from streamstgs.trainer.optimization.losses import (
    LossTerms,
    alpha_penalty,
    color_loss,
    opacity_loss,
    scale_loss,
)
from streamstgs.trainer.optimization.rasterizer import rasterize, rasterize_with_depth
from streamstgs.trainer.optimization.training_stage import (
    StepRecord,
    gradient_norms,
    run_schedule,
)
from streamstgs.trainer.rng import Rng
from torch import Tensor


@dataclass(frozen=True)
class SceneGeometry:
    """What the coarse stage knows of the scene before training.

    Args:
        background: Colour behind the scene, RGB 0..1. None paints a random one each step, so that
            the Gaussians of a closed scene leave no holes.
        near: Distance of the near plane, world units.
        scale: Mean distance of the cameras from what they look at, world units.
        free_space: The space in front of the cameras; None where it is not known.
    """

    background: tuple[float, float, float] | None
    near: float
    scale: float
    free_space: FreeSpace | None = None


class CoarseTraining:
    """The coarse stage under optimisation (`TrainingStage`); `step` is one iteration.

    Args:
        start: The Gaussians before training.
        correction: Per-camera colour correction, fitted along; None leaves colours as rendered.
        with_gradient_norms: Records hold the norms of the gradients.
    """

    def __init__(
        self,
        start: CanonicalGaussians,
        training_views: CoarseViews,
        scene: SceneGeometry,
        config: CoarseConfig,
        rng: Rng,
        correction: ColorCorrection | None = None,
        with_gradient_norms: bool = False,
    ) -> None:
        self.training_views, self.scene, self.config, self.rng = training_views, scene, config, rng
        self.correction, self.with_gradient_norms = correction, with_gradient_norms
        self.parameters = GaussianParameters(start, config, scene.scale)
        self.density: DensityStrategy = McmcStrategy(config.density, config.iterations, rng)
        self.iteration = 0

    @property
    def iterations(self) -> int:
        return self.config.iterations

    def step(self) -> StepRecord:
        """One iteration: choose views, leave Gaussians out, render, compare, regularise, update.

        The loss is that of 3DGS-MCMC, L_c + a_o L_o + a_scale L_scale, with terms of ours:
        L_depth, L_empty, L_free, and L_correction where cameras differ in colour.
        """
        config, scene = self.config, self.scene
        progress = self.iteration / config.iterations
        self._decay_learning_rates(progress)
        settings = RenderSettings(scene.background or self.rng.color(), scene.near)
        gaussians = self.parameters.canonical().activate()
        batch = self.training_views.draw(config.batch_size, self.rng)
        shown = drop_out(gaussians, config.dropout * progress, self.rng)

        loss = self._image_loss(shown, batch, settings)
        loss.add("L_o", config.opacity_reg, lambda: opacity_loss(gaussians.opacities))
        loss.add("L_scale", config.scale_reg, lambda: scale_loss(gaussians.scales, scene.scale))
        if (space := scene.free_space) is not None:
            loss.add("L_free", config.free_space_reg, lambda: space.loss(gaussians, self.rng))
        total = loss.backward()

        norms = gradient_norms(self.parameters) if self.with_gradient_norms else {}
        rates = self.parameters.learning_rates()
        statistics = DensityStatistics(self._opacities, self.parameters["means"].grad)
        self._update()
        self.density.step(self.parameters, statistics, self.iteration)
        self.iteration += 1
        return StepRecord(
            self.iteration, total, loss.detached(), len(self.parameters), rates, norms
        )

    def _image_loss(
        self, shown: Gaussians, batch: CoarseBatch, settings: RenderSettings
    ) -> LossTerms:
        """L_c where the recorded images are trusted, L_depth and L_empty."""
        config, scene = self.config, self.scene
        cameras = [self.training_views.cameras[v] for v in batch.views]
        depths: Tensor | None = None
        if batch.depths and config.depth_lambda > 0:
            images, alphas, depths = rasterize_with_depth(shown, cameras, settings)
        else:
            images, alphas = rasterize(shown, cameras, settings)
        if self.correction is not None:
            images = correct_colors(images, self.correction.of(batch.views))

        loss = LossTerms()
        trusted = batch.trusted
        compared = images * trusted, batch.images * trusted
        loss.add("L_c", 1, lambda: color_loss(*compared, trusted[..., 0], config.ssim_lambda))
        if depths is not None:
            errors = [
                depth_loss(rendered, known, scene.near, scene.scale)
                for rendered, known in zip(depths, batch.depths, strict=True)
            ]
            loss.add("L_depth", config.depth_lambda, lambda: torch.stack(errors).mean())
        empty = batch.background_pixels
        loss.add("L_empty", config.background_alpha_reg, lambda: alpha_penalty(alphas, empty))
        if self.correction is not None:
            loss.add("L_correction", 1, self.correction.loss)
        return loss

    @torch.no_grad()
    def gaussians_at(self, frame: int) -> Gaussians:
        """The Gaussians so far; they are the same at every frame."""
        return self.parameters.canonical().activate()

    def _opacities(self) -> Tensor:
        """[1, N]"""
        return torch.sigmoid(self.parameters["opacity_logits"].detach())[None]

    def _decay_learning_rates(self, progress: float) -> None:
        self.parameters.decay_means_rate(progress)
        if self.correction is not None:
            self.correction.decay_rate(progress)

    def _update(self) -> None:
        self.parameters.optimizer.step()
        self.parameters.optimizer.zero_grad(set_to_none=True)
        if self.correction is not None:
            self.correction.step()


def train_coarse(
    training: CoarseTraining, report: Callable[[CoarseTraining, StepRecord], None]
) -> CanonicalGaussians:
    """Run the schedule; `report` gets the training and the record of each step."""
    run_schedule(training, report)
    return training.parameters.detached()
