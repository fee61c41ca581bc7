"""The decoded sound around a position."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.package.sound_track import Sound

Samples = NDArray[np.int16]
ReadSegment = Callable[[int, CancelToken], Samples]

AHEAD = 3  # segments that are kept beside the one at the position
SILENT_TRIES = 3  # a segment that cannot be read so many times stays silent


class SampleStore:
    """Holds some segments of sound. One thread loads, any thread reads; no method waits for it.

    Args:
        track: The sound as declared.
        read_segment: Fetches and decodes a segment: [samples, channels].

    Attributes:
        track: May be replaced by a longer one of the same sound, as live scenes grow.
    """

    def __init__(self, track: Sound, read_segment: ReadSegment) -> None:
        self.track = track
        self._read_segment = read_segment
        self._segments: dict[int, Samples] = {}  # replaced as a whole by the loading thread
        self._failures: dict[int, int] = {}

    def load_next(self, sample: int, cancel: CancelToken) -> bool:
        """Load the first segment that is missing from a sample on; returns whether one was.

        Raises:
            CodecError: It cannot be read now; after some tries it counts as silence.
        """
        track = self.track
        first = track.segment_at(sample)
        wanted = range(first, min(first + 1 + AHEAD, track.count))
        kept = {k: v for k, v in self._segments.items() if k in wanted or k == 0}
        missing = next((k for k in wanted if k not in kept), None)
        if missing is None:
            return False
        try:
            kept[missing] = self._stereo(self._read_segment(missing, cancel))
        except Exception:
            self._failures[missing] = self._failures.get(missing, 0) + 1
            if self._failures[missing] >= SILENT_TRIES:
                silence = track.start(missing + 1) - track.start(missing)
                kept[missing] = np.zeros((silence, 2), np.int16)
                self._segments = kept
            raise
        self._segments = kept
        return True

    def has(self, first: int, end: int) -> bool:
        """Whether the samples from one on, before another one, are loaded."""
        wanted = range(self.track.segment_at(first), self.track.segment_at(end - 1) + 1)
        return all(number in self._segments for number in wanted)

    def read(self, sample: int, count: int) -> Samples:
        """[count, 2] the samples from one on; silence where nothing is loaded, or beyond."""
        out = np.zeros((count, 2), np.int16)
        segments, track = self._segments, self.track
        number = track.segment_at(sample)
        while number < track.count and (start := track.start(number)) < sample + count:
            loaded = segments.get(number)
            if loaded is not None:
                begin = max(sample, start, 0)
                end = min(sample + count, start + len(loaded))
                if begin < end:
                    part = loaded[begin - start : end - start]
                    out[begin - sample : end - sample] = part
            number += 1
        return out

    @staticmethod
    def _stereo(samples: Samples) -> Samples:
        return np.repeat(samples, 2, axis=1) if samples.shape[1] == 1 else samples
