"""The frames and GOPs of a scene in time, and conversions between frames, GOPs and seconds."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from streamstgs.codec.package.gop_times import GopTimes
from streamstgs.codec.scene import Scene

ROUNDING_FRAMES = 1e-4  # a position of exactly frame / fps must come back as that frame
MARKED_GOPS = 2_000  # starts of more GOPs are not listed: the marks would touch each other


@dataclass(frozen=True)
class Timeline:
    """The frames of a scene and the GOPs they belong to. Immutable.

    No method takes longer for a longer scene, but for `starts_s`.

    Args:
        fps: Content frames per second.
        gop_frames: Number of frames of each GOP, all > 0.
        first_gop: The first one that can be shown; of a live scene those before it may be gone.
    """

    fps: float
    gop_frames: Sequence[int]
    first_gop: int = 0

    @staticmethod
    def of(scene: Scene) -> Timeline:
        return Timeline(scene.meta.fps, scene.gop_times, scene.first_gop)

    @cached_property
    def _times(self) -> GopTimes:
        times = self.gop_frames
        return times if isinstance(times, GopTimes) else GopTimes.of(times)

    @property
    def gop_count(self) -> int:
        return len(self._times)

    @property
    def frames(self) -> int:
        return self._times.frames

    @property
    def duration_s(self) -> float:
        return self.frames / self.fps

    def start(self, gop: int) -> int:
        """First content frame of a GOP."""
        return self._times.start(gop)

    @cached_property
    def starts_s(self) -> tuple[float, ...]:
        """The times at which GOPs start; empty for more than `MARKED_GOPS` of them."""
        if self.gop_count > MARKED_GOPS:
            return ()
        return tuple(map(self.start_s, range(self.gop_count)))

    def start_s(self, gop: int) -> float:
        return self.start(gop) / self.fps

    def end_s(self, gop: int) -> float:
        return self.start(gop + 1) / self.fps

    def frame_at(self, position_s: float) -> int:
        """The content frame at a time; clamped to the scene."""
        frame = int(position_s * self.fps + ROUNDING_FRAMES)
        return min(max(frame, self.first_frame), self.frames - 1)

    @property
    def first_frame(self) -> int:
        """The first content frame that can be shown."""
        return self.start(self.first_gop) if self.first_gop else 0

    def share_at(self, position_s: float) -> float:
        """How much of the way from the content frame at a time to the next one has passed, 0..1."""
        share = position_s * self.fps - self.frame_at(position_s)
        return min(share, 1.0) if share > ROUNDING_FRAMES else 0.0

    def entry_s(self, gop: int, backwards: bool = False) -> float:
        """The time of the frame of a GOP that is played first."""
        frame = self.start(gop + 1) - 1 if backwards else self.start(gop)
        return frame / self.fps

    def locate(self, frame: int) -> tuple[int, int]:
        """The GOP of a content frame, and the index of the frame in that GOP."""
        return self._times.locate(frame)

    def nearest_in(self, gop: int, frame: int) -> int:
        """The content frame of a GOP that is nearest to another content frame."""
        return min(max(frame, self.start(gop)), self.start(gop + 1) - 1)

    def by_distance(self, frame: int, gops: Iterable[int]) -> list[int]:
        """GOPs, the nearest to a content frame first; of two as near, the later one."""
        away = {gop: self.nearest_in(gop, frame) - frame for gop in gops}
        return sorted(away, key=lambda gop: (abs(away[gop]), away[gop] < 0))

    def outward(self, frame: int) -> Iterator[int]:
        """All GOPs in the order of `by_distance`, each found when it is asked for."""
        here, _ = self.locate(frame)
        later, earlier = here + 1, here - 1
        yield here
        while later < self.gop_count or earlier >= self.first_gop:
            nearest = [gop for gop in (later, earlier) if self.first_gop <= gop < self.gop_count]
            gop = self.by_distance(frame, nearest)[0]
            later, earlier = later + (gop == later), earlier - (gop == earlier)
            yield gop

    def following(self, gop: int, loop: bool, backwards: bool = False) -> Iterator[int]:
        """The GOP and all that are played after it, across the end if `loop`; no repeats.

        Args:
            backwards: Whether content runs backwards.
        """
        if backwards:
            yield from range(gop, self.first_gop - 1, -1)
            across = range(self.gop_count - 1, gop, -1)
        else:
            yield from range(gop, self.gop_count)
            across = range(self.first_gop, gop)
        if loop:
            yield from across

    def ahead(self, gop: int, count: int, loop: bool, backwards: bool = False) -> list[int]:
        """The GOP and up to `count` that are played after it, as of `following`."""
        return list(itertools.islice(self.following(gop, loop, backwards), count + 1))

    def rest_s(self, gop: int, position_s: float, backwards: bool = False) -> float:
        """Content seconds of a GOP that are still to be played from a position in it."""
        return position_s - self.start_s(gop) if backwards else self.end_s(gop) - position_s

    def ahead_s(
        self,
        position_s: float,
        ready: Container[int],
        loop: bool,
        backwards: bool = False,
        passed_over: Callable[[int], bool] = lambda gop: False,
    ) -> float:
        """Content seconds from a position on whose GOPs are all in `ready`.

        Args:
            passed_over: Whether a GOP that is not there is left out.
        """
        gop, _ = self.locate(self.frame_at(position_s))
        ahead_s = 0.0
        for following in self.following(gop, loop, backwards):
            if following not in ready:
                if passed_over(following):
                    continue
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
