"""Time mappings: which content times a running clock passes.

A clock counts run time, which only grows (or only falls while playing backwards). A time mapping
turns it into content time: through the scene, again and again through a part of it, back and forth,
or along the curve of a time track.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

SHORTEST_S = 1e-3  # of a part of the scene that is repeated
SLOPE_STEP_S = 1e-3
ROUNDING_S = 1e-9  # a position so shortly before the end of a part is its start


class TimeMapping(Protocol):
    """Content time as a function of run time; all times in seconds."""

    def position_s(self, run_s: float, duration_s: float, loop: bool) -> float:
        """The content time at a run time.

        Args:
            duration_s: Length of the scene, above 0.
            loop: Whether the scene, or the film, starts again at its end.
        """
        ...

    def slope(self, run_s: float, duration_s: float, loop: bool) -> float:
        """Content seconds per second of run time; negative while content runs backwards."""
        ...

    def has_ended(self, run_s: float, rate: float, duration_s: float, loop: bool) -> bool:
        """Whether nothing follows; never while `loop` is set."""
        ...

    def run_at(self, position_s: float, run_s: float) -> float:
        """The run time after a seek to a content time; `run_s` if seeks are of no effect."""
        ...

    def contains(self, position_s: float) -> bool:
        """Whether this content time is passed; playing from another one begins at the start."""
        ...

    def start_s(self, rate: float, duration_s: float) -> float:
        """The run time at which playing begins."""
        ...

    def end_s(self, run_s: float, rate: float, duration_s: float) -> float:
        """The content time that is shown when it has ended."""
        ...


@dataclass(frozen=True)
class SceneTimeMapping:
    """Straight through the scene, or again and again through a part of it.

    Args:
        part_s: (start, end) of the part that is repeated (A-B loop); None for the whole scene.
        bounces: Whether content turns back at both ends (ping-pong).
    """

    part_s: tuple[float, float] | None = None
    bounces: bool = False

    def position_s(self, run_s: float, duration_s: float, loop: bool) -> float:
        low, high = self._bounds(duration_s)
        if self.bounces:
            phase_s = (run_s - low) % (2.0 * (high - low))
            return low + min(phase_s, 2.0 * (high - low) - phase_s)
        if not (loop or self.part_s):
            return min(max(run_s, low), high)
        inside_s = (run_s - low) % (high - low)
        return low if high - low - inside_s < ROUNDING_S else low + inside_s

    def slope(self, run_s: float, duration_s: float, loop: bool) -> float:
        low, high = self._bounds(duration_s)
        turned = self.bounces and (run_s - low) % (2.0 * (high - low)) > high - low
        return -1.0 if turned else 1.0

    def has_ended(self, run_s: float, rate: float, duration_s: float, loop: bool) -> bool:
        if loop or self.bounces or self.part_s:
            return False
        return run_s >= duration_s if rate > 0.0 else run_s < 0.0

    def run_at(self, position_s: float, run_s: float) -> float:
        return position_s

    def contains(self, position_s: float) -> bool:
        return self.part_s is None or self.part_s[0] <= position_s < self.part_s[1]

    def start_s(self, rate: float, duration_s: float) -> float:
        low, high = self._bounds(duration_s)
        return low if rate > 0.0 or self.bounces else high - SHORTEST_S

    def end_s(self, run_s: float, rate: float, duration_s: float) -> float:
        return duration_s if rate > 0.0 else 0.0

    def _bounds(self, duration_s: float) -> tuple[float, float]:
        low, high = self.part_s or (0.0, duration_s)
        low = min(max(low, 0.0), max(duration_s - SHORTEST_S, 0.0))
        return low, max(min(high, duration_s), low + SHORTEST_S)


@dataclass(frozen=True)
class FilmTimeMapping:
    """Along the curve of a time track; run time is the time of the film.

    Args:
        content_at: Gives the content time of a time of the film, as `TimeCurve.content_at`.
        film_s: Length of the film, above 0.
    """

    content_at: Callable[[float, float], float]
    film_s: float

    def position_s(self, run_s: float, duration_s: float, loop: bool) -> float:
        return min(max(self.content_at(self.film_time(run_s, loop), duration_s), 0.0), duration_s)

    def film_time(self, run_s: float, loop: bool) -> float:
        """The time of the film at a run time."""
        return run_s % self.film_s if loop else min(max(run_s, 0.0), self.film_s)

    def slope(self, run_s: float, duration_s: float, loop: bool) -> float:
        before, after = (
            self.position_s(run_s + step_s, duration_s, False) for step_s in (0.0, SLOPE_STEP_S)
        )
        slope = (after - before) / SLOPE_STEP_S
        return slope if abs(slope) < 0.5 * duration_s / SLOPE_STEP_S else 1.0  # not at a wrap

    def has_ended(self, run_s: float, rate: float, duration_s: float, loop: bool) -> bool:
        return not loop and run_s >= self.film_s

    def run_at(self, position_s: float, run_s: float) -> float:
        return run_s

    def contains(self, position_s: float) -> bool:
        return True

    def start_s(self, rate: float, duration_s: float) -> float:
        return 0.0

    def end_s(self, run_s: float, rate: float, duration_s: float) -> float:
        return self.position_s(run_s, duration_s, False)


WHOLE_SCENE = SceneTimeMapping()
