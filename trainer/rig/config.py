"""Settings of rigs: how videos are calibrated, and where cameras around a scene stand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Ge, Le
from streamstgs.trainer.datasets.config import CaptureConfig
from streamstgs.trainer.setting_checks import Count, Positive, check_ranges, require

LensModel = Literal["SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL", "OPENCV", "OPENCV_FISHEYE"]

Elevation = Annotated[float, Ge(-85), Le(85)]


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


@dataclass(frozen=True)
class SceneRigConfig:
    """Where the cameras around a scene stand.

    Args:
        cameras: Cameras, evenly spread around the centre of the scene; every 12th is held out.
        distance: Distance from the centre, relative to that of the opening view.
        lowest_deg: Elevation of the lowest camera in degrees; 0 is level.
        highest_deg: Elevation of the highest camera in degrees; 90 is straight above.
    """

    cameras: Annotated[int, Ge(4)] = 48
    distance: Positive = 1.0
    lowest_deg: Elevation = -10.0
    highest_deg: Elevation = 70.0

    def __post_init__(self) -> None:
        check_ranges(self, "")
        require(
            self.lowest_deg <= self.highest_deg, "lowest_deg", self.lowest_deg,
            f"at most --highest-deg, {self.highest_deg:g}",
        )  # fmt: skip
