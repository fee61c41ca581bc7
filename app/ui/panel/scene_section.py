"""Scene: its vertical axis and opening view, which are remembered, and its export."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QWidget
from streamstgs.app.player.camera.framing import Vector
from streamstgs.app.translation import mark, tr
from streamstgs.app.ui import theme
from streamstgs.app.ui.icons import icon
from streamstgs.app.ui.panel.fields import LABEL_COLUMN_PX, Choice
from streamstgs.app.ui.panel.section import Section

_AXES: tuple[tuple[str, Vector], ...] = (
    ("-Y", (0.0, -1.0, 0.0)), ("Y", (0.0, 1.0, 0.0)), ("Z", (0.0, 0.0, 1.0)),
    ("-Z", (0.0, 0.0, -1.0)), ("X", (1.0, 0.0, 0.0)), ("-X", (-1.0, 0.0, 0.0)),
)  # fmt: skip


class SceneSection(Section):
    """`up_chosen` carries a unit vector, or None for the axis of the scene; `asked` commands."""

    asked = Signal(str)
    up_chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(mark("Scene"), parent)
        self.up = Choice()
        self.up.addItem(tr("As the scene says"), None)
        for name, axis in _AXES:
            self.up.addItem(name, axis)
        self.up.setToolTip(
            tr(
                "The axis that points up; it is guessed where the file does not tell it. Your "
                "choice is remembered for this scene."
            )
        )
        self.up.activated.connect(lambda index: self.up_chosen.emit(self.up.itemData(index)))
        self._buttons: list[tuple[QPushButton, str]] = []
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.GRID_PX)
        grid.setColumnStretch(1, 1)
        grid.setColumnMinimumWidth(0, LABEL_COLUMN_PX)
        label = QLabel(tr("Up axis"))
        label.setProperty("muted", True)
        grid.addWidget(label, 0, 0)
        grid.addWidget(self.up, 0, 1)
        self.body.addLayout(grid)
        row = QHBoxLayout()
        row.setSpacing(theme.GRID_PX)
        keep = self._button(tr("Keep view"), "camera", "keep_opening_view")
        keep.setToolTip(tr("Open this scene with the present view of the camera from now on."))
        forget = self._button(tr("Forget"), "replay", "forget_opening_view")
        forget.setToolTip(tr("Open this scene with its own axis and view again."))
        for button in (keep, forget):
            row.addWidget(button)
        self.body.addLayout(row)
        export = self._button(tr("Export scene…"), "save-picture", "export_scene")
        export.setToolTip(tr("Write the Gaussians as files of other programs"))
        self.body.addWidget(export)
        self.refresh_icons()
        self.set_usable(False)

    def show_up(self, up: Vector | None) -> None:
        """Show the chosen axis; None is that of the scene."""
        index = next((k + 1 for k, (_, axis) in enumerate(_AXES) if axis == up), 0)
        self.up.setCurrentIndex(index)
        self.set_usable(True)

    def refresh_icons(self) -> None:
        """Draw the icons in the colours of the current theme."""
        super().refresh_icons()
        for button, name in getattr(self, "_buttons", []):
            button.setIcon(icon(name, theme.current()))

    def _button(self, text: str, icon_name: str, command: str) -> QPushButton:
        button = QPushButton(text)
        button.setAutoDefault(False)
        button.clicked.connect(lambda: self.asked.emit(command))
        self._buttons.append((button, icon_name))
        return button
