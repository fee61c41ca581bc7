"""Draws markers and the repeated part on the timeline."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPolygonF

_ABOVE_PX = 13  # from the middle of the track to the upper edge of a flag
_FLAG_PX = 7
_BRACKET_PX = 9


def draw_markers(painter: QPainter, places: Sequence[float], middle: float, colour: QColor) -> None:
    """Draw a flag at each place (px from the left) over a track with this middle (px)."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    for x in places:
        top = middle - _ABOVE_PX
        painter.drawPolygon(
            QPolygonF([QPointF(x - 4, top), QPointF(x + 4, top), QPointF(x, top + _FLAG_PX)])
        )


def draw_part(painter: QPainter, start: float, end: float, middle: float, colour: QColor) -> None:
    """Draw brackets around the part of the track (px from the left) that is repeated."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    for x, towards in ((start, 1), (end, -1)):
        painter.drawRect(QRectF(x - 1, middle - _BRACKET_PX, 2, 2 * _BRACKET_PX))
        for y in (middle - _BRACKET_PX, middle + _BRACKET_PX - 2):
            painter.drawRect(QRectF(min(x, x + 5 * towards), y, 5, 2))
