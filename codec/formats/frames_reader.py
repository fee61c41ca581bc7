"""A scene whose frames are read one by one, and one whose Gaussians are functions of time."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import UnknownQuality
from streamstgs.codec.formats.reader import SceneInfo
from streamstgs.codec.quality import Quality

if TYPE_CHECKING:
    import torch
    from streamstgs.renderer import Gaussians

ROUNDING_FRAMES = 1e-4


class FrameSource(Protocol):
    """Reads the frames of a scene. Owner: one thread at a time."""

    def read(self, frame: int, cancel: CancelToken) -> Gaussians:
        """The Gaussians of a frame on the CPU; raises CodecError."""
        ...

    def close(self) -> None:
        """Close files; safe to call twice."""
        ...


class _OneQualityReader:
    """What both readers share: a scene has one quality and belongs to a source."""

    def __init__(self, info: SceneInfo, size_bytes: int, close: Callable[[], None]) -> None:
        self.info = info
        bitrate_bps = size_bytes * 8 * info.meta.fps / info.frame_count
        self.qualities = (Quality(0, 0, bitrate_bps),)
        self._close = close

    def _check(self, index: int, quality: Quality | None) -> None:
        if not 0 <= index < len(self.info.segment_frames):
            raise IndexError(f"no segment {index}; there are {len(self.info.segment_frames)}")
        if quality is not None and quality not in self.qualities:
            raise UnknownQuality(f"{quality} is not a quality of {self.info.location}.")

    def close(self) -> None:
        """As of `SceneReader`."""
        self._close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class FramesReader(_OneQualityReader):
    """Implements `SceneReader`: each frame is a segment, so that no more than one is in memory.

    Args:
        info: with segments of one frame.
        source: reads the frames; closed with the reader.
        size_bytes: of all files, for the bitrate.
        first: the first frame, if it was read to guess the opening view.
    """

    def __init__(
        self,
        info: SceneInfo,
        source: FrameSource,
        size_bytes: int,
        first: Gaussians | None = None,
    ) -> None:
        super().__init__(info, size_bytes, source.close)
        self._source = source
        self._first = first

    def segment(
        self,
        index: int,
        quality: Quality | None = None,
        device: torch.device | str = "cpu",
        cancel: CancelToken = NEVER,
    ) -> FrameSegment:
        """As of `SceneReader`."""
        self._check(index, quality)
        gaussians = self._first if index == 0 else None
        if gaussians is None:
            gaussians = self._source.read(index, cancel)
        fps = self.info.meta.fps
        return FrameSegment(gaussians.to(device), index / fps, 1 / fps)

    def __enter__(self) -> FramesReader:
        return self


class FrameSegment:
    """Implements `Segment` with one frame."""

    def __init__(self, gaussians: Gaussians, start_s: float, duration_s: float) -> None:
        self._gaussians = gaussians
        self.start_s = start_s
        self.duration_s = duration_s

    def gaussians_at(self, time_s: float) -> Gaussians:
        """As of `Segment`; the same at any time."""
        return self._gaussians


class AnimatedGaussians(Protocol):
    """Gaussians that are known at any time of a scene."""

    def to(self, device: torch.device | str) -> AnimatedGaussians:
        """The same on a device."""
        ...

    def at(self, frame: float) -> Gaussians:
        """The Gaussians at a content frame, which may be between two frames."""
        ...


class AnimatedReader(_OneQualityReader):
    """Implements `SceneReader`: all frames are one segment, which is in memory already.

    Args:
        info: with one segment.
        animated: the Gaussians.
        size_bytes: of the file.
    """

    def __init__(self, info: SceneInfo, animated: AnimatedGaussians, size_bytes: int) -> None:
        super().__init__(info, size_bytes, lambda: None)
        self._animated = animated

    def segment(
        self,
        index: int,
        quality: Quality | None = None,
        device: torch.device | str = "cpu",
        cancel: CancelToken = NEVER,
    ) -> AnimatedSegment:
        """As of `SceneReader`."""
        self._check(index, quality)
        return AnimatedSegment(self._animated.to(device), self.info)

    def __enter__(self) -> AnimatedReader:
        return self


class AnimatedSegment:
    """Implements `Segment` with Gaussians that are functions of time."""

    def __init__(self, animated: AnimatedGaussians, info: SceneInfo) -> None:
        self._animated = animated
        self._fps, self._last = info.meta.fps, info.frame_count - 1
        self.start_s = 0.0
        self.duration_s = info.duration_s

    def gaussians_at(self, time_s: float) -> Gaussians:
        """As of `Segment`."""
        frame = min(max(time_s * self._fps, 0.0), float(self._last))
        nearest = round(frame)  # a time of frame / fps means exactly that frame
        return self._animated.at(nearest if abs(frame - nearest) < ROUNDING_FRAMES else frame)
