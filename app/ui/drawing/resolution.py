"""Chooses the resolution of images as a share of the window's pixels, so that motion is smooth."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import median

LEVELS = (1.0, 0.75, 0.5, 0.33)
_HALF = LEVELS.index(0.5)  # the smallest size, unless content is dropped even there
_FLUENT_MS = 33.0  # an image of a moved camera takes no longer than this while content stands still
_KEPT = 0.9  # content keeps its rate if this share of its frames is shown
_LOST = 0.75  # a smaller share at half size allows the smallest size
_HEADROOM = 0.85  # a larger size may use this share of the time that there is
_STILL_HEADROOM = 0.75  # the same while content stands still
_SETTLE_S = 0.25  # after so long without motion the image is rendered at full size
_LEAST_SHARE = 0.4  # of the time is for rasterising, even if the other stages take all of it
_SAMPLES = 9  # the median ignores images that compiled something or were interrupted
_FIRST_SAMPLES = 3
_DUE_FRAMES = 24  # content is judged over so many frames
_LEAST_DUE = 12  # more than 1 / (1 - _KEPT): one frame skipped while the size changed is no loss
_GAIN = 1.08  # a smaller size is of use if it brings this many times as many images
_BLOCK_IMAGES = 240  # a size that was of no use is not tried again for so many images
_SAME_SCALE = 0.02  # sizes are whole pixels


@dataclass(frozen=True)
class StageTimes:
    """How long the stages of an image took, ms.

    Args:
        deform_ms: Moving the Gaussians; 0 if only the camera had moved.
        raster_ms: Rasterising; the only stage that depends on the resolution.
        present_ms: Bringing the image to the screen.
    """

    deform_ms: float
    raster_ms: float
    present_ms: float = 0.0


class Resolution:
    """Chooses the scale of the next image. Owner: the GUI thread.

    `fixed` is a share that a person chose. None adapts it and renders all pixels while nothing
    moves. While content plays, the question is whether its frames are shown at their rate, or at
    that of the display if this is lower: smoother motion of the camera is worth no pixels then.
    While it stands still, a moved camera should be fluent.

    How much longer a larger image takes is measured when images become smaller, since sorting the
    Gaussians costs the same at every size; until then the time is taken as proportional to the
    pixels. A smaller size that brings no more images is left again.
    """

    def __init__(self, fixed: float | None = None) -> None:
        self.fixed = fixed
        self._level = 0
        self._rate_hz = 0.0  # of content frames that can be shown; 0 while content stands still
        self._deform_ms: deque[float] = deque([0.0], maxlen=_SAMPLES)
        self._present_ms: deque[float] = deque([0.0], maxlen=_SAMPLES)
        self._raster_ms: deque[float] = deque(maxlen=_SAMPLES)  # at this level
        self._larger_ms: float | None = None  # at the level above, which has just been left
        self._growth: dict[int, float] = {}  # how many times longer the level above takes
        self._frame: int | None = None  # the content frame that was painted last
        self._due_frames: deque[float] = deque()  # content frames that each image stands for
        self._blocked = 0  # images for which no smaller size is tried
        self._still_s = 0.0
        self._per_image = 1.0  # content frames for each image that the display can show

    def begin(self, small: bool) -> None:
        """Forget what was measured: another renderer draws from now on.

        Args:
            small: Whether to begin with the smallest size, for a renderer that is known to be slow.
        """
        self._larger_ms, self._blocked = None, 0
        self._growth.clear()
        self._go_to(len(LEVELS) - 1 if small else 0)

    def scale(self) -> float:
        """The scale of the next image."""
        if self.fixed is not None:
            return self.fixed
        return 1.0 if self._still_s >= _SETTLE_S else LEVELS[self._level]

    def pass_time(self, dt_s: float, moving: bool) -> None:
        """Report the time since the last call, and whether frame, camera or size changed."""
        self._still_s = 0.0 if moving else self._still_s + dt_s

    def set_rates(self, content_hz: float, display_hz: float) -> None:
        """Report how many frames content has per second now, and how many the display can show.

        Args:
            content_hz: 0 while content stands still.
        """
        rate_hz = min(content_hz, display_hz)
        if rate_hz != self._rate_hz:
            self._rate_hz = rate_hz
            self._forget_frames()
        self._per_image = max(content_hz / display_hz, 1.0) if display_hz > 0 else 1.0

    def frame_painted(self, index: int) -> None:
        """Report the content frame of an image that reached the screen."""
        former, self._frame = self._frame, index
        if former is None or self._rate_hz <= 0.0 or index == former:
            return
        due = abs(index - former) / self._per_image
        if due > self._rate_hz:  # a seek, or the start again
            return
        self._due_frames.append(due)
        while sum(self._due_frames) - self._due_frames[0] >= _DUE_FRAMES:
            self._due_frames.popleft()

    def measured(self, times: StageTimes, scale: float) -> None:
        """Report the times of an image at `scale`."""
        if times.deform_ms > 0.0:
            self._deform_ms.append(times.deform_ms)
        self._present_ms.append(times.present_ms)
        self._blocked = max(self._blocked - 1, 0)
        if abs(scale - LEVELS[self._level]) > _SAME_SCALE:
            return  # requested before the level changed, or while nothing moved
        self._raster_ms.append(times.raster_ms)
        if len(self._raster_ms) < _FIRST_SAMPLES:
            return
        here_ms = median(self._raster_ms)
        if self._larger_ms is not None and not self._was_of_use(here_ms):
            self._blocked = _BLOCK_IMAGES
            self._go_to(self._level - 1)
        elif self._is_too_slow(here_ms) and self._may_be_smaller():
            self._larger_ms = here_ms
            self._go_to(self._level + 1)
        elif self._level and self._has_room(here_ms * self._times_longer()):
            self._go_to(self._level - 1)

    # --- judging ----------------------------------------------------------------------------------

    def _is_too_slow(self, here_ms: float) -> bool:
        if self._rate_hz <= 0.0:
            return here_ms > self._room_ms(_FLUENT_MS)
        busy_ms = self._others_ms() + here_ms
        lacks_time = busy_ms > _KEPT * 1000.0 / self._rate_hz
        return lacks_time and sum(self._due_frames) >= _LEAST_DUE and self._kept_share() < _KEPT

    def _may_be_smaller(self) -> bool:
        if self._blocked or self._level + 1 >= len(LEVELS):
            return False
        return self._level < _HALF or (self._rate_hz > 0.0 and self._kept_share() < _LOST)

    def _has_room(self, larger_ms: float) -> bool:
        """Whether the level above would be fast enough."""
        if self._rate_hz > 0.0:
            return self._others_ms() + larger_ms < _HEADROOM * 1000.0 / self._rate_hz
        return larger_ms < _STILL_HEADROOM * self._room_ms(_FLUENT_MS)

    def _room_ms(self, period_ms: float) -> float:
        return max(period_ms - self._others_ms(), _LEAST_SHARE * period_ms)

    def _others_ms(self) -> float:
        """The time of the stages that do not depend on the resolution."""
        return median(self._deform_ms) + median(self._present_ms)

    def _kept_share(self) -> float:
        """The share of the content frames that was shown."""
        due = sum(self._due_frames)
        return len(self._due_frames) / due if due else 1.0

    # --- levels -----------------------------------------------------------------------------------

    def _was_of_use(self, here_ms: float) -> bool:
        """Compare the first images of a smaller size with the last larger ones."""
        assert self._larger_ms is not None
        times = self._larger_ms / max(here_ms, 1e-6)
        self._growth[self._level] = min(max(times, 1.0), self._more_pixels())
        others_ms = self._others_ms()
        gain = (others_ms + self._larger_ms) / max(others_ms + here_ms, 1e-6)
        self._larger_ms = None
        return gain >= _GAIN

    def _go_to(self, level: int) -> None:
        self._level = level
        self._raster_ms.clear()  # judge the new size by its own images
        self._forget_frames()

    def _forget_frames(self) -> None:
        self._due_frames.clear()
        self._frame = None

    def _times_longer(self) -> float:
        return self._growth.get(self._level, self._more_pixels())

    def _more_pixels(self) -> float:
        """The pixels of the level above, relative to this one."""
        return (LEVELS[self._level - 1] / LEVELS[self._level]) ** 2
