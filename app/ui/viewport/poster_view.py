"""Shows the poster of a scene exactly where the picture of its opening view will be."""

from __future__ import annotations

import logging

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QImageReader, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget
from streamstgs.app.player.camera.framing import focal_px
from streamstgs.codec.poster import Poster

log = logging.getLogger(__name__)


class PosterView(QWidget):
    """Owner: the GUI thread. Lies on the surface; hidden while there is no poster to show.

    It is not declared opaque, though it is: Qt would then not paint the surface below, and nobody
    would learn that the picture is there.
    """

    painted = Signal()  # once for each poster

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._poster: Poster | None = None
        self._image = QImage()
        self._seen = False
        self.hide()

    def show_poster(self, poster: Poster, image: QImage) -> None:
        """Show `image`, which `decoded` made of the poster."""
        self._poster, self._image, self._seen = poster, image, False
        self.show()
        self.update()

    def put_away(self) -> None:
        self._poster, self._image = None, QImage()
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._poster is None:
            return
        painter = QPainter(self)
        painter.fillRect(self.rect(), around(self._poster))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(poster_place(self._poster, self.width(), self.height()), self._image)
        painter.end()
        if not self._seen:
            self._seen = True
            log.debug("poster painted")
            self.painted.emit()


def poster_place(poster: Poster, width: int, height: int) -> QRectF:
    """Where a poster lies in a window of this size, edges outside included.

    Both are pictures of one pinhole camera, so their scales are as their focal lengths.
    """
    focal = focal_px(poster.view_fov_y_rad, poster.aspect, width, height)
    scale = focal / poster.focal_px
    wide, high = poster.width * scale, poster.height * scale
    return QRectF((width - wide) / 2, (height - high) / 2, wide, high)


def around(poster: Poster) -> QColor:
    """The colour of what a poster leaves free of a window: nothing of the scene is known there."""
    return QColor.fromRgbF(*(min(max(part, 0.0), 1.0) for part in poster.background))


def decoded(poster: Poster) -> QImage | None:
    """The picture of a poster; None when it is none, or not of the size that was declared.

    Works in any thread. Only JPEG is tried, and nothing is allocated before the size is checked.
    """
    buffer = QBuffer()
    buffer.setData(QByteArray(poster.jpeg))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer, QByteArray(b"jpeg"))
    reader.setAutoDetectImageFormat(False)
    reader.setAutoTransform(False)
    size = reader.size()
    if (size.width(), size.height()) != (poster.width, poster.height):
        log.info("no poster: a JPEG of %d x %d px", size.width(), size.height())
        return None
    image = reader.read()
    return None if image.isNull() else image
