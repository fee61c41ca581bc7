"""Frames from disk: one video per camera, or a folder of numbered images per camera."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import imageio.v3 as iio
import numpy as np
from streamstgs.trainer.datasets.reduction import reduced
from streamstgs.trainer.errors import CaptureError

READ_AS = {
    **dict.fromkeys(("RGB", "L", "CMYK", "YCbCr"), "RGB"),
    **dict.fromkeys(("RGBA", "LA", "P", "PA"), "RGBA"),
}  # of the kinds of pixels that Pillow knows, those of 8 bits
UNREADABLE_IMAGE = (OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error)


@dataclass(frozen=True)
class VideoReader:
    """A camera recorded as one video file.

    Args:
        camera: its name.
        width, height: of the recorded pictures, px.
        size: (width, height) that they are reduced to as they are read; None: as recorded.
    """

    camera: str
    path: Path
    width: int
    height: int
    size: tuple[int, int] | None = None

    def read(self, frames: Sequence[int]) -> np.ndarray:
        """See `FrameReader.read`; what lies between the frames is decoded and dropped."""
        width, height = self.size or (self.width, self.height)
        pictures = np.empty((len(frames), height, width, 3), np.uint8)
        missing = {frame: row for row, frame in enumerate(frames)}
        with self._opened() as container:
            for index, picture in enumerate(container.decode(video=0)):
                if picture.is_corrupt:  # those after it are predicted from it
                    raise self._error(f"is damaged at frame {index}")
                if index in missing:
                    pictures[missing.pop(index)] = reduced(self._checked(picture), width, height)
                if not missing:
                    break
        if missing:
            raise self._error(f"has no frame {min(missing)}, frames to {max(frames)} are needed")
        return pictures

    def check(self, count: int) -> None:
        """See `FrameReader.check`; sizes and packets are looked at, nothing is decoded.

        Damage within packets shows when the first pictures are read, all through the video, which
        is before training.
        """
        with self._opened() as container:
            codec = container.streams.video[0].codec_context
            self._check_size(codec.width, codec.height)
            found = sum(1 for packet in container.demux(video=0) if packet.size)
        if found < count:
            raise self._error(f"has {found} frames, {count} are needed")

    @contextmanager
    def _opened(self) -> Iterator[av.container.InputContainer]:
        try:
            with av.open(str(self.path)) as container:
                if not container.streams.video:
                    raise self._error("holds no video")
                yield container
        except (OSError, av.FFmpegError) as error:
            raise self._error(f"cannot be decoded: {error}") from error

    def _checked(self, picture: av.VideoFrame) -> np.ndarray:
        self._check_size(picture.width, picture.height)
        return picture.to_ndarray(format="rgb24")

    def _check_size(self, width: int, height: int) -> None:
        if (width, height) != (self.width, self.height):
            raise self._error(
                f"is {width}x{height}, its calibration says {self.width}x{self.height}"
            )

    def _error(self, problem: str) -> CaptureError:
        return CaptureError(f"camera {self.camera}: {self.path.name} {problem}")


@dataclass(frozen=True)
class ImageFolderReader:
    """A camera recorded as one image a frame, in the order of time; otherwise as `VideoReader`."""

    camera: str
    paths: tuple[Path, ...]
    width: int
    height: int
    size: tuple[int, int] | None = None

    def read(self, frames: Sequence[int]) -> np.ndarray:
        """See `FrameReader.read`."""
        self._check_count(max(frames) + 1)
        width, height = self.size or (self.width, self.height)
        pictures = np.empty((len(frames), height, width, 3), np.uint8)
        for row, frame in enumerate(frames):
            pictures[row] = reduced(self._read_image(self.paths[frame]), width, height)
        return pictures

    def check(self, count: int) -> None:
        """See `FrameReader.check`; a header does not show damage, so each image is decoded."""
        self._check_count(count)
        for path in self.paths[:count]:
            self._read_image(path)

    def _check_count(self, count: int) -> None:
        if len(self.paths) < count:
            raise CaptureError(
                f"camera {self.camera}: {self.paths[0].parent} has {len(self.paths)} frames, "
                f"{count} are needed"
            )

    def _read_image(self, path: Path) -> np.ndarray:
        """[H, W, 3] uint8; the header is believed only if it says the calibrated size."""
        try:
            with iio.imopen(path, "r", plugin="pillow") as image:
                height, width = image.properties().shape[:2]
                kind = str(image.metadata().get("mode"))
            fits = kind in READ_AS and (height, width) == (self.height, self.width)
            pixels = iio.imread(path, plugin="pillow", mode=READ_AS[kind]) if fits else None
        except UNREADABLE_IMAGE as error:
            raise self._error(path, f"cannot be read as an image: {error}") from error
        if pixels is not None:
            return self._opaque(path, pixels)
        if kind not in READ_AS:
            raise self._error(
                path, f"has pixels of kind {kind}; grey, palettes and colours of 8 bits are read"
            )
        raise self._error(
            path, f"is {width}x{height}, its calibration says {self.width}x{self.height}"
        )

    def _opaque(self, path: Path, pixels: np.ndarray) -> np.ndarray:
        """Without an alpha that says nothing, as many programs write it."""
        if (pixels[..., 3:] != 255).any():
            raise self._error(path, "is transparent; draw it over a background")
        return pixels[..., :3]

    def _error(self, path: Path, problem: str) -> CaptureError:
        return CaptureError(f"camera {self.camera}: {path} {problem}")
