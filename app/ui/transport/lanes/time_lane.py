"""The time lane: a curve of content time over the time of the film, with keys that are dragged."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QMenu
from streamstgs.app.player.film import edits
from streamstgs.app.player.time_track import TimeCurve, TimeEasing, TimeKey, TimeTrack
from streamstgs.app.translation import mark, tr
from streamstgs.app.ui import theme
from streamstgs.app.ui.transport.lanes.lane import Lane, add_easings
from streamstgs.app.ui.transport.timecode import format_time

HOLD_S = 1.0
EASING_NAMES = {
    "linear": mark("One speed"),
    "smooth": mark("Change speed gradually"),
    "ease-in": mark("Start slowly (ramp up)"),
    "ease-out": mark("End slowly (ramp down)"),
    "ease-in-out": mark("Start and end slowly"),
    "hold": mark("Stay, then jump"),
}
_EDGE_PX = 9


class TimeLane(Lane):
    """Shows and edits the curve of a time track: up is later in the scene; see `Lane`."""

    HEIGHT_PX = 88

    def __init__(self, track: TimeTrack) -> None:
        super().__init__(track, tr("Time track"))
        self._time_track = track
        self.scene_s = 1.0  # written by the panel
        self.setToolTip(
            tr(
                "Content time: drag keys, double click adds one, right click holds, slows down, "
                "turns around and loops."
            )
        )

    def y_of(self, key: TimeKey) -> float:
        return self._y_of(key.content_s)

    def key_text(self, key: TimeKey) -> str:
        time, content = format_time(key.time_s), format_time(key.content_s)
        return tr("{time}, shows {content} of the scene", time=time, content=content)

    def dragged_key(self, key: TimeKey, place: QPointF) -> TimeKey:
        room_px = max(self.height() - 2 * _EDGE_PX, 1)
        content_s = (self.height() - _EDGE_PX - place.y()) / room_px * self.scene_s
        inside_s = min(max(content_s, 0.0), self.scene_s)
        time_s = self.snapped_at(place.x(), key.time_s)
        return replace(key, time_s=time_s, content_s=edits.snapped(inside_s, self.fps))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        place = event.position()
        if event.button() is Qt.MouseButton.LeftButton and self.key_at(place) is None:
            self._split(self.snapped_at(place.x(), -1.0))

    def fill_menu(self, menu: QMenu, time_s: float) -> None:
        track, scene_s, chosen = self._time_track, self.scene_s, self.selected
        for text, edit in (
            (tr("Add key"), lambda: self._split(time_s)),
            (
                tr("Hold for 1 second (bullet time)"),
                lambda: edits.hold(track, time_s, HOLD_S, scene_s),
            ),
            (
                tr("Half speed until the next key"),
                lambda: edits.change_speed(track, time_s, 0.5, scene_s),
            ),
            (
                tr("Double speed until the next key"),
                lambda: edits.change_speed(track, time_s, 2.0, scene_s),
            ),
            (
                tr("Backwards until the next key"),
                lambda: edits.change_speed(track, time_s, -1.0, scene_s),
            ),
        ):
            menu.addAction(text).triggered.connect(lambda _=False, run=edit: run())
        menu.addSeparator()
        super().fill_menu(menu, time_s)
        menu.addSeparator()
        self._add_easings(menu, chosen)
        loop = menu.addAction(tr("Loop the scene beyond its ends"))
        loop.setCheckable(True)
        loop.setChecked(track.loop)
        loop.triggered.connect(lambda on: setattr(track, "loop", on))
        menu.addAction(tr("Play the scene once")).triggered.connect(
            lambda: edits.play_once(track, scene_s)
        )
        menu.addAction(tr("Remove the time track")).triggered.connect(lambda: track.clear())

    def _add_easings(self, menu: QMenu, chosen: int | None) -> None:
        track = self._time_track
        easings = menu.addMenu(tr("To the next key"))
        easings.setEnabled(chosen is not None and chosen + 1 < len(track))
        if chosen is not None:
            key = track[chosen]

            def choose(easing: TimeEasing) -> None:
                track.replace(chosen, replace(key, easing=easing))

            add_easings(easings, EASING_NAMES, key.easing, choose)

    def add_here(self) -> None:
        """Add a key on the curve at the time of the film."""
        self._split(edits.snapped(self.position_s, self.fps))

    def _split(self, time_s: float) -> None:
        with self._time_track.one_edit():
            if not len(self._time_track):
                edits.play_once(self._time_track, self.scene_s)
            index = edits.split(self._time_track, time_s)
        self.select(index)

    def _y_of(self, content_s: float) -> float:
        room_px = self.height() - 2 * _EDGE_PX
        share = min(max(content_s / max(self.scene_s, 1e-6), 0.0), 1.0)
        return self.height() - _EDGE_PX - share * room_px

    def draw(self, painter: QPainter) -> None:
        look = theme.current()
        keys = sorted(self.shown_keys(), key=lambda shown: shown[0].time_s)
        if not keys:
            painter.setPen(QColor(look.muted))
            hint = tr("The film plays the scene once. Double click to shape its time.")
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, hint)
            return
        painter.setPen(QPen(QColor(look.muted), 2.0))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        times = [key.time_s for key, _ in keys]
        if len(set(times)) == len(times):  # not while a key is dragged over another one
            curve = TimeCurve(tuple(key for key, _ in keys), self._time_track.loop)
            painter.drawPath(self._path(curve))
        for key, selected in keys:
            painter.setPen(QPen(QColor(look.surface), 1.5))
            painter.setBrush(QColor(look.accent if selected else look.text))
            painter.drawEllipse(QPointF(self.x_of(key.time_s), self.y_of(key)), 5.0, 5.0)

    def _path(self, curve: TimeCurve) -> QPainterPath:
        path = QPainterPath()
        former: float | None = None
        for x in range(round(self.x_of(0.0)), round(self.x_of(self.span_s)) + 1, 2):
            content_s = curve.content_at(self.time_at(x), self.scene_s)
            place = QPointF(x, self._y_of(content_s))
            jumps = former is None or abs(content_s - former) > 0.4 * self.scene_s
            path.moveTo(place) if jumps else path.lineTo(place)
            former = content_s
        return path
