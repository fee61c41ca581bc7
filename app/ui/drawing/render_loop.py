"""The render loop: asks for an image of the newest frame and camera on every display refresh.

A precise QTimer at the refresh rate of the screen drives it, not `frameSwapped`: that signal comes
only while something is drawn, so it would stop together with the drawing, and it does not exist
where Qt paints by raster. A tick in which nothing changed takes some microseconds and draws
nothing. What needs torch is imported late: the window is on the screen before torch is loaded.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer
from streamstgs.app.player.rendering.frame_pacing import leaves_time
from streamstgs.app.player.status import PlaybackFrame, PlaybackState
from streamstgs.app.player.viewer.open_scene import PAINTED, OpenScene, SceneState
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.app.ui.drawing.active_renderer import ActiveRenderer
from streamstgs.app.ui.drawing.resolution import Resolution, StageTimes
from streamstgs.app.ui.viewport.viewport import Viewport

if TYPE_CHECKING:
    from streamstgs.app.ui.drawing.renderer_adapter import Keep, RendererAdapter, Timing
    from streamstgs.renderer import Camera

log = logging.getLogger(__name__)

_UNSEEN_MS = 100  # between ticks while the window is hidden: time goes on, nothing is drawn


class RenderLoop(QObject):
    """Owner: the GUI thread. The model says what to show, the active renderer draws it.

    Args:
        model: Ticked on every display refresh.
        viewport: Gives the size of images.
        renderer: Draws them.
    """

    def __init__(self, model: ViewerModel, viewport: Viewport, renderer: ActiveRenderer) -> None:
        super().__init__()
        self._model, self._viewport, self._renderer = model, viewport, renderer
        self._camera, self._options, self._statistics = (
            model.camera,
            model.options,
            model.statistics,
        )
        self._adapter: RendererAdapter | None = None
        self._resolution = Resolution()
        self._asked: tuple[object, ...] | None = None  # what the last image was asked for with
        self._place: tuple[object, ...] | None = None  # frame, camera and size: changes are motion
        self._wanted: tuple[PlaybackFrame, Camera] | None = None
        self._on_screen: Timing | None = None
        self._last_tick_s = time.monotonic()
        self._refresh_hz = 60.0  # of the display
        self._drew = True  # as of `draws`, at the last tick
        self._eyes = self._options.eyes  # of the last image asked for
        self._logs_first = False  # the first image of the scene is to be logged
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        renderer.changed.connect(self._use)
        renderer.painted.connect(self._painted)
        model.scene_changed.connect(self._scene_changed)
        model.options.changed.connect(self._options_changed)
        self._options_changed()

    def start(self) -> None:
        """Begin to draw and to open scenes; loads torch if nothing has yet."""
        self._refresh_hz = min(max(self._viewport.screen().refreshRate() or 60.0, 24.0), 240.0)
        self._timer.start(self._period_ms())
        self._renderer.start()

    def close(self) -> None:
        """Stop drawing and close the scenes."""
        self._timer.stop()
        self._model.begin_closing()  # its threads end while the renderer's does
        self._renderer.close()
        self._model.close()

    @property
    def settled(self) -> bool:
        """Whether frame, camera and options are those on the screen, at the final size."""
        import torch
        from streamstgs.app.player.rendering.stereo import same_eyes

        shown, wanted, status = self._on_screen, self._wanted, self._model.status
        if shown is None or wanted is None or shown.frame is not wanted[0]:
            return False
        if self._eyes != self._options.eyes or shown.settings != self._model.render_settings():
            return False  # chosen since the last tick, or still to be drawn
        if status is not None and not status.wants_play and status.frame != shown.frame.index:
            return False  # paused or sought since the last tick
        camera, final = wanted[1], self._viewport.size_px(self._resolution.fixed or 1.0)
        same = torch.equal(shown.camera.viewmat, camera.viewmat)
        same = same and same_eyes(shown.camera, camera)
        sizes = {(shown.camera.width, shown.camera.height), (camera.width, camera.height)}
        if not self._model.compares:  # side by side each has half of the width
            sizes.add(final)
        return same and len(sizes) == 1 and not self._camera.gliding

    def capture(self, keep: Keep) -> None:
        """Render what is on the screen once more with all pixels, and pass the image to `keep`."""
        from streamstgs.app.player.rendering.frame_renderer import RenderRequest

        frame = self._model.frame
        if frame is not None and self._adapter is not None:
            camera = self._camera.to_camera(*self._viewport.size_px())
            settings = self._model.render_settings()
            seen = self._model.picture_camera(*self._viewport.size_px())
            request = RenderRequest(frame, seen, settings)
            if self._model.compares and self._adapter.compares:
                pair = self._model.comparison.pair(frame, camera)
                if pair is not None:
                    request = RenderRequest(pair[0], pair[1], settings, pair[2])
            self._adapter.capture(request, keep)
            self._asked = None

    @property
    def draws(self) -> bool:
        """Whether somebody may see the images: the window is neither minimised nor covered."""
        window = self._viewport.window()
        handle = window.windowHandle()
        return not window.isMinimized() and (handle is None or handle.isExposed())

    def _period_ms(self) -> int:
        return max(round(1000 / self._refresh_hz), 1)

    def _tick(self) -> None:
        now_s = time.monotonic()
        dt_s, self._last_tick_s = now_s - self._last_tick_s, now_s
        draws = self.draws
        if draws is not self._drew:
            self._drew = draws
            self._timer.setInterval(self._period_ms() if draws else _UNSEEN_MS)
        frame = self._model.tick(dt_s)
        if not draws:
            return
        if frame is not None and self._adapter is not None and self._camera.available:
            self._draw(frame, self._adapter, dt_s)

    def _draw(self, frame: PlaybackFrame, adapter: RendererAdapter, dt_s: float) -> None:
        """Ask for an image if it would differ from the one asked for last."""
        self._eyes = self._options.eyes
        if self._model.compares and adapter.compares:
            self._draw_both(frame, adapter)
            return
        camera, settings = self._camera, self._model.render_settings()
        pose = camera.shown, camera.up  # the same angles look elsewhere with another vertical axis
        place = (frame.index, frame.frame, *pose, self._viewport.size_px())
        self._resolution.pass_time(dt_s, moving=place != self._place)
        self._resolution.set_rates(self._content_hz(), self._refresh_hz)
        self._place = place
        scale = self._resolution.scale()
        asked = (*place, id(frame.gop), settings, scale, self._options.eyes)
        if asked == self._asked or not self._has_time_for(frame):
            return
        self._asked = asked
        self._wanted = (frame, self._model.picture_camera(*self._viewport.size_px(scale)))
        adapter.paint(*self._wanted, settings)
        self._model.note_skipped(adapter.skipped_frames)

    def _content_hz(self) -> float:
        """How many content frames are due per second; 0 while time stands or is stretched."""
        status = self._model.status
        if status is None or status.state is not PlaybackState.PLAYING or status.scrubbing:
            return 0.0
        speed = abs(status.speed)
        return 0.0 if status.smooth and speed < 1.0 else status.fps * speed

    def _draw_both(self, frame: PlaybackFrame, adapter: RendererAdapter) -> None:
        """Ask for an image of both sides of a comparison, at full size; a thread renders it."""
        camera = self._camera.to_camera(*self._viewport.size_px(self._resolution.fixed or 1.0))
        pair = self._model.comparison.pair(frame, camera)
        if pair is None:
            return
        shown, seen_by, other = pair
        self._asked = None
        self._wanted = (shown, seen_by)
        adapter.paint(shown, seen_by, self._model.render_settings(), other)
        self._model.note_skipped(adapter.skipped_frames)

    def _has_time_for(self, frame: PlaybackFrame) -> bool:
        """True for a new content frame; for a moved camera if no content frame is delayed by it."""
        status = self._model.status
        if self._wanted is None or status is None or frame is not self._wanted[0]:
            return True
        return leaves_time(status, frame, self._statistics.newest.raster_ms)

    def _painted(self, timing: Timing) -> None:
        """An image has reached the screen."""
        self._viewport.surface_painted()
        self._on_screen = timing
        camera, times_ms = timing.camera, (timing.deform_ms, timing.raster_ms, timing.present_ms)
        if self._adapter is not None:
            presenter = self._adapter.presenter
            self._statistics.frame_painted(timing.frame, camera, times_ms, presenter)
        if timing.psnr_db is not None:
            self._model.comparison.report(timing.psnr_db)
        scale = min(camera.height / self._viewport.size_px()[1], 1.0)
        self._resolution.measured(StageTimes(*times_ms), scale)
        self._resolution.frame_painted(timing.frame.index)
        self._model.frame_painted(timing.frame)

    def _use(self, adapter: RendererAdapter) -> None:
        self._adapter = adapter
        self._asked = self._on_screen = None
        self._resolution.begin(small=adapter.slow)

    def _scene_changed(self, scene: OpenScene) -> None:
        if scene is not self._model.scene:
            return
        if scene.state is SceneState.DECODED:
            self._asked, self._logs_first = None, True
        elif scene.state in PAINTED and self._logs_first:
            self._logs_first = False
            log.debug("first picture painted")

    def _options_changed(self) -> None:
        self._resolution.fixed = self._options.scale
