"""The rows of an ablation: one part of the method is switched off in each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.recipes import paper_recipe

Change = Callable[[TrainConfig], TrainConfig]


@dataclass(frozen=True)
class Row:
    """One row.

    Args:
        name: Name on the command line and of its folder.
        title: Title in the table; the name of a part, if the row switches it over.
        change: Makes the settings of the row of the full settings.
        sorts_by_lifetime: The encoder may lay out by when Gaussians are seen.
        is_on: Tells whether the full settings have the part that the row switches over.
    """

    name: str
    title: str
    change: Change
    sorts_by_lifetime: bool = True
    is_on: Callable[[TrainConfig], bool] | None = None

    def title_beside(self, full: TrainConfig) -> str:
        """The title, with "no" or "with" before a part that the row switches over."""
        if self.is_on is None:
            return self.title
        return f"{'no' if self.is_on(full) else 'with'} {self.title}"


def of_gop(**settings: Any) -> Change:
    """Change settings of the fine stage."""
    return lambda config: replace(config, gop=replace(config.gop, **settings))


def auxiliary_switched(config: TrainConfig) -> TrainConfig:
    """With the auxiliary transformer where there was none, and the reverse."""
    auxiliary = config.gop.auxiliary
    return of_gop(auxiliary=replace(auxiliary, enabled=not auxiliary.enabled))(config)


def relocation_switched(config: TrainConfig) -> TrainConfig:
    """The dead are relocated where they were pruned, and the reverse."""
    density = config.gop.density
    return of_gop(density=replace(density, relocate=not density.relocate))(config)


def fast_points_switched(config: TrainConfig) -> TrainConfig:
    """With a fifth of the points between the sample frames where there were none, and the
    reverse."""
    return of_gop(fast_share=0.0 if config.gop.fast_share > 0 else 0.2)(config)


def spatial_switched(config: TrainConfig) -> TrainConfig:
    """With the spatial regulariser where there was none, and the reverse."""
    return of_gop(spatial_reg=0.0 if config.gop.spatial_reg > 0 else 0.01)(config)


def without_static_split(config: TrainConfig) -> TrainConfig:
    """The Gaussians of the coarse stage move as well: as many in all, each with features."""
    return replace(config, static_split=False)


def without_joint_training(config: TrainConfig) -> TrainConfig:
    """The static layer of the coarse stage stays as it is."""
    return replace(config, joint=replace(config.joint, iterations=0))


def without_ghosts(config: TrainConfig) -> TrainConfig:
    """Static Gaussians stay static also where things move for a while."""
    return replace(config, joint=replace(config.joint, ghost_share=0.0))


def of_coarse(**settings: Any) -> Change:
    """Change settings of the coarse stage."""
    return lambda config: replace(config, coarse=replace(config.coarse, **settings))


def without_background_alpha_penalty(config: TrainConfig) -> TrainConfig:
    """Haze before a flat background costs nothing but its difference from that colour."""
    changed = of_coarse(background_alpha_reg=0.0)(config)
    return of_gop(background_alpha_reg=0.0)(changed)


def color_correction_switched(config: TrainConfig) -> TrainConfig:
    """Per-camera colour correction fitted where it was not, and the reverse."""
    correction = config.color_correction
    return replace(config, color_correction=replace(correction, enabled=not correction.enabled))


def as_in_the_paper(config: TrainConfig) -> TrainConfig:
    """The paper's method on the same points, with the same seed."""
    paper = paper_recipe(config.data, config.out)
    return replace(
        config,
        static_split=paper.static_split,
        points=replace(config.points, surfels=paper.points.surfels),
        coarse=paper.coarse,
        gop=paper.gop,
        color_correction=paper.color_correction,
    )


ROWS = (
    Row("full", "full", lambda config: config),
    Row(
        "auxiliary",
        "auxiliary transformer",
        auxiliary_switched,
        is_on=lambda config: config.gop.auxiliary.enabled,
    ),
    Row("no-dynamic-density", "no dynamic density", of_gop(dynamic_density=False)),
    Row("no-temporal", "no temporal regulariser", of_gop(temporal_reg=0.0)),
    Row(
        "relocation",
        "relocation",
        relocation_switched,
        is_on=lambda config: config.gop.density.relocate,
    ),
    Row("window-1", "window W = 1", of_gop(window=1)),
    Row("window-3", "window W = 3", of_gop(window=3)),
    Row("window-5", "window W = 5", of_gop(window=5)),
    Row("no-joint", "no joint training", without_joint_training),
    Row("no-ghosts", "static Gaussians in motion hulls stay static", without_ghosts),
    Row("no-mse", "no squared error", of_gop(mse_lambda=0.0)),
    Row("no-static-alpha", "no alpha penalty where nothing moves", of_gop(static_alpha_reg=0.0)),
    Row(
        "fast",
        "points between the sample frames",
        fast_points_switched,
        is_on=lambda config: config.gop.fast_share > 0,
    ),
    Row("no-static-split", "no static split", without_static_split),
    Row(
        "spatial",
        "spatial regulariser",
        spatial_switched,
        is_on=lambda config: config.gop.spatial_reg > 0,
    ),
    Row("no-opacity", "no opacity regulariser", of_gop(opacity_reg=0.0)),
    Row("no-trajectories", "no trajectories", of_gop(trajectories=False)),
    Row("no-field", "no deformation field", of_gop(field_lr=0.0, features_lr=0.0)),
    Row("no-feature-noise", "no feature noise", of_gop(feature_noise=0.0)),
    Row("no-depth", "no depth from points", of_coarse(depth_lambda=0.0)),
    Row("no-free-space", "no free space", of_coarse(free_space_reg=0.0)),
    Row(
        "no-background-alpha",
        "no alpha penalty before the background",
        without_background_alpha_penalty,
    ),
    Row("no-dropout", "no dropout", of_coarse(dropout=0.0)),
    Row(
        "color-correction",
        "colour correction",
        color_correction_switched,
        is_on=lambda config: config.color_correction.enabled,
    ),
    Row("paper", "the paper's method", as_in_the_paper, sorts_by_lifetime=False),
)


def shortened(config: TrainConfig, share: float) -> TrainConfig:
    """The fine stage, its joint part too, with this share of its iterations; the coarse stage as
    it is."""
    gop = replace(config.gop, iterations=max(1, round(config.gop.iterations * share)))
    joint = replace(config.joint, iterations=round(config.joint.iterations * share))
    return replace(config, gop=gop, joint=joint)
