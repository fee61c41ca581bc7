"""Display: mode, exposure, background, resolution and renderer."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget
from streamstgs.app.translation import mark, tr
from streamstgs.app.ui import theme
from streamstgs.app.ui.panel.closer_look import CloserLook
from streamstgs.app.ui.panel.fields import LABEL_COLUMN_PX, Choice
from streamstgs.app.ui.panel.section import Section, muted_label
from streamstgs.app.ui.preferences import Preferences
from streamstgs.renderer.backends import backend_names

MODES = {
    "color": mark("Colour"),
    "depth": mark("Depth"),
    "alpha": mark("Coverage"),
    "normals": mark("Normals"),
    "opacity": mark("Opacity of Gaussians"),
    "points": mark("Points"),
    "ellipsoids": mark("Ellipsoids"),
    "layers": mark("Static and moving"),
    "motion": mark("Motion"),
    "importance": mark("Importance"),
}
EXPOSURES = {
    "2.0": mark("4 × brighter"),
    "1.0": mark("2 × brighter"),
    "0.0": mark("Normal"),
    "-1.0": mark("2 × darker"),
    "-2.0": mark("4 × darker"),
}
CUSTOM = "custom"  # asks for a colour
BACKGROUNDS = {
    "scene": mark("From the scene"),
    "black": mark("Black"),
    "white": mark("White"),
    CUSTOM: mark("Other colour…"),
}
SCALES = {
    "auto": mark("Automatic"),
    "1.0": mark("Full"),
    "0.75": mark("75 %"),
    "0.5": mark("Half"),
    "0.33": mark("One third"),
}
STEREO = {
    "off": mark("Off"),
    "side-by-side": mark("Side by side (half)"),
    "side-by-side-full": mark("Side by side (full)"),
    "top-bottom": mark("Top and bottom (half)"),
}
EYES = {
    "0.0111": mark("Weak"),
    "0.0333": mark("Normal depth"),
    "0.0667": mark("Strong"),
}
BACKENDS = {
    "auto": mark("Automatic"),
    "gsplat": mark("gsplat (CUDA)"),
    "opengl": mark("OpenGL"),
    "cpu": mark("Processor (CPU)"),
    "reference": mark("Reference (slow)"),
}
HINTS = {
    "mode": mark("What the picture shows: colours, depth or the Gaussians themselves"),
    "exposure": mark("Brightness of scene and background"),
    "background": mark("Colour behind the scene"),
    "scale": mark("How many of the window's pixels are rendered while something moves"),
    "stereo": mark("Two pictures for 3D screens, projectors and headsets"),
    "eyes": mark("How far things stand out of a 3D screen"),
    "backend": mark("The program that draws the Gaussians"),
}
DEFAULTS = {
    "background": "scene",
    "eyes": "0.0333",
    "scale": "auto",
    "backend": "auto",
}


class DisplaySection(Section):
    """`changed` fires with (setting, value): the keys of `boxes` and of the dictionaries above."""

    changed = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(mark("Display"), parent)
        self.boxes: dict[str, Choice] = {}
        self._in_use = muted_label()
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.GRID_PX)
        grid.setVerticalSpacing(theme.GRID_PX)
        grid.setColumnStretch(1, 1)
        grid.setColumnMinimumWidth(0, LABEL_COLUMN_PX)
        plugins = {name: name for name in backend_names() if name not in BACKENDS}
        rows = (
            ("mode", tr("Show"), MODES),
            ("exposure", tr("Exposure"), EXPOSURES),
            ("background", tr("Background"), BACKGROUNDS),
            ("scale", tr("Resolution"), SCALES),
            ("stereo", tr("3D display"), STEREO),
            ("eyes", tr("3D depth"), EYES),
            ("backend", tr("Renderer"), {**BACKENDS, **plugins}),
        )
        for line, (key, title, choices) in enumerate(rows):
            label = QLabel(title)
            label.setProperty("muted", True)
            grid.addWidget(label, line, 0)
            box = self._box(key, choices)
            box.setAccessibleName(title)
            box.setToolTip(tr(HINTS[key]))
            grid.addWidget(box, line, 1)
        self.closer = CloserLook()
        self.body.addLayout(grid)
        self.body.addWidget(self.closer)
        self.body.addWidget(self._in_use)

    def _box(self, key: str, choices: dict[str, str]) -> Choice:
        box = Choice()
        for value, text in choices.items():
            box.addItem(tr(text), value)
        box.activated.connect(lambda _: self.changed.emit(key, str(box.currentData())))
        self.boxes[key] = box
        return box

    def select(self, key: str, value: str) -> None:
        """Show a value; unknown ones show the first choice."""
        box = self.boxes[key]
        if key == "background" and value.startswith("#"):
            self._show_colour(value)
        box.setCurrentIndex(max(box.findData(value), 0))

    def _show_colour(self, value: str) -> None:
        """Put the chosen colour before the entry that asks for another one."""
        box = self.boxes["background"]
        place = box.findData(CUSTOM)
        if box.itemData(place - 1) not in BACKGROUNDS:
            box.removeItem(place - 1)
            place -= 1
        if box.findData(value) < 0:
            box.insertItem(place, value, value)

    def restore(self, preferences: Preferences) -> None:
        """Show the remembered settings."""
        self.select("exposure", "0.0")  # mode and exposure are not remembered
        for key, default in DEFAULTS.items():
            self.select(key, preferences.text(key, default))

    def show_backend(self, name: str, reason: str) -> None:
        """Show the renderer in use, also in the list: one that was refused is not chosen there.

        Args:
            reason: Why it was chosen; shown in the tooltip.
        """
        self._in_use.setText(tr("Drawing with: {renderer}", renderer=tr(BACKENDS.get(name, name))))
        self._in_use.setToolTip(reason)
        box = self.boxes["backend"]
        if box.currentData() not in ("auto", name):
            self.select("backend", name)
        self._in_use.setVisible(box.currentData() != name)

    def show_obstacles(self, obstacles: dict[str, str]) -> None:
        """Disable the renderers that this machine cannot run, and say why in their tooltips.

        Args:
            obstacles: Reasons by the names of renderers.
        """
        box = self.boxes["backend"]
        for place in range(box.count()):
            name = str(box.itemData(place))
            reason = obstacles.get(name, "")
            shown = tr(BACKENDS.get(name, name))
            text = tr("{renderer}: not on this computer", renderer=shown) if reason else shown
            box.set_item_enabled(place, not reason)
            box.setItemText(place, text)
            box.setItemData(place, reason, Qt.ItemDataRole.ToolTipRole)
