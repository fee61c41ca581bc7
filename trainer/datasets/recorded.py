"""From the calibration of a camera to a view that training reads: the same way for all layouts."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mode

import numpy as np
import torch
from streamstgs.renderer import Camera
from streamstgs.trainer.datasets.calibration import check_pinhole
from streamstgs.trainer.datasets.capture import (
    Capture,
    CapturedView,
    FrameReader,
    point_of_attention,
    up_direction,
)
from streamstgs.trainer.datasets.config import CaptureConfig
from streamstgs.trainer.datasets.files import short
from streamstgs.trainer.datasets.lens import Lens
from streamstgs.trainer.datasets.readers import READERS, ImageFolderReader, VideoReader
from streamstgs.trainer.datasets.sources import Source
from streamstgs.trainer.datasets.timing import PictureTimes, common_rate
from streamstgs.trainer.datasets.undistortion import undistortion
from streamstgs.trainer.datasets.video_file import VideoFile
from streamstgs.trainer.errors import CaptureError

log = logging.getLogger("streamstgs.trainer")
USUAL_FPS = 30.0


@dataclass(frozen=True)
class RecordedCamera:
    """A camera as its calibration gives it.

    Args:
        name: its id in the capture.
        viewmat: [4, 4] float64, world to camera, OpenCV axes.
        lens: at the size of the recorded pictures.
        source: its frames.
        split: "train" or "test".
        offset: as of `CapturedView`.
    """

    name: str
    viewmat: np.ndarray
    lens: Lens
    source: Source
    split: str = "train"
    offset: int = 0


def recorded_view(
    recorded: RecordedCamera,
    config: CaptureConfig,
    fps: float,
    known_times: PictureTimes | None = None,
) -> CapturedView:
    """The view of a camera: checked, without distortion, at the size that is read.

    Raises:
        CaptureError: the calibration makes no sense; names the camera.
    """
    try:
        return _view(recorded, config, fps, known_times)
    except CaptureError:
        raise
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise CaptureError(f"camera {recorded.name}: {short(error, 300)}") from error


def _view(
    recorded: RecordedCamera,
    config: CaptureConfig,
    fps: float,
    known_times: PictureTimes | None,
) -> CapturedView:
    lens, size = recorded.lens, (recorded.lens.width, recorded.lens.height)
    viewmat = torch.tensor(recorded.viewmat, dtype=torch.float32).reshape(4, 4)
    camera = Camera(viewmat, torch.tensor(lens.K, dtype=torch.float32), *size)
    check_pinhole(camera, is_wide=not lens.is_pinhole)
    undone = undistortion(lens)
    if undone is not None:
        camera = replace(camera, K=torch.tensor(undone.K, dtype=torch.float32))
    shown = config.applied(camera)
    read_size = shown.width, shown.height
    reader: FrameReader
    if isinstance(recorded.source, Path):
        reader = VideoReader(
            recorded.name, recorded.source, *size, read_size, fps,
            untagged_matrix=config.untagged_matrix, known_times=known_times, undistortion=undone,
        )  # fmt: skip
    else:
        paths, numbers = tuple(recorded.source.values()), tuple(recorded.source)
        reader = ImageFolderReader(recorded.name, paths, *size, read_size, numbers, undone)
    return CapturedView(recorded.name, recorded.split, shown, reader, recorded.offset)


def assembled(
    title: str,
    cameras: Sequence[RecordedCamera],
    config: CaptureConfig,
    points: Path | None = None,
    fps: float | None = None,
    reach: float | None = None,
) -> Capture:
    """The capture of cameras whose files tell neither length nor the middle of the scene.

    Args:
        fps: where the layout tells it; otherwise that of the videos or of the settings.
        reach: see `point_of_attention`.

    Raises:
        CaptureError: names the camera.
    """
    if not cameras:
        raise CaptureError(f"{title} has no cameras")
    times = _times(cameras, config)
    rate = fps or _frame_rate(title, list(times.values()), config)
    views = tuple(recorded_view(c, config, rate, times.get(c.name)) for c in cameras)
    shown = [v.camera for v in views]
    return Capture(
        title=title,
        views=views,
        fps=rate,
        frames=mode(v.reader.length() for v in views),  # a shorter recording is an error
        up=up_direction(shown),
        center=point_of_attention(shown, reach),
        points_path=points,
    )


def _times(cameras: Sequence[RecordedCamera], config: CaptureConfig) -> dict[str, PictureTimes]:
    """Time stamps of the videos by the camera's name."""
    files = [
        VideoFile(c.name, c.source, config.untagged_matrix)
        for c in cameras
        if isinstance(c.source, Path)
    ]
    with ThreadPoolExecutor(READERS) as pool:
        found = list(pool.map(lambda file: file.times(config.fps), files))
    return dict(zip([file.camera for file in files], found, strict=True))


def _frame_rate(title: str, videos: Sequence[PictureTimes], config: CaptureConfig) -> float:
    if config.fps is not None:
        return config.fps
    if any(v.fps for v in videos):
        return common_rate(videos)
    log.warning(
        "no file of %s tells the frame rate: %g frames per second are taken (--capture.fps)",
        title, USUAL_FPS,
    )  # fmt: skip
    return USUAL_FPS
