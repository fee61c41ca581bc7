"""Frames from disk: one video per camera, or a folder of numbered images per camera."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import av
import numpy as np
from streamstgs.trainer.datasets.image_file import read_image
from streamstgs.trainer.datasets.reduction import reduced
from streamstgs.trainer.datasets.timing import PictureTimes
from streamstgs.trainer.datasets.undistortion import Undistortion
from streamstgs.trainer.datasets.video_file import VideoFile
from streamstgs.trainer.errors import CaptureError

READERS = 16  # files that are read at once


@dataclass(frozen=True)
class VideoReader:
    """A camera recorded as one video file.

    Args:
        camera: its name.
        width, height: of the recorded pictures as they are shown, px.
        size: (width, height) that they are reduced to as they are read; None: as recorded.
        fps: of the capture; None: that of the video.
        start_s: time of the capture's frame 0 in the video; None: that of its first picture.
        untagged_matrix: see `VideoFile`.
        known_times: time stamps of the video, where they have been read before.
        undistortion: undoes the distortion of the lens; None for a lens without any.
        offset: so many frames after the common start is this camera's frame 0.
    """

    camera: str
    path: Path
    width: int
    height: int
    size: tuple[int, int] | None = None
    fps: float | None = None
    start_s: float | None = None
    untagged_matrix: str = "bt601"
    known_times: PictureTimes | None = None
    undistortion: Undistortion | None = None
    offset: int = 0

    @property
    def file(self) -> VideoFile:
        return VideoFile(self.camera, self.path, self.untagged_matrix)

    @cached_property
    def times(self) -> PictureTimes:
        """Time stamps of the video's pictures; read once."""
        return self.known_times or self.file.times(self.fps)

    def read(self, frames: Sequence[int]) -> np.ndarray:
        """See `FrameReader.read`; the pictures between the frames are decoded and dropped."""
        width, height = self.size or (self.width, self.height)
        pictures = np.empty((len(frames), height, width, 3), np.uint8)
        stamps = self._placed(max(frames) + 1)
        missing = {stamps[frame]: row for row, frame in enumerate(frames)}
        by_order = self._has_no_stamps()
        with self.file.opened() as container:
            for index, picture in enumerate(container.decode(video=0)):
                if picture.is_corrupt:  # those after it are predicted from it
                    raise self.file.error(f"is damaged at frame {index}")
                stamp = index if by_order else picture.pts
                if stamp in missing:
                    pixels = undistorted(self._checked(picture), self.undistortion)
                    pictures[missing.pop(stamp)] = reduced(pixels, width, height)
                if not missing:
                    break
        if missing:
            lost = min(stamps.index(stamp) for stamp in missing)
            raise self.file.error(f"has no frame {lost}, frames to {max(frames)} are needed")
        return pictures

    def length(self) -> int:
        """See `FrameReader.length`."""
        return self.times.length(self.fps or self.times.fps or 1.0) - self.offset

    def small(self, height_px: int) -> VideoReader:
        """See `FrameReader.small`."""
        return replace(self, size=small_size(self.width, self.height, height_px), undistortion=None)

    def check(self, count: int) -> None:
        """See `FrameReader.check`; decodes the first picture only.

        Damage within packets shows when the first pictures are read, all through the video, which
        is before training.
        """
        self._check_size(*self.file.first_size())
        self._placed(count)

    def _placed(self, count: int) -> tuple[int, ...]:
        """Time stamps of the frames 0 to count - 1."""
        times = self.times
        start_s = self.start_s
        if start_s is None:
            start_s = times.seconds[0] if times.seconds else 0.0
        fps = self.fps or times.fps or 1.0
        return times.placed(fps, count, start_s + self.offset / fps)

    def _has_no_stamps(self) -> bool:
        """Whether the time stamps are those that `VideoFile.times` made of the order."""
        return self.times.pts == tuple(range(len(self.times.pts)))

    def _checked(self, picture: av.VideoFrame) -> np.ndarray:
        pixels = self.file.pixels(picture)
        self._check_size(pixels.shape[1], pixels.shape[0])
        return pixels

    def _check_size(self, width: int, height: int) -> None:
        if (width, height) != (self.width, self.height):
            raise self.file.error(size_problem(width, height, self.width, self.height))


@dataclass(frozen=True)
class ImageFolderReader:
    """A camera recorded as one image a frame, in the order of time; otherwise as `VideoReader`.

    Args:
        numbers: frame number in the name of each image.
    """

    camera: str
    paths: tuple[Path, ...]
    width: int
    height: int
    size: tuple[int, int] | None = None
    numbers: tuple[int, ...] = ()
    undistortion: Undistortion | None = None

    def read(self, frames: Sequence[int]) -> np.ndarray:
        """See `FrameReader.read`."""
        self._check_count(max(frames) + 1)
        width, height = self.size or (self.width, self.height)
        pictures = np.empty((len(frames), height, width, 3), np.uint8)
        for row, frame in enumerate(frames):
            pixels = undistorted(self._read_image(self.paths[frame]), self.undistortion)
            pictures[row] = reduced(pixels, width, height)
        return pictures

    def length(self) -> int:
        """See `FrameReader.length`."""
        return len(self.paths)

    def small(self, height_px: int) -> ImageFolderReader:
        """See `FrameReader.small`."""
        return replace(self, size=small_size(self.width, self.height, height_px), undistortion=None)

    def later(self, frames: int) -> ImageFolderReader:
        """The same without its first frames."""
        return replace(self, paths=self.paths[frames:], numbers=self.numbers[frames:])

    def check(self, count: int) -> None:
        """See `FrameReader.check`; a header does not show damage, so each image is decoded."""
        self._check_count(count)
        for path in self.paths[:count]:
            self._read_image(path)

    def _check_count(self, count: int) -> None:
        if len(self.paths) < count:
            place = self.paths[0].parent if self.paths else "its folder"
            raise CaptureError(
                f"camera {self.camera}: {place} has {len(self.paths)} frames, {count} are needed"
            )

    def _read_image(self, path: Path) -> np.ndarray:
        return read_image(path, self.camera, (self.width, self.height))


def undistorted(picture: np.ndarray, undistortion: Undistortion | None) -> np.ndarray:
    """A recorded picture [H, W, 3] uint8 as a pinhole camera shows it."""
    return picture if undistortion is None else undistortion.applied(picture)


def small_size(width: int, height: int, height_px: int) -> tuple[int, int]:
    """(width, height) of pictures that are no higher than `height_px`, px."""
    shown = min(height, height_px)
    return max(1, round(width * shown / height)), shown


def size_problem(width: int, height: int, calibrated_width: int, calibrated_height: int) -> str:
    """What is wrong with a picture of another size than its calibration says."""
    problem = f"is {width}x{height}, its calibration says {calibrated_width}x{calibrated_height}"
    if (width, height) == (calibrated_height, calibrated_width):
        problem += " (width and height are swapped, or the pictures lie on their side)"
    return problem
