"""A frame around the picture while something that can be opened is dragged over it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget
from streamstgs.app.translation import tr
from streamstgs.app.ui import theme
from streamstgs.app.ui.viewport.viewport import Viewport

_INSET_PX = 10.0
_RADIUS_PX = 12.0


class DropHighlight(QWidget):
    """Covers the viewport while `drag_entered` holds. Owner: the GUI thread."""

    def __init__(self, viewport: Viewport) -> None:
        super().__init__(viewport)
        self._viewport = viewport
        self._several = False
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        viewport.drag_hovers.connect(self._show)
        self.hide()

    def _show(self, files: int) -> None:
        """Show the frame for so many files; 0 hides it."""
        self._several = files > 1
        self.setGeometry(self._viewport.rect())
        self.setVisible(files > 0)
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
        text = tr("Drop to play these scenes in turn") if self._several else tr("Drop to open")
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, text)
