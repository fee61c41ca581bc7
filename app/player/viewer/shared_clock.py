"""A clock that several playbacks share, so that their scenes show the same content time."""

from __future__ import annotations

import time
from collections.abc import Callable

from streamstgs.app.player.position.clock import PlaybackClock
from streamstgs.app.player.position.time_mapping import TimeMapping

LATE_S = 0.2  # as of `PlaybackSettings`


class SharedClock:
    """One content time. It runs while no member holds it: a scene that buffers holds them all.

    Belongs to the thread of the viewer model.

    Args:
        monotonic: Seconds that only grow.
        late_s: A longer gap between two ticks does not count as played.
    """

    def __init__(
        self, monotonic: Callable[[], float] = time.monotonic, late_s: float = LATE_S
    ) -> None:
        self.clock = PlaybackClock(monotonic, late_s)
        self._members: list[ClockMember] = []

    def member(self) -> ClockMember:
        """A clock for one more playback."""
        member = ClockMember(self)
        self._members.append(member)
        return member

    def leave(self, member: ClockMember) -> None:
        """Let time run without a playback that is closed."""
        if member in self._members:
            self._members.remove(member)
            self.update()

    def is_alone(self, member: ClockMember) -> bool:
        """Whether no other member has begun to play."""
        return not any(other.joined for other in self._members if other is not member)

    def update(self) -> None:
        """Set the duration to that of the shortest scene, and run or pause."""
        durations = [member.duration_s for member in self._members if member.duration_s > 0.0]
        self.clock.duration_s = min(durations, default=0.0)
        if any(member.holds for member in self._members):
            self.clock.pause()
        elif any(not member.paused for member in self._members):
            self.clock.play()


class ClockMember(PlaybackClock):
    """The clock of one playback. Its position is shared, holding is its own.

    A playback that opens while others play takes their position.
    """

    def __init__(self, shared: SharedClock) -> None:
        self._shared = shared
        self._own_duration_s = 0.0
        self._paused = True
        self.holds = False  # it pauses, or its scene buffers
        self.joined = False  # its scene is open

    @property
    def duration_s(self) -> float:  # type: ignore[override]
        return self._own_duration_s

    @duration_s.setter
    def duration_s(self, duration_s: float) -> None:
        self._own_duration_s = duration_s
        self._shared.update()

    @property
    def loop(self) -> bool:  # type: ignore[override]
        return self._shared.clock.loop

    @loop.setter
    def loop(self, loop: bool) -> None:
        self._shared.clock.set_loop(loop)

    @property
    def paused(self) -> bool:  # type: ignore[override]
        return self._paused

    @property
    def late_s_total(self) -> float:  # type: ignore[override]
        return self._shared.clock.late_s_total

    @property
    def rate(self) -> float:
        return self._shared.clock.rate

    @property
    def time_mapping(self) -> TimeMapping:
        return self._shared.clock.time_mapping

    @property
    def content_rate(self) -> float:
        return self._shared.clock.content_rate

    @property
    def run_s(self) -> float:
        return self._shared.clock.run_s

    def position_s(self) -> float:
        return self._shared.clock.position_s()

    def ended(self) -> bool:
        return self._shared.clock.ended()

    def end_position_s(self) -> float:
        return self._shared.clock.end_position_s()

    def look(self, step_s: float) -> float:
        return self._shared.clock.look(step_s)

    def pause(self) -> None:
        self._paused = self.holds = True
        self._shared.update()

    def play(self) -> None:
        self._paused = self.holds = False
        self._shared.update()

    def set_rate(self, rate: float) -> None:
        self._shared.clock.set_rate(rate)

    def set_loop(self, loop: bool) -> None:
        self._shared.clock.set_loop(loop)

    def set_time_mapping(self, mapping: TimeMapping, run_s: float | None = None) -> None:
        self._shared.clock.set_time_mapping(mapping, run_s)

    def rewind(self) -> None:
        self._shared.clock.rewind()

    def move(self, position_s: float) -> None:
        """Continue from another content time; the first move of a late member is left out."""
        if self.joined or self._shared.is_alone(self):
            self._shared.clock.move(position_s)
        self.joined = True
