"""The frames and GOPs of a scene in time, and conversions between frames, GOPs and seconds."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Container, Iterable
from dataclasses import dataclass
from functools import cached_property

from streamstgs.codec.scene import Scene

ROUNDING_FRAMES = 1e-4  # a position of exactly frame / fps must come back as that frame


@dataclass(frozen=True)
class Timeline:
    """The frames of a scene and the GOPs they belong to. Immutable.

    Args:
        fps: Content frames per second.
        gop_frames: Number of frames of each GOP, all > 0.
    """

    fps: float
    gop_frames: tuple[int, ...]

    @staticmethod
    def of(scene: Scene) -> Timeline:
        frames = (scene.gop_frames(index) for index in range(scene.gop_count))
        return Timeline(scene.meta.fps, tuple(frames))

    @property
    def gop_count(self) -> int:
        return len(self.gop_frames)

    @cached_property
    def frames(self) -> int:
        return sum(self.gop_frames)

    @property
    def duration_s(self) -> float:
        return self.frames / self.fps

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """First content frame of each GOP."""
        return tuple(itertools.accumulate(self.gop_frames, initial=0))[:-1]

    @cached_property
    def starts_s(self) -> tuple[float, ...]:
        return tuple(start / self.fps for start in self.starts)

    def start_s(self, gop: int) -> float:
        return self.starts[gop] / self.fps

    def end_s(self, gop: int) -> float:
        return (self.starts[gop] + self.gop_frames[gop]) / self.fps

    def frame_at(self, position_s: float) -> int:
        """The content frame at a time; clamped to the scene."""
        frame = int(position_s * self.fps + ROUNDING_FRAMES)
        return min(max(frame, 0), self.frames - 1)

    def share_at(self, position_s: float) -> float:
        """How much of the way from the content frame at a time to the next one has passed, 0..1."""
        share = position_s * self.fps - self.frame_at(position_s)
        return min(share, 1.0) if share > ROUNDING_FRAMES else 0.0

    def entry_s(self, gop: int, backwards: bool = False) -> float:
        """The time of the frame of a GOP that is played first."""
        inside = self.gop_frames[gop] - 1 if backwards else 0
        return (self.starts[gop] + inside) / self.fps

    def locate(self, frame: int) -> tuple[int, int]:
        """The GOP of a content frame, and the index of the frame in that GOP."""
        gop = bisect_right(self.starts, frame) - 1
        return gop, frame - self.starts[gop]

    def nearest_in(self, gop: int, frame: int) -> int:
        """The content frame of a GOP that is nearest to another content frame."""
        first = self.starts[gop]
        return min(max(frame, first), first + self.gop_frames[gop] - 1)

    def by_distance(self, frame: int, gops: Iterable[int]) -> list[int]:
        """GOPs, the nearest to a content frame first; of two as near, the later one."""
        away = {gop: self.nearest_in(gop, frame) - frame for gop in gops}
        return sorted(away, key=lambda gop: (abs(away[gop]), away[gop] < 0))

    def ahead(self, gop: int, count: int, loop: bool, backwards: bool = False) -> list[int]:
        """The GOP and up to `count` that are played after it, across the end if `loop`; no repeats.

        Args:
            backwards: Whether content runs backwards.
        """
        step = -1 if backwards else 1
        following = (gop + step * away for away in range(min(count, self.gop_count - 1) + 1))
        return [
            index % self.gop_count for index in following if loop or 0 <= index < self.gop_count
        ]

    def rest_s(self, gop: int, position_s: float, backwards: bool = False) -> float:
        """Content seconds of a GOP that are still to be played from a position in it."""
        return position_s - self.start_s(gop) if backwards else self.end_s(gop) - position_s

    def ahead_s(
        self, position_s: float, ready: Container[int], loop: bool, backwards: bool = False
    ) -> float:
        """Content seconds from a position on whose GOPs are all in `ready`."""
        gop, _ = self.locate(self.frame_at(position_s))
        ahead_s = 0.0
        for following in self.ahead(gop, self.gop_count, loop, backwards):
            if following not in ready:
                break
            whole_s = self.gop_frames[following] / self.fps
            ahead_s += self.rest_s(gop, position_s, backwards) if following == gop else whole_s
        return max(ahead_s, 0.0)

    def ranges_s(self, gops: Iterable[int]) -> tuple[tuple[float, float], ...]:
        """The GOPs as ranges (start, end) in seconds, neighbours joined."""
        ranges: list[tuple[float, float]] = []
        previous = -2
        for gop in sorted(gops):
            start = ranges.pop()[0] if gop == previous + 1 else self.start_s(gop)
            ranges.append((start, self.end_s(gop)))
            previous = gop
        return tuple(ranges)
