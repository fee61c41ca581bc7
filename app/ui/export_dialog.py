"""The dialog that asks how a video is exported."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QLabel, QWidget
from streamstgs.app.player.export.settings import ALPHA_FORMATS, ExportFormat, ExportSettings
from streamstgs.app.player.rendering.view_settings import Look
from streamstgs.app.translation import mark, tr
from streamstgs.app.ui.form_dialog import SAMPLES, FormDialog, LookChoice
from streamstgs.app.ui.panel.fields import Choice

_FORMATS: tuple[tuple[str, ExportFormat], ...] = (
    (mark("MP4, H.264 (plays everywhere)"), "h264"),
    (mark("MP4, HEVC"), "hevc"),
    (mark("MP4, AV1 (smallest)"), "av1"),
    (mark("MOV, ProRes 4444 (for editing)"), "prores"),
    (mark("WebP loop"), "webp"),
    (mark("GIF loop"), "gif"),
    (mark("Folder of PNG images"), "png"),
    (mark("Folder of OpenEXR images"), "exr"),
)
_SIZES = ((1280, 720), (1920, 1080), (3840, 2160), (7680, 4320), (1080, 1920))
_RATES = (24.0, 25.0, 30.0, 50.0, 60.0)


class ExportDialog(FormDialog):
    """Asks how a video is written; `settings` is the result.

    Args:
        parent: The window.
        size: (width, height) px of the capture.
        fps: Content frames per second.
        keyframes: How many keyframes the camera track has.
        look: What the window shows of the scene.
    """

    def __init__(
        self, parent: QWidget, size: tuple[int, int], fps: float, keyframes: int, look: Look
    ) -> None:
        super().__init__(parent, tr("Export video"))
        self.format, self.size_px, self.rate, self.samples = (Choice() for _ in range(4))
        for text, format in _FORMATS:
            self.format.addItem(tr(text), format)
        as_captured = tr("As captured ({width} x {height})", width=size[0], height=size[1])
        self.size_px.addItem(as_captured, None)
        for width, height in _SIZES:
            self.size_px.addItem(f"{width} x {height}", (width, height))
        self.rate.addItem(tr("As captured ({rate:g})", rate=fps), None)
        for rate in _RATES:
            self.rate.addItem(f"{rate:g}", rate)
        for text, count in SAMPLES:
            self.samples.addItem(tr(text), count)
        self.look = LookChoice(look)
        self.transparent = QCheckBox(tr("Leave the background out"))
        self.format.currentIndexChanged.connect(self._check)
        rows = (
            (tr("Format"), self.format),
            (tr("Size in pixels"), self.size_px),
            (tr("Frames per second"), self.rate),
            (tr("Supersampling"), self.samples),
            (tr("Show the scene"), self.look),
            (tr("Transparency"), self.transparent),
        )
        self.fill(QLabel(_description(keyframes)), rows, tr("Export…"))
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
            look=self.look.look,
        )

    def _check(self) -> None:
        self.transparent.setEnabled(self.format.currentData() in ALPHA_FORMATS)


def _description(keyframes: int) -> str:
    if keyframes == 0:
        return tr("The video shows the scene from the present camera.")
    return tr("The camera follows the camera track ({count}).", count=keyframe_count(keyframes))


def keyframe_count(count: int) -> str:
    """A number of keyframes in words."""
    return tr("1 keyframe") if count == 1 else tr("{count} keyframes", count=count)
