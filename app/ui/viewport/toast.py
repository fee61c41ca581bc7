"""A short message at the lower edge of the viewport."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRect, Qt, QTimer
from PySide6.QtGui import QMouseEvent, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget
from streamstgs.app.ui import theme
from streamstgs.app.ui.icons import pixmap
from streamstgs.app.ui.viewport.overlay_style import OVERLAY_STYLE, paint_card

_SHOWN_MS = 6000
_WIDTH_PX = 460


class Toast(QWidget):
    """Lies at the lower edge of its parent; a click hides it at once.

    Args:
        avoids: A widget of the same parent that the toast lies above where it would cover it.
    """

    def __init__(self, parent: QWidget, avoids: QWidget | None = None) -> None:
        super().__init__(parent)
        self._host, self._avoids = parent, avoids
        self.setStyleSheet(OVERLAY_STYLE)
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
        self._persistent = ""
        self._quiet = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        self.hide()

    @property
    def text(self) -> str:
        """The message that is shown, or was last."""
        return self._text.text()

    def set_quiet(self, quiet: bool) -> None:
        """Show no message from now on, as in a kiosk, whose log has them."""
        self._quiet = quiet

    def warn(self, message: str) -> None:
        """Show for some seconds what went wrong and what to do."""
        self._show(message, warning=True)

    def notify(self, message: str) -> None:
        """Show for some seconds that something was done."""
        self._show(message, warning=False)

    def _show(self, message: str, warning: bool) -> None:
        if self._quiet:
            return
        self._sign.setVisible(warning)
        self._text.setText(message)
        self._timer.start(_SHOWN_MS)
        self.place()
        self.show()
        self.raise_()

    def show_persistent(self, message: str, warning: bool = True) -> None:
        """Show a message until an empty one replaces it; a click hides it as well.

        Args:
            warning: Whether it says that something is wrong.
        """
        if message == self._persistent:
            return
        self._persistent = message
        if message:
            self._show(message, warning)
            self._timer.stop()
        else:
            self.hide()

    def event(self, event: QEvent) -> bool:
        handled = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self.place()  # the height of the wrapped text is known now
        return handled

    def place(self) -> None:
        """Fit the size of the parent."""
        room = self._host.size()
        margin = 2 * theme.GRID_PX
        wanted = self._text.fontMetrics().horizontalAdvance(self._text.text()) + 96
        width = min(_WIDTH_PX, wanted, room.width() - 2 * margin)
        height = self._row.totalHeightForWidth(width)
        place = QRect((room.width() - width) // 2, room.height() - height - margin, width, height)
        below = self._avoids
        if below is not None and below.isVisible() and below.geometry().intersects(place):
            place.moveBottom(below.y() - theme.GRID_PX)
        self.setGeometry(place)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_card(self, radius_px=10)
