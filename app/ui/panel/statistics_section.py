"""Statistics: measurements as a table, with a fold for advanced ones."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget
from streamstgs.app.translation import mark
from streamstgs.app.ui import theme
from streamstgs.app.ui.panel.section import Section, muted_label
from streamstgs.app.ui.panel.statistics_plots import StatisticsPlots

_NAME_COLUMN_PX = 96


class StatisticsTable(QWidget):
    """Shows (name, value) rows; labels are made once and then only change their text."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme.GRID_PX)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnMinimumWidth(0, _NAME_COLUMN_PX)
        self._lines: list[tuple[QLabel, QLabel]] = []

    def show_rows(self, rows: list[tuple[str, str]]) -> None:
        """Show these rows; lines that are not needed any more are hidden."""
        while len(self._lines) < len(rows):
            self._add()
        for place, labels in enumerate(self._lines):
            for column, label in enumerate(labels):
                label.setVisible(place < len(rows))
                if place < len(rows) and label.text() != rows[place][column]:
                    label.setText(rows[place][column])

    def _add(self) -> None:
        line = len(self._lines)
        value = QLabel()
        value.setWordWrap(True)
        value.setTextFormat(Qt.TextFormat.PlainText)
        name = muted_label()
        self._lines.append((name, value))
        self._grid.addWidget(name, line, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(value, line, 1)


class StatisticsSection(Section):
    """Basic rows, and advanced ones below a fold; `advanced_folded` fires when that changes."""

    advanced_folded = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(mark("Statistics"), parent)
        self._basic, self._advanced = StatisticsTable(), StatisticsTable()
        self._fold = Section(mark("Advanced"))
        self._fold.body.addWidget(self._advanced)
        self.plots = StatisticsPlots()
        self.body.addWidget(self._basic)
        self.body.addWidget(self.plots)
        self.body.addWidget(self._fold)
        self._fold.folded.connect(self.advanced_folded)

    @property
    def advanced_shown(self) -> bool:
        """Whether the advanced rows are unfolded."""
        return not self._fold.is_folded

    def set_advanced_folded(self, folded: bool) -> None:
        """Fold or unfold the advanced rows."""
        self._fold.set_folded(folded)

    def show_rows(self, basic: list[tuple[str, str]], advanced: list[tuple[str, str]]) -> None:
        """Show the current measurements."""
        self._basic.show_rows(basic)
        if self.advanced_shown:
            self._advanced.show_rows(advanced)

    def refresh_icons(self) -> None:
        super().refresh_icons()
        fold: Section | None = getattr(self, "_fold", None)
        if fold is not None:
            fold.refresh_icons()
