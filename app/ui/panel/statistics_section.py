"""Statistics: the numbers of `app.ui.panel.statistics` as a table."""

from __future__ import annotations

from PySide6.QtWidgets import QGridLayout, QLabel, QWidget
from streamstgs.app.ui import theme
from streamstgs.app.ui.panel.section import Section, muted_label


class StatisticsSection(Section):
    """Shows (name, value) rows; labels are made once and then only change their text."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Statistics", parent)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(theme.GRID_PX)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnMinimumWidth(0, 88)
        self._values: dict[str, QLabel] = {}
        self.body.addLayout(self._grid)

    def show_rows(self, rows: list[tuple[str, str]]) -> None:
        for name, value in rows:
            label = self._values.get(name) or self._add(name)
            if label.text() != value:
                label.setText(value)

    def _add(self, name: str) -> QLabel:
        line = len(self._values)
        value = QLabel()
        value.setWordWrap(True)
        self._values[name] = value
        self._grid.addWidget(muted_label(name), line, 0)
        self._grid.addWidget(value, line, 1)
        return value
