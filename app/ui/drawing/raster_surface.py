"""Shows images without OpenGL: a QImage painted by Qt's raster engine.

Used where no GL context can be made, and where the CPU emulates OpenGL: a texture costs time there.
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget
from streamstgs.app.ui import theme


class RasterSurface(QWidget):
    """Stretches the last image to its own size. Owner: the GUI thread."""

    name = "Qt raster"
    presented = Signal(float)  # ms that painting took
    failed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._rgb8: NDArray[np.uint8] | None = None  # the QImage refers to its memory
        self._image = QImage()

    def show_image(self, rgb8: NDArray[np.uint8]) -> None:
        """[H, W, 3] uint8, contiguous; not copied, so it must not change any more."""
        height, width, _ = rgb8.shape
        self._rgb8 = rgb8
        self._image = QImage(rgb8.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        self.update()

    def clear(self) -> None:
        self._image = QImage()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        start_s = time.perf_counter()
        painter = QPainter(self)
        if self._image.isNull():
            painter.fillRect(self.rect(), theme.VIEWPORT_BACKGROUND)
        else:
            same = self._image.size() == self.size() * self.devicePixelRatioF()
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not same)
            painter.drawImage(self.rect(), self._image)
        painter.end()
        self.presented.emit(1000 * (time.perf_counter() - start_s))
