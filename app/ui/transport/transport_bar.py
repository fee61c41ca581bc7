"""The transport bar: play, step, time code, timeline, speed, loop, full screen, panel."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget
from streamstgs.app.player.status import PlaybackState, PlaybackStatus
from streamstgs.app.translation import tr
from streamstgs.app.ui import theme
from streamstgs.app.ui.icons import ICON_PX, icon
from streamstgs.app.ui.transport.live_button import LiveButton
from streamstgs.app.ui.transport.time_label import TimeLabel
from streamstgs.app.ui.transport.timeline_bar import TimelineBar
from streamstgs.app.ui.transport.volume_control import VolumeControl

SPEEDS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0)
_NARROW_PX = 720  # a narrower bar hides buttons that have a menu entry and a key


def speed_text(speed: float) -> str:
    """A speed, as 1.5×."""
    return f"{speed:g}×"


class TransportBar(QWidget):
    """Shows a `PlaybackStatus`. `asked` carries the names of commands (`app.ui.commands`)."""

    asked = Signal(str)
    speed_chosen = Signal(float)
    sought = Signal(float, bool)  # content time in seconds; false while the timeline is dragged

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.timeline = TimelineBar()
        self.time = TimeLabel()
        self._icon_names: dict[QToolButton, str] = {}
        self.play = self._button("toggle", "play", tr("Play (Space)"))
        self.step_back = self._button("step_back", "step-back", tr("Previous frame (Left)"))
        self.step_forward = self._button("step_forward", "step-forward", tr("Next frame (Right)"))
        self.loop = self._button("loop", "loop", tr("Loop (R)"), checkable=True)
        self.full_screen = self._button("full_screen", "full-screen", tr("Full screen (F11)"))
        self.panel = self._button("panel", "panel", tr("Side panel (P)"), checkable=True)
        self.speed = self._speed_button()
        self.volume = VolumeControl()
        self.live = LiveButton()
        self.live.clicked.connect(lambda: self.asked.emit("go_live"))
        self._lay_out()
        self.refresh_icons()
        self.set_scene_open(False)
        self.timeline.sought.connect(self.sought)
        self.time.sought.connect(lambda time_s: self.sought.emit(time_s, True))

    @property
    def dragging(self) -> bool:
        """Whether the timeline is being dragged."""
        return self.timeline.dragging

    def _button(
        self, command: str, icon_name: str, hint: str, checkable: bool = False
    ) -> QToolButton:
        button = QToolButton()
        button.setToolTip(hint)
        button.setAccessibleName(hint)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves Space to playing
        button.setIconSize(QSize(ICON_PX, ICON_PX))
        button.setCheckable(checkable)
        button.clicked.connect(lambda: self.asked.emit(command))
        self._icon_names[button] = icon_name
        return button

    def _speed_button(self) -> QToolButton:
        button = QToolButton()
        button.setText(speed_text(1.0))
        button.setToolTip(tr("Speed ([ and ])"))
        button.setAccessibleName(tr("Speed"))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setObjectName("speed")
        menu = QMenu(button)
        for speed in SPEEDS:
            action = QAction(speed_text(speed), menu)
            action.triggered.connect(lambda _=False, s=speed: self.speed_chosen.emit(s))
            menu.addAction(action)
        button.setMenu(menu)
        return button

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.GRID_PX, 6, theme.GRID_PX, 6)
        row.setSpacing(4)
        for widget in (self.step_back, self.play, self.step_forward):
            row.addWidget(widget)
        row.addSpacing(4)
        row.addWidget(self.time)
        row.addSpacing(4)
        row.addWidget(self.timeline, stretch=1)
        row.addSpacing(4)
        right: tuple[QWidget, ...] = (
            self.live,
            self.volume,
            self.speed,
            self.loop,
            self.full_screen,
            self.panel,
        )
        for control in right:
            row.addWidget(control)
        items = [row.itemAt(place) for place in range(row.count())]
        order = [part for item in items if item is not None and (part := item.widget()) is not None]
        for before, after in pairwise(order):
            QWidget.setTabOrder(before, after)

    def refresh_icons(self) -> None:
        """Draw the icons in the colours of the current theme."""
        look = theme.current()
        for button, name in self._icon_names.items():
            button.setIcon(icon(name, look))
        self.volume.refresh_icons()

    def set_full_screen(self, on: bool) -> None:
        """Show whether the window is in full screen."""
        name = "leave-full-screen" if on else "full-screen"
        self._icon_names[self.full_screen] = name
        self.full_screen.setIcon(icon(name, theme.current()))
        hint = tr("Leave full screen (Esc)") if on else tr("Full screen (F11)")
        self.full_screen.setToolTip(hint)
        self.full_screen.setAccessibleName(hint)

    def set_scene_open(self, opened: bool) -> None:
        """Enable or disable what needs a scene."""
        for widget in (self.play, self.step_back, self.step_forward, self.time, self.timeline):
            widget.setEnabled(opened)
        if not opened:
            self.live.hide()
            self.timeline.clear()
            self.time.clear()
            self._show_play("play", tr("Play (Space)"))

    def show_speed_and_loop(self, speed: float, loop: bool) -> None:
        """Show speed and loop."""
        self.speed.setText(speed_text(speed))
        self.loop.setChecked(loop)

    def show_panel_open(self, on: bool) -> None:
        """Show whether the side panel is open."""
        self.panel.setChecked(on)

    def show_status(self, status: PlaybackStatus) -> None:
        """Show position, buffered ranges, speed, loop and the play button."""
        self.timeline.show_status(status)
        self.time.show_status(status)
        self.live.show_status(status.live)
        self.show_speed_and_loop(status.speed, status.loop)
        if status.state is PlaybackState.ENDED:
            self._show_play("replay", tr("Play again (Space)"))
        elif status.wants_play and status.state is not PlaybackState.FAILED:
            self._show_play("pause", tr("Pause (Space)"))
        else:
            self._show_play("play", tr("Play (Space)"))

    def _show_play(self, name: str, hint: str) -> None:
        if self._icon_names[self.play] != name:
            self._icon_names[self.play] = name
            self.play.setIcon(icon(name, theme.current()))
            self.play.setToolTip(hint)
            self.play.setAccessibleName(hint)

    def resizeEvent(self, event: object) -> None:
        roomy = self.width() >= _NARROW_PX
        for button in (self.step_back, self.step_forward):
            button.setVisible(roomy)
        if roomy != self.time.roomy:
            self.time.set_roomy(roomy)
        self.volume.slider.setVisible(roomy)
        self.speed.setVisible(self.width() >= _NARROW_PX - 120)
