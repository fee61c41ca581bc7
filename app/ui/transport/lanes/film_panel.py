"""The panel of the film above the transport bar: its buttons and the two lanes."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QToolButton, QWidget
from streamstgs.app.player.film.edits import add_keyframe
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.app.translation import tr
from streamstgs.app.ui import theme
from streamstgs.app.ui.icons import ICON_PX, icon
from streamstgs.app.ui.transport.lanes import lane_interface
from streamstgs.app.ui.transport.lanes.camera_lane import CameraLane
from streamstgs.app.ui.transport.lanes.lane import Lane
from streamstgs.app.ui.transport.lanes.time_lane import TimeLane
from streamstgs.app.ui.transport.timecode import format_time

_HEAD_ROOM = 1.25  # the axis is longer than the film, so that keys can be dragged beyond its end
_LABEL_PX = 64


class FilmPanel(QWidget):
    """Edits the camera track and the time track of a model. Owner: the GUI thread.

    It is made when it is opened for the first time, and costs nothing while it is hidden.

    Args:
        model: Its tracks and its film are shown.
    """

    asked = Signal(str)  # the name of a command

    def __init__(self, model: ViewerModel) -> None:
        super().__init__()
        self._model = model
        self.setObjectName("film")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        lane_interface.install()
        self.camera, self.time = CameraLane(model.track), TimeLane(model.time_track)
        self.clock = QLabel()
        self._icons: dict[QToolButton, str] = {}
        self.play = self._button(
            "play", tr("Preview film"), tr("Play the film (Ctrl+Space)"), "play_film"
        )
        self.add = self._button(
            "camera", tr("Add keyframe"), tr("Add keyframe (Enter)"), "add_keyframe"
        )
        self.follow = self._button(
            "film", tr("Follow"), tr("The camera follows the film (Ctrl+K)"), "follow_track"
        )
        self.path = self._button(
            "path", tr("Show path"), tr("Camera path in the picture (Ctrl+Shift+K)"), "show_path"
        )
        for button in (self.follow, self.path):
            button.setCheckable(True)
        self._lay_out()
        self._connect()
        self.refresh_icons()

    def _button(self, icon_name: str, text: str, hint: str, command: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(hint)
        button.setAccessibleName(text)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setIconSize(QSize(ICON_PX, ICON_PX))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda: self.asked.emit(command))
        self._icons[button] = icon_name
        return button

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(theme.GRID_PX // 2)
        for widget in (self.play, self.add, self.follow, self.path):
            head.addWidget(widget)
        head.addStretch(1)
        head.addWidget(self.clock)
        grid = QGridLayout(self)
        grid.setContentsMargins(theme.GRID_PX, 4, theme.GRID_PX, 0)
        grid.setVerticalSpacing(4)
        grid.setColumnMinimumWidth(0, _LABEL_PX)
        grid.setColumnStretch(1, 1)
        grid.addLayout(head, 0, 0, 1, 2)
        for row, (name, lane) in enumerate(
            ((tr("Camera"), self.camera), (tr("Time"), self.time)), 1
        ):
            label = QLabel(name)
            label.setProperty("muted", True)
            grid.addWidget(label, row, 0)
            grid.addWidget(lane, row, 1)

    def _connect(self) -> None:
        model = self._model
        for lane in (self.camera, self.time):
            lane.sought.connect(lambda time_s, final: model.film.seek(time_s, scrubbing=not final))
            lane.attractors = self._attractors
            lane.track.changed.connect(self.refresh)
            lane.selection_changed.connect(partial(self._tell_selected, lane))
            lane.undo_wanted.connect(lambda: self.asked.emit("undo_film"))
            lane.redo_wanted.connect(lambda: self.asked.emit("redo_film"))
        self.camera.add_wanted.connect(lambda: self.asked.emit("add_keyframe"))
        self.camera.replace_wanted.connect(self._replace)
        self.time.add_wanted.connect(self.time.add_here)
        model.film.changed.connect(self.refresh)

    @property
    def lanes(self) -> tuple[Lane, Lane]:
        """Both lanes."""
        return self.camera, self.time

    def refresh(self) -> None:
        """Show the film as it is now; nothing while the panel is hidden."""
        status = self._model.status
        if not self.isVisible() or status is None or self._model.scene is None:
            return
        film = self._model.film
        length_s, position_s = film.duration_s, film.position_s
        ends = [length_s, status.duration_s, self._model.track.duration_s, position_s]
        for lane in self.lanes:
            lane.show_film(max(*ends, 0.1) * _HEAD_ROOM, position_s, status.fps or 30.0)
        if self.time.scene_s != status.duration_s:
            self.time.scene_s = max(status.duration_s, 1e-3)
            self.time.update()
        self.clock.setText(f"{format_time(position_s)} / {format_time(length_s)}")
        self._show_playing(film.playing)

    def show_options(self, follows: bool, shows_path: bool) -> None:
        """Show whether the camera follows the film, and whether its path is drawn."""
        self.follow.setChecked(follows)
        self.path.setChecked(shows_path)

    def refresh_icons(self) -> None:
        """Draw the icons in the colours of the current theme."""
        for button, name in self._icons.items():
            button.setIcon(icon(name, theme.current()))

    def _show_playing(self, playing: bool) -> None:
        name = "pause" if playing else "play"
        if self._icons[self.play] != name:
            self._icons[self.play] = name
            self.play.setIcon(icon(name, theme.current()))
            self.play.setText(tr("Stop film") if playing else tr("Preview film"))
            self.play.setAccessibleName(self.play.text())

    def _tell_selected(self, lane: Lane, *_: object) -> None:
        lane_interface.tell_selected(lane)

    def _attractors(self) -> list[float]:
        """Times that dragged keys snap to: the playhead and the keys of both lanes."""
        keys = [key.time_s for lane in self.lanes for key in lane.track]
        return [*keys, self._model.film.position_s]

    def replace_selected(self) -> None:
        """Give the selected keyframe the present camera; without one, that at the time there."""
        self._replace(-1 if self.camera.selected is None else self.camera.selected)

    def _replace(self, index: int) -> None:
        add_keyframe(self._model, None if index < 0 else index)
