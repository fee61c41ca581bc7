"""The timeline: position, buffered ranges, GOP ticks, markers; a drag scrubs, a click seeks."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QColor,
    QContextMenuEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractSlider, QSizePolicy, QWidget
from streamstgs.app.player.film.markers import Marker
from streamstgs.app.player.status import PlaybackStatus
from streamstgs.app.translation import tr
from streamstgs.app.ui import theme
from streamstgs.app.ui.focus_ring import draw_focus_ring
from streamstgs.app.ui.transport.timecode import format_time
from streamstgs.app.ui.transport.timeline_marks import draw_markers, draw_part

_MARGIN_PX = 10
_TRACK_PX = 6
_KNOB_PX = 7
_MARKER_PX = 5  # the pointer is on a marker that is no farther away
_ENDS_DRAG = (QEvent.Type.WindowBlocked, QEvent.Type.Hide, QEvent.Type.UngrabMouse)


class TimelineBar(QAbstractSlider):
    """Shows a `PlaybackStatus`.

    A slider for screen readers: its value is the content frame.

    `sought` fires while dragging (`final` False) and once on release (`final` True). The knob is at
    the pointer at once, before playback follows.
    """

    sought = Signal(float, bool)
    hovered = Signal(object)  # the content time under the pointer; None once it has left
    marker_menu = Signal(int, QPoint)  # the index of a marker, the place on the screen
    dragging_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._duration_s = 0.0
        self._fps = 0.0
        self._frames = 0
        self._position_s = 0.0
        self._buffered_s: tuple[tuple[float, float], ...] = ()
        self._gop_starts_s: tuple[float, ...] = ()
        self._markers: tuple[Marker, ...] = ()
        self._part_s: tuple[float, float] | None = None
        self._hover_x: float | None = None
        self._dragging = False
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("Timeline"))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.valueChanged.connect(self._seek_to_value)  # of screen readers

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
        self._tell_value()
        self.update()

    def show_markers(self, markers: Sequence[Marker]) -> None:
        """Show markers of the scene."""
        self._markers = tuple(markers)
        self.update()

    def show_part(self, part_s: tuple[float, float] | None) -> None:
        """Show the part that is repeated, as (start, end) in content seconds."""
        self._part_s = part_s
        self.update()

    def marker_at(self, x: float) -> int | None:
        """The index of the marker at a place on the widget; None if there is none."""
        away = [abs(self.x_of(marker.time_s) - x) for marker in self._markers]
        nearest = min(away, default=_MARKER_PX + 1.0)
        return away.index(nearest) if nearest <= _MARKER_PX else None

    def _tell_value(self) -> None:
        """Tell screen readers the position."""
        self.blockSignals(True)
        self.setRange(0, max(self._frames - 1, 0))
        self.setValue(self.frame_at(self._position_s))
        self.blockSignals(False)
        if QAccessible.isActive():
            now, end = format_time(self._position_s), format_time(self._duration_s)
            self.setAccessibleDescription(tr("{now} of {end}", now=now, end=end))

    def _seek_to_value(self, frame: int) -> None:
        if self._fps > 0.0:
            self.sought.emit(frame / self._fps, True)

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

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.ignore()  # the shortcuts of the window step and seek

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

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
        self.hovered.emit(self.time_at(self._hover_x) if self._duration_s > 0 else None)
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

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        index = self.marker_at(event.pos().x())
        if index is not None:
            self.marker_menu.emit(index, event.globalPos())

    def leaveEvent(self, event: object) -> None:
        self._hover_x = None
        self.hovered.emit(None)
        self.update()

    def _seek_to(self, x: float, final: bool) -> None:
        self._position_s = self.time_at(x)
        self.sought.emit(self._position_s, final)
        self.update()

    def _stop_dragging(self) -> None:
        if self._dragging:
            self._dragging = False
            self.dragging_changed.emit(False)

    def frame_at(self, time_s: float) -> int:
        """The frame that a click at a time shows; at the end it is the last one."""
        return max(min(int(time_s * self._fps), self._frames - 1), 0)

    # drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        look = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        self._fill(painter, look.outline, _MARGIN_PX, _MARGIN_PX + self._track_width)
        if self.hasFocus():
            draw_focus_ring(painter, self.rect(), look)
        if self._duration_s <= 0:
            return
        buffered = QColor(look.muted)
        buffered.setAlpha(150)
        for start_s, end_s in self._buffered_s:
            self._fill(painter, buffered, self.x_of(start_s), self.x_of(end_s))
        self._fill(painter, look.accent, _MARGIN_PX, self.x_of(self._position_s))
        self._draw_gop_ticks(painter, QColor(look.surface))
        middle = self.height() / 2
        if self._part_s is not None:
            start_s, end_s = self._part_s
            draw_part(painter, self.x_of(start_s), self.x_of(end_s), middle, QColor(look.text))
        places = [self.x_of(marker.time_s) for marker in self._markers]
        draw_markers(painter, places, middle, QColor(look.text))
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
