"""Follows the live edge: the end of what a live scene has so far."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

REMEMBERED = 8  # edges
LATE_S = 1.0  # an edge is noticed so late by a player that asks once a second


@dataclass(frozen=True)
class LiveSettings:
    """How a live scene is followed.

    Args:
        latency_s: Content between the position and the live edge when a segment arrives in time:
            what outlasts a late one.
        tolerance_s: Within so many seconds of `latency_s` the speed is 1; at most a third of
            `latency_s` counts. What is measured is the arrival of segments, so less is noise.
        jump_s: A position that is farther off than this is left by a jump.
        catch_up: By how much speed is changed beyond `tolerance_s`, until `latency_s` is reached.
    """

    latency_s: float = 4.0
    tolerance_s: float = 1.25
    jump_s: float = 8.0
    catch_up: float = 0.05

    @property
    def dead_band_s(self) -> float:
        """How far off a position is left alone."""
        return min(self.tolerance_s, self.latency_s / 3.0)


@dataclass(frozen=True)
class LiveStatus:
    """Where a playback is in a live scene.

    Args:
        edge_s: Content time of the live edge.
        behind_s: Content seconds from the position to it.
        following: Whether playback stays near it; false after a pause or a seek.
    """

    edge_s: float
    behind_s: float
    following: bool


class LiveFollower:
    """Where to be in a live scene. Belongs to the thread that calls `Playback`.

    The edge moves in steps, a GOP at a time, and is noticed a little late. It is taken to move on
    with the clock of this machine, as early as the earliest of the last steps was noticed; no clock
    of another machine is needed. A step that is late moves the goal only when it is overdue by more
    than the tolerance. The speed has a dead band with hysteresis, as that of players of DASH and
    HLS: it is 1 within the tolerance, and once that is left it changes until the goal is reached.

    Args:
        settings: How a live scene is followed.
        monotonic: Seconds that only grow.

    Attributes:
        following: Whether playback stays near the edge.
    """

    def __init__(self, settings: LiveSettings, monotonic: Callable[[], float]) -> None:
        self._settings, self._monotonic = settings, monotonic
        self.following = True
        self._edge_s = 0.0
        self._guessed = False  # the first edge was noticed somewhere within its step
        self._lags_s = deque[float](maxlen=REMEMBERED)  # time minus content, at the newest edges

    def forget(self) -> None:
        """Begin anew, because another scene took the place."""
        self._edge_s, self._guessed = 0.0, False
        self._lags_s.clear()

    def note_edge(self, edge_s: float, step_s: float) -> None:
        """Record that the scene has grown.

        Args:
            edge_s: Content time of its end.
            step_s: Length of its newest GOP; short ones are noticed several at a time.
        """
        if edge_s <= self._edge_s:
            return
        settings = self._settings
        if self._lags_s:
            step_s = max(step_s, min(edge_s - self._edge_s, settings.latency_s))
        lag_s = self._monotonic() - (edge_s - step_s)
        stopped = bool(self._lags_s) and lag_s - min(self._lags_s) > step_s + LATE_S
        if self._guessed or stopped:
            self._lags_s.clear()
        self._guessed = self._edge_s == 0.0
        if self._guessed:  # so that it is right within the dead band, or too far from the edge
            lag_s -= min(step_s, settings.dead_band_s)
        self._edge_s = edge_s
        self._lags_s.append(lag_s)

    def goal_s(self) -> float:
        """The content time to be at now."""
        if not self._lags_s:
            return 0.0
        settings = self._settings
        expected_s = self._monotonic() - min(self._lags_s)
        edge_s = min(expected_s, self._edge_s + settings.dead_band_s)
        return max(edge_s - settings.latency_s, 0.0)

    def jump_from(self, position_s: float) -> float | None:
        """Where to jump from a position that is far off; None to play on."""
        goal_s = self.goal_s()
        far = abs(goal_s - position_s) > self._settings.jump_s
        return goal_s if self.following and far else None

    def rate_at(self, position_s: float, rate: float) -> float:
        """The speed to play on with; exactly 1 while the position is good.

        Args:
            rate: The present speed, kept until the goal is reached.
        """
        settings, error_s = self._settings, self.goal_s() - position_s
        if not self.following:
            return 1.0
        if abs(error_s) > settings.dead_band_s:
            return 1.0 + settings.catch_up if error_s > 0 else 1.0 - settings.catch_up
        still_off = (rate - 1.0) * error_s > 0
        return rate if still_off else 1.0

    def status(self, position_s: float) -> LiveStatus:
        """Where a position is."""
        return LiveStatus(self._edge_s, self._edge_s - position_s, self.following)
