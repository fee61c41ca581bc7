"""Display: background, resolution, theme, and who draws."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget
from streamstgs.app.ui import theme
from streamstgs.app.ui.panel.fields import LABEL_COLUMN_PX, Choice
from streamstgs.app.ui.panel.section import Section, muted_label
from streamstgs.renderer.backends import backend_names

BACKGROUNDS = {"scene": "As in the scene", "black": "Black", "white": "White"}
SCALES = {"auto": "Automatic", "1.0": "Full", "0.75": "75 %", "0.5": "Half", "0.33": "A third"}
THEMES = {"system": "As the system", "dark": "Dark", "light": "Light"}
BACKENDS = {
    "auto": "Automatic",
    "gsplat": "gsplat (CUDA)",
    "opengl": "OpenGL",
    "cpu": "CPU",
    "reference": "Reference (slow)",
}


class DisplaySection(Section):
    """`changed` fires with (setting, value): background, scale, theme or backend."""

    changed = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Display", parent)
        self.boxes: dict[str, Choice] = {}
        self._reason = muted_label()
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.GRID_PX)
        grid.setVerticalSpacing(theme.GRID_PX)
        grid.setColumnStretch(1, 1)
        grid.setColumnMinimumWidth(0, LABEL_COLUMN_PX)
        plugins = {name: name for name in backend_names() if name not in BACKENDS}
        rows = (
            ("background", "Background", BACKGROUNDS),
            ("scale", "Resolution", SCALES),
            ("theme", "Theme", THEMES),
            ("backend", "Renderer", {**BACKENDS, **plugins}),
        )
        for line, (key, title, choices) in enumerate(rows):
            label = QLabel(title)
            label.setProperty("muted", True)
            grid.addWidget(label, line, 0)
            grid.addWidget(self._box(key, choices), line, 1)
        self.body.addLayout(grid)
        self.body.addWidget(self._reason)

    def _box(self, key: str, choices: dict[str, str]) -> Choice:
        box = Choice()
        for value, text in choices.items():
            box.addItem(text, value)
        box.activated.connect(lambda _: self.changed.emit(key, str(box.currentData())))
        self.boxes[key] = box
        return box

    def select(self, key: str, value: str) -> None:
        box = self.boxes[key]
        box.setCurrentIndex(max(box.findData(value), 0))

    def value(self, key: str) -> str:
        return str(self.boxes[key].currentData())

    def show_backend(self, name: str, reason: str) -> None:
        """`reason` is a sentence of the renderer that starts with the name."""
        self._reason.setText(reason or name)
