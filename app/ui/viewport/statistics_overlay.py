"""The statistics over the image (key I)."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget
from streamstgs.app.ui import theme
from streamstgs.app.ui.viewport.overlay_style import paint_card

_PADDING_PX = 12
_GAP_PX = 16
_LINE_GAP_PX = 3
_VALUE_PX = 420  # longer values are wrapped
_WRAPS = Qt.TextFlag.TextWordWrap | Qt.TextFlag.TextWrapAnywhere


class StatisticsOverlay(QWidget):
    """(name, value) rows at the upper left; it lets the pointer through. `TopEdge` moves it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._host = parent
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._rows: list[tuple[str, str]] = []
        self.hide()

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """The rows that are shown."""
        return tuple(self._rows)

    def show_rows(self, rows: list[tuple[str, str]]) -> None:
        """Show these rows; a long value goes on in the next line."""
        if rows == self._rows:
            return
        self._rows = rows
        names, values = self._widths()
        wanted = names + values + _GAP_PX + 2 * _PADDING_PX
        if self.isVisible():  # a width that follows numbers would jitter
            wanted = max(wanted, self.width())
        width = min(wanted, self._host.width() - 2 * _GAP_PX)
        height = sum(self._heights(width)) + 2 * _PADDING_PX
        self.resize(width, height)  # `TopEdge` moves it
        self.update()

    def _widths(self) -> tuple[int, int]:
        """Of the names and of the values, px."""
        metrics = self._metrics()
        names = max((metrics.horizontalAdvance(name) for name, _ in self._rows), default=0)
        values = max((metrics.horizontalAdvance(value) for _, value in self._rows), default=0)
        return names, min(values, _VALUE_PX)

    def _heights(self, width: int) -> list[int]:
        """Of the rows at a width of the overlay, px."""
        room = max(width - self._widths()[0] - _GAP_PX - 2 * _PADDING_PX, 1)
        metrics, high = self._metrics(), 1 << 20
        texts = [metrics.boundingRect(0, 0, room, high, _WRAPS, value) for _, value in self._rows]
        return [max(place.height(), metrics.height()) + _LINE_GAP_PX for place in texts]

    def _metrics(self) -> QFontMetrics:
        return QFontMetrics(self.font())

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_card(self, radius_px=10)
        painter = QPainter(self)
        left = _PADDING_PX + self._widths()[0] + _GAP_PX
        room, y = self.width() - left - _PADDING_PX, _PADDING_PX
        for (name, value), height in zip(self._rows, self._heights(self.width()), strict=True):
            painter.setPen(QColor(theme.OVERLAY_MUTED))
            painter.drawText(QRectF(_PADDING_PX, y, left, height), _WRAPS, name)
            painter.setPen(QColor(theme.OVERLAY_TEXT))
            painter.drawText(QRectF(left, y, room, height), _WRAPS, value)
            y += height
