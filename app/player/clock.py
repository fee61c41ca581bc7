"""The playback clock: the content time that is due now."""

from __future__ import annotations

from collections.abc import Callable


class PlaybackClock:
    """Content time as a function of a monotonic time.

    The position is computed from an anchor, never accumulated, so it does not drift. Belongs to the
    thread that calls `Playback`.

    Args:
        monotonic: Seconds that only grow, such as `time.monotonic`.
        late_s: A longer gap between two calls of `look` does not count as played.
        duration_s: Length of the content; 0 while it is unknown.
        loop: Whether the position wraps at the end.
    """

    def __init__(
        self,
        monotonic: Callable[[], float],
        late_s: float = 0.2,
        duration_s: float = 0.0,
        loop: bool = False,
    ) -> None:
        self._monotonic = monotonic
        self._late_s = late_s
        self.duration_s = duration_s
        self.loop = loop
        self.paused = True
        self.late_s_total = 0.0
        self._rate = 1.0
        self._position_s = 0.0  # at the anchor
        self._anchor_s = monotonic()
        self._looked_s = self._anchor_s

    @property
    def rate(self) -> float:
        return self._rate

    def position_s(self) -> float:
        """Content time now: 0 .. duration_s, wrapped when looping, else held at the end."""
        return self._wrapped(self._unwrapped())

    def ended(self) -> bool:
        """Whether the end was reached; never when looping."""
        return not self.loop and self._unwrapped() >= self.duration_s

    def look(self, step_s: float) -> float:
        """The position of the next frame. Re-anchors when this call comes too late.

        A window that stood still for longer than `late_s` continues one `step_s` after its last
        position, instead of racing to make up for the lost time.
        """
        now = self._monotonic()
        gap, self._looked_s = now - self._looked_s, now
        if not self.paused and gap > self._late_s:
            lost = max(gap - step_s / self._rate, 0.0)
            self._anchor_s += lost
            self.late_s_total += lost
        return self.position_s()

    def pause(self) -> None:
        if not self.paused:
            self._anchor(self.position_s())
            self.paused = True

    def play(self) -> None:
        if self.paused:
            self._anchor(self._position_s)
            self.paused = False

    def set_rate(self, rate: float) -> None:
        """Change the speed without a jump in position."""
        self._anchor(self.position_s())
        self._rate = rate

    def set_loop(self, loop: bool) -> None:
        self._anchor(self.position_s())
        self.loop = loop

    def move(self, position_s: float) -> None:
        """Continue from another content time, clamped to the scene."""
        self._anchor(min(max(position_s, 0.0), self.duration_s))

    def _unwrapped(self) -> float:
        if self.paused:
            return self._position_s
        return self._position_s + self._rate * (self._monotonic() - self._anchor_s)

    def _wrapped(self, position_s: float) -> float:
        if self.duration_s <= 0.0:
            return 0.0
        if self.loop and position_s >= self.duration_s:
            return position_s % self.duration_s
        return min(position_s, self.duration_s)

    def _anchor(self, position_s: float) -> None:
        self._position_s = position_s
        self._anchor_s = self._looked_s = self._monotonic()
