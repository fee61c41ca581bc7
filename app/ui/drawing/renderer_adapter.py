"""Renderer adapters turn a frame and a camera into an image on a surface.

- `ImageAdapter`: any backend renders in a thread of its own, and the surface shows finished images.
- `app.ui.drawing.opengl_adapter.OpenGLAdapter`: OpenGL draws directly into the window.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget
from streamstgs.app.player.compare.two_sides import OtherSide
from streamstgs.app.player.rendering.frame_renderer import (
    FrameRenderer,
    RenderedFrame,
    Renderer,
    RenderRequest,
)
from streamstgs.app.player.rendering.render_thread import RenderThread
from streamstgs.app.player.status import PlaybackFrame
from streamstgs.app.ui.drawing.raster_surface import RasterSurface
from streamstgs.renderer import Camera, RenderSettings
from streamstgs.renderer.backends.base import Backend
from torch import Tensor

if TYPE_CHECKING:  # it loads PyOpenGL, which a machine without a GPU does not need
    from streamstgs.app.ui.drawing.texture_surface import TextureSurface

Keep = Callable[[QImage], None]


@dataclass(frozen=True)
class Timing:
    """An image that reached the screen: its frame, camera and settings, and the times in ms.

    `deform_ms` is 0 if only the camera had moved. `psnr_db` is that of a comparison.
    """

    frame: PlaybackFrame
    camera: Camera
    deform_ms: float
    raster_ms: float
    present_ms: float
    settings: RenderSettings
    psnr_db: float | None = None


class RendererAdapter(QObject):
    """Owner: the GUI thread.

    Attributes:
        surface: The widget that shows the images.
        device: The device for the decoded data of scenes.
        presenter: The way of images to the screen, for the statistics.
        skipped_frames: Content frames that rendering was too slow for, since the start.
        compares: Whether it can draw two sides of a comparison.
        slow: Whether it only draws until a faster one is ready.
    """

    painted = Signal(object)  # Timing
    failed = Signal(str)
    surface: QWidget
    backend_name: str
    reason: str
    presenter: str
    device: torch.device
    compares = False
    slow = False

    _ready = Signal()  # crosses from the render thread to the GUI thread
    _thread: RenderThread
    _closed = False

    @property
    def skipped_frames(self) -> int:
        return 0

    @abstractmethod
    def paint(
        self,
        frame: PlaybackFrame,
        camera: Camera,
        settings: RenderSettings,
        other: OtherSide | None = None,
    ) -> None:
        """Ask for an image; a newer request replaces an older one.

        Args:
            other: What it is compared with, if the adapter `compares`.
        """

    @abstractmethod
    def capture(self, request: RenderRequest, keep: Keep) -> None:
        """Render one image and pass it to `keep` in the GUI thread, now or later."""

    def close(self) -> None:
        """Stop drawing; the surface is deleted by the viewport."""
        self._closed = True
        self._thread.close()

    def _start_thread(self, make: Callable[[], Renderer]) -> None:
        """Start the render thread; `make` returns what it renders with, in that thread."""
        self._ready.connect(self._take, Qt.ConnectionType.QueuedConnection)
        self._thread = RenderThread(make, self._ready.emit)

    def _take(self) -> None:
        if self._closed:  # a call that was queued before; the surface may be deleted
            return
        for event in self._thread.take_events():
            self.failed.emit(event.message)
        frame = self._thread.take_frame()
        if frame is not None:
            self._use(frame)

    @abstractmethod
    def _use(self, frame: RenderedFrame) -> None:
        """Show a frame that the render thread has finished."""


class ImageAdapter(RendererAdapter):
    """Renders with a backend in a `RenderThread`, so that the window never waits.

    Args:
        to_host: Whether images are copied to the host; false is for a surface that takes them on
            the device.
    """

    compares = True
    _captured = Signal(object, object)  # from the render thread: RenderedFrame, Keep

    def __init__(
        self,
        backend: Backend,
        reason: str,
        surface: RasterSurface | TextureSurface,
        to_host: bool = True,
    ) -> None:
        super().__init__()
        self.surface = self._surface = surface
        self.backend_name, self.reason = backend.name, reason
        self.presenter = surface.name
        self.device = backend.device
        self._frame: RenderedFrame | None = None
        self._captured.connect(self._pass_on, Qt.ConnectionType.QueuedConnection)
        self._start_thread(lambda: FrameRenderer(backend, to_host=to_host, owns_backend=True))
        surface.presented.connect(self._presented)
        surface.failed.connect(self.failed)

    @property
    def skipped_frames(self) -> int:
        return self._thread.skipped_frames

    def paint(
        self,
        frame: PlaybackFrame,
        camera: Camera,
        settings: RenderSettings,
        other: OtherSide | None = None,
    ) -> None:
        self._thread.show(frame, camera, settings, other)

    def capture(self, request: RenderRequest, keep: Keep) -> None:
        self._thread.render_once(request, lambda frame: self._captured.emit(frame, keep))

    def _pass_on(self, frame: RenderedFrame, keep: Keep) -> None:
        keep(image_of(frame.rgb8))

    def _use(self, frame: RenderedFrame) -> None:
        self._frame = frame
        self._surface.show_image(frame.rgb8)

    def _presented(self, present_ms: float) -> None:
        """The surface has painted; the first time for each image is reported."""
        frame, self._frame = self._frame, None
        if frame is None:
            return
        self.presenter = self._surface.name  # known once OpenGL is initialised
        shown = frame.request
        times_ms = (frame.deform_ms, frame.raster_ms, present_ms)
        self.painted.emit(
            Timing(shown.frame, shown.camera, *times_ms, shown.settings, frame.psnr_db)
        )


def image_of(rgb8: Tensor | NDArray[np.uint8]) -> QImage:
    """A copy of a [H, W, 3] uint8 image on any device."""
    rows = rgb8.cpu().numpy() if isinstance(rgb8, Tensor) else rgb8
    height, width, _ = rows.shape
    return QImage(rows.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()
