"""Tells whether a visitor uses the kiosk."""

from __future__ import annotations


class IdleTimer:
    """Occupied from the first input until `idle_s` have passed without one.

    Args:
        idle_s: Seconds without input after which the visitor counts as gone.
    """

    def __init__(self, idle_s: float) -> None:
        self._idle_s = idle_s
        self._input_s: float | None = None  # time of the last input of a visitor

    @property
    def occupied(self) -> bool:
        """Whether a visitor is there."""
        return self._input_s is not None

    def touch(self, now_s: float) -> bool:
        """Report an input; returns whether a visitor has just come."""
        came = self._input_s is None
        self._input_s = now_s
        return came

    def tick(self, now_s: float) -> bool:
        """Return whether the visitor has just gone."""
        if self._input_s is None or now_s - self._input_s < self._idle_s:
            return False
        self._input_s = None
        return True
