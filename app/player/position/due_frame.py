"""The frame that is due: at the position, decoded, and not in a broken GOP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from streamstgs.app.player.buffer.gop_cache import CachedGop
from streamstgs.app.player.position.playhead import Playhead
from streamstgs.app.player.timeline import Timeline

NORMAL = 1.0 - 1e-6  # slower content shows moments between frames


class DecodedGops(Protocol):
    """What a pipeline has decoded and buffered."""

    def get(self, gop: int) -> CachedGop | None:
        """A decoded GOP; None while it is not decoded."""
        ...

    def is_broken(self, gop: int) -> bool:
        """Whether a GOP cannot be shown at any quality."""
        ...

    def ready_gops(self) -> frozenset[int]:
        """GOPs that can be played without a network, decoded or not."""
        ...


class DueFrame:
    """Finds the frame to show. Belongs to the thread that calls `Playback`.

    Args:
        playhead: Where playback is; moved on from broken GOPs.
        decoded: What can be shown.
        request: Called with the GOP at the position, and the position in seconds.
        end: Called if no GOP that follows is intact.
    """

    def __init__(
        self,
        playhead: Playhead,
        decoded: DecodedGops,
        request: Callable[[int, float], None],
        end: Callable[[], None],
    ) -> None:
        self._playhead, self._decoded = playhead, decoded
        self._request, self._end = request, end

    def find(self, timeline: Timeline, smooth: bool) -> tuple[int, CachedGop | None, float]:
        """The frame at the position, its GOP if that is decoded, and the way to the next frame.

        All are of one look at the clock, which may pass into the next GOP at any time.

        Args:
            timeline: Of the scene.
            smooth: Whether moments between frames are shown; else the way, 0 .. 1, is 0.
        """
        for _ in range(timeline.gop_count):
            position_s = self._playhead.position_s()
            index = timeline.frame_at(position_s)
            gop, _ = timeline.locate(index)
            self._request(gop, position_s)
            if not self._decoded.is_broken(gop):
                slow = smooth and abs(self._playhead.clock.content_rate) < NORMAL
                share = timeline.share_at(position_s) if slow else 0.0
                return index, self._decoded.get(gop), share
            if not self._leave_broken(timeline, gop):
                break
        return self._playhead.frame(timeline), None, 0.0

    def _leave_broken(self, timeline: Timeline, gop: int) -> bool:
        """Move to the next GOP that may be intact, at the end to the one before; False: none is."""
        clock, backwards = self._playhead.clock, self._playhead.is_backwards
        for candidate in timeline.following(gop, clock.loop, backwards):
            if not self._decoded.is_broken(candidate):
                clock.move(timeline.entry_s(candidate, backwards))
                return True
        self._end()
        for candidate in range(gop - 1, timeline.first_gop - 1, -1):
            if not self._decoded.is_broken(candidate):
                clock.move(timeline.entry_s(candidate, backwards=True))
                return True
        return False

    def ahead_s(self, timeline: Timeline) -> float:
        """Content seconds from the position on that can be played without a network.

        Broken GOPs are passed over.
        """
        ready, loop = self._decoded.ready_gops(), self._playhead.clock.loop
        position_s, backwards = self._playhead.position_s(), self._playhead.is_backwards
        return timeline.ahead_s(position_s, ready, loop, backwards, self._decoded.is_broken)
