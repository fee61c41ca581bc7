"""The camera lane: keyframes as diamonds, and the easing from each to the next."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QMenu
from streamstgs.app.player.camera.track import CameraTrack
from streamstgs.app.translation import mark, tr
from streamstgs.app.ui import theme
from streamstgs.app.ui.transport.lanes.lane import KEY_PX, Lane, add_easings

EASING_NAMES = {
    "smooth": mark("Smooth"),
    "linear": mark("Straight, at one speed"),
    "ease-in": mark("Start slowly"),
    "ease-out": mark("End slowly"),
    "ease-in-out": mark("Start and end slowly"),
    "hold": mark("Stay, then jump"),
}


class CameraLane(Lane):
    """Shows and edits the keyframes of a camera track; see `Lane`."""

    def __init__(self, track: CameraTrack) -> None:
        super().__init__(track, tr("Camera track"))
        self._camera_track = track
        self.setToolTip(
            tr(
                "Camera keyframes: drag to move, Alt and drag to copy, right click for more. "
                "Enter adds the present camera."
            )
        )

    def fill_menu(self, menu: QMenu, time_s: float) -> None:
        track, chosen = self._camera_track, self.selected
        menu.addAction(tr("Add the present camera\tEnter")).triggered.connect(
            lambda: self.add_wanted.emit()
        )
        replace = menu.addAction(tr("Replace by the present camera\tShift+Enter"))
        replace.setEnabled(chosen is not None)
        replace.triggered.connect(lambda: self.replace_wanted.emit(chosen))
        menu.addSeparator()
        super().fill_menu(menu, time_s)
        menu.addSeparator()
        easings = menu.addMenu(tr("To the next keyframe"))
        easings.setEnabled(chosen is not None and chosen + 1 < len(track))
        if chosen is not None:
            add_easings(
                easings, EASING_NAMES, track[chosen].easing, partial(track.set_easing, chosen)
            )
        constant = menu.addAction(tr("One speed along the whole track"))
        constant.setCheckable(True)
        constant.setChecked(track.constant_speed)
        constant.triggered.connect(lambda on: setattr(track, "constant_speed", on))

    def draw(self, painter: QPainter) -> None:
        look, middle = theme.current(), self.height() / 2
        keys = sorted(self.shown_keys(), key=lambda shown: shown[0].time_s)
        for (one, _), (other, _) in pairwise(keys):
            straight = one.easing in ("linear", "hold")
            dash = [2.0, 3.0] if one.easing == "hold" else [1.0, 0.0]
            pen = QPen(QColor(look.muted), 1.0 if straight else 2.0)
            if one.easing == "hold":
                pen.setDashPattern(dash)
            painter.setPen(pen)
            painter.drawLine(
                QPointF(self.x_of(one.time_s), middle), QPointF(self.x_of(other.time_s), middle)
            )
        for key, selected in keys:
            x = self.x_of(key.time_s)
            painter.setPen(QPen(QColor(look.surface), 1.5))
            painter.setBrush(QColor(look.accent if selected else look.text))
            painter.drawPolygon(
                QPolygonF(
                    [
                        QPointF(x, middle - KEY_PX),
                        QPointF(x + KEY_PX, middle),
                        QPointF(x, middle + KEY_PX),
                        QPointF(x - KEY_PX, middle),
                    ]
                )
            )
