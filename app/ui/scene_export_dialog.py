"""The dialog that asks how a scene is exported as splat files."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QLabel, QWidget
from streamstgs.app.player.camera.framing import Vector
from streamstgs.app.translation import mark, tr
from streamstgs.app.ui.form_dialog import FormDialog
from streamstgs.app.ui.panel.camera_section import parse_vector, vector_text
from streamstgs.app.ui.panel.fields import Choice, Field, mark_wrong
from streamstgs.codec.package.scene_meta import SceneMeta

_FRAME_FORMATS = (
    (mark("PLY (nothing is lost)"), ".ply"),
    (mark("Compressed PLY"), ".compressed.ply"),
    (mark("SPZ (small)"), ".spz"),
    (mark("SOG (smallest)"), ".sog"),
    (mark("SPLAT (without reflections)"), ".splat"),
)
_FOURDGS = (mark("4DGS (one file)"), ".4dgs")
_SHARES = (75, 50, 25, 10, 5, 1)  # percent


class SceneExportDialog(FormDialog):
    """Asks which frames and Gaussians are written, and as what.

    Args:
        parent: The window.
        meta: Of the scene; the box of the crop begins around its centre.
        frames: Content frames of the scene.
    """

    def __init__(self, parent: QWidget, meta: SceneMeta, frames: int) -> None:
        super().__init__(parent, tr("Export scene"))
        self.frames, self.format, self.share = Choice(), Choice(), Choice()
        self.frames.addItem(tr("The frame that is shown"), False)
        if frames > 1:
            self.frames.addItem(tr("All {count} frames", count=frames), True)
        self.share.addItem(tr("All of them"), 100)
        for percent in _SHARES:
            self.share.addItem(f"{percent} %", percent)
        self.crops = QCheckBox(tr("Leave out what is outside of a box"))
        half = meta.radius / 2
        self.low, self.high = Field(), Field()
        self.low.setText(vector_text(_moved(meta.center, -half)))
        self.high.setText(vector_text(_moved(meta.center, half)))
        rows = (
            (tr("Frames"), self.frames),
            (tr("Format"), self.format),
            (tr("Gaussians kept"), self.share),
            (tr("Crop"), self.crops),
            (tr("From x, y, z"), self.low),
            (tr("To x, y, z"), self.high),
        )
        note = QLabel(tr("Writes the Gaussians as files that other programs open."))
        self.fill(note, rows, tr("Export…"))
        self.share.setToolTip(tr("The most important Gaussians are kept: opaque and large ones."))
        self.frames.currentIndexChanged.connect(self._offer_formats)
        self.crops.toggled.connect(self._check)
        for field in (self.low, self.high):
            field.textChanged.connect(self._check)
        self._offer_formats()
        self._check()

    @property
    def whole(self) -> bool:
        """Whether all frames are written."""
        return bool(self.frames.currentData())

    @property
    def suffix(self) -> str:
        """Of the file, or of the files in a folder."""
        return str(self.format.currentData())

    @property
    def keep(self) -> float:
        """Share of the Gaussians that is written, above 0 to 1."""
        return int(self.share.currentData()) / 100

    @property
    def crop(self) -> tuple[Vector, Vector] | None:
        """Lower and upper corner of the box; None without one, or while it is no box."""
        lower, upper = parse_vector(self.low.text()), parse_vector(self.high.text())
        if not self.crops.isChecked() or lower is None or upper is None:
            return None
        return (lower, upper) if all(a < b for a, b in zip(lower, upper, strict=True)) else None

    def _offer_formats(self) -> None:
        self.format.clear()
        if self.whole:
            for text, suffix in _FRAME_FORMATS:
                self.format.addItem(tr("Folder of {format}", format=tr(text)), suffix)
            self.format.addItem(tr(_FOURDGS[0]), _FOURDGS[1])
        else:
            for text, suffix in _FRAME_FORMATS:
                self.format.addItem(tr(text), suffix)

    def _check(self) -> None:
        crops = self.crops.isChecked()
        wrong = crops and self.crop is None
        for field in (self.low, self.high):
            field.setEnabled(crops)
            mark_wrong(field, wrong)
        self.accepting.setEnabled(not wrong)


def _moved(point: Vector, step: float) -> Vector:
    return point[0] + step, point[1] + step, point[2] + step
