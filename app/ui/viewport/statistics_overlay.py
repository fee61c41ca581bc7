"""The statistics over the image (key I)."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget
from streamstgs.app.ui import theme
from streamstgs.app.ui.viewport.overlay_style import paint_card

_PADDING_PX = 12
_GAP_PX = 16


class StatisticsOverlay(QWidget):
    """(name, value) rows at the upper left; it lets the pointer through."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._host = parent
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._rows: list[tuple[str, str]] = []
        self.hide()

    def show_rows(self, rows: list[tuple[str, str]]) -> None:
        if rows == self._rows:
            return
        self._rows = rows
        metrics = self._metrics()
        names = max((metrics.horizontalAdvance(name) for name, _ in rows), default=0)
        values = max((metrics.horizontalAdvance(value) for _, value in rows), default=0)
        width = names + values + _GAP_PX + 2 * _PADDING_PX
        grown = (
            max(width, self.width()) if self.isVisible() else width
        )  # a width that follows numbers would jitter
        room = self._host.width() - 2 * _GAP_PX
        height = len(rows) * self._line_px() + 2 * _PADDING_PX
        self.setGeometry(_GAP_PX, _GAP_PX, min(grown, room), height)
        self.update()

    def _metrics(self) -> QFontMetrics:
        return QFontMetrics(self.font())

    def _line_px(self) -> int:
        return self._metrics().height() + 3

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_card(self, radius_px=10)
        painter = QPainter(self)
        metrics = self._metrics()
        names = max((metrics.horizontalAdvance(name) for name, _ in self._rows), default=0)
        base, left = _PADDING_PX + metrics.ascent() + 1, _PADDING_PX + names + _GAP_PX
        room = self.width() - left - _PADDING_PX
        for line, (name, value) in enumerate(self._rows):
            y = base + line * self._line_px()
            painter.setPen(QColor(theme.OVERLAY_MUTED))
            painter.drawText(QPointF(_PADDING_PX, y), name)
            painter.setPen(QColor(theme.OVERLAY_TEXT))
            shown = metrics.elidedText(value, Qt.TextElideMode.ElideRight, room)
            painter.drawText(QPointF(left, y), shown)
