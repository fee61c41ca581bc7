"""Settings of the fine stage and of its joint part."""

from __future__ import annotations

from dataclasses import dataclass, field

from streamstgs.trainer.fine.auxiliary import AuxiliaryConfig
from streamstgs.trainer.optimization.gaussian_parameters import LearningRates
from streamstgs.trainer.points.dynamic_points import HullConfig
from streamstgs.trainer.setting_checks import (
    Count,
    CountOrZero,
    Positive,
    Share,
    Weight,
    check_ranges,
    require,
)


@dataclass(frozen=True)
class OpacityDensityConfig:
    """Density control of the fine stage.

    Args:
        cap_max: The Gaussians of the GOP grow in number up to this. None keeps their number.
        refine_every: Steps between two times of density control.
        refine_stop: Share of the iterations after which density control ends.
        relocate: At the cap the dead are relocated onto Gaussians of high opacity; without it they
            are pruned.
        growth: Largest relative growth at a time, below the cap.
        min_opacity: A Gaussian below this mean opacity over the GOP is dead.
    """

    cap_max: Count | None = None
    refine_every: Count = 200
    refine_stop: Share = 0.7
    relocate: bool = True
    growth: Weight = 0.05
    min_opacity: Share = 0.01

    def __post_init__(self) -> None:
        check_ranges(self, "gop.density")


@dataclass(frozen=True)
class GopConfig(LearningRates):
    """Schedule and weights of the fine stage.

    Args:
        iterations: Number of optimiser steps.
        batch_size: Images of one frame that make a batch.
        init_count: Number of Gaussians that start on moving things; fewer where little moves.
        sample_frames: Frames of the GOP at which Gaussians start on everything that moves; 0 adds
            none.
        fast_share: Internal. At most this share of `init_count` starts between the sample frames,
            on fast things (moving_start.py).
        fast_every: Internal. Frames between the times at which fast things are looked for.
        features: Channels of the temporal features, F.
        window: Frames of features that the field sees, W; odd.
        width: Internal. Width of the field's layers.
        position_frequencies: Internal. Octaves of gamma(X) for the field's heads; 0 leaves it out.
        feature_noise: Standard deviation of the noise on features of -1..1, as the video codec adds
            it.
        dynamic_density: SSIM sees only what moves (M of L_c); without it the whole image.
        features_lr: Learning rate of the features at the start.
        field_lr: Learning rate of the deformation field at the start.
        lr_final: Internal. Share of these two that is left at the end; the decay is exponential.
        ssim_lambda: Weight of SSIM in L_c (b of the paper).
        temporal_reg: Weight of L_temp (a_temp of the paper).
        temporal_delta: Internal. Difference of features at which L_temp turns linear.
        spatial_reg: Weight of L_spatial.
        opacity_reg: Weight of L_o (a_o of the paper).
        static_alpha_reg: Weight of the alpha of moving Gaussians where nothing moves in the GOP;
            not in the paper.
        background_alpha_reg: Weight of the alpha rendered where only the flat colour behind the
            scene is seen; not in the paper.
        density: When and how the number of Gaussians changes.
        auxiliary: The transformer that guides the temporal MLP.
    """

    iterations: Count = 6_000
    batch_size: Count = 2
    init_count: Count = 20_480
    sample_frames: CountOrZero = 4
    fast_share: Share = 0.2
    fast_every: Count = 2
    features: Count = 8
    window: Count = 5
    width: Count = 64
    position_frequencies: CountOrZero = 0
    feature_noise: Weight = 0.005
    dynamic_density: bool = True
    features_lr: Weight = 5e-3
    field_lr: Weight = 1e-3
    lr_final: Share = 0.02
    ssim_lambda: Share = 0.2
    temporal_reg: Weight = 0.3
    temporal_delta: Positive = 0.02
    spatial_reg: Weight = 0.01
    opacity_reg: Weight = 0.005
    static_alpha_reg: Weight = 1.0
    background_alpha_reg: Weight = 0.2
    density: OpacityDensityConfig = field(default_factory=OpacityDensityConfig)
    auxiliary: AuxiliaryConfig = field(default_factory=lambda: AuxiliaryConfig(enabled=False))

    def __post_init__(self) -> None:
        check_ranges(self, "gop")
        require(self.window % 2 == 1, "gop.window", self.window, "odd")
        require(self.lr_final > 0, "gop.lr_final", self.lr_final, "more than 0 and at most 1")


@dataclass(frozen=True)
class JointConfig(LearningRates):
    """The joint part of the fine stage; learning rates are those of the static layer.

    Args:
        iterations: Steps of each GOP's schedule that are made jointly; 0 keeps the static layer of
            the coarse stage.
        gops: At most this many GOPs take part, evenly spread. Their training views are in memory
            together, so that on a GPU there may be fewer.
        min_opacity: Static Gaussians that end below this opacity are left out.
        means_lr: Learning rate of the centres at the start, in units of the scene's scale; the
            static layer is nearly right already.
    """

    iterations: CountOrZero = 2_000
    gops: Count = 8
    min_opacity: Share = 0.005
    means_lr: Weight = 1.6e-5

    def __post_init__(self) -> None:
        check_ranges(self, "joint")


@dataclass(frozen=True)
class GopStartConfig:
    """What the Gaussians of a GOP start from; put together from the settings of a run.

    Args:
        static_split: Without it the Gaussians of the coarse stage move in the GOP.
        gop: Numbers of Gaussians and sample frames.
        hull: How points on moving things are found.
        motion_threshold: A pixel moves where it differs from the temporal median by more than
            this, 0..1.
    """

    static_split: bool
    gop: GopConfig
    hull: HullConfig
    motion_threshold: float
