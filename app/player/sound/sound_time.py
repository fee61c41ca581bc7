"""Seconds that only grow and follow the clock of a sound device while it plays."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from streamstgs.codec.package.sound_track import RATE_HZ

FOLLOWED = 0.05  # share of the difference to the device that each report takes away
FASTEST = 0.1  # the time runs at most so much faster or slower than the system's
LOST_S = 0.1  # after a larger difference the device counts as interrupted, and is followed anew


class SoundTime:
    """The time of a viewer with sound. Any thread may use it.

    Pictures and sound come from two clocks that drift apart. While a device plays, this time
    follows the samples that were heard; in between and otherwise it runs as the system's does. It
    never jumps.

    Args:
        monotonic: Seconds of the system that only grow.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()  # guards the fields below
        self._offset_s = 0.0  # of this time to the system's
        self._follows = False
        self._origin_s: float | None = None  # this time when the device had played nothing
        self._reported_s = 0.0  # system time of the last report

    def now(self) -> float:
        """Seconds that only grow."""
        with self._lock:
            return self._monotonic() + self._offset_s

    def follow(self) -> None:
        """Follow a device that starts to play, from its first report on."""
        with self._lock:
            self._follows, self._origin_s = True, None

    def release(self) -> None:
        """Follow no device: run as the system's time does."""
        with self._lock:
            self._follows, self._origin_s = False, None

    def heard(self, frames: int) -> None:
        """Report how many samples of each channel were heard since `follow`."""
        with self._lock:
            if not self._follows:
                return
            system_s = self._monotonic()
            if self._origin_s is None:
                self._origin_s = system_s + self._offset_s - frames / RATE_HZ
                self._reported_s = system_s
            passed_s, self._reported_s = system_s - self._reported_s, system_s
            behind_s = self._origin_s + frames / RATE_HZ - (system_s + self._offset_s)
            if abs(behind_s) > LOST_S:
                self._origin_s -= behind_s
                return
            most_s = FASTEST * passed_s
            self._offset_s += min(max(FOLLOWED * behind_s, -most_s), most_s)
