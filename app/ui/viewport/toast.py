"""A message that needs no answer: it shows for a while and goes away."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QMouseEvent, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget
from streamstgs.app.ui import theme
from streamstgs.app.ui.icons import pixmap
from streamstgs.app.ui.viewport.overlay_style import STAGE_STYLE, paint_card

_SHOWN_MS = 6000
_WIDTH_PX = 460


class Toast(QWidget):
    """Sits at the lower edge of its parent; a click puts it away at once."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._stage = parent
        self.setStyleSheet(STAGE_STYLE)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._sign = QLabel()
        self._sign.setPixmap(pixmap("warning", theme.DARK.danger, 20, 2))
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(2 * theme.GRID_PX, 12, 2 * theme.GRID_PX, 12)
        row.setSpacing(12)
        row.addWidget(self._sign)
        row.addWidget(self._text, stretch=1)
        self._standing = ""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        self.hide()

    @property
    def text(self) -> str:
        return self._text.text()

    def show_message(self, message: str, warning: bool = True) -> None:
        self._sign.setVisible(warning)
        self._text.setText(message)
        self._timer.start(_SHOWN_MS)
        self.place()
        self.show()
        self.raise_()

    def stand(self, message: str) -> None:
        """Show what holds until it is said to hold no longer (""); a click puts it away as well."""
        if message == self._standing:
            return
        self._standing = message
        if message:
            self.show_message(message)
            self._timer.stop()
        else:
            self.hide()

    def event(self, event: QEvent) -> bool:
        handled = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self.place()  # now is known how tall the wrapped text is
        return handled

    def place(self) -> None:
        room = self._stage.size()
        margin = 2 * theme.GRID_PX
        wanted = self._text.fontMetrics().horizontalAdvance(self._text.text()) + 96
        width = min(_WIDTH_PX, wanted, room.width() - 2 * margin)
        height = self._row.totalHeightForWidth(width)
        self.setGeometry(
            (room.width() - width) // 2, room.height() - height - margin, width, height
        )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_card(self, radius_px=10)
