"""The timeline: position, buffered ranges and GOP ticks; a drag scrubs, a click seeks."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget
from streamstgs.app.player.status import PlaybackStatus
from streamstgs.app.translation import tr
from streamstgs.app.ui import theme
from streamstgs.app.ui.transport.timecode import format_time

_MARGIN_PX = 10
_TRACK_PX = 6
_KNOB_PX = 7
_ENDS_DRAG = (QEvent.Type.WindowBlocked, QEvent.Type.Hide, QEvent.Type.UngrabMouse)


class TimelineBar(QWidget):
    """Shows a `PlaybackStatus`.

    `sought` fires while dragging (`final` False) and once on release (`final` True). The knob is at
    the pointer at once, before playback follows.
    """

    sought = Signal(float, bool)
    dragging_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._duration_s = 0.0
        self._fps = 0.0
        self._frames = 0
        self._position_s = 0.0
        self._buffered_s: tuple[tuple[float, float], ...] = ()
        self._gop_starts_s: tuple[float, ...] = ()
        self._hover_x: float | None = None
        self._dragging = False
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("Timeline"))

    def sizeHint(self) -> QSize:
        return QSize(320, theme.TARGET_PX)

    def minimumSizeHint(self) -> QSize:
        return QSize(96, theme.TARGET_PX)

    @property
    def dragging(self) -> bool:
        return self._dragging

    def show_status(self, status: PlaybackStatus) -> None:
        position_s = self._position_s if self._dragging else status.position_s
        shown = (position_s, status.duration_s, status.buffered_s, status.gop_starts_s)
        if shown == (self._position_s, self._duration_s, self._buffered_s, self._gop_starts_s):
            return
        self._position_s, self._duration_s, self._buffered_s, self._gop_starts_s = shown
        self._fps, self._frames = status.fps, status.frames
        self.update()

    def clear(self) -> None:
        self._position_s = self._duration_s = 0.0
        self._buffered_s, self._gop_starts_s = (), ()
        self._stop_dragging()
        self.update()

    def x_of(self, time_s: float) -> float:
        """The place of a time on the widget, px from the left."""
        share = time_s / self._duration_s if self._duration_s > 0 else 0.0
        return _MARGIN_PX + min(max(share, 0.0), 1.0) * self._track_width

    def time_at(self, x: float) -> float:
        share = (x - _MARGIN_PX) / max(self._track_width, 1)
        return min(max(share, 0.0), 1.0) * self._duration_s

    @property
    def _track_width(self) -> int:
        return self.width() - 2 * _MARGIN_PX

    # pointer

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton and self._duration_s > 0:
            self._dragging = True
            self.dragging_changed.emit(True)
            self._seek_to(event.position().x(), final=False)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover_x = event.position().x()
        if self._dragging and not event.buttons() & Qt.MouseButton.LeftButton:
            self._end_drag()
        if self._dragging:
            self._seek_to(self._hover_x, final=False)
        self._show_hover_time()
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton and self._dragging:
            self._seek_to(event.position().x(), final=True)
            self._stop_dragging()

    def event(self, event: QEvent) -> bool:
        if self._dragging and event.type() in _ENDS_DRAG:
            self._end_drag()
        return super().event(event)

    def _end_drag(self) -> None:
        """End a drag whose button was released elsewhere, as under a dialog."""
        self.sought.emit(self._position_s, True)
        self._stop_dragging()

    def leaveEvent(self, event: object) -> None:
        self._hover_x = None
        self.update()

    def _seek_to(self, x: float, final: bool) -> None:
        self._position_s = self.time_at(x)
        self.sought.emit(self._position_s, final)
        self.update()

    def _stop_dragging(self) -> None:
        if self._dragging:
            self._dragging = False
            self.dragging_changed.emit(False)

    def _show_hover_time(self) -> None:
        if self._hover_x is None or self._duration_s <= 0:
            return
        time_s = self.time_at(self._hover_x)
        above = QPoint(round(self._hover_x) - 36, -44)
        text = tr("{time}  ·  frame {frame}", time=format_time(time_s), frame=self.frame_at(time_s))
        QToolTip.showText(self.mapToGlobal(above), text, self)

    def frame_at(self, time_s: float) -> int:
        """The frame that a click at a time shows; at the end it is the last one."""
        return max(min(int(time_s * self._fps), self._frames - 1), 0)

    # drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        look = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        self._fill(painter, look.border, _MARGIN_PX, _MARGIN_PX + self._track_width)
        if self._duration_s <= 0:
            return
        buffered = QColor(look.muted)
        buffered.setAlpha(150)
        for start_s, end_s in self._buffered_s:
            self._fill(painter, buffered, self.x_of(start_s), self.x_of(end_s))
        self._fill(painter, look.accent, _MARGIN_PX, self.x_of(self._position_s))
        self._draw_gop_ticks(painter, QColor(look.surface))
        self._draw_knob(painter, QColor(look.accent), QColor(look.surface))

    def _fill(self, painter: QPainter, colour: QColor | str, start: float, end: float) -> None:
        top = (self.height() - _TRACK_PX) / 2
        painter.setBrush(QColor(colour))
        bar = QRectF(start, top, max(end - start, 0.0), _TRACK_PX)
        painter.drawRoundedRect(bar, _TRACK_PX / 2, _TRACK_PX / 2)

    def _draw_gop_ticks(self, painter: QPainter, colour: QColor) -> None:
        """Draw gaps in the track where a GOP starts, unless they are too dense."""
        if len(self._gop_starts_s) * 6 > self._track_width:
            return
        top = (self.height() - _TRACK_PX) / 2
        painter.setBrush(colour)
        for start_s in self._gop_starts_s:
            if 0 < start_s < self._duration_s:
                painter.drawRect(QRectF(self.x_of(start_s) - 1, top, 2, _TRACK_PX))

    def _draw_knob(self, painter: QPainter, colour: QColor, rim: QColor) -> None:
        radius = _KNOB_PX + (1 if self._dragging or self._hover_x is not None else 0)
        centre = QPointF(self.x_of(self._position_s), self.height() / 2)
        painter.setBrush(rim)
        painter.drawEllipse(centre, radius + 2, radius + 2)
        painter.setBrush(colour)
        painter.drawEllipse(centre, radius, radius)
