"""The sound track as scene.json declares it. Importing this module loads no large library."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from streamstgs.codec.package.file_entry import FileEntry

RATE_HZ = 48_000  # of Opus, whatever was recorded
PACKET_SAMPLES = 960  # 20 ms
CODECS = "opus"  # its name by RFC 6381


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
    """The sound of a scene: Opus at `RATE_HZ`.

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

    def segment_at(self, sample: int) -> int:
        """Return the number of the segment that holds a sample; the last one for later samples."""
        return min(max(bisect_right(self.starts, sample) - 1, 0), len(self.segments) - 1)
