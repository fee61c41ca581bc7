"""The look of what lies on the picture: dark glass and light text in both themes."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget
from streamstgs.app.ui import theme

# Opaque enough that text keeps 4.5:1 even over a white picture.
GLASS = QColor(16, 18, 21, 224)
RIM = QColor(255, 255, 255, 26)

STAGE_STYLE = f"""
QLabel {{ color: {theme.ON_STAGE}; background: transparent; }}
QLabel#title {{ font-size: 17px; font-weight: 600; }}
QLabel#muted {{ color: {theme.ON_STAGE_MUTED}; }}
QPushButton {{ background: {theme.DARK.raised}; color: {theme.ON_STAGE};
  border: 1px solid {theme.DARK.border}; border-radius: 6px; padding: 0 14px; min-height: 32px; }}
QPushButton:hover {{ background: {theme.DARK.hover}; }}
QPushButton:focus {{ border-color: {theme.DARK.accent}; }}
QPushButton#primary {{ background: {theme.DARK.accent}; color: {theme.DARK.on_accent};
  border-color: {theme.DARK.accent}; }}
QPushButton#primary:hover {{ background: #7cc2ff; }}
QToolButton {{ border: 0; background: transparent; min-width: 28px; min-height: 28px; }}
"""


def paint_card(widget: QWidget, radius_px: float) -> None:
    """Fill the widget with rounded glass; call from its paintEvent."""
    painter = QPainter(widget)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(GLASS)
    painter.setPen(QPen(RIM, 1))
    painter.drawRoundedRect(
        QRectF(widget.rect()).adjusted(0.5, 0.5, -0.5, -0.5), radius_px, radius_px
    )
