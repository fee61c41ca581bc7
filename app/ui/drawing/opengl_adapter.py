"""OpenGL draws the Gaussians directly into the window, with the newest camera of each refresh.

Deforming the Gaussians runs in a thread of its own, so that camera moves never wait for it.
"""

from __future__ import annotations

import time

import torch
from OpenGL import GL
from PySide6.QtCore import Signal
from PySide6.QtOpenGLWidgets import QOpenGLWidget
from streamstgs.app.player.compare.two_sides import OtherSide
from streamstgs.app.player.rendering.frame_renderer import (
    FrameDeformer,
    RenderedFrame,
    RenderRequest,
)
from streamstgs.app.player.rendering.stereo import StereoCamera
from streamstgs.app.player.rendering.view_settings import ViewSettings
from streamstgs.app.player.status import PlaybackFrame
from streamstgs.app.translation import tr
from streamstgs.app.ui import theme
from streamstgs.app.ui.drawing.renderer_adapter import Keep, RendererAdapter, Timing
from streamstgs.renderer import Camera, Gaussians, RenderError, RenderSettings
from streamstgs.renderer.backends.opengl_program import SplatProgram
from streamstgs.renderer.present.texture_blit import Viewport

_ANY_SETTINGS = RenderSettings()
_ANY_CAMERA = Camera(torch.eye(4), torch.eye(3), 1, 1)


class SplatSurface(QOpenGLWidget):
    """Draws the Gaussians given to `show_scene`. Owner: the GUI thread and its GL context."""

    name = "drawn in the window"
    drawn = Signal(float, float)  # ms of rasterising and of presenting on the CPU's side
    failed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._splats: SplatProgram | None = None
        self._scene: tuple[Gaussians, Camera, RenderSettings] | None = None

    def show_scene(self, gaussians: Gaussians, camera: Camera, settings: RenderSettings) -> None:
        self._scene = (gaussians, camera, settings)
        self.update()

    def initializeGL(self) -> None:
        try:
            self._splats = SplatProgram()
        except RenderError as error:
            self.failed.emit(
                tr("OpenGL cannot draw here: {error}. Choose another renderer.", error=error)
            )
        self.context().aboutToBeDestroyed.connect(self._release)

    def paintGL(self) -> None:
        start_s = time.perf_counter()
        if self._splats is None or self._scene is None:
            GL.glClearColor(*theme.viewport_background_rgb(), 1.0)
            GL.glClear(GL.GL_COLOR_BUFFER_BIT)
            return
        gaussians, camera, settings = self._scene
        ratio = self.devicePixelRatioF()
        width, height = round(self.width() * ratio), round(self.height() * ratio)
        try:
            self._splats.upload(gaussians)
            sent_s = time.perf_counter()
            for eye, place in _places(camera, width, height):
                self._splats.draw(eye, settings, self.defaultFramebufferObject(), place)
        except RenderError as error:
            self._scene = None
            self.failed.emit(
                tr("OpenGL cannot draw this: {error}. Choose another renderer.", error=error)
            )
            return
        end_s = time.perf_counter()
        self.drawn.emit(1000 * (end_s - sent_s), 1000 * (sent_s - start_s))

    def _release(self) -> None:
        self.makeCurrent()
        if self._splats is not None:
            self._splats.release()
            self._splats = None
        self.doneCurrent()


class OpenGLAdapter(RendererAdapter):
    """Moves Gaussians in a `RenderThread` thread and draws them on a `SplatSurface`."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.surface = self._surface = SplatSurface()
        self.backend_name, self.reason = "opengl", reason
        self.presenter = self._surface.name
        self.device = torch.device("cpu")
        self._moved: RenderedFrame | None = None
        self._fresh_deform_ms = 0.0
        self._view: tuple[Camera, RenderSettings] | None = None
        self._start_thread(FrameDeformer)
        self._surface.drawn.connect(self._drawn)
        self._surface.failed.connect(self.failed)

    def paint(
        self,
        frame: PlaybackFrame,
        camera: Camera,
        settings: RenderSettings,
        other: OtherSide | None = None,
    ) -> None:
        self._view = (camera, settings)
        if isinstance(settings, ViewSettings):  # what is drawn depends on the camera as well
            self._thread.show(frame, camera, settings)
        else:
            self._thread.show(frame, _ANY_CAMERA, _ANY_SETTINGS)
        self._show()

    def capture(self, request: RenderRequest, keep: Keep) -> None:
        """Draw the image in the window, in place of the running one, until the next `paint`."""
        self._view = (request.camera, request.settings)
        self._show()
        keep(self._surface.grabFramebuffer())

    def _use(self, frame: RenderedFrame) -> None:
        self._moved = frame
        self._fresh_deform_ms = frame.deform_ms
        self._show()

    def _show(self) -> None:
        if self._moved is None or self._view is None:
            return
        moved, (camera, settings) = self._moved, self._view
        prepared = isinstance(moved.request.settings, ViewSettings)
        shown = moved.settings if prepared else settings
        if prepared == isinstance(settings, ViewSettings):  # else those to be shown are on the way
            self._surface.show_scene(moved.gaussians, camera, shown)

    def _drawn(self, raster_ms: float, present_ms: float) -> None:
        if self._moved is None or self._view is None:
            return
        frame, (camera, settings) = self._moved.request.frame, self._view
        moved_for = self._moved.request.settings
        shown = moved_for if isinstance(moved_for, ViewSettings) else settings
        deform_ms, self._fresh_deform_ms = self._fresh_deform_ms, 0.0
        self.painted.emit(Timing(frame, camera, deform_ms, raster_ms, present_ms, shown))


def _places(camera: Camera, width: int, height: int) -> list[tuple[Camera, Viewport]]:
    """The cameras of a picture, and the part of a window of width x height px that each fills."""
    if not isinstance(camera, StereoCamera):
        return [(camera, (0, 0, width, height))]
    if camera.stacked:  # OpenGL counts from the bottom
        half = height // 2
        return [(camera.left, (0, height - half, width, half)), (camera.right, (0, 0, width, half))]
    half = width // 2
    return [(camera.left, (0, 0, half, height)), (camera.right, (width - half, 0, half, height))]
