"""Recipes: named settings that a training run starts from. Any single one can be changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from streamstgs.trainer.coarse.color_correction import ColorCorrectionConfig
from streamstgs.trainer.coarse.config import CoarseConfig
from streamstgs.trainer.coarse.density import McmcConfig
from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.fine.auxiliary import AuxiliaryConfig
from streamstgs.trainer.fine.config import GopConfig, OpacityDensityConfig
from streamstgs.trainer.fine.frame_sampling import SamplingConfig
from streamstgs.trainer.fine.quantisation import QuantisationConfig
from streamstgs.trainer.points.initial_points import InitialPointsConfig

PAPER_CAP = 150_000  # most Gaussians, of the paper


def default_recipe(data: Path, out: Path) -> TrainConfig:
    """The best we have: a static layer sent once, and moving Gaussians per GOP."""
    return TrainConfig(data, out)


def paper_recipe(data: Path, out: Path) -> TrainConfig:
    """The method of StreamSTGS and nothing more; docs/training.md lists what the paper leaves open.

    All Gaussians of the coarse model move in every GOP: no static layer, no points on moving
    things. Its settings are written out, so that better defaults leave it as it is.
    """
    return TrainConfig(
        data,
        out,
        static_split=False,
        points=InitialPointsConfig(surfels=False),
        color_correction=ColorCorrectionConfig(enabled=False),
        coarse=paper_coarse_stage(),
        gop=paper_fine_stage(),
    )


def paper_coarse_stage() -> CoarseConfig:
    """Plain Gaussian Splatting on all frames of all views."""
    return CoarseConfig(
        iterations=3_000,
        batch_size=2,
        learns_from="frames",
        ssim_lambda=0.2,
        opacity_reg=0.0,
        scale_reg=0.0,
        depth_lambda=0.0,
        free_space_reg=0.0,
        background_alpha_reg=0.0,
        dropout=0.0,
        density=McmcConfig(
            cap_max=PAPER_CAP,
            cap_per_pixel=None,
            refine_every=100,
            refine_stop=0.8,
            growth=0.05,
            min_opacity=0.005,
            noise_lr=0.0,
        ),
    )


def paper_fine_stage() -> GopConfig:
    """All regularisers, the auxiliary pass, and relocation once the cap is reached."""
    return GopConfig(
        iterations=12_000,
        batch_size=2,
        sample_frames=0,
        fast_share=0.0,
        trajectories=False,
        velocities_lr=0.0,
        centers_lr=0.0,
        log_extents_lr=0.0,
        features=8,
        window=3,
        width=64,
        position_frequencies=4,
        feature_noise=0.001,
        dynamic_density=True,
        features_lr=5e-3,
        field_lr=1e-3,
        field_start=0.0,
        lr_final=0.02,
        attributes_lr_final=1.0,
        ssim_lambda=0.2,
        standing_rate=1.0,
        temporal_reg=0.1,
        temporal_delta=0.02,
        spatial_reg=0.01,
        opacity_reg=0.005,
        static_alpha_reg=0.0,
        background_alpha_reg=0.0,
        mse_lambda=0.0,
        moving_l1=0.0,
        early_opacity_reg=0.0,
        early_opacity_until=0.0,
        sampling=SamplingConfig(error_share=0.0, boundary_share=0.0),
        quantisation=QuantisationConfig(enabled=False),
        density=OpacityDensityConfig(
            cap_max=PAPER_CAP,
            cap_per_pixel=None,
            refine_every=200,
            refine_stop=0.7,
            relocate=True,
            growth=0.05,
            min_opacity=0.01,
            error_guided=False,
            split_jitter=0.0,
        ),
        auxiliary=AuxiliaryConfig(
            enabled=True,
            every=1,
            batch_size=2048,
            layers=2,
            heads=4,
            width=64,
            color_weight=2.0,
            distillation_weight=0.1,
            residual_bound=0.0,
            trains_heads=True,
            two_way=True,
            start=0.0,
        ),
    )


def draft_quality(settings: TrainConfig) -> TrainConfig:
    """Fewer Gaussians and steps, to see whether a capture trains at all."""
    density = replace(settings.gop.density, cap_max=30_000)
    return replace(
        settings,
        coarse=replace(settings.coarse, iterations=4_000),
        joint=replace(settings.joint, iterations=1_000),
        gop=replace(settings.gop, iterations=4_000, init_count=15_000, density=density),
    )


def standard_quality(settings: TrainConfig) -> TrainConfig:
    """The settings as they are."""
    return settings


def high_quality(settings: TrainConfig) -> TrainConfig:
    """Twice as many moving Gaussians and steps."""
    density = replace(settings.gop.density, cap_max=150_000, cap_per_pixel=6.0)
    gop = replace(settings.gop, iterations=20_000, init_count=75_000, density=density)
    return replace(settings, gop=gop)


QUALITIES: dict[str, Callable[[TrainConfig], TrainConfig]] = {
    "draft": draft_quality,
    "standard": standard_quality,
    "high": high_quality,
}
RECIPES: dict[str, Callable[[Path, Path], TrainConfig]] = {
    "default": default_recipe,
    "paper": paper_recipe,
}
