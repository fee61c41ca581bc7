"""Which layout a folder has, and the capture that it holds."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from streamstgs.trainer.datasets.calibrated import read_calibrated
from streamstgs.trainer.datasets.capture import Capture, check_cameras
from streamstgs.trainer.datasets.colmap import model_folder, read_colmap
from streamstgs.trainer.datasets.config import CaptureConfig
from streamstgs.trainer.datasets.dynamic_3d_gaussians import read_dynamic_3d_gaussians
from streamstgs.trainer.datasets.moments import check_known, synchronised
from streamstgs.trainer.datasets.nerfstudio import read_nerfstudio, transform_files
from streamstgs.trainer.datasets.neural_3d_video import read_neural_3d_video
from streamstgs.trainer.errors import CaptureError

log = logging.getLogger("streamstgs.trainer")
Read = Callable[[Path, CaptureConfig], Capture]
AS_RECORDED = CaptureConfig()


def open_capture(folder: Path, config: CaptureConfig = AS_RECORDED) -> Capture:
    """Open a capture folder of any known layout.

    Raises:
        CaptureError: it is none, its cameras make no sense, or it lacks training cameras.
    """
    if not folder.is_dir():
        problem = "is a file, not the folder of a capture" if folder.exists() else "does not exist"
        raise CaptureError(f"{folder} {problem}")
    capture = with_split(_reader(folder)(folder, config), config)
    check_cameras(capture, config)
    capture = synchronised(capture, config)
    places = [v.camera.position for v in capture.split("train")]
    if len(places) < 2:
        raise CaptureError(f"{folder} has fewer than two training cameras")
    if all(torch.equal(place, places[0]) for place in places):
        raise CaptureError(f"{folder}: its training cameras stand at one place, and see no depth")
    return capture if config.frames is None else capture.shortened(config.frames)


def with_split(capture: Capture, config: CaptureConfig) -> Capture:
    """The capture with the held-out cameras of the settings, where they name some.

    Raises CaptureError for a camera that the capture lacks.
    """
    if not config.held_out:
        return capture
    check_known("capture.held-out", config.held_out, [v.name for v in capture.views])
    views = tuple(
        replace(v, split="test" if v.name in config.held_out else "train") for v in capture.views
    )
    return replace(capture, views=views)


def _reader(folder: Path) -> Read:
    """The reader of the first layout that the folder has; others are told. Raises CaptureError."""
    found = layouts(folder)
    if not found:
        raise CaptureError(
            f"{folder} holds no calibration: neither cameras.json, transforms.json, "
            "train_meta.json, poses_bounds.npy nor a COLMAP model (sparse/0/cameras.bin); "
            "`streamstgs capture from-videos` calibrates videos"
        )
    if len(found) > 1:
        log.warning("%s holds %s: the first is read", folder, " and ".join(found))
    return next(iter(found.values()))


def layouts(folder: Path) -> dict[str, Read]:
    """Readers of the layouts that a folder has, by the file that tells it, the surest first."""
    found: dict[str, Read] = {}
    if (folder / "cameras.json").exists():
        found["cameras.json"] = read_calibrated
    if files := transform_files(folder):
        found[files[0].name] = read_nerfstudio
    if (folder / "train_meta.json").exists():
        found["train_meta.json"] = read_dynamic_3d_gaussians
    if (folder / "poses_bounds.npy").exists():
        found["poses_bounds.npy"] = read_neural_3d_video
    if (model := model_folder(folder)) is not None:
        found[f"the COLMAP model {model.relative_to(folder).as_posix()}"] = read_colmap
    return found
