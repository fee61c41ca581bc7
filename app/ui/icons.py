"""The icon set of assets/icons, tinted with the colours of the palette.

The drawings use `currentColor`; it is replaced before they are rendered, so one file serves both
themes, every state and every pixel density.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from streamstgs.app.ui.theme import Theme

ICON_DIRECTORY = Path(__file__).resolve().parents[2] / "assets" / "icons"
ICON_PX = 20
_DENSITIES = (1, 2, 3)


@lru_cache(maxsize=256)
def pixmap(name: str, colour: str, size_px: int = ICON_PX, density: int = 1) -> QPixmap:
    """Icon `name` in `colour` (#rrggbb), `size_px` logical pixels wide."""
    drawing = (ICON_DIRECTORY / f"{name}.svg").read_text(encoding="utf-8")
    renderer = QSvgRenderer(QByteArray(drawing.replace("currentColor", colour).encode()))
    drawn = QPixmap(size_px * density, size_px * density)
    drawn.fill(Qt.GlobalColor.transparent)
    painter = QPainter(drawn)
    renderer.render(painter, QRectF(0, 0, drawn.width(), drawn.height()))
    painter.end()
    drawn.setDevicePixelRatio(density)
    return drawn


def icon(name: str, theme: Theme, colour: str | None = None) -> QIcon:
    """Icon for buttons: text colour at rest, accent while checked, muted while disabled."""
    made = QIcon()
    states = (
        (QIcon.Mode.Normal, QIcon.State.Off, colour or theme.text),
        (QIcon.Mode.Normal, QIcon.State.On, theme.accent),
        (QIcon.Mode.Disabled, QIcon.State.Off, theme.border),
    )
    for mode, state, tint in states:
        for density in _DENSITIES:
            made.addPixmap(pixmap(name, tint, ICON_PX, density), mode, state)
    return made


def app_icon() -> QIcon:
    """The icon of the application."""
    made = QIcon()
    for size_px in (16, 24, 32, 48, 64, 128, 256):
        made.addPixmap(pixmap("app", "#ffffff", size_px))
    return made
