"""Rows of the Display section for looking closer: splat size and crop box."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QLabel, QSlider, QWidget
from streamstgs.app.translation import tr
from streamstgs.app.ui import theme
from streamstgs.app.ui.panel.camera_section import parse_vector, vector_text
from streamstgs.app.ui.panel.fields import LABEL_COLUMN_PX, Field, mark_wrong

Box = tuple[tuple[float, float, float], tuple[float, float, float]]
PERCENT_MIN, PERCENT_MAX = 5, 200


class CloserLook(QWidget):
    """`splat_scale_chosen` carries a factor, `crop_chosen` a box or None.

    `crop_wanted` asks for a box around what the camera looks at.
    """

    splat_scale_chosen = Signal(float)
    crop_chosen = Signal(object)
    crop_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.size_slider = QSlider(Qt.Orientation.Horizontal)
        self.size_slider.setRange(PERCENT_MIN, PERCENT_MAX)
        self.size_slider.setValue(100)
        self.size_slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.size_slider.setAccessibleName(tr("Splat size"))
        self.size_slider.setToolTip(tr("Size of the Gaussians; small ones show the structure"))
        self.size_text = QLabel()
        self.crops = QCheckBox(tr("Show a box only"))
        self.crops.setToolTip(tr("Show only what is inside of a box in the scene"))
        self.low, self.high = Field(), Field()
        self._box: Box | None = None
        self._lay_out()
        self.size_slider.valueChanged.connect(self._size_changed)
        self.crops.clicked.connect(self._crop_toggled)
        for field, name in ((self.low, tr("Lowest corner")), (self.high, tr("Highest corner"))):
            field.setAccessibleName(name)
            field.setToolTip(tr("x, y, z in world units. Enter applies it, Esc discards it."))
            field.returnPressed.connect(self._take)
            field.left.connect(self._take)
        self.show_crop(None)
        self._show_size()

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.GRID_PX)
        grid.setVerticalSpacing(theme.GRID_PX)
        grid.setColumnStretch(1, 1)
        grid.setColumnMinimumWidth(0, LABEL_COLUMN_PX)
        grid.addWidget(_muted(tr("Splat size")), 0, 0)
        grid.addWidget(self.size_slider, 0, 1)
        grid.addWidget(self.size_text, 0, 2)
        grid.addWidget(_muted(tr("Crop")), 1, 0)
        grid.addWidget(self.crops, 1, 1, 1, 2)
        self._labels = _muted(tr("From")), _muted(tr("To"))
        for row, (label, field) in enumerate(zip(self._labels, (self.low, self.high), strict=True)):
            grid.addWidget(label, 2 + row, 0)
            grid.addWidget(field, 2 + row, 1, 1, 2)

    def show_splat_scale(self, scale: float) -> None:
        """Show a size of the Gaussians."""
        self.size_slider.blockSignals(True)
        self.size_slider.setValue(round(100.0 * scale))
        self.size_slider.blockSignals(False)
        self._show_size()

    def show_crop(self, box: Box | None) -> None:
        """Show the box outside of which nothing is shown; None for no box."""
        self._box = box
        self.crops.setChecked(box is not None)
        for widget in (*self._labels, self.low, self.high):
            widget.setVisible(box is not None)
        for field, corner in zip((self.low, self.high), box or (), strict=False):
            field.setText(vector_text(corner))
            mark_wrong(field, False)

    def _show_size(self) -> None:
        percent = self.size_slider.value()
        self.size_text.setText(tr("{percent} %", percent=percent))

    def _size_changed(self, percent: int) -> None:
        self._show_size()
        self.splat_scale_chosen.emit(percent / 100.0)

    def _crop_toggled(self, on: bool) -> None:
        if on:
            self.crop_wanted.emit()
        else:
            self.crop_chosen.emit(None)

    def _take(self) -> None:
        """Apply the corners, or mark the one that is no corner."""
        low, high = parse_vector(self.low.text()), parse_vector(self.high.text())
        above = (
            low is not None
            and high is not None
            and all(a < b for a, b in zip(low, high, strict=True))
        )
        mark_wrong(self.low, low is None)
        mark_wrong(self.high, high is None or (low is not None and not above))
        if above and (low, high) != self._box:
            self.crop_chosen.emit((low, high))


def _muted(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("muted", True)
    return label
