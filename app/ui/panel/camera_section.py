"""Camera: presets, reset, and its pose in fields that can be typed into."""

from __future__ import annotations

import math
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QWidget,
)
from streamstgs.app.player.arguments import FARTHEST
from streamstgs.app.player.camera.controller import CameraController
from streamstgs.app.player.camera.framing import FOV_LIMITS_RAD, Vector
from streamstgs.app.translation import mark, tr
from streamstgs.app.ui import theme
from streamstgs.app.ui.icons import icon
from streamstgs.app.ui.panel.fields import LABEL_COLUMN_PX, Choice, Field, mark_wrong
from streamstgs.app.ui.panel.section import Section
from streamstgs.codec.package.scene_meta import CameraPreset


class CameraSection(Section):
    """Shows the pose of a camera; `asked` carries command names, `moved` a pose that was typed."""

    asked = Signal(str)
    preset_chosen = Signal(int)
    moved = Signal(tuple, tuple, float, float)  # position, target, fov_y_rad, roll_rad

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(mark("Camera"), parent)
        self.presets = Choice()
        self.presets.setPlaceholderText(tr("Free"))
        self.presets.setToolTip(tr("Named views of the scene (1 to 9)"))
        self._preset_places: list[tuple[str, str]] = []  # as texts of `show_camera`
        self.presets.activated.connect(self.preset_chosen)
        self.position = Field()
        self.target = Field()
        self.fov = Field()
        self.roll = Field()
        self._buttons: list[tuple[QPushButton, str]] = []
        self._lay_out()
        self._texts: dict[Field, str] = {}  # the pose of the camera
        for field, meaning in (
            (self.position, tr("Camera position x, y, z in world units")),
            (self.target, tr("Orbit centre x, y, z in world units")),
            (self.fov, tr("Vertical field of view in degrees")),
            (self.roll, tr("Roll in degrees; 0 keeps the horizon level (Q and E)")),
        ):
            field.returnPressed.connect(self._enter)
            field.left.connect(partial(self._leave, field))
            field.setToolTip(tr("{meaning}. Enter applies it, Esc discards it.", meaning=meaning))
        self.set_usable(False)

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.GRID_PX)
        grid.setVerticalSpacing(theme.GRID_PX)
        grid.setColumnStretch(1, 1)
        grid.setColumnMinimumWidth(0, LABEL_COLUMN_PX)
        rows = (
            (tr("Preset"), self.presets),
            (tr("Position"), self.position),
            (tr("Looks at"), self.target),
            (tr("View angle"), self.fov),
            (tr("Roll"), self.roll),
        )
        for line, (name, widget) in enumerate(rows):
            label = QLabel(name)
            label.setProperty("muted", True)
            grid.addWidget(label, line, 0)
            widget.setAccessibleName(name)
            grid.addWidget(widget, line, 1)
        self.body.addLayout(grid)
        for pair in (
            (
                (tr("Reset"), "replay", "reset_camera", tr("Go back to the opening view (0)")),
                (tr("Frame all"), "frame-all", "frame_all", tr("Show the whole scene (F)")),
            ),
            (
                (tr("Copy"), "copy", "copy_camera", tr("Copy the camera (Ctrl+Shift+C)")),
                (
                    tr("Paste"),
                    "paste",
                    "paste_camera",
                    tr("Take the camera of the clipboard (Ctrl+Shift+V)"),
                ),
            ),
        ):
            row = QHBoxLayout()
            row.setSpacing(theme.GRID_PX)
            for entry in pair:
                row.addWidget(self._button(*entry))
            self.body.addLayout(row)
        self.free_flight = QCheckBox(tr("Fly freely"))
        self.free_flight.setToolTip(
            tr("Let the camera leave what was filmed; the picture may be wrong")
        )
        self.free_flight.clicked.connect(lambda _: self.asked.emit("free_flight"))
        self.fly_mode = QCheckBox(tr("Fly mode"))
        self.fly_mode.setToolTip(tr("Move with W A S D, Q E and Shift; drag to look around (V)"))
        self.fly_mode.clicked.connect(lambda _: self.asked.emit("fly"))
        for box in (self.fly_mode, self.free_flight):
            box.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # keys go on moving the camera
            self.body.addWidget(box)

    def _button(self, text: str, icon_name: str, command: str, hint: str) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(hint)
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

    def show_camera(self, camera: CameraController) -> None:
        """Show a pose, and its preset if it is one; a field that is being typed into stays."""
        self._texts = {
            self.position: vector_text(camera.position),
            self.target: vector_text(camera.look_at),
            self.fov: degrees_text(camera.fov_y_rad),
            self.roll: degrees_text(camera.roll_rad),
        }
        for field in self._texts:
            if not (field.hasFocus() and field.isModified()):
                self._show_in(field)
        place = (self._texts[self.position], self._texts[self.target])
        level = self._texts[self.roll] == degrees_text(0.0)
        known = self._preset_places.index(place) if place in self._preset_places and level else -1
        if known != self.presets.currentIndex():
            self.presets.setCurrentIndex(known)

    def _show_in(self, field: Field) -> None:
        """Put the pose of the camera into a field."""
        text = self._texts.get(field, "")
        if field.text() != text:
            field.setText(text)
            field.setCursorPosition(0)
        mark_wrong(field, False)

    def _enter(self) -> None:
        """Enter: apply the fields and give the focus back; a wrong text stays and is marked."""
        if self._take():
            self.window().setFocus()

    def _leave(self, field: Field) -> None:
        """Apply the text if possible, else show the pose of the camera again."""
        if not (field.isModified() and self._take()):
            self._show_in(field)

    def _take(self) -> bool:
        """Move the camera to the pose in the fields; returns whether they hold one."""
        position, target = parse_vector(self.position.text()), parse_vector(self.target.text())
        fov_rad, roll_rad = parse_fov(self.fov.text()), parse_angle(self.roll.text())
        mark_wrong(self.position, position is None or position == target)
        mark_wrong(self.target, target is None or position == target)
        mark_wrong(self.fov, fov_rad is None)
        mark_wrong(self.roll, roll_rad is None)
        if position is None or target is None or position == target:
            return False
        if fov_rad is None or roll_rad is None:
            return False
        for field in (self.position, self.target, self.fov, self.roll):
            field.setModified(False)
            self._texts[field] = field.text()
        self.moved.emit(position, target, fov_rad, roll_rad)
        return True


def degrees_text(angle_rad: float) -> str:
    """An angle in degrees, as 40.1°."""
    return f"{round(math.degrees(angle_rad), 1) + 0.0:.1f}°"  # + 0.0: no "-0.0"


def vector_text(point: Vector) -> str:
    """A point, as 1.000, -2.000, 0.500."""
    return ", ".join(f"{round(value, 3) + 0.0:.3f}" for value in point)  # + 0.0: no "-0.000"


def parse_angle(text: str) -> float | None:
    """Typed degrees in radians, with a point or a comma; None if the text is no number."""
    try:
        degrees = float(text.strip().rstrip("°").replace(",", "."))
    except ValueError:
        return None
    return math.radians(degrees) if math.isfinite(degrees) else None


def parse_fov(text: str) -> float | None:
    """Typed degrees in radians, within the limits of a field of view; None if it is no number."""
    angle_rad = parse_angle(text)
    low, high = FOV_LIMITS_RAD
    return None if angle_rad is None else min(max(angle_rad, low), high)


def parse_vector(text: str) -> Vector | None:
    """Three numbers separated by commas or spaces; None if the text holds something else."""
    try:
        values = [float(part) for part in text.replace(",", " ").split()]
    except ValueError:
        return None
    if len(values) != 3 or not all(abs(value) <= FARTHEST for value in values):
        return None
    return (values[0], values[1], values[2])
