"""Who turns a frame and a camera into a picture on a surface; `RenderLoop` asks one of them.

- `ImageAdapter`: any backend draws in a thread of its own, the picture is shown when it is there.
- `app.ui.drawing.opengl_adapter.OpenGLAdapter`: OpenGL draws straight into the window.
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
from streamstgs.app.player.rendering.frame_renderer import (
    FrameRenderer,
    RenderedFrame,
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
    """One picture that reached the screen: what it shows, and the times in ms.

    `deform_ms` is 0 where only the camera had moved.
    """

    frame: PlaybackFrame
    camera: Camera
    deform_ms: float
    raster_ms: float
    present_ms: float


class RendererAdapter(QObject):
    """Owner: the GUI thread.

    Attributes:
        surface: the widget that the pictures appear on.
        device: where the planes of a scene shall be.
        presenter: how pictures reach the screen, for the statistics.
        skipped_frames: frames of the content that drawing was too slow for, since the start.
    """

    painted = Signal(object)  # Timing
    failed = Signal(str)
    surface: QWidget
    backend_name: str
    reason: str
    presenter: str
    device: torch.device

    @property
    def skipped_frames(self) -> int:
        return 0

    @abstractmethod
    def paint(self, frame: PlaybackFrame, camera: Camera, settings: RenderSettings) -> None:
        """Ask for a picture; a newer request overtakes an older one."""

    @abstractmethod
    def draw_still(self, request: RenderRequest, keep: Keep) -> None:
        """Draw one picture and hand it to `keep` in the GUI thread, now or later."""

    @abstractmethod
    def close(self) -> None:
        """Stop drawing; the surface is deleted by the viewport."""


class ImageAdapter(RendererAdapter):
    """Draws with a backend in a `RenderThread` thread; the window is never held up.

    Args:
        to_host: false leaves pictures on the device, for a surface that takes them there.
    """

    _ready = Signal()  # these two cross from the picture thread to the GUI thread
    _still_ready = Signal(object, object)  # RenderedFrame, Keep

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
        self._picture: RenderedFrame | None = None
        self._ready.connect(self._show, Qt.ConnectionType.QueuedConnection)
        self._still_ready.connect(self._hand_over, Qt.ConnectionType.QueuedConnection)
        self._maker = RenderThread(
            lambda: FrameRenderer(backend, to_host=to_host, owns_backend=True), self._ready.emit
        )
        surface.presented.connect(self._presented)
        surface.failed.connect(self.failed)

    @property
    def skipped_frames(self) -> int:
        return self._maker.skipped_frames

    def paint(self, frame: PlaybackFrame, camera: Camera, settings: RenderSettings) -> None:
        self._maker.show(frame, camera, settings)

    def draw_still(self, request: RenderRequest, keep: Keep) -> None:
        self._maker.render_once(request, lambda picture: self._still_ready.emit(picture, keep))

    def _hand_over(self, still: RenderedFrame, keep: Keep) -> None:
        keep(image_of(still.rgb8))

    def close(self) -> None:
        self._ready.disconnect(self._show)
        self._maker.close()

    def _show(self) -> None:
        for event in self._maker.take_events():
            self.failed.emit(event.message)
        picture = self._maker.take_frame()
        if picture is not None:
            self._picture = picture
            self._surface.show_picture(picture.rgb8)

    def _presented(self, present_ms: float) -> None:
        """The surface has painted: once per picture this is news."""
        picture, self._picture = self._picture, None
        if picture is None:
            return
        self.presenter = self._surface.name  # known once OpenGL has said what it can do
        shown = picture.request
        times_ms = (picture.deform_ms, picture.raster_ms, present_ms)
        self.painted.emit(Timing(shown.frame, shown.camera, *times_ms))


def image_of(rgb8: Tensor | NDArray[np.uint8]) -> QImage:
    """A copy of a [H, W, 3] uint8 picture on any device."""
    rows = rgb8.cpu().numpy() if isinstance(rgb8, Tensor) else rgb8
    height, width, _ = rows.shape
    return QImage(rows.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()
