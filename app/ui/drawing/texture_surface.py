"""Shows images through OpenGL: host memory or CUDA memory -> texture -> window."""

from __future__ import annotations

import time

import numpy as np
import torch
from numpy.typing import NDArray
from OpenGL import GL
from PySide6.QtCore import Signal
from PySide6.QtOpenGLWidgets import QOpenGLWidget
from streamstgs.app.translation import tr
from streamstgs.app.ui import theme
from streamstgs.renderer.errors import InteropUnavailable, RenderError
from streamstgs.renderer.present import make_presenter
from streamstgs.renderer.present.base import Presenter
from streamstgs.renderer.present.host_copy import HostCopyPresenter
from torch import Tensor


class TextureSurface(QOpenGLWidget):
    """Owner: the GUI thread and its GL context.

    Args:
        device: The device of the images; on CUDA they stay there if OpenGL runs on the same GPU.
    """

    presented = Signal(float)  # ms that painting took on the CPU's side
    failed = Signal(str)

    def __init__(self, device: torch.device | None = None) -> None:
        super().__init__()
        self.name = "OpenGL texture"
        self._device = device or torch.device("cpu")
        self._picture: Tensor | NDArray[np.uint8] | None = None
        self._waiting = False  # the newest image is not in the texture yet
        self._texture = 0
        self._presenter: Presenter | None = None

    def show_image(self, picture: Tensor | NDArray[np.uint8]) -> None:
        """[H, W, 3] uint8 or float; not copied, so it must not change any more."""
        self._picture, self._waiting = picture, True
        self.update()

    def initializeGL(self) -> None:
        self.context().aboutToBeDestroyed.connect(self._release)
        try:
            self._presenter, _ = make_presenter(self._device)
        except RenderError as error:
            self.failed.emit(
                tr("OpenGL cannot show images: {error}. Choose another renderer.", error=error)
            )
            return
        self.name = self._presenter.name
        self._waiting = self._picture is not None

    def paintGL(self) -> None:
        start_s = time.perf_counter()
        GL.glClearColor(*theme.viewport_background_rgb(), 1.0)
        GL.glClear(GL.GL_COLOR_BUFFER_BIT)
        if self._picture is None or self._presenter is None:
            return
        if self._waiting:
            self._texture = self._present(self._presenter, self._picture)
            self._waiting = False
        ratio = self.devicePixelRatioF()
        place = (0, 0, round(self.width() * ratio), round(self.height() * ratio))
        self._presenter.blit(self._texture, self.defaultFramebufferObject(), place)
        self.presented.emit(1000 * (time.perf_counter() - start_s))

    def _present(self, presenter: Presenter, picture: Tensor | NDArray[np.uint8]) -> int:
        try:
            return presenter.present(picture)
        except InteropUnavailable:
            presenter.release()
            self._presenter = HostCopyPresenter()
            self.name = self._presenter.name
            return self._presenter.present(picture)

    def _release(self) -> None:
        self.makeCurrent()
        if self._presenter is not None:
            self._presenter.release()
            self._presenter = None
        self.doneCurrent()
