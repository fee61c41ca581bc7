"""Settings of the fine stage and of its joint part."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from streamstgs.trainer.fine.auxiliary import AuxiliaryConfig
from streamstgs.trainer.fine.frame_sampling import SamplingConfig
from streamstgs.trainer.fine.quantisation import QuantisationConfig
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

FEWEST_MOVING = 4_096  # Gaussians of a GOP in which little moves


@dataclass(frozen=True)
class OpacityDensityConfig:
    """Density control of the fine stage.

    Args:
        cap_max: The Gaussians of the GOP grow in number up to this. None keeps their number.
        cap_per_pixel: At most this many Gaussians per pixel that moves in a frame of one camera, in
            the mean over cameras and frames; it lowers `cap_max` and the number at the start. None
            sets no such limit.
        refine_every: Steps between two times of density control.
        refine_stop: Share of the iterations after which density control ends.
        relocate: At the cap the dead are relocated onto others; without it they are pruned.
        growth: Largest relative growth at a time, below the cap; at the cap, largest share of the
            Gaussians that is relocated at a time.
        min_opacity: A Gaussian below this opacity in all sampled frames of the GOP is dead.
        error_guided: Copies go where the gradients of the centres are large, that is where the
            image is wrong; without it they go where the opacity is high.
        split_jitter: Internal. Standard deviation of the distance of a copy from its original, in
            standard deviations of the Gaussian and in temporal extents; 0 makes equal copies, which
            learn the same and stay equal.
    """

    cap_max: Count | None = 75_000
    cap_per_pixel: Positive | None = 3.0
    refine_every: Count = 200
    refine_stop: Share = 0.7
    relocate: bool = True
    growth: Weight = 0.05
    min_opacity: Share = 0.01
    error_guided: bool = True
    split_jitter: Weight = 0.5

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
        trajectories: Each moving Gaussian has a velocity, a temporal centre and a temporal extent
            of its own beside the features; not in the paper.
        velocities_lr: Internal. Learning rate of the velocities at the start, in units of the
            scene's scale per GOP.
        centers_lr: Internal. Learning rate of the temporal centres at the start, in GOPs.
        log_extents_lr: Internal. Learning rate of the logarithms of the temporal extents at the
            start.
        features: Channels of the temporal features, F.
        window: Frames of features that the field sees, W; odd.
        width: Internal. Width of the field's layers.
        position_frequencies: Internal. Octaves of gamma(X) for the field's heads; 0 leaves it out.
        feature_noise: Standard deviation of the noise on features of -1..1, as the video codec adds
            it.
        dynamic_density: SSIM sees only what moves (M of L_c); without it the whole image.
        features_lr: Learning rate of the features at the start.
        field_lr: Learning rate of the deformation field at the start.
        field_start: Share of the iterations during which the field and the features rest, so that
            they learn what the trajectories leave over.
        lr_final: Internal. Share of these two that is left at the end; the decay is exponential.
        attributes_lr_final: Share of the learning rates of rotations, scales, opacities and colours
            that is left at the end; the decay is exponential.
        ssim_lambda: Weight of SSIM in L_c (b of the paper).
        temporal_reg: Weight of L_temp (a_temp of the paper).
        temporal_delta: Internal. Difference of features at which L_temp turns linear.
        standing_rate: Internal. Share of each step that centres, rotations and scales take of
            Gaussians that are seen all through the GOP; the coarse stage regularised them, a GOP
            does not.
        spatial_reg: Weight of L_spatial.
        opacity_reg: Weight of L_o (a_o of the paper).
        static_alpha_reg: Weight of the alpha of moving Gaussians where nothing moves in the GOP;
            not in the paper.
        background_alpha_reg: Weight of the alpha rendered where only the flat colour behind the
            scene is seen; not in the paper.
        mse_lambda: Weight of the mean squared difference of the images, which is what PSNR
            measures; not in the paper.
        moving_l1: Weight of L1 over the pixels that differ from the temporal median alone; not in
            the paper.
        early_opacity_reg: Weight of the spatial opacity of the Gaussians that are present, at the
            start of the schedule: opaque ones block gradients of what is behind them
            (FreeTimeGS); needs trajectories.
        early_opacity_until: Share of the iterations after which it ends.
        sampling: Which frames the steps take.
        quantisation: Rounding in training as the encoder rounds.
        density: When and how the number of Gaussians changes.
        auxiliary: The transformer that guides the temporal MLP.
    """

    iterations: Count = 14_000
    batch_size: Count = 2
    init_count: Count = 37_500
    sample_frames: CountOrZero = 15
    fast_share: Share = 0.0
    fast_every: Count = 2
    trajectories: bool = True
    velocities_lr: Weight = 5e-3
    centers_lr: Weight = 2e-3
    log_extents_lr: Weight = 2e-2
    features: Count = 8
    window: Count = 5
    width: Count = 64
    position_frequencies: CountOrZero = 0
    feature_noise: Weight = 0.005
    dynamic_density: bool = True
    features_lr: Weight = 5e-3
    field_lr: Weight = 1e-3
    field_start: Share = 0.3
    lr_final: Share = 0.02
    attributes_lr_final: Share = 1.0
    ssim_lambda: Share = 0.2
    standing_rate: Share = 1.0
    temporal_reg: Weight = 0.08
    temporal_delta: Positive = 0.02
    spatial_reg: Weight = 0.0
    opacity_reg: Weight = 0.005
    static_alpha_reg: Weight = 1.0
    background_alpha_reg: Weight = 0.2
    mse_lambda: Weight = 10.0
    moving_l1: Weight = 0.0
    early_opacity_reg: Weight = 0.0
    early_opacity_until: Share = 0.3
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    quantisation: QuantisationConfig = field(default_factory=QuantisationConfig)
    density: OpacityDensityConfig = field(default_factory=OpacityDensityConfig)
    auxiliary: AuxiliaryConfig = field(default_factory=lambda: AuxiliaryConfig(enabled=False))

    def __post_init__(self) -> None:
        check_ranges(self, "gop")
        require(self.window % 2 == 1, "gop.window", self.window, "odd")
        require(self.lr_final > 0, "gop.lr_final", self.lr_final, "more than 0 and at most 1")
        left = self.attributes_lr_final
        require(left > 0, "gop.attributes_lr_final", left, "more than 0 and at most 1")
        require(self.field_start < 1, "gop.field_start", self.field_start, "less than 1")

    def for_motion(self, moving_pixels: float) -> GopConfig:
        """The same settings with as many Gaussians as so many moving pixels allow."""
        density = self.density
        if density.cap_per_pixel is None:
            return self
        most = max(FEWEST_MOVING, round(density.cap_per_pixel * moving_pixels))
        cap = None if density.cap_max is None else min(density.cap_max, most)
        count = min(self.init_count, most)
        return replace(self, init_count=count, density=replace(density, cap_max=cap))

    def with_room_for(self, count: int) -> GopConfig:
        """The same settings with so many Gaussians more: those that the static layer gave."""
        density = self.density
        if density.cap_max is None:
            return self
        return replace(self, density=replace(density, cap_max=density.cap_max + count))


@dataclass(frozen=True)
class JointConfig(LearningRates):
    """The joint part of the fine stage; learning rates are those of the static layer.

    Args:
        iterations: Steps of each GOP's schedule that are made jointly; 0 keeps the static layer of
            the coarse stage.
        gops: At most this many GOPs take part, evenly spread. Their training views are in memory
            together, so that on a GPU there may be fewer.
        min_opacity: Static Gaussians that end below this opacity are left out.
        ghost_share: Static Gaussians in the motion hull of at least this share of the sample frames
            move instead, as they show what stood still for long and then left; 0 keeps all.
        ghost_opacity_reg: Weight of the opacity of static Gaussians, each times the share of the
            sample frames in whose motion hull it lies; ghosts fade, as no frame without them holds
            them.
        ghost_frames: Sample frames of the video, for both.
        means_lr: Learning rate of the centres at the start, in units of the scene's scale; the
            static layer is nearly right already.
    """

    iterations: CountOrZero = 2_000
    ghost_share: Share = 0.1
    ghost_opacity_reg: Weight = 0.0
    ghost_frames: Count = 24
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
