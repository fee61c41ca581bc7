"""Multi-view captures on disk. `open_capture` recognises the layout."""

from streamstgs.trainer.datasets.capture import (
    Capture,
    CapturedView,
    check_capture,
    each_video,
    load_frames,
)
from streamstgs.trainer.datasets.config import CaptureConfig
from streamstgs.trainer.datasets.layouts import open_capture

__all__ = [
    "Capture",
    "CaptureConfig",
    "CapturedView",
    "check_capture",
    "each_video",
    "load_frames",
    "open_capture",
]
