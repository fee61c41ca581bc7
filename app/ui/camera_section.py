"""Camera: presets, reset, field of view, and where the camera is, which can be typed."""

from __future__ import annotations

import math

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QWidget,
)

from app.player.orbit_camera import FOV_LIMITS_RAD, OrbitCamera, Vector
from app.ui import theme
from app.ui.fields import Field, mark_wrong
from app.ui.icons import icon
from app.ui.section import Section
from codec.source import CameraPreset


class CameraSection(Section):
    """Shows an `OrbitCamera`; `asked` carries command names, `moved` what was typed."""

    asked = Signal(str)
    preset_chosen = Signal(int)
    moved = Signal(tuple, tuple, float)  # position, target, fov_y_rad

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Camera", parent)
        self.presets = QComboBox()
        self.presets.setPlaceholderText("Presets")
        self.presets.activated.connect(self.preset_chosen)
        self.fov = QDoubleSpinBox()
        self.fov.setRange(*(math.degrees(limit) for limit in FOV_LIMITS_RAD))
        self.fov.setSuffix("°")
        self.fov.setDecimals(1)
        self.fov.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
        self.fov.setKeyboardTracking(False)
        self.position = Field()
        self.target = Field()
        self._buttons: list[tuple[QPushButton, str]] = []
        self._lay_out()
        self.fov.valueChanged.connect(self._take)
        for field in (self.position, self.target):
            field.editingFinished.connect(self._take)
            field.setToolTip("x, y, z in world units; Enter to go there")

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.GRID_PX)
        grid.setVerticalSpacing(theme.GRID_PX)
        grid.setColumnStretch(1, 1)
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
        self.presets.setCurrentIndex(0 if presets else -1)
        self.presets.setEnabled(bool(presets))

    def show_camera(self, camera: OrbitCamera) -> None:
        """Fields that are being typed into are left alone."""
        for field, point in ((self.position, camera.position), (self.target, camera.view.pivot)):
            text = vector_text(point)
            if not field.hasFocus() and field.text() != text:
                field.setText(text)
                field.setCursorPosition(0)
                mark_wrong(field, False)
        if not self.fov.hasFocus():
            self.fov.blockSignals(True)
            self.fov.setValue(math.degrees(camera.view.fov_y_rad))
            self.fov.blockSignals(False)

    def _take(self) -> None:
        points = []
        for field in (self.position, self.target):
            point = parse_vector(field.text())
            mark_wrong(field, point is None)
            points.append(point)
        if points[0] is not None and points[1] is not None and points[0] != points[1]:
            self.moved.emit(points[0], points[1], math.radians(self.fov.value()))


def vector_text(point: Vector) -> str:
    return ", ".join(f"{value:.3f}" for value in point)


def parse_vector(text: str) -> Vector | None:
    """Three finite numbers, apart by commas or spaces; None where it is not that."""
    try:
        values = [float(part) for part in text.replace(",", " ").split()]
    except ValueError:
        return None
    if len(values) != 3 or not all(math.isfinite(value) for value in values):
        return None
    return (values[0], values[1], values[2])
