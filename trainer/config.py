"""All settings of a training run in one place; each part is documented where it is used."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from streamstgs.trainer.coarse.background import BackgroundConfig
from streamstgs.trainer.coarse.color_response import ColorResponseConfig
from streamstgs.trainer.coarse.stage import StaticConfig
from streamstgs.trainer.datasets import CaptureConfig
from streamstgs.trainer.fine.config import GopConfig, JointConfig
from streamstgs.trainer.points.dynamic_points import HullConfig
from streamstgs.trainer.points.initial_points import InitialPointsConfig
from streamstgs.trainer.setting_checks import require, require_at_least, require_positive


@dataclass(frozen=True)
class TrainConfig:
    """Train a scene from a calibrated multi-view capture.

    Args:
        data: folder of the capture.
        out: the run directory; a run found there is resumed.
        gop_frames: G, frames of a GOP; the last one may be shorter.
        static_split: what the coarse stage leaves is a static layer, shared by all GOPs; without
            the split it is where the Gaussians of every GOP start.
        near_share: near plane as share of the cameras' mean distance from the scene's middle; what
            lies nearer to a camera (often the camera's own body) is not drawn.
        device: torch device; "auto" takes every CUDA device there is, else the CPU.
        seed: of everything random.
        report_every: steps between lines of progress.
        watch_every: steps between held-out PSNR readings.
        checkpoint_every: steps between checkpoints of a GOP.
    """

    data: Path
    out: Path
    gop_frames: int = 60
    static_split: bool = True
    near_share: float = 0.1
    device: str = "auto"
    seed: int = 0
    report_every: int = 500
    watch_every: int = 1000
    checkpoint_every: int = 1000
    capture: CaptureConfig = field(default_factory=CaptureConfig)
    background: BackgroundConfig = field(default_factory=BackgroundConfig)
    points: InitialPointsConfig = field(default_factory=InitialPointsConfig)
    color_response: ColorResponseConfig = field(default_factory=ColorResponseConfig)
    static: StaticConfig = field(default_factory=StaticConfig)
    hull: HullConfig = field(default_factory=HullConfig)
    joint: JointConfig = field(default_factory=JointConfig)
    gop: GopConfig = field(default_factory=GopConfig)

    def __post_init__(self) -> None:
        periods = "report_every", "watch_every", "checkpoint_every"
        require_at_least(1, self, "", "gop_frames", *periods)
        require_at_least(0, self, "", "seed")
        require_positive(self, "", "near_share")
        moves = self.gop.moments > 0 or not self.static_split
        wanted = "at least 1, or nothing moves; --no-static-split lets all Gaussians move"
        require(moves, "gop.moments", self.gop.moments, wanted)
