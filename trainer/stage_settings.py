"""The settings of each stage of a run: `TrainConfig` puts them together, so that no stage sees the
settings of another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from streamstgs.trainer.coarse.background import BackgroundConfig
from streamstgs.trainer.coarse.color_correction import ColorCorrectionConfig
from streamstgs.trainer.coarse.config import CoarseConfig
from streamstgs.trainer.datasets import CaptureConfig
from streamstgs.trainer.fine.config import GopConfig, GopStartConfig, JointConfig
from streamstgs.trainer.points.initial_points import InitialPointsConfig
from streamstgs.trainer.statistics_log import LogFormat


@dataclass(frozen=True)
class ReportSettings:
    """How often a stage reports, and where its statistics go.

    Args:
        report_every: Steps between lines of progress.
        validate_every: Steps between validations.
        log: Format of the statistics of each step; None writes none.
        log_gradients: The statistics hold gradient norms.
    """

    report_every: int
    validate_every: int
    log: LogFormat | None
    log_gradients: bool

    @property
    def with_gradient_norms(self) -> bool:
        """Whether steps have to measure gradient norms."""
        return self.log is not None and self.log_gradients


@dataclass(frozen=True)
class CoarseStageSettings:
    """Settings of the coarse stage of a run; the parts are documented at `TrainConfig`."""

    seed: int
    near_share: float
    gop_frames: int
    background: BackgroundConfig
    points: InitialPointsConfig
    color_correction: ColorCorrectionConfig
    coarse: CoarseConfig
    reports: ReportSettings


@dataclass(frozen=True)
class GopStageSettings:
    """Settings of the fine stage of one GOP; a worker process opens capture and run by them.

    Args:
        data: Folder of the capture.
        out: The run directory.
        start: What the Gaussians start from.
    """

    data: Path
    out: Path
    capture: CaptureConfig
    seed: int
    background: BackgroundConfig
    start: GopStartConfig
    gop: GopConfig
    checkpoint_every: int
    reports: ReportSettings

    @property
    def static_split(self) -> bool:
        """Whether there is a static layer."""
        return self.start.static_split


@dataclass(frozen=True)
class JointStageSettings:
    """Settings of the stage that finalises the static layer.

    Args:
        gop_frames: Largest number of frames of a GOP.
        remove_floaters: Leave out static Gaussians in free space.
        gop: Settings of the GOPs that take part.
    """

    seed: int
    gop_frames: int
    remove_floaters: bool
    joint: JointConfig
    gop: GopStageSettings
    reports: ReportSettings
