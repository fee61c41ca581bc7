"""The frame on the screen, and the frames that were due and not shown."""

from __future__ import annotations

import math
from collections.abc import Callable

from streamstgs.app.player.buffer.gop_cache import CachedGop
from streamstgs.app.player.rendering.frame_pacing import DroppedFrameMonitor, DroppedFrameSettings
from streamstgs.app.player.status import PlaybackFrame
from streamstgs.app.player.timeline import Timeline


class ShownFrames:
    """Makes the frames that a playback shows, and counts those that come too late.

    Belongs to the thread that calls `Playback`.

    Args:
        settings: When rendering counts as too slow.
        monotonic: Seconds that only grow.

    Attributes:
        newest: The frame that was shown last.
        late: How many frames were due and skipped.
        dropped: Judges whether rendering keeps up.
    """

    def __init__(self, settings: DroppedFrameSettings, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self.newest: PlaybackFrame | None = None
        self.late = 0
        self.dropped = DroppedFrameMonitor(settings)
        self._skipped = 0  # as `note_skipped` was told last

    def current(self, serial: int) -> PlaybackFrame | None:
        """The newest frame, if it is of this seek."""
        return self.newest if self.newest and self.newest.serial == serial else None

    def show(
        self,
        timeline: Timeline,
        cached: CachedGop,
        index: int,
        serial: int,
        rate: float | None,
        most_excluded: int,
        share: float = 0.0,
    ) -> PlaybackFrame:
        """The frame to show; the same object as before if nothing changed.

        Args:
            timeline: Of the scene.
            cached: The decoded GOP.
            index: The content frame.
            serial: Number of the seek.
            rate: Content seconds per second, negative backwards; None while time stands.
            most_excluded: How many qualities may be excluded where rendering is too slow.
            share: How much of the way to the next frame has passed, 0 .. 1, where moments between
                frames are shown.
        """
        _, inside = timeline.locate(index)
        # another scene may just have replaced this one
        moment = min(inside + share, cached.gop.frames - 1.0)
        frame = PlaybackFrame(cached.gop, moment, index, cached.quality, serial, cached.still)
        old = self.newest
        if old is not None and _same(old, frame, time_stands=rate is None):
            return old
        if rate is not None and old is not None and old.serial == serial:
            self._count(index - old.index if rate > 0.0 else old.index - index, rate, most_excluded)
        self.newest = frame
        return frame

    def _count(self, gone: int, rate: float, most_excluded: int) -> None:
        """Count the frames from one shown frame to the next, `gone` frames later."""
        if gone > 0:
            late = max(0, gone - max(1, math.ceil(abs(rate))))
            self.late += late
            self.dropped.count(self._monotonic(), 1, late, most_excluded)

    def note_skipped(self, frames: int, most_excluded: int | None) -> None:
        """Count frames that rendering skipped.

        Args:
            frames: Skipped frames since the start.
            most_excluded: As of `show`; None before the scene is open, when nothing is judged.
        """
        fresh, self._skipped = frames - self._skipped, frames
        if fresh > 0 and most_excluded is not None:
            self.dropped.count(self._monotonic(), 0, fresh, most_excluded)


def _same(a: PlaybackFrame, b: PlaybackFrame, time_stands: bool) -> bool:
    """Whether `b` shows nothing new; while time stands, the shown moment of a frame is kept."""
    moment = time_stands or a.frame == b.frame
    return a.gop is b.gop and a.index == b.index and a.serial == b.serial and moment
