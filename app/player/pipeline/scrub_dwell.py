"""Watching the hand that drags the timeline."""

from __future__ import annotations

from collections.abc import Callable


class ScrubDwell:
    """Where the hand rests. Lives in the source thread.

    Args:
        rest_s: for so long it has to be at the same place.
    """

    def __init__(self, monotonic: Callable[[], float], rest_s: float) -> None:
        self._monotonic = monotonic
        self._rest_s = rest_s
        self._place = -1
        self._since_s = monotonic()

    def rests(self, place: int) -> bool:
        """Whether it was at this place each time that it was asked for, for long enough."""
        now_s = self._monotonic()
        if place != self._place:
            self._place, self._since_s = place, now_s
        return now_s - self._since_s >= self._rest_s
