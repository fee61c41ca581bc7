"""How videos of a static rig are calibrated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from streamstgs.trainer.datasets.config import CaptureConfig
from streamstgs.trainer.setting_checks import Count, check_ranges

LensModel = Literal["SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL", "OPENCV", "OPENCV_FISHEYE"]


@dataclass(frozen=True)
class RigConfig:
    """How videos of a static rig are calibrated.

    Args:
        lens: Lens model; each camera has one of its own. OPENCV_FISHEYE is for lenses of more than
            about 120 degrees.
        one_lens: All cameras have the same lens, zoom and focus; this is much more exact if it
            is true.
        moments: Frames that are matched if the first one does not join all cameras.
        leave_out: Write the capture without the cameras that could not be joined. Otherwise such
            videos are refused.
    """

    lens: LensModel = "SIMPLE_RADIAL"
    one_lens: bool = False
    moments: Count = 5
    leave_out: bool = False
    capture: CaptureConfig = field(default_factory=CaptureConfig)

    def __post_init__(self) -> None:
        check_ranges(self, "")
