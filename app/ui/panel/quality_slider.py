"""The bitrate slider: one stop per quality, the worst left, the best right."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget
from streamstgs.app.ui import theme
from streamstgs.codec.quality import Quality

_MARGIN_PX = 20
_TRACK_Y = 16
_KNOB_PX = 8


def bitrate_text(bits_per_second: float) -> str:
    """Three digits are enough: 640 kbit/s, 3.2 Mbit/s."""
    if bits_per_second < 999_500:
        return f"{bits_per_second / 1000:.0f} kbit/s"
    mega = bits_per_second / 1e6
    return f"{mega:.1f} Mbit/s" if mega < 100 else f"{mega:.0f} Mbit/s"


def short_bitrate_text(bits_per_second: float) -> str:
    """As it fits below a stop: 640k, 3.2M."""
    number, unit = bitrate_text(bits_per_second).split()
    return number + unit[0]


class QualitySlider(QWidget):
    """Stops are labelled with the QP; `chosen` fires with the quality that a person picked."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._qualities: tuple[Quality, ...] = ()  # worst first: left to right
        self._quality: Quality | None = None
        self._auto = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("Bitrate")

    def sizeHint(self) -> QSize:
        return QSize(220, 66)

    def show_qualities(
        self, qualities: tuple[Quality, ...], quality: Quality | None, auto: bool
    ) -> None:
        shown = (qualities, quality, auto)
        if shown != (self._qualities, self._quality, self._auto):
            self._qualities, self._quality, self._auto = shown
            self.update()

    def x_of(self, quality: Quality) -> float:
        stops = max(len(self._qualities) - 1, 1)
        share = self._qualities.index(quality) / stops if len(self._qualities) > 1 else 0.5
        return _MARGIN_PX + share * (self.width() - 2 * _MARGIN_PX)

    def quality_at(self, x: float) -> Quality | None:
        return min(self._qualities, key=lambda quality: abs(self.x_of(quality) - x), default=None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._choose(self.quality_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._choose(self.quality_at(event.position().x()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        if step and self._quality in self._qualities:
            place = self._qualities.index(self._quality) + step
            self._choose(self._qualities[min(max(place, 0), len(self._qualities) - 1)])
        else:
            super().keyPressEvent(event)

    def _choose(self, quality: Quality | None) -> None:
        if quality is not None and (quality != self._quality or self._auto):
            self._quality, self._auto = quality, False
            self.chosen.emit(quality)
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        look = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(look.border))
        width = self.width() - 2 * _MARGIN_PX
        painter.drawRoundedRect(QRectF(_MARGIN_PX, _TRACK_Y - 2, width, 4), 2, 2)
        if self._quality in self._qualities:
            painter.setBrush(QColor(look.accent))
            reach = self.x_of(self._quality) - _MARGIN_PX
            painter.drawRoundedRect(QRectF(_MARGIN_PX, _TRACK_Y - 2, reach, 4), 2, 2)
        for quality in self._qualities:
            self._draw_stop(painter, quality, look)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QColor(look.accent))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)

    def _draw_stop(self, painter: QPainter, quality: Quality, look: theme.Theme) -> None:
        here = quality == self._quality
        centre = QPointF(self.x_of(quality), _TRACK_Y)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(look.surface))
        painter.drawEllipse(centre, 7, 7)
        painter.setBrush(QColor(look.accent if here else look.muted))
        painter.drawEllipse(centre, _KNOB_PX if here else 4, _KNOB_PX if here else 4)
        painter.setPen(QColor(look.text if here else look.muted))
        label = QRectF(centre.x() - 24, _TRACK_Y + 12, 48, 18)
        painter.drawText(label, Qt.AlignmentFlag.AlignCenter, str(quality.qp))
        if quality.bitrate_bps > 0:
            painter.setPen(QColor(look.muted))
            rate = short_bitrate_text(quality.bitrate_bps)
            painter.drawText(label.translated(0, 17), Qt.AlignmentFlag.AlignCenter, rate)
