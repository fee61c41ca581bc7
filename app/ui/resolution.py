"""How large pictures are drawn: a share of the window's pixels, so that motion stays smooth."""

from __future__ import annotations

LEVELS = (1.0, 0.75, 0.5, 0.33)
_BUDGET_MS = 33.0  # a picture shall take no longer while something moves
_HEADROOM = 0.8  # going up again needs this much to spare
_SETTLE_S = 0.25  # after so long without motion the picture is drawn at full size
_SMOOTHING = 0.2


class Resolution:
    """Chooses the scale of the next picture. Owner: the GUI thread.

    `fixed` is a share that a person chose, None for automatic: then cost per pixel is watched, and
    what stands still gets all pixels.
    """

    def __init__(self, fixed: float | None = None) -> None:
        self.fixed = fixed
        self._level = 0
        self._full_ms: float | None = None  # smoothed cost of a picture at full size
        self._still_s = 0.0

    def scale(self) -> float:
        if self.fixed is not None:
            return self.fixed
        return 1.0 if self._still_s >= _SETTLE_S else LEVELS[self._level]

    def pass_time(self, dt_s: float, moving: bool) -> None:
        self._still_s = 0.0 if moving else self._still_s + dt_s

    def measured(self, cost_ms: float, scale: float) -> None:
        """A picture at `scale` took `cost_ms`, all steps together."""
        full_ms = cost_ms / scale**2
        known = self._full_ms
        self._full_ms = full_ms if known is None else known + _SMOOTHING * (full_ms - known)
        while self._level + 1 < len(LEVELS) and self._cost_ms(self._level) > _BUDGET_MS:
            self._level += 1
        if self._level and self._cost_ms(self._level - 1) < _HEADROOM * _BUDGET_MS:
            self._level -= 1

    def _cost_ms(self, level: int) -> float:
        return (self._full_ms or 0.0) * LEVELS[level] ** 2
