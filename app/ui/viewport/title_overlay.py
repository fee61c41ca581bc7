"""Title and credit of the scene over the picture (key T)."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget
from streamstgs.app.ui import theme
from streamstgs.app.ui.viewport.overlay_style import OVERLAY_STYLE, paint_card

_EDGE_PX = 3 * theme.GRID_PX
_WIDTH_PX = 640


class TitleOverlay(QWidget):
    """A card at the lower left; it lets the pointer through. Hidden while it has no text."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._host = parent
        self._on = False
        self._lift_px = 0
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setStyleSheet(OVERLAY_STYLE)
        self._title, self._credit = QLabel(), QLabel()
        self._title.setObjectName("title")
        self._credit.setObjectName("muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * theme.GRID_PX, 12, 2 * theme.GRID_PX, 12)
        column.setSpacing(4)
        for label in (self._title, self._credit):
            label.setTextFormat(Qt.TextFormat.PlainText)  # scene data is untrusted
            label.setWordWrap(True)
            column.addWidget(label)
        self.hide()

    @property
    def texts(self) -> tuple[str, str]:
        """The title and the credit."""
        return self._title.text(), self._credit.text()

    def show_texts(self, title: str, credit: str) -> None:
        """Show these texts while the overlay is on."""
        self._title.setText(title)
        self._credit.setText(credit)
        self._update()

    def set_on(self, on: bool) -> None:
        """Switch the overlay on or off."""
        self._on = on
        self._update()

    def set_lift(self, lift_px: int) -> None:
        """Stay above what covers so many px of the lower edge."""
        self._lift_px = lift_px
        self.place()

    def _update(self) -> None:
        self._title.setVisible(bool(self._title.text()))
        self._credit.setVisible(bool(self._credit.text()))
        self.setVisible(self._on and any(self.texts))
        self.place()

    def place(self) -> None:
        """Fit the size of the parent."""
        room = self._host.size()
        widest = min(_WIDTH_PX, room.width() - 2 * _EDGE_PX)
        metrics = (self._title.fontMetrics(), self._credit.fontMetrics())
        lines = zip(metrics, self.texts, strict=True)
        wanted = max(metric.horizontalAdvance(text) for metric, text in lines) * 1.35 + 48
        width = max(min(widest, round(wanted)), 1)
        layout = self.layout()
        assert layout is not None
        height = layout.totalHeightForWidth(width)
        top = room.height() - height - _EDGE_PX - self._lift_px
        self.setGeometry(_EDGE_PX, max(top, 0), width, height)

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_card(self, radius_px=10)
