"""Buttons at the upper right that switch the language, for visitors."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget
from streamstgs.app.translation import tr
from streamstgs.app.ui import theme
from streamstgs.app.ui.language import LANGUAGES
from streamstgs.app.ui.viewport.overlay_style import OVERLAY_STYLE, paint_card

_EDGE_PX = 2 * theme.GRID_PX


class LanguageBar(QWidget):
    """`chosen` fires with the code of a language. The one in use is marked."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._host = parent
        self.setStyleSheet(OVERLAY_STYLE)
        self.setAccessibleName(tr("Language"))
        self.buttons: dict[str, QPushButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.GRID_PX, theme.GRID_PX, theme.GRID_PX, theme.GRID_PX)
        row.setSpacing(theme.GRID_PX)
        for code, name in LANGUAGES.items():
            button = QPushButton(name)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(lambda _=False, one=code: self.chosen.emit(one))
            self.buttons[code] = button
            row.addWidget(button)
        self.hide()

    def show_choice(self, code: str) -> None:
        """Mark the language in use."""
        for one, button in self.buttons.items():
            button.setObjectName("primary" if one == code else "secondary")
            button.style().unpolish(button)
            button.style().polish(button)

    def place(self) -> None:
        """Move to the corner of the parent."""
        self.adjustSize()
        self.move(self._host.width() - self.width() - _EDGE_PX, _EDGE_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        paint_card(self, radius_px=10)
