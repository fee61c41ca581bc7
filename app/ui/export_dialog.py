"""The dialog that asks how a video is exported."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)
from streamstgs.app.player.export.settings import ALPHA_FORMATS, ExportFormat, ExportSettings
from streamstgs.app.ui import theme
from streamstgs.app.ui.panel.fields import Choice

_MARGIN_PX = 3 * theme.GRID_PX
_FORMATS: tuple[tuple[str, ExportFormat], ...] = (
    ("MP4, H.264 (plays everywhere)", "h264"),
    ("MP4, HEVC", "hevc"),
    ("MP4, AV1 (smallest)", "av1"),
    ("MOV, ProRes 4444 (for editing)", "prores"),
    ("WebP loop", "webp"),
    ("GIF loop", "gif"),
    ("Folder of PNG images", "png"),
    ("Folder of OpenEXR images", "exr"),
)
_SIZES = ((1280, 720), (1920, 1080), (3840, 2160), (7680, 4320), (1080, 1920))
_RATES = (24.0, 25.0, 30.0, 50.0, 60.0)
_SAMPLES = (("Off", 1), ("2 x 2 samples for each pixel", 2), ("4 x 4 samples for each pixel", 4))


class ExportDialog(QDialog):
    """Asks how a video is written; `settings` is the result.

    Args:
        parent: The window.
        size: (width, height) px of the capture.
        fps: Content frames per second.
        keyframes: How many keyframes the camera track has.
    """

    def __init__(self, parent: QWidget, size: tuple[int, int], fps: float, keyframes: int) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export video")
        self.format, self.size_px, self.rate, self.samples = (Choice() for _ in range(4))
        for text, format in _FORMATS:
            self.format.addItem(text, format)
        self.size_px.addItem(f"As captured ({size[0]} x {size[1]})", None)
        for width, height in _SIZES:
            self.size_px.addItem(f"{width} x {height}", (width, height))
        self.rate.addItem(f"As captured ({fps:g})", None)
        for rate in _RATES:
            self.rate.addItem(f"{rate:g}", rate)
        for text, count in _SAMPLES:
            self.samples.addItem(text, count)
        self.transparent = QCheckBox("Leave the background out")
        self.format.currentIndexChanged.connect(self._check)
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN_PX, _MARGIN_PX, _MARGIN_PX, _MARGIN_PX)
        column.setSpacing(2 * theme.GRID_PX)
        column.addWidget(QLabel(_description(keyframes)))
        column.addLayout(self._form())
        column.addWidget(self._buttons())
        self._check()

    @property
    def settings(self) -> ExportSettings:
        """What was chosen."""
        size = self.size_px.currentData()
        return ExportSettings(
            size=tuple(size) if size else None,
            fps=self.rate.currentData(),
            supersampling=self.samples.currentData(),
            format=self.format.currentData(),
            transparent=self.transparent.isEnabled() and self.transparent.isChecked(),
        )

    def _form(self) -> QFormLayout:
        form = QFormLayout()
        form.setLabelAlignment(Qt.AlignmentFlag.AlignVCenter)
        rows = (
            ("Format", self.format),
            ("Size in pixels", self.size_px),
            ("Frames per second", self.rate),
            ("Supersampling", self.samples),
            ("Transparency", self.transparent),
        )
        for name, field in rows:
            field.setMinimumWidth(280)
            field.setAccessibleName(name)
            form.addRow(name, field)
        return form

    def _buttons(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.button(QDialogButtonBox.StandardButton.Save).setText("Export…")
        for one in buttons.buttons():
            one.setIcon(QIcon())
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        return buttons

    def _check(self) -> None:
        self.transparent.setEnabled(self.format.currentData() in ALPHA_FORMATS)


def _description(keyframes: int) -> str:
    if keyframes == 0:
        return "The video shows the scene from the present camera."
    count = "1 keyframe" if keyframes == 1 else f"{keyframes} keyframes"
    return f"The camera follows the camera track ({count})."
