"""Shows the poster of a scene exactly where the image of its opening view will be."""

from __future__ import annotations

import logging

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QImageReader, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget
from streamstgs.app.player.camera.framing import focal_px, opening_fov_y_rad
from streamstgs.codec.poster import Poster

log = logging.getLogger(__name__)


class PosterView(QWidget):
    """Lies over the surface; hidden while there is no poster. Owner: the GUI thread.

    It is not declared opaque, though it is: Qt would not paint the surface below then, and the
    first image would never be reported as painted.
    """

    painted = Signal()  # once for each poster

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._poster: Poster | None = None
        self._image = QImage()
        self._seen = False
        self._place = QRectF()  # of the image, for the size of this widget
        self.hide()

    def show_poster(self, poster: Poster, image: QImage) -> None:
        """Show `image`, the result of `decoded`."""
        self._poster, self._image, self._seen = poster, image, False
        self._find_place()
        self.show()
        self.update()

    def put_away(self) -> None:
        """Hide the poster."""
        self._poster, self._image = None, QImage()
        self.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._find_place()

    def _find_place(self) -> None:
        """Not in each `paintEvent`: it takes milliseconds, and the spinner above turns."""
        if self._poster is not None:
            self._place = poster_place(self._poster, self.width(), self.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._poster is None:
            return
        painter = QPainter(self)
        painter.fillRect(self.rect(), around(self._poster))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(self._place, self._image)
        painter.end()
        if not self._seen:
            self._seen = True
            log.debug("poster painted")
            self.painted.emit()


def poster_place(poster: Poster, width: int, height: int) -> QRectF:
    """The rectangle of a poster in a window of this size; it may exceed the window.

    Both are images of one pinhole camera, so their scales are as their focal lengths.
    """
    fov_y_rad = poster.view_fov_y_rad
    if poster.opening is not None:
        fov_y_rad = opening_fov_y_rad(poster.opening, poster.aspect, width, height)
    focal = focal_px(fov_y_rad, poster.aspect, width, height)
    scale = focal / poster.focal_px
    wide, high = poster.width * scale, poster.height * scale
    return QRectF((width - wide) / 2, (height - high) / 2, wide, high)


def around(poster: Poster) -> QColor:
    """The colour beside a poster that is narrower or lower than the window."""
    return QColor.fromRgbF(*(min(max(part, 0.0), 1.0) for part in poster.background))


def decoded(poster: Poster) -> QImage | None:
    """The image of a poster; None if it is no JPEG of the declared size.

    Works in any thread. Nothing is allocated before the size is checked.
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
