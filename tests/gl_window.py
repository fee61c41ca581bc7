"""A bare QOpenGLWidget that draws once, and what is then in its framebuffer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtGui import QImage, QSurfaceFormat
from PySide6.QtOpenGLWidgets import QOpenGLWidget
from PySide6.QtWidgets import QApplication
from streamstgs.renderer import Camera, Gaussians, RenderSettings
from streamstgs.renderer.backends.opengl_program import SplatProgram
from streamstgs.renderer.present.host_copy import HostCopyPresenter
from torch import Tensor

Paint = Callable[[int, tuple[int, int, int, int]], None]  # framebuffer, viewport in device px


class _Widget(QOpenGLWidget):
    def __init__(self, paint: Paint) -> None:
        super().__init__()
        self._paint = paint
        core_4_1 = QSurfaceFormat()
        core_4_1.setVersion(4, 1)
        core_4_1.setProfile(QSurfaceFormat.OpenGLContextProfile.CoreProfile)
        self.setFormat(core_4_1)

    def paintGL(self) -> None:
        ratio = self.devicePixelRatioF()
        width, height = round(self.width() * ratio), round(self.height() * ratio)
        self._paint(self.defaultFramebufferObject(), (0, 0, width, height))


def shown_by_splats(gaussians: Gaussians, camera: Camera, settings: RenderSettings) -> np.ndarray:
    """[height, width, 3] of a window of the camera's size."""

    def paint(framebuffer: int, viewport: tuple[int, int, int, int]) -> None:
        program = SplatProgram()
        program.upload(gaussians)
        program.draw(camera, settings, framebuffer, viewport)
        program.release()

    return shown(paint, camera.width, camera.height)


def shown_by_host_copy(picture: Tensor) -> np.ndarray:
    """[height, width, 3] of a window of the picture's size."""

    def paint(framebuffer: int, viewport: tuple[int, int, int, int]) -> None:
        presenter = HostCopyPresenter()
        presenter.blit(presenter.present(picture), framebuffer, viewport)
        presenter.release()

    return shown(paint, picture.shape[1], picture.shape[0])


def shown(paint: Paint, width: int, height: int) -> np.ndarray:
    """[height, width, 3] that `paint` left in a window, top row first; its context is current."""
    app = QApplication.instance() or QApplication([])
    widget = _Widget(paint)
    widget.resize(width, height)
    widget.show()
    app.processEvents()
    image = widget.grabFramebuffer().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    pixels = rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)
    widget.close()
    widget.deleteLater()
    app.processEvents()
    return pixels
