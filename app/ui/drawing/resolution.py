"""Chooses the resolution of images as a share of the window's pixels, so that motion is smooth."""

from __future__ import annotations

from collections import deque
from statistics import median

LEVELS = (1.0, 0.75, 0.5, 0.33)
_BUDGET_MS = 33.0  # an image takes no longer than this while something moves
_HEADROOM = 0.75  # a larger size may use this share of the budget
_SETTLE_S = 0.25  # after so long without motion the image is rendered at full size
_LEAST_SHARE = 0.4  # of the budget is for rasterising, even if deforming takes all of it
_SAMPLES = 9  # the median ignores images that compiled something or were interrupted
_FIRST_SAMPLES = 3
_SAME_SCALE = 0.02  # sizes are whole pixels


class Resolution:
    """Chooses the scale of the next image. Owner: the GUI thread.

    `fixed` is a share that a person chose. None adapts it to the time that images take, and renders
    all pixels while nothing moves. How much longer a larger image takes is measured when images
    become smaller, since sorting the Gaussians costs the same at every size; until then the time is
    taken as proportional to the pixels.
    """

    def __init__(self, fixed: float | None = None) -> None:
        self.fixed = fixed
        self._level = 0
        self._deform_ms: deque[float] = deque([0.0], maxlen=_SAMPLES)
        self._raster_ms: deque[float] = deque(maxlen=_SAMPLES)  # at this level
        self._larger_ms: float | None = None  # at the level above, which has just been left
        self._growth: dict[int, float] = {}  # how many times longer the level above takes
        self._still_s = 0.0

    def scale(self) -> float:
        """The scale of the next image."""
        if self.fixed is not None:
            return self.fixed
        return 1.0 if self._still_s >= _SETTLE_S else LEVELS[self._level]

    def pass_time(self, dt_s: float, moving: bool) -> None:
        """Report the time since the last call, and whether frame, camera or size changed."""
        self._still_s = 0.0 if moving else self._still_s + dt_s

    def measured(self, deform_ms: float, raster_ms: float, scale: float) -> None:
        """Report the times of an image at `scale`; `deform_ms` is 0 if nothing was deformed."""
        if deform_ms > 0.0:
            self._deform_ms.append(deform_ms)
        if abs(scale - LEVELS[self._level]) > _SAME_SCALE:
            return  # requested before the level changed, or while nothing moved
        self._raster_ms.append(raster_ms)
        if len(self._raster_ms) < _FIRST_SAMPLES:
            return
        here_ms = median(self._raster_ms)
        self._learn(here_ms)
        room_ms = max(_BUDGET_MS - median(self._deform_ms), _LEAST_SHARE * _BUDGET_MS)
        if here_ms > room_ms and self._level + 1 < len(LEVELS):
            self._larger_ms = here_ms
            self._go_to(self._level + 1)
        elif self._level and here_ms * self._times_longer() < _HEADROOM * room_ms:
            self._go_to(self._level - 1)

    def _go_to(self, level: int) -> None:
        self._level = level
        self._raster_ms.clear()  # judge the new size by its own images

    def _learn(self, here_ms: float) -> None:
        """Compare the first images of a smaller size with the last larger ones."""
        if self._larger_ms is not None:
            times = self._larger_ms / max(here_ms, 1e-6)
            self._growth[self._level] = min(max(times, 1.0), self._more_pixels())
            self._larger_ms = None

    def _times_longer(self) -> float:
        return self._growth.get(self._level, self._more_pixels())

    def _more_pixels(self) -> float:
        """The pixels of the level above, relative to this one."""
        return (LEVELS[self._level - 1] / LEVELS[self._level]) ** 2
