"""How large pictures are drawn: a share of the window's pixels, so that motion stays smooth."""

from __future__ import annotations

from collections import deque
from statistics import median

LEVELS = (1.0, 0.75, 0.5, 0.33)
_BUDGET_MS = 33.0  # a picture shall take no longer while something moves
_HEADROOM = 0.75  # going up again needs this much to spare
_SETTLE_S = 0.25  # after so long without motion the picture is drawn at full size
_LEAST_SHARE = 0.4  # of the budget is for drawing even where moving the Gaussians takes it all
_SAMPLES = 9  # the median of so many: one that compiled or was interrupted tells nothing
_FIRST_SAMPLES = 3


class Resolution:
    """Chooses the scale of the next picture. Owner: the GUI thread.

    `fixed` is a share that a person chose, None for automatic: then the time of a picture is
    watched, and what stands still gets all pixels. Moving the Gaussians costs the same at every
    size, drawing them is taken as proportional to the pixels.
    """

    def __init__(self, fixed: float | None = None) -> None:
        self.fixed = fixed
        self._level = 0
        self._deform_ms: deque[float] = deque([0.0], maxlen=_SAMPLES)
        self._full_raster_ms: deque[float] = deque(maxlen=_SAMPLES)
        self._still_s = 0.0

    def scale(self) -> float:
        if self.fixed is not None:
            return self.fixed
        return 1.0 if self._still_s >= _SETTLE_S else LEVELS[self._level]

    def pass_time(self, dt_s: float, moving: bool) -> None:
        self._still_s = 0.0 if moving else self._still_s + dt_s

    def measured(self, deform_ms: float, raster_ms: float, scale: float) -> None:
        """A picture at `scale` has been drawn; `deform_ms` 0 means that nothing was deformed."""
        if deform_ms > 0.0:
            self._deform_ms.append(deform_ms)
        self._full_raster_ms.append(raster_ms / scale**2)
        if len(self._full_raster_ms) < _FIRST_SAMPLES:
            return
        room_ms = max(_BUDGET_MS - median(self._deform_ms), _LEAST_SHARE * _BUDGET_MS)
        if self._raster_ms(self._level) > room_ms:
            self._level = min(self._level + 1, len(LEVELS) - 1)
            self._full_raster_ms.clear()  # judge the new size by its own pictures
        elif self._level and self._raster_ms(self._level - 1) < _HEADROOM * room_ms:
            self._level -= 1
            self._full_raster_ms.clear()

    def _raster_ms(self, level: int) -> float:
        return median(self._full_raster_ms) * LEVELS[level] ** 2
