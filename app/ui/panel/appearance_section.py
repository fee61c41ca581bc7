"""Window: theme, language, size of texts and controls, motion."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget
from streamstgs.app.translation import mark, tr
from streamstgs.app.ui import theme
from streamstgs.app.ui.language import LANGUAGES
from streamstgs.app.ui.panel.fields import LABEL_COLUMN_PX, Choice
from streamstgs.app.ui.panel.section import Section, muted_label
from streamstgs.app.ui.preferences import Preferences

THEMES = {
    "system": mark("System"),
    "dark": mark("Dark"),
    "light": mark("Light"),
    "contrast": mark("High contrast"),
}
SIZES = {
    "1.0": mark("Normal"),
    "1.25": mark("Large (125 %)"),
    "1.5": mark("Larger (150 %)"),
    "2.0": mark("Largest (200 %)"),
}
MOTIONS = {"full": mark("Smooth"), "reduced": mark("Reduced")}
HINTS = {
    "theme": mark("Colours of the controls"),
    "language": mark("Language of all texts of the window"),
    "ui_scale": mark("Size of texts and controls; the picture keeps all its pixels"),
    "motion": mark("Whether the camera glides and the controls fade"),
}
DEFAULTS = {"theme": "system", "language": "system", "ui_scale": "1.0", "motion": "full"}


class AppearanceSection(Section):
    """`changed` fires with (setting, value): the keys of `boxes` and of the dictionaries above."""

    changed = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(mark("Window"), parent)
        self.boxes: dict[str, Choice] = {}
        self._later = muted_label(tr("The size changes when the program starts again."))
        self._later.hide()
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.GRID_PX)
        grid.setVerticalSpacing(theme.GRID_PX)
        grid.setColumnStretch(1, 1)
        grid.setColumnMinimumWidth(0, LABEL_COLUMN_PX)
        rows = (
            ("theme", tr("Theme"), THEMES),
            ("language", tr("Language"), {"system": mark("System"), **LANGUAGES}),
            ("ui_scale", tr("Size"), SIZES),
            ("motion", tr("Motion"), MOTIONS),
        )
        for line, (key, title, choices) in enumerate(rows):
            label = QLabel(title)
            label.setProperty("muted", True)
            grid.addWidget(label, line, 0)
            grid.addWidget(self._box(key, title, choices), line, 1)
        self.body.addLayout(grid)
        self.body.addWidget(self._later)

    def _box(self, key: str, title: str, choices: dict[str, str]) -> Choice:
        box = Choice()
        box.setAccessibleName(title)
        box.setToolTip(tr(HINTS[key]))
        for value, text in choices.items():
            box.addItem(tr(text), value)
        box.activated.connect(lambda _: self._choose(key, str(box.currentData())))
        self.boxes[key] = box
        return box

    def _choose(self, key: str, value: str) -> None:
        if key == "ui_scale":
            self._later.show()
        self.changed.emit(key, value)

    def select(self, key: str, value: str) -> None:
        """Show a value; unknown ones show the first choice."""
        self.boxes[key].setCurrentIndex(max(self.boxes[key].findData(value), 0))

    def restore(self, preferences: Preferences) -> None:
        """Show the remembered settings."""
        for key, default in DEFAULTS.items():
            self.select(key, preferences.text(key, default))
