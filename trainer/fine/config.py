"""Settings of the fine stage."""

from __future__ import annotations

from dataclasses import dataclass, field

from streamstgs.trainer.fine.auxiliary import AuxiliaryConfig
from streamstgs.trainer.optimization.gaussian_parameters import GaussianRates
from streamstgs.trainer.setting_checks import (
    require,
    require_at_least,
    require_positive,
    require_share,
)


@dataclass(frozen=True)
class GopConfig:
    """Schedule and weights of the fine stage.

    Args:
        count: Gaussians that start on what moves (fewer where little moves).
        cap: the GOP's Gaussians grow in number up to this; None keeps as many as there are.
        iterations: optimiser steps.
        views: pictures of one frame that make a batch.
        features, window, width, position_frequencies: see `renderer.FieldConfig`.
        moments: times of the GOP at which Gaussians start on what moves; 0 adds none of these.
        fast_share: of `count`, at most so many start between the moments, where things have gone
            meanwhile (moving_start.py).
        fast_every: frames between the times at which these are looked for.
        relocate_every, relocate_until: density control, in steps and as share of the iterations.
        relocation: the dead move to where they help; without it they are pruned.
        growth: most relative growth at a time, below the cap.
        dead_opacity: dead below this mean opacity over the GOP.
        dynamic_density: SSIM sees what moves (M of L_c); without it the whole picture.
        feature_noise: standard deviation of what the video codec will do to features of -1..1.
        feature_rate, field_rate: learning rates at the start.
        final_rate: what is left of them at the end; they fall exponentially, so that the last
            steps settle instead of jittering.
        ssim_share: b of L_c.
        temporal_weight, temporal_delta: L_temp and where its Huber turns linear.
        spatial_weight, opacity_weight: L_spatial and L_o.
        still_weight: of what moving Gaussians draw where nothing moves in the GOP.
        empty_weight: of what is drawn where only the flat colour behind the scene is seen.
        auxiliary: the transformer that guides the temporal MLP.
    """

    count: int = 20_480
    cap: int | None = None
    iterations: int = 6_000
    views: int = 2
    features: int = 8
    window: int = 5
    width: int = 64
    position_frequencies: int = 0
    moments: int = 4
    fast_share: float = 0.2
    fast_every: int = 2
    relocate_every: int = 200
    relocate_until: float = 0.7
    relocation: bool = True
    growth: float = 0.05
    dead_opacity: float = 0.01
    dynamic_density: bool = True
    feature_noise: float = 0.005
    feature_rate: float = 5e-3
    field_rate: float = 1e-3
    final_rate: float = 0.02
    ssim_share: float = 0.2
    temporal_weight: float = 0.3
    temporal_delta: float = 0.02
    spatial_weight: float = 0.01
    opacity_weight: float = 0.005
    still_weight: float = 1.0
    empty_weight: float = 0.2
    rates: GaussianRates = field(default_factory=GaussianRates)
    auxiliary: AuxiliaryConfig = field(default_factory=lambda: AuxiliaryConfig(enabled=False))

    def __post_init__(self) -> None:
        counts = "count", "iterations", "views", "features", "window", "width"
        require_at_least(1, self, "gop", *counts, "fast_every", "relocate_every")
        require_at_least(0, self, "gop", "moments", "position_frequencies", "growth")
        require_at_least(0, self, "gop", "feature_noise", "feature_rate", "field_rate")
        weights = "temporal_weight", "spatial_weight", "opacity_weight", "still_weight"
        require_at_least(0, self, "gop", *weights, "empty_weight")
        require_positive(self, "gop", "temporal_delta", "final_rate")
        shares = "fast_share", "relocate_until", "dead_opacity", "ssim_share", "final_rate"
        require_share(self, "gop", *shares)
        require(self.window % 2 == 1, "gop.window", self.window, "odd")
        if self.cap is not None:
            require_at_least(1, self, "gop", "cap")
        self.rates.check("gop.rates")


@dataclass(frozen=True)
class JointConfig:
    """The joint part of the fine stage.

    Args:
        iterations: of each GOP's schedule are made jointly; 0: the medians have the last word.
        gops: at most so many GOPs take part, evenly spread: their footage is in memory together,
            so that on a GPU there may be fewer.
        dead_opacity: static Gaussians that end below this are left out.
        rates: of the static layer, which is nearly right already.
    """

    iterations: int = 2_000
    gops: int = 8
    dead_opacity: float = 0.005
    rates: GaussianRates = field(default_factory=lambda: GaussianRates(means=1.6e-5))

    def __post_init__(self) -> None:
        require_at_least(0, self, "joint", "iterations")
        require_at_least(1, self, "joint", "gops")
        require_share(self, "joint", "dead_opacity")
        self.rates.check("joint.rates")
