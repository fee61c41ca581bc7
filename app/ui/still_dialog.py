"""The dialog that asks how large a still picture is rendered."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QLabel, QSpinBox, QWidget
from streamstgs.app.player.export.settings import SIZE_PX_MAX, ExportFormat, ExportSettings
from streamstgs.app.player.rendering.view_settings import Look
from streamstgs.app.translation import mark, tr
from streamstgs.app.ui.form_dialog import SAMPLES, FormDialog, LookChoice
from streamstgs.app.ui.panel.fields import Choice

_FORMATS: tuple[tuple[str, ExportFormat], ...] = (
    (mark("PNG, 8 bits"), "png"),
    (mark("OpenEXR, 16-bit floats"), "exr"),
)


class StillDialog(FormDialog):
    """Asks for the size and format of a picture; `settings` is the result.

    Args:
        parent: The window.
        size: (width, height) px of the picture in the window; the height follows the width in this
            shape, so that the picture shows what the window shows.
        look: What the window shows of the scene.
    """

    def __init__(self, parent: QWidget, size: tuple[int, int], look: Look) -> None:
        super().__init__(parent, tr("Render picture"))
        self._shape = size[1] / size[0]
        self.wide, self.high = QSpinBox(), QSpinBox()
        for box in (self.wide, self.high):
            box.setRange(1, SIZE_PX_MAX)
            box.setSuffix(tr(" px"))
        self.wide.setValue(min(4 * size[0], SIZE_PX_MAX))
        self.high.setValue(round(self.wide.value() * self._shape))
        self.wide.valueChanged.connect(lambda width: self.high.setValue(round(width * self._shape)))
        self.format, self.samples = Choice(), Choice()
        for text, format in _FORMATS:
            self.format.addItem(tr(text), format)
        for text, count in SAMPLES:
            self.samples.addItem(tr(text), count)
        self.look = LookChoice(look)
        self.transparent = QCheckBox(tr("Leave the background out"))
        note = QLabel(tr("The picture shows the present view at the best quality."))
        note.setWordWrap(True)
        rows = (
            (tr("Width"), self.wide),
            (tr("Height"), self.high),
            (tr("Format"), self.format),
            (tr("Supersampling"), self.samples),
            (tr("Show the scene"), self.look),
            (tr("Transparency"), self.transparent),
        )
        self.fill(note, rows, tr("Render…"), field_px=240)

    @property
    def settings(self) -> ExportSettings:
        """What was chosen."""
        return ExportSettings(
            size=(self.wide.value(), self.high.value()),
            supersampling=self.samples.currentData(),
            format=self.format.currentData(),
            transparent=self.transparent.isChecked(),
            look=self.look.look,
        )
