"""Measurements of rendering in a viewer."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from psygnal import Signal
from streamstgs.app.player.measuring.history import StatisticsHistory
from streamstgs.app.player.status import PlaybackFrame, PlaybackStatus

if TYPE_CHECKING:
    from streamstgs.renderer import Camera

WINDOW_S = 1.0
PERIOD_S = 0.25  # rates are published once in this time


class RateMeter:
    """Counts events per second over the last second. Owner: the calling thread."""

    def __init__(self) -> None:
        self._times_s: deque[float] = deque()

    def count(self, now_s: float | None = None) -> None:
        """Record an event."""
        self._times_s.append(time.monotonic() if now_s is None else now_s)

    def per_second(self, now_s: float | None = None) -> float:
        """Events per second."""
        now_s = time.monotonic() if now_s is None else now_s
        while self._times_s and self._times_s[0] < now_s - WINDOW_S:
            self._times_s.popleft()
        return len(self._times_s) / WINDOW_S


@dataclass(frozen=True)
class RenderStatistics:
    """How the last image was made; times in ms.

    Args:
        backend, backend_reason: The renderer, and a sentence on why it was chosen.
        presenter: The way of images to the screen.
        width_px, height_px: The size of the last image.
        display_fps: Images per second, also those of a moved camera.
        content_fps: Content frames per second.
        deform_ms, raster_ms, present_ms: Moving the Gaussians, rasterising, bringing to the screen.
        static_count, dynamic_count: Gaussians that never move, and the others.
    """

    backend: str = ""
    backend_reason: str = ""
    presenter: str = ""
    width_px: int = 0
    height_px: int = 0
    display_fps: float = 0.0
    content_fps: float = 0.0
    deform_ms: float = 0.0
    raster_ms: float = 0.0
    present_ms: float = 0.0
    static_count: int = 0
    dynamic_count: int = 0


class StatisticsRecorder:
    """Keeps `RenderStatistics` up to date. Owner: the thread of the viewer model."""

    changed = Signal(RenderStatistics)

    def __init__(self) -> None:
        self.newest = RenderStatistics()
        self._display, self._content = RateMeter(), RateMeter()
        self._content_index = -1
        self._published_s = time.monotonic()
        self.history = StatisticsHistory()

    def set_renderer(self, backend: str, reason: str, presenter: str) -> None:
        """Record which renderer draws from now on."""
        self.newest = replace(
            self.newest, backend=backend, backend_reason=reason, presenter=presenter
        )

    def frame_painted(
        self,
        frame: PlaybackFrame,
        camera: Camera,
        times_ms: tuple[float, float, float],
        presenter: str,
    ) -> None:
        """Record an image that reached the screen.

        Args:
            times_ms: Deforming (0 if only the camera moved), rasterising and presenting.
        """
        now_s = time.monotonic()
        self._display.count(now_s)
        self.history.image_painted(now_s)
        if frame.index != self._content_index:
            self._content_index = frame.index
            self._content.count()
        deform_ms, raster_ms, present_ms = times_ms
        self.newest = replace(
            self.newest,
            presenter=presenter,
            width_px=camera.width,
            height_px=camera.height,
            deform_ms=deform_ms or self.newest.deform_ms,
            raster_ms=raster_ms,
            present_ms=present_ms,
            static_count=len(frame.gop.static),
            dynamic_count=len(frame.gop.canonical),
        )

    def update(self, now_s: float, status: PlaybackStatus | None = None) -> None:
        """Publish the rates, and record the history, at most once per `PERIOD_S`."""
        if now_s - self._published_s >= PERIOD_S:
            self._published_s = now_s
            self.history.take(status, now_s)
            self.newest = replace(
                self.newest,
                display_fps=self._display.per_second(),
                content_fps=self._content.per_second(),
            )
            self.changed.emit(self.newest)
