"""Frames from disk: one video per camera, or a folder of numbered images per camera."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import imageio.v3 as iio
import numpy as np

from trainer.errors import CaptureError


@dataclass(frozen=True)
class VideoReader:
    """A camera recorded as one video file."""

    path: Path
    width: int
    height: int

    def read(self, first: int, last: int) -> np.ndarray:
        frames = np.empty((last - first, self.height, self.width, 3), np.uint8)
        read = 0
        try:
            with av.open(str(self.path)) as container:
                for index, frame in enumerate(container.decode(video=0)):
                    if index >= last:
                        break
                    if index >= first:
                        frames[read] = self._checked(frame)
                        read += 1
        except (OSError, av.FFmpegError) as error:
            raise CaptureError(f"{self.path.name} cannot be decoded: {error}") from error
        if read < last - first:
            raise CaptureError(f"{self.path.name} ends at frame {first + read}, {last} are needed")
        return frames

    def _checked(self, frame: av.VideoFrame) -> np.ndarray:
        if (frame.width, frame.height) != (self.width, self.height):
            raise CaptureError(
                f"{self.path.name} is {frame.width}x{frame.height}, "
                f"its calibration says {self.width}x{self.height}"
            )
        return frame.to_ndarray(format="rgb24")


@dataclass(frozen=True)
class ImageFolderReader:
    """A camera recorded as numbered images, sorted by name."""

    paths: tuple[Path, ...]
    width: int
    height: int

    def read(self, first: int, last: int) -> np.ndarray:
        if last > len(self.paths):
            raise CaptureError(
                f"{self.paths[0].parent} has {len(self.paths)} frames, {last} are needed"
            )
        frames = np.empty((last - first, self.height, self.width, 3), np.uint8)
        for row, path in enumerate(self.paths[first:last]):
            frames[row] = self._read_image(path)
        return frames

    def _read_image(self, path: Path) -> np.ndarray:
        try:
            image = iio.imread(path)
        except (OSError, ValueError, SyntaxError) as error:
            raise CaptureError(f"{path} cannot be read: {error}") from error
        if image.shape != (self.height, self.width, 3):
            raise CaptureError(
                f"{path} has shape {image.shape}, expected {(self.height, self.width, 3)}"
            )
        return image
