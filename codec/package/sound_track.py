"""The sound track as scene.json declares it. Importing this module loads no large library."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Protocol

from streamstgs.codec.package.file_entry import FileEntry
from streamstgs.codec.package.gop_times import GopTimes

RATE_HZ = 48_000  # of Opus, whatever was recorded
PACKET_SAMPLES = 960  # 20 ms
CODECS = "opus"  # its name by RFC 6381


class Sound(Protocol):
    """Where the segments of a sound track lie in time; sample 0 of the scene is at time 0."""

    @property
    def channels(self) -> int:
        """1 or 2."""

    @property
    def count(self) -> int:
        """Number of segments."""

    def start(self, segment: int) -> int:
        """Return the first sample of a segment; that of the segment after the last ends the sound.

        It is negative for the first segment: a decoder needs these samples to start.
        """

    def segment_at(self, sample: int) -> int:
        """Return the number of the segment that holds a sample; the last one for later samples."""


@dataclass(frozen=True)
class SoundSegment:
    """Some seconds of sound.

    Args:
        file: the media segment.
        samples: that it holds, for each channel.
    """

    file: FileEntry
    samples: int


@dataclass(frozen=True)
class SoundTrack:
    """The sound of a finished scene, listed in scene.json: Opus at `RATE_HZ`. Implements `Sound`.

    Args:
        channels: 1 or 2.
        delay: samples before the first one of the scene; a decoder needs them to start.
        init: the initialisation segment.
        segments: in order of time, at least one.
    """

    channels: int
    delay: int
    init: FileEntry
    segments: tuple[SoundSegment, ...]

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """First sample of each segment and the end of the last one; sample 0 is at time 0."""
        lengths = (segment.samples for segment in self.segments)
        return tuple(accumulate(lengths, initial=-self.delay))

    @property
    def samples(self) -> int:
        """Number of samples of the scene, for each channel."""
        return self.starts[-1]

    @property
    def count(self) -> int:
        """As of `Sound`."""
        return len(self.segments)

    def start(self, segment: int) -> int:
        """As of `Sound`."""
        return self.starts[segment]

    def segment_at(self, sample: int) -> int:
        """As of `Sound`."""
        return min(max(bisect_right(self.starts, sample) - 1, 0), len(self.segments) - 1)


@dataclass(frozen=True)
class GopSound:
    """The sound of a scene that is published live: each GOP lists a segment. Implements `Sound`.

    Args:
        channels, delay, init: as of `SoundTrack`.
        times: lengths of the GOPs so far.
        fps: content frames per second.
    """

    channels: int
    delay: int
    init: FileEntry
    times: GopTimes
    fps: float

    @property
    def samples(self) -> int:
        """Number of samples of the scene, for each channel."""
        return self.start(self.count)

    @property
    def count(self) -> int:
        """As of `Sound`."""
        return len(self.times)

    def start(self, segment: int) -> int:
        """As of `Sound`."""
        return first_packet(self.times.start(segment), self.fps) * PACKET_SAMPLES - self.delay

    def segment_at(self, sample: int) -> int:
        """As of `Sound`."""
        gop, _ = self.times.locate(max(int(sample / RATE_HZ * self.fps), 0))
        while gop and self.start(gop) > sample:
            gop -= 1
        while gop + 1 < self.count and self.start(gop + 1) <= sample:
            gop += 1
        return gop


def first_packet(frame: int, fps: float) -> int:
    """Return the number of the first packet of sound in the GOP that begins at a content frame."""
    return int(frame * (RATE_HZ // PACKET_SAMPLES) / fps)
