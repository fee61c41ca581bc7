"""The loop behind the picture: newest frame + newest camera -> painter, on every display refresh.

A precise QTimer at the refresh rate of the screen drives it, not `frameSwapped`: that signal comes
only while something is drawn, so it would stop with the picture, and it does not exist where Qt
paints by raster. A tick in which nothing changed costs some microseconds and draws nothing.

What needs torch is imported where it is used: the window is there before torch is.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from streamstgs.app.player.camera.framing import Vector
from streamstgs.app.player.rendering.frame_pacing import leaves_time
from streamstgs.app.player.status import PlaybackFrame, PlaybackState, PlaybackStatus
from streamstgs.app.ui.drawing.backend_selection import BackendSelection
from streamstgs.app.ui.drawing.resolution import Resolution
from streamstgs.app.ui.open_scene import OpenScene
from streamstgs.app.ui.panel.statistics import Drawing, RateMeter
from streamstgs.app.ui.viewport.viewport import Viewport
from streamstgs.renderer import RenderSettings

if TYPE_CHECKING:
    from streamstgs.app.ui.drawing.camera_glide import CameraGlide
    from streamstgs.app.ui.drawing.renderer_adapter import Keep, RendererAdapter, Timing
    from streamstgs.renderer import Camera

log = logging.getLogger(__name__)

BACKGROUNDS = {"black": (0.0, 0.0, 0.0), "white": (1.0, 1.0, 1.0)}
_STATISTICS_S = 0.25
_STATUS_S = 0.03
_PATIENCE_S = 0.25  # shorter waits show no spinner


class RenderLoop(QObject):
    """Owner: the GUI thread. Holds what is open, the camera and whoever draws.

    Args:
        viewport: where pictures go and camera moves come from.
        screening: what is open.
        choice: makes the painters.
    """

    status_changed = Signal(object)
    camera_changed = Signal()
    statistics_changed = Signal()
    backend_changed = Signal(str, str)  # name, reason
    scene_shown = Signal()  # the first picture of a newly opened scene is on the screen
    motion_shown = Signal()  # the first one that does not only stand in for a GOP; not before that

    def __init__(
        self,
        viewport: Viewport,
        screening: OpenScene,
        choice: BackendSelection,
    ) -> None:
        super().__init__()
        self.viewport, self.screening = viewport, screening
        self._choice = choice
        self._started = False
        self._backend: str | None = None  # asked for; None: to be chosen
        self._waiting_location: str | None = None  # to open once that is possible
        self.painter: RendererAdapter | None = None
        self.motion: CameraGlide | None = None
        self.resolution = Resolution()
        self.status: PlaybackStatus | None = None
        self.drawing = Drawing()
        self._background = "scene"
        self._frame: PlaybackFrame | None = None
        self._asked: tuple[object, ...] | None = None
        self._place: tuple[object, ...] | None = None  # of frame and camera: changes are motion
        self._wanted: tuple[PlaybackFrame, Camera] | None = None
        self._on_screen: Timing | None = None
        self._display, self._content = RateMeter(), RateMeter()
        self._content_index = -1
        self._last_tick_s = self._last_statistics_s = time.monotonic()
        self._last_status_s = -_STATUS_S
        self._waiting_since_s: float | None = None
        self._keep_camera = False
        self._new_scene = self._awaits_motion = False
        self._held = False  # a scene that plays waits for its first picture
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        screening.opened.connect(self._take_over)
        choice.chosen.connect(self.set_painter)
        choice.refused.connect(screening.warned)
        viewport.pivot_wanted.connect(self._set_pivot)
        viewport.camera_moved.connect(self.camera_changed)

    def start(self) -> None:
        """Begin to draw and to open scenes: loads torch, if nobody has."""
        self._started = True
        refresh_hz = self.viewport.screen().refreshRate() or 60.0
        self._timer.start(max(round(1000 / min(max(refresh_hz, 24.0), 240.0)), 1))
        self._choice.ask(self._backend)
        if self._waiting_location is not None and not self._device_unknown():
            self._open_waiting()

    def open(self, location: str) -> None:
        """Open a scene, as soon as the loop has been started and the scene's device is known."""
        self._keep_camera = False
        self._waiting_location = location
        if self._started and not self._device_unknown():
            self._open_waiting()
        else:
            self.screening.opening.emit(location)

    def _device_unknown(self) -> bool:
        """With CUDA, it depends on the painter where the planes of a scene shall be."""
        import torch

        return self.painter is None and torch.cuda.is_available()

    def _open_waiting(self) -> None:
        location, self._waiting_location = self._waiting_location, None
        if location is not None:
            self.screening.open(location)

    @property
    def awaited(self) -> str | None:
        """Where the scene lies that is being opened; None while there is none."""
        pending = self.screening.pending
        return self._waiting_location or (pending.location if pending is not None else None)

    def cancel_opening(self) -> None:
        self._waiting_location = None
        self.screening.cancel()

    def close(self) -> None:
        self._timer.stop()
        self._choice.close()
        self.screening.close()
        if self.painter is not None:
            self.painter.close()
            self.painter = None

    @property
    def waited_long(self) -> bool:
        since = self._waiting_since_s
        return since is not None and time.monotonic() - since > _PATIENCE_S

    @property
    def settled(self) -> bool:
        """Whether the newest frame and camera are on the screen, at the final size."""
        import torch

        shown, wanted = self._on_screen, self._wanted
        if shown is None or wanted is None or shown.frame is not wanted[0]:
            return False
        camera, final = wanted[1], self.viewport.size_px(self.resolution.fixed or 1.0)
        same = torch.equal(shown.camera.viewmat, camera.viewmat)
        sizes = {(shown.camera.width, shown.camera.height), (camera.width, camera.height), final}
        return same and len(sizes) == 1 and not self.motion_under_way

    @property
    def motion_under_way(self) -> bool:
        return self.motion is not None and self.motion.gliding

    # the tick

    def _tick(self) -> None:
        now_s = time.monotonic()
        dt_s, self._last_tick_s = now_s - self._last_tick_s, now_s
        frame = self.screening.tick()
        if frame is not None:
            self._frame = frame
        if self.motion is not None and self.motion.advance(dt_s):
            self.camera_changed.emit()
        self._show_status(now_s)
        self._draw(dt_s)
        if now_s - self._last_statistics_s >= _STATISTICS_S:
            self._last_statistics_s = now_s
            self._measure()

    def _show_status(self, now_s: float) -> None:
        """Tell the controls, while playing not as often as pictures come: that costs them time."""
        playback, before = self.screening.playback, self.status
        if playback is None:
            return
        self.status = playback.status()
        if self._held:
            return  # it is not as a person left it
        waiting = self.status.state is PlaybackState.BUFFERING
        self._waiting_since_s = None if not waiting else self._waiting_since_s or now_s
        same = before is not None and before.state is self.status.state
        if not same or now_s - self._last_status_s >= _STATUS_S:
            self._last_status_s = now_s
            self.status_changed.emit(self.status)

    def show_status_now(self) -> None:
        """Something was asked of the playback: the controls answer at once."""
        self._last_status_s = -_STATUS_S
        self._show_status(time.monotonic())

    def _draw(self, dt_s: float) -> None:
        """Ask for a picture if it would differ from the one asked for last."""
        frame, motion, painter = self._frame, self.motion, self.painter
        if frame is None or motion is None or painter is None:
            return
        place = (frame.index, motion.shown, self.viewport.size_px())
        self.resolution.pass_time(dt_s, moving=place != self._place)
        self._place = place
        scale = self.resolution.scale()
        asked = (*place, id(frame.gop), self._background, scale)
        if asked == self._asked or not self._has_time_for(frame):
            return
        self._asked = asked
        self._wanted = (frame, motion.camera(*self.viewport.size_px(scale)))
        painter.paint(*self._wanted, self._settings())
        if self.screening.playback is not None:
            self.screening.playback.note_skipped(painter.skipped_frames)

    def _has_time_for(self, frame: PlaybackFrame) -> bool:
        """A frame of the content always; the same one for a moved camera if it delays no other."""
        if self._wanted is None or self.status is None or frame is not self._wanted[0]:
            return True
        return leaves_time(self.status, frame, self.drawing.raster_ms)

    def _settings(self) -> RenderSettings:
        playback = self.screening.playback
        meta = playback.meta if playback is not None else None
        if meta is None:
            return RenderSettings()
        return RenderSettings(BACKGROUNDS.get(self._background, meta.background), meta.near)

    def _painted(self, timing: Timing) -> None:
        """A picture has reached the screen."""
        self.viewport.surface_painted()
        if self._new_scene:
            self._new_scene = False
            log.debug("first picture painted")
            self._let_go()
            self.scene_shown.emit()
        if self._awaits_motion and not timing.frame.still:
            self._awaits_motion = False
            self.motion_shown.emit()
        self._display.count()
        if self.painter is not None and self.painter.presenter != self.drawing.presenter:
            self.drawing = replace(self.drawing, presenter=self.painter.presenter)
        self._on_screen = timing
        gop, camera = timing.frame.gop, timing.camera
        if timing.frame.index != self._content_index:
            self._content_index = timing.frame.index
            self._content.count()
        scale = min(camera.height / self.viewport.size_px()[1], 1.0)
        self.resolution.measured(timing.deform_ms, timing.raster_ms, scale)
        self.drawing = replace(
            self.drawing,
            width_px=camera.width,
            height_px=camera.height,
            deform_ms=timing.deform_ms or self.drawing.deform_ms,
            raster_ms=timing.raster_ms,
            present_ms=timing.present_ms,
            static_count=len(gop.static),
            dynamic_count=len(gop.canonical),
        )

    def _measure(self) -> None:
        self.drawing = replace(
            self.drawing,
            display_fps=self._display.per_second(),
            content_fps=self._content.per_second(),
        )
        self.statistics_changed.emit()

    # what is open, and who draws

    def _take_over(self) -> None:
        from streamstgs.app.player.camera.orbit import OrbitCamera
        from streamstgs.app.ui.drawing.camera_glide import CameraGlide

        playback = self.screening.playback
        assert playback is not None
        assert playback.meta is not None
        if self.motion is None or not self._keep_camera:
            self.motion = CameraGlide(OrbitCamera.from_meta(playback.meta))
            self.viewport.motion = self.motion
        self._keep_camera = True
        self._frame = self._asked = None
        self._new_scene = self._awaits_motion = True
        self._hold()
        self.camera_changed.emit()

    def _hold(self) -> None:
        """Let the scene begin with its first frame, however long that takes to be drawn."""
        playback = self.screening.playback
        self._held = playback is not None and playback.status().wants_play
        if playback is not None and self._held:
            playback.pause()

    def _let_go(self) -> None:
        playback = self.screening.playback
        if playback is not None and self._held:
            playback.play()
            self._held = False
            self.show_status_now()

    def stay_paused(self) -> bool:
        """Somebody pauses while the first picture is waited for. Whether it was waited for."""
        held, self._held = self._held, False
        return held

    def set_painter(self, painter: RendererAdapter) -> None:
        """Draw with another painter from now on; the scene stays where it is."""
        old, self.painter = self.painter, painter
        if old is not None:  # its surface may be painted once more
            old.painted.disconnect(self._painted)
        painter.painted.connect(self._painted)
        painter.failed.connect(self.screening.warned)
        self.viewport.set_surface(painter.surface)
        self._asked = self._on_screen = None
        self.drawing = replace(
            self.drawing,
            backend=painter.backend_name,
            backend_reason=painter.reason,
            presenter=painter.presenter,
        )
        self.backend_changed.emit(painter.backend_name, painter.reason)
        if old is not None:
            old.close()
            if old.device != painter.device:
                self._reopen()
        self._open_waiting()

    def _reopen(self) -> None:
        """The planes have to go to another device."""
        playback = self.screening.playback
        self._frame = None
        if playback is not None and self.status is not None:
            self.screening.open(playback.location, self.status.position_s, self.status.wants_play)

    def set_backend(self, name: str | None) -> None:
        """Ask for another backend (None: choose); it takes over when it is loaded."""
        self._backend = name
        if self._started:
            self._choice.ask(name)

    def set_background(self, name: str) -> None:
        self._background = name

    def set_scale(self, scale: float | None) -> None:
        self.resolution.fixed = scale

    def draw_still(self, keep: Keep) -> None:
        """Draw what is on the screen once more, with all pixels, and hand it to `keep`."""
        from streamstgs.app.player.rendering.frame_renderer import RenderRequest

        if self._frame is not None and self.motion is not None and self.painter is not None:
            camera = self.motion.camera(*self.viewport.size_px())
            self.painter.draw_still(RenderRequest(self._frame, camera, self._settings()), keep)
            self._asked = None

    # camera

    def reset_camera(self) -> None:
        from streamstgs.app.player.camera.orbit import OrbitCamera

        playback = self.screening.playback
        if self.motion is not None and playback is not None and playback.meta is not None:
            self.motion.orbit.view = OrbitCamera.from_meta(playback.meta).view
            self._glide()

    def frame_all(self) -> None:
        playback = self.screening.playback
        if self.motion is not None and playback is not None and playback.meta is not None:
            self.motion.orbit.frame_all(playback.meta)
            self._glide()

    def go_to_preset(self, number: int) -> None:
        playback = self.screening.playback
        presets = playback.meta.presets if playback is not None and playback.meta else ()
        if self.motion is not None and number < len(presets):
            self.motion.orbit.go_to_preset(presets[number])
            self._glide()

    def look_from(self, position: Vector, target: Vector, fov_y_rad: float) -> None:
        if self.motion is not None:
            self.motion.orbit.look_from(position, target, fov_y_rad)
            self._glide()

    def orbit_by(self, dx_px: float, dy_px: float) -> None:
        if self.motion is not None:
            self.motion.orbit.orbit(dx_px, dy_px, (self.viewport.width(), self.viewport.height()))
            self._glide()

    def dolly_by(self, steps: float) -> None:
        if self.motion is not None:
            self.motion.orbit.dolly(steps)
            self._glide()

    def _glide(self) -> None:
        assert self.motion is not None
        self.motion.glide()
        self.camera_changed.emit()

    def _set_pivot(self, x: float, y: float) -> None:
        from streamstgs.app.player.viewer.picking import point_under

        if self.motion is None or self._frame is None:
            return
        camera = self.motion.camera(self.viewport.width(), self.viewport.height())
        gaussians = self._frame.gop.gaussians_at(self._frame.frame)
        point = point_under(gaussians, camera, x, y)
        if point is not None:
            self.motion.orbit.set_pivot(point)
            self._glide()
