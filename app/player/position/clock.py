"""The playback clock: the content time that is due now."""

from __future__ import annotations

from collections.abc import Callable

from streamstgs.app.player.position.time_mapping import WHOLE_SCENE, TimeMapping


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
        self._mapping: TimeMapping = WHOLE_SCENE
        self._strays = (
            False  # a seek went to a time that is not passed; playing begins at the start
        )
        self._rate = 1.0
        self._run_s = 0.0  # at the anchor
        self._anchor_s = monotonic()
        self._looked_s = self._anchor_s

    @property
    def rate(self) -> float:
        """Seconds of run time per second; negative plays backwards."""
        return self._rate

    @property
    def time_mapping(self) -> TimeMapping:
        """Which content times are passed."""
        return self._mapping

    @property
    def content_rate(self) -> float:
        """Content seconds per second at this moment; negative while content runs backwards."""
        if self._mapping is WHOLE_SCENE or self.duration_s <= 0.0:
            return self._rate
        return self._rate * self._mapping.slope(self.run_s, self.duration_s, self.loop)

    @property
    def run_s(self) -> float:
        """The run time, which the time mapping turns into content time."""
        if self.paused:
            return self._run_s
        return self._run_s + self._rate * (self._monotonic() - self._anchor_s)

    def position_s(self) -> float:
        """Content time now: 0 .. duration_s, wrapped when looping, else held at the end."""
        if self.duration_s <= 0.0:
            return 0.0
        if self._strays:
            return min(max(self._run_s, 0.0), self.duration_s)
        run_s = self.run_s
        if self._mapping is WHOLE_SCENE and 0.0 <= run_s < self.duration_s:
            return run_s  # as the mapping would, but faster: it is asked for several times a frame
        return self._mapping.position_s(run_s, self.duration_s, self.loop)

    def ended(self) -> bool:
        """Whether the end was reached (or the start, backwards); never when looping."""
        if self.loop:
            return False
        return self._mapping.has_ended(self.run_s, self._rate, self.duration_s, self.loop)

    def end_position_s(self) -> float:
        """The content time to report once the end was reached."""
        return self._mapping.end_s(self.run_s, self._rate, self.duration_s)

    def look(self, step_s: float) -> float:
        """The position of the next frame. Re-anchors when this call comes too late.

        A window that stood still for longer than `late_s` continues one `step_s` after its last
        position, instead of racing to make up for the lost time.
        """
        now = self._monotonic()
        gap, self._looked_s = now - self._looked_s, now
        if not self.paused and gap > self._late_s:
            lost = max(gap - step_s / abs(self._rate), 0.0)
            self._anchor_s += lost
            self.late_s_total += lost
        return self.position_s()

    def pause(self) -> None:
        if not self.paused:
            self._anchor(self._folded(self.run_s))
            self.paused = True

    def play(self) -> None:
        if self.paused:
            if self._strays:
                self._run_s = self._mapping.start_s(self._rate, self.duration_s)
                self._strays = False
            self._anchor(self._run_s)
            self.paused = False

    def set_rate(self, rate: float) -> None:
        """Change the speed without a jump in position; negative plays backwards."""
        self._anchor(self._folded(self.run_s))
        self._rate = rate

    def set_loop(self, loop: bool) -> None:
        self._anchor(self._folded(self.run_s))
        self.loop = loop

    def set_time_mapping(self, mapping: TimeMapping, run_s: float | None = None) -> None:
        """Pass other content times from now on.

        Args:
            run_s: The run time to go on at; None goes on at the present position.
        """
        position_s = self.position_s()
        self._mapping = mapping
        self._anchor(mapping.run_at(position_s, 0.0) if run_s is None else run_s)
        self._stray(position_s if run_s is None else self.position_s())

    def move(self, position_s: float) -> None:
        """Continue from another content time, clamped to the scene."""
        position_s = min(max(position_s, 0.0), self.duration_s)
        self._anchor(self._mapping.run_at(position_s, self.run_s))
        self._stray(position_s)

    def rewind(self) -> None:
        """Go to where playing begins: the start, backwards the end."""
        self._anchor(self._mapping.start_s(self._rate, self.duration_s))
        self._strays = False

    def _stray(self, position_s: float) -> None:
        """Note whether the position is not passed; a running clock goes to the start."""
        self._strays = not self._mapping.contains(position_s)
        if self._strays and not self.paused:
            self.rewind()

    def _folded(self, run_s: float) -> float:
        """The run time, without the scenes that it has run through: numbers stay small."""
        if self._mapping is WHOLE_SCENE and self.duration_s > 0.0:
            return WHOLE_SCENE.position_s(run_s, self.duration_s, self.loop)
        return run_s

    def _anchor(self, run_s: float) -> None:
        self._run_s = run_s
        self._anchor_s = self._looked_s = self._monotonic()
