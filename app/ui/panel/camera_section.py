"""Camera: presets, reset, field of view, and where the camera is, which can be typed."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QWidget,
)
from streamstgs.app.player.camera.framing import FARTHEST, FOV_LIMITS_RAD, Vector
from streamstgs.app.ui import theme
from streamstgs.app.ui.icons import icon
from streamstgs.app.ui.panel.fields import LABEL_COLUMN_PX, Choice, Field, mark_wrong
from streamstgs.app.ui.panel.section import Section
from streamstgs.codec.package.scene_meta import CameraPreset

if TYPE_CHECKING:
    from streamstgs.app.player.camera.orbit import OrbitCamera


class CameraSection(Section):
    """Shows an `OrbitCamera`; `asked` carries command names, `moved` what was typed."""

    asked = Signal(str)
    preset_chosen = Signal(int)
    moved = Signal(tuple, tuple, float)  # position, target, fov_y_rad

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Camera", parent)
        self.presets = Choice()
        self.presets.setPlaceholderText("Free")
        self._preset_places: list[tuple[str, str]] = []  # as `show_camera` words them
        self.presets.activated.connect(self.preset_chosen)
        self.position = Field()
        self.target = Field()
        self.fov = Field()
        self._buttons: list[tuple[QPushButton, str]] = []
        self._lay_out()
        self._texts: dict[Field, str] = {}  # where the camera is, in words
        for field in (self.position, self.target, self.fov):
            field.returnPressed.connect(self._enter)
            field.left.connect(partial(self._leave, field))
            field.setToolTip("x, y, z in world units; Enter to go there, Esc to stay")
        self.set_usable(False)
        self.fov.setToolTip("Vertical field of view in degrees; Enter to take it, Esc to keep it")

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.GRID_PX)
        grid.setVerticalSpacing(theme.GRID_PX)
        grid.setColumnStretch(1, 1)
        grid.setColumnMinimumWidth(0, LABEL_COLUMN_PX)
        rows = (
            ("Preset", self.presets),
            ("Position", self.position),
            ("Pivot", self.target),
            ("View angle", self.fov),
        )
        for line, (name, widget) in enumerate(rows):
            label = QLabel(name)
            label.setProperty("muted", True)
            grid.addWidget(label, line, 0)
            grid.addWidget(widget, line, 1)
        self.body.addLayout(grid)
        for pair in (
            (("Reset", "replay", "reset_camera"), ("Frame all", "frame-all", "frame_all")),
            (("Copy", "copy", "copy_camera"), ("Paste", "paste", "paste_camera")),
        ):
            row = QHBoxLayout()
            row.setSpacing(theme.GRID_PX)
            for entry in pair:
                row.addWidget(self._button(*entry))
            self.body.addLayout(row)

    def _button(self, text: str, icon_name: str, command: str) -> QPushButton:
        button = QPushButton(text)
        button.setAutoDefault(False)
        button.clicked.connect(lambda: self.asked.emit(command))
        self._buttons.append((button, icon_name))
        return button

    def refresh_icons(self) -> None:
        super().refresh_icons()
        for button, name in getattr(self, "_buttons", []):
            button.setIcon(icon(name, theme.current()))

    def set_presets(self, presets: tuple[CameraPreset, ...]) -> None:
        self.presets.clear()
        self.presets.addItems([preset.name for preset in presets])
        self._preset_places = [
            (vector_text(preset.position), vector_text(preset.target)) for preset in presets
        ]
        self.presets.setCurrentIndex(0 if presets else -1)
        self.presets.setEnabled(bool(presets))
        self.set_usable(True)

    def show_camera(self, camera: OrbitCamera) -> None:
        """Fields that are being typed into are left alone; the preset is shown while it holds."""
        self._texts = {
            self.position: vector_text(camera.position),
            self.target: vector_text(camera.view.pivot),
            self.fov: f"{math.degrees(camera.view.fov_y_rad):.1f}°",
        }
        for field in self._texts:
            if not (field.hasFocus() and field.isModified()):
                self._show_in(field)
        place = (self._texts[self.position], self._texts[self.target])
        known = self._preset_places.index(place) if place in self._preset_places else -1
        if known != self.presets.currentIndex():
            self.presets.setCurrentIndex(known)

    def _show_in(self, field: Field) -> None:
        """Say in a field where the camera is, whatever stands there."""
        text = self._texts.get(field, "")
        if field.text() != text:
            field.setText(text)
            field.setCursorPosition(0)
        mark_wrong(field, False)

    def _enter(self) -> None:
        """Enter: go there, and give the keys back to the player; what is wrong stays, marked."""
        if self._take():
            self.window().setFocus()

    def _leave(self, field: Field) -> None:
        """What was typed holds if it can; nothing is left behind that the camera does not do."""
        if not (field.isModified() and self._take()):
            self._show_in(field)

    def _take(self) -> bool:
        """Move the camera to what the fields say; whether they say something."""
        position, target = parse_vector(self.position.text()), parse_vector(self.target.text())
        fov_rad = parse_angle(self.fov.text())
        mark_wrong(self.position, position is None or position == target)
        mark_wrong(self.target, target is None or position == target)
        mark_wrong(self.fov, fov_rad is None)
        if position is None or target is None or fov_rad is None or position == target:
            return False
        for field in (self.position, self.target, self.fov):
            field.setModified(False)
            self._texts[field] = field.text()
        self.moved.emit(position, target, fov_rad)
        return True


def vector_text(point: Vector) -> str:
    return ", ".join(f"{round(value, 3) + 0.0:.3f}" for value in point)  # + 0.0: no "-0.000"


def parse_angle(text: str) -> float | None:
    """Degrees as typed, in radians and within the camera's limits; None where it is no number."""
    try:
        degrees = float(text.strip().rstrip("°"))
    except ValueError:
        return None
    low, high = FOV_LIMITS_RAD
    return min(max(math.radians(degrees), low), high) if math.isfinite(degrees) else None


def parse_vector(text: str) -> Vector | None:
    """Three numbers, apart by commas or spaces; None where it is not that, or out of the world."""
    try:
        values = [float(part) for part in text.replace(",", " ").split()]
    except ValueError:
        return None
    if len(values) != 3 or not all(abs(value) <= FARTHEST for value in values):
        return None
    return (values[0], values[1], values[2])
