"""A turning arc that shows waiting."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget
from streamstgs.app.ui import theme
from streamstgs.app.ui.viewport.overlay_style import paint_card

_STEP_MS = 40
_STEP_DEGREES = 14


class Spinner(QWidget):
    """Turns only while it is running, and is hidden else.

    Args:
        glass_px: Width of a dark rim around the ring, so that it is visible on any image.
    """

    def __init__(self, size_px: int, parent: QWidget | None = None, glass_px: int = 0) -> None:
        super().__init__(parent)
        self.setFixedSize(size_px + 2 * glass_px, size_px + 2 * glass_px)
        self._size_px, self._glass_px = size_px, glass_px
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._degrees = 0
        self._timer = QTimer(self)
        self._timer.setInterval(_STEP_MS)
        self._timer.timeout.connect(self._turn)
        self.hide()

    @property
    def running(self) -> bool:
        return self._timer.isActive()

    def set_running(self, on: bool) -> None:
        if on != self.running:
            (self._timer.start if on else self._timer.stop)()
        self.setVisible(on)

    def _turn(self) -> None:
        self._degrees = (self._degrees + _STEP_DEGREES) % 360
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._glass_px:
            paint_card(self, self.width() / 2)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = max(self._size_px / 12, 2.5)
        margin = self._glass_px + width
        ring = QRectF(self.rect()).adjusted(margin, margin, -margin, -margin)
        painter.setPen(QPen(QColor(255, 255, 255, 50), width))
        painter.drawEllipse(ring)
        pen = QPen(QColor(theme.OVERLAY_TEXT), width)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawArc(ring, -self._degrees * 16, 100 * 16)
