"""All settings of a training run.

Each group lies beside the code that it steers. Settings whose text begins with "Internal" can be
set as well; they are tuned numbers that a user rarely changes, and may change between versions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from streamstgs.trainer.coarse.background import BackgroundConfig
from streamstgs.trainer.coarse.color_correction import ColorCorrectionConfig
from streamstgs.trainer.coarse.config import CoarseConfig
from streamstgs.trainer.datasets import CaptureConfig
from streamstgs.trainer.fine.config import GopConfig, GopStartConfig, JointConfig
from streamstgs.trainer.points.dynamic_points import HullConfig
from streamstgs.trainer.points.initial_points import InitialPointsConfig
from streamstgs.trainer.setting_checks import Count, CountOrZero, Positive, check_ranges, require
from streamstgs.trainer.stage_settings import (
    CoarseStageSettings,
    GopStageSettings,
    JointStageSettings,
    ReportSettings,
)
from streamstgs.trainer.statistics_log import LogFormat


@dataclass(frozen=True)
class TrainConfig:
    """Train a scene from a calibrated multi-view capture.

    Args:
        data: Folder of the capture.
        out: The run directory; a run found there is resumed.
        gop_frames: Frames of a GOP, G; the last GOP may be shorter.
        window_frames: Train a long capture in windows of at most so many frames, each with a static
            layer of its own, for backgrounds that change. None trains it as one.
        static_split: The Gaussians of the coarse stage are a static layer, shared by all GOPs;
            without the split the Gaussians of every GOP start from them.
        near_share: Internal. Near plane as share of the cameras' mean distance from the scene's
            middle; nearer things (often the camera's own body) are not rendered.
        device: The torch device; "auto" takes all CUDA devices, else the CPU.
        seed: Seed of all random numbers.
        report_every: Steps between lines of progress.
        validate_every: Steps between validations on held-out cameras.
        checkpoint_every: Steps between checkpoints of a GOP.
        log: Write statistics of each step into the run directory, as "csv" or "tensorboard".
        log_gradients: Add the norms of the gradients to the statistics.
        capture: How the capture is read.
        background: How moving pixels and a flat background are found.
        points: Points that the coarse stage starts from.
        color_correction: Per-camera colour correction.
        coarse: The coarse stage.
        hull: Internal. How points on moving things are found.
        joint: The joint part of the fine stage.
        gop: The fine stage.
    """

    data: Path
    out: Path
    gop_frames: Count = 60
    window_frames: Count | None = None
    static_split: bool = True
    near_share: Positive = 0.1
    device: str = "auto"
    seed: CountOrZero = 0
    report_every: Count = 500
    validate_every: Count = 1000
    checkpoint_every: Count = 1000
    log: LogFormat | None = None
    log_gradients: bool = False
    capture: CaptureConfig = field(default_factory=CaptureConfig)
    background: BackgroundConfig = field(default_factory=BackgroundConfig)
    points: InitialPointsConfig = field(default_factory=InitialPointsConfig)
    color_correction: ColorCorrectionConfig = field(default_factory=ColorCorrectionConfig)
    coarse: CoarseConfig = field(default_factory=CoarseConfig)
    hull: HullConfig = field(default_factory=HullConfig)
    joint: JointConfig = field(default_factory=JointConfig)
    gop: GopConfig = field(default_factory=GopConfig)

    def __post_init__(self) -> None:
        check_ranges(self, "")
        moves = self.gop.sample_frames > 0 or not self.static_split
        wanted = "at least 1, or nothing moves; --no-static-split lets all Gaussians move"
        require(moves, "gop.sample_frames", self.gop.sample_frames, wanted)

    def report_settings(self) -> ReportSettings:
        """How often stages report, and where their statistics go."""
        return ReportSettings(self.report_every, self.validate_every, self.log, self.log_gradients)

    def coarse_stage(self) -> CoarseStageSettings:
        """The settings of the coarse stage."""
        return CoarseStageSettings(
            seed=self.seed,
            near_share=self.near_share,
            gop_frames=self.gop_frames,
            background=self.background,
            points=self.points,
            color_correction=self.color_correction,
            coarse=self.coarse,
            reports=self.report_settings(),
        )

    def gop_stage(self) -> GopStageSettings:
        """The settings of the fine stage of any GOP."""
        threshold = self.background.motion_threshold
        return GopStageSettings(
            data=self.data,
            out=self.out,
            capture=self.capture,
            seed=self.seed,
            background=self.background,
            start=GopStartConfig(self.static_split, self.gop, self.hull, threshold),
            gop=self.gop,
            checkpoint_every=self.checkpoint_every,
            reports=self.report_settings(),
        )

    def joint_stage(self) -> JointStageSettings:
        """The settings of the stage that finalises the static layer."""
        return JointStageSettings(
            seed=self.seed,
            gop_frames=self.gop_frames,
            remove_floaters=self.coarse.free_space_reg > 0,
            joint=self.joint,
            gop=self.gop_stage(),
            reports=self.report_settings(),
        )
