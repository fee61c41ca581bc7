"""Multi-view captures on disk. `open_capture` recognises the layout."""

from pathlib import Path

import torch
from streamstgs.trainer.datasets.calibrated import read_calibrated
from streamstgs.trainer.datasets.capture import (
    Capture,
    CapturedView,
    check_cameras,
    check_capture,
    each_video,
    load_frames,
)
from streamstgs.trainer.datasets.config import CaptureConfig
from streamstgs.trainer.datasets.neural_3d_video import read_neural_3d_video
from streamstgs.trainer.errors import CaptureError

__all__ = [
    "Capture",
    "CaptureConfig",
    "CapturedView",
    "check_capture",
    "each_video",
    "load_frames",
    "open_capture",
]
AS_RECORDED = CaptureConfig()


def open_capture(folder: Path, config: CaptureConfig = AS_RECORDED) -> Capture:
    """Open a capture folder. Raises CaptureError when it is none or lacks training cameras."""
    if not folder.is_dir():
        problem = "is a file, not the folder of a capture" if folder.exists() else "does not exist"
        raise CaptureError(f"{folder} {problem}")
    if (folder / "cameras.json").exists():
        capture = read_calibrated(folder, config)
    elif (folder / "poses_bounds.npy").exists():
        capture = read_neural_3d_video(folder, config)
    else:
        raise CaptureError(f"{folder} holds neither cameras.json nor poses_bounds.npy")
    check_cameras(capture, config)
    places = [v.camera.position for v in capture.split("train")]
    if len(places) < 2:
        raise CaptureError(f"{folder} has fewer than two training cameras")
    if all(torch.equal(place, places[0]) for place in places):
        raise CaptureError(f"{folder}: its training cameras stand at one place, and see no depth")
    return capture if config.frames is None else capture.shortened(config.frames)
