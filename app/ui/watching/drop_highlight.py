"""A frame around the picture while something that can be opened is dragged over it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget
from streamstgs.app.translation import tr
from streamstgs.app.ui import theme
from streamstgs.app.ui.viewport.viewport import Viewport
from streamstgs.codec.formats.sequence import common_pattern

_INSET_PX = 10.0
_RADIUS_PX = 12.0


class DropHighlight(QWidget):
    """Covers the viewport while `drag_entered` holds. Owner: the GUI thread."""

    def __init__(self, viewport: Viewport) -> None:
        super().__init__(viewport)
        self._viewport = viewport
        self._text = ""
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        viewport.drag_hovers.connect(self._show)
        self.hide()

    def _show(self, locations: list[str]) -> None:
        """Show the frame for paths and URLs; an empty list hides it."""
        self._text = tr("Drop to open")
        if len(locations) > 1:
            self._text = tr("Drop to play these scenes in turn")
            if common_pattern(locations) is not None:
                self._text = tr("Drop to play these files as one sequence")
        self.setGeometry(self._viewport.rect())
        self.setVisible(bool(locations))
        self.raise_()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(16, 18, 21, 150))
        painter.setPen(QPen(QColor(theme.DARK.accent), 3, Qt.PenStyle.DashLine))
        frame = QRectF(self.rect()).adjusted(_INSET_PX, _INSET_PX, -_INSET_PX, -_INSET_PX)
        painter.drawRoundedRect(frame, _RADIUS_PX, _RADIUS_PX)
        painter.setPen(QColor(theme.OVERLAY_TEXT))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._text)
