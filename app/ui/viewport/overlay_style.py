"""Overlay style: dark translucent cards and light text over the image, in both themes."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget
from streamstgs.app.ui import theme

# Opaque enough that text keeps a contrast of 4.5:1 even over a white image.
GLASS = QColor(16, 18, 21, 224)
RIM = QColor(255, 255, 255, 26)

OVERLAY_STYLE = f"""
QLabel {{ color: {theme.OVERLAY_TEXT}; background: transparent; }}
QLabel#title {{ font-size: 17px; font-weight: 600; }}
QLabel#muted {{ color: {theme.OVERLAY_MUTED}; }}
QPushButton {{ background: {theme.DARK.raised}; color: {theme.OVERLAY_TEXT};
  border: 1px solid {theme.DARK.outline}; border-radius: 6px; padding: 0 14px;
  min-height: 32px; }}
QPushButton:hover {{ background: {theme.DARK.hover}; }}
QPushButton:focus {{ border: {theme.FOCUS_PX}px solid {theme.DARK.accent}; padding: 0 13px; }}
QPushButton#primary {{ background: {theme.DARK.accent}; color: {theme.DARK.on_accent};
  border-color: {theme.DARK.accent}; }}
QPushButton#primary:focus {{ border-color: {theme.OVERLAY_TEXT}; }}
QPushButton#primary:hover {{ background: #7cc2ff; }}
QToolButton {{ border: 0; background: transparent; min-width: 28px; min-height: 28px; }}
"""


def paint_card(widget: QWidget, radius_px: float) -> None:
    """Fill the widget with a rounded translucent card; call from its paintEvent."""
    painter = QPainter(widget)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(GLASS)
    painter.setPen(QPen(RIM, 1))
    painter.drawRoundedRect(
        QRectF(widget.rect()).adjusted(0.5, 0.5, -0.5, -0.5), radius_px, radius_px
    )
