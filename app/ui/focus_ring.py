"""The ring around the control that has the keyboard, for widgets that paint themselves."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from streamstgs.app.ui.theme import FOCUS_PX, Theme

_RADIUS_PX = 6


def draw_focus_ring(painter: QPainter, place: QRect, look: Theme) -> None:
    """Draw the ring along the edge of a widget."""
    painter.save()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(look.accent), FOCUS_PX))
    half = FOCUS_PX / 2
    painter.drawRoundedRect(
        QRectF(place).adjusted(half, half, -half, -half), _RADIUS_PX, _RADIUS_PX
    )
    painter.restore()
