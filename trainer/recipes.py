"""Named settings: where a training run starts from. Any single one can be changed after that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from streamstgs.trainer.coarse.color_response import ColorResponseConfig
from streamstgs.trainer.coarse.stage import StaticConfig
from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.fine.auxiliary import AuxiliaryConfig
from streamstgs.trainer.fine.config import GopConfig
from streamstgs.trainer.points.initial_points import InitialPointsConfig


def default_recipe(data: Path, out: Path) -> TrainConfig:
    """The best we have: a static layer sent once, and moving Gaussians per GOP."""
    return TrainConfig(data, out)


MOST = 150_000  # Gaussians of the paper, at most


def paper_recipe(data: Path, out: Path) -> TrainConfig:
    """The method of StreamSTGS and nothing more; docs/training.md says what the paper leaves open.

    All Gaussians of the coarse model move in every GOP: no static layer, no points on what moves.
    What it depends on is written out, so that better defaults leave it as it is.
    """
    return TrainConfig(
        data,
        out,
        static_split=False,
        points=InitialPointsConfig(surfels=False),
        color_response=ColorResponseConfig(enabled=False),
        static=paper_coarse_stage(),
        gop=paper_fine_stage(),
    )


def paper_coarse_stage() -> StaticConfig:
    """Plain Gaussian Splatting on all frames of all views."""
    return StaticConfig(
        cap=MOST,
        per_pixel=None,
        learns_from="frames",
        views=2,
        iterations=3_000,
        relocate_every=100,
        relocate_until=0.8,
        growth=0.05,
        dead_opacity=0.005,
        ssim_share=0.2,
        opacity_weight=0.0,
        scale_weight=0.0,
        exploration=0.0,
        dropout=0.0,
        depth_weight=0.0,
        free_weight=0.0,
        empty_weight=0.0,
    )


def paper_fine_stage() -> GopConfig:
    """All regularisers, the auxiliary pass, and relocation once the cap is reached."""
    return GopConfig(
        cap=MOST,
        iterations=12_000,
        views=2,
        features=8,
        window=3,
        width=64,
        position_frequencies=4,
        moments=0,
        fast_share=0.0,
        relocation=True,
        growth=0.05,
        relocate_every=200,
        relocate_until=0.7,
        dead_opacity=0.01,
        dynamic_density=True,
        feature_noise=0.001,
        feature_rate=5e-3,
        field_rate=1e-3,
        final_rate=0.02,
        ssim_share=0.2,
        temporal_weight=0.1,
        temporal_delta=0.02,
        spatial_weight=0.01,
        opacity_weight=0.005,
        still_weight=0.0,
        empty_weight=0.0,
        auxiliary=AuxiliaryConfig(
            enabled=True,
            every=1,
            batch=2048,
            layers=2,
            heads=4,
            width=64,
            color_weight=2.0,
            distillation_weight=0.1,
        ),
    )


RECIPES: dict[str, Callable[[Path, Path], TrainConfig]] = {
    "default": default_recipe,
    "paper": paper_recipe,
}
