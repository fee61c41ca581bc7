"""One collapsible section of the side panel."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget
from streamstgs.app.translation import tr
from streamstgs.app.ui import theme
from streamstgs.app.ui.icons import icon


class Section(QWidget):
    """A heading that folds its content; add widgets to `body`.

    Args:
        title: The heading in English, marked by `mark`; also the key of its folding.
    """

    folded = Signal(bool)

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = title
        self._heading = QToolButton()
        self._heading.setObjectName("section")
        self._heading.setText(tr(title))
        self._heading.setToolTip(tr("Fold or unfold this section"))
        self._heading.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._heading.setIconSize(QSize(16, 16))
        self._heading.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._content: QWidget = QWidget()
        self._heading.clicked.connect(lambda: self.set_folded(not self.is_folded))
        self.body = QVBoxLayout(self._content)
        self.body.setContentsMargins(theme.GRID_PX, 4, theme.GRID_PX, 2 * theme.GRID_PX)
        self.body.setSpacing(theme.GRID_PX)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._heading)
        column.addWidget(self._content)
        self.refresh_icons()

    @property
    def is_folded(self) -> bool:
        """Whether only the heading is shown."""
        return not self._content.isVisibleTo(self)

    def set_folded(self, folded: bool) -> None:
        """Hide or show the content."""
        self._content.setVisible(not folded)
        self.refresh_icons()
        self.folded.emit(folded)

    def set_usable(self, usable: bool) -> None:
        """Enable or disable the content; folding always works."""
        self._content.setEnabled(usable)

    def refresh_icons(self) -> None:
        """Draw the icons in the colours of the current theme."""
        name = "chevron-right" if self.is_folded else "chevron-down"
        look = theme.current()
        self._heading.setIcon(icon(name, look, look.muted))


def muted_label(text: str = "") -> QLabel:
    """A wrapping label for explanations."""
    label = QLabel(text)
    label.setProperty("muted", True)
    label.setWordWrap(True)
    return label
