"""The bitrate slider: one stop per rung of the ladder, worst left, best right."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget
from streamstgs.app.ui import theme

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
    """Stops are labelled with the QP; `chosen` fires with the QP that a person picked."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rungs: tuple[int, ...] = ()  # worst (highest QP) first: left to right
        self._rung: int | None = None
        self._auto = False
        self._bitrates_bps: dict[int, float] = {}
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("Bitrate")

    def sizeHint(self) -> QSize:
        return QSize(220, 66)

    def set_bitrates(self, bits_per_second: dict[int, float]) -> None:
        """What each rung costs, by QP; shown below the stops."""
        self._bitrates_bps = bits_per_second
        self.update()

    def show_rungs(self, best_first: tuple[int, ...], rung: int | None, auto: bool) -> None:
        shown = (tuple(reversed(best_first)), rung, auto)
        if shown != (self._rungs, self._rung, self._auto):
            self._rungs, self._rung, self._auto = shown
            self.update()

    def x_of(self, rung: int) -> float:
        stops = max(len(self._rungs) - 1, 1)
        share = self._rungs.index(rung) / stops if len(self._rungs) > 1 else 0.5
        return _MARGIN_PX + share * (self.width() - 2 * _MARGIN_PX)

    def rung_at(self, x: float) -> int | None:
        return min(self._rungs, key=lambda rung: abs(self.x_of(rung) - x), default=None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._choose(self.rung_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._choose(self.rung_at(event.position().x()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        if step and self._rung in self._rungs:
            place = self._rungs.index(self._rung) + step
            self._choose(self._rungs[min(max(place, 0), len(self._rungs) - 1)])
        else:
            super().keyPressEvent(event)

    def _choose(self, rung: int | None) -> None:
        if rung is not None and (rung != self._rung or self._auto):
            self._rung, self._auto = rung, False
            self.chosen.emit(rung)
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        look = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(look.border))
        width = self.width() - 2 * _MARGIN_PX
        painter.drawRoundedRect(QRectF(_MARGIN_PX, _TRACK_Y - 2, width, 4), 2, 2)
        if self._rung in self._rungs:
            painter.setBrush(QColor(look.accent))
            reach = self.x_of(self._rung) - _MARGIN_PX
            painter.drawRoundedRect(QRectF(_MARGIN_PX, _TRACK_Y - 2, reach, 4), 2, 2)
        for rung in self._rungs:
            self._draw_stop(painter, rung, look)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QColor(look.accent))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)

    def _draw_stop(self, painter: QPainter, rung: int, look: theme.Theme) -> None:
        here = rung == self._rung
        centre = QPointF(self.x_of(rung), _TRACK_Y)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(look.surface))
        painter.drawEllipse(centre, 7, 7)
        painter.setBrush(QColor(look.accent if here else look.muted))
        painter.drawEllipse(centre, _KNOB_PX if here else 4, _KNOB_PX if here else 4)
        painter.setPen(QColor(look.text if here else look.muted))
        label = QRectF(centre.x() - 24, _TRACK_Y + 12, 48, 18)
        painter.drawText(label, Qt.AlignmentFlag.AlignCenter, str(rung))
        if rung in self._bitrates_bps:
            painter.setPen(QColor(look.muted))
            rate = short_bitrate_text(self._bitrates_bps[rung])
            painter.drawText(label.translated(0, 17), Qt.AlignmentFlag.AlignCenter, rate)
