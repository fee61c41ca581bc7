"""What both lanes share: a time axis, keys that are selected, dragged and edited, and the keyboard.

Times are those of the film, in seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QEvent, QPointF, QSize, Qt, Signal
from PySide6.QtGui import (
    QActionGroup,
    QColor,
    QContextMenuEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget
from streamstgs.app.player.edit_track import EditTrack
from streamstgs.app.player.film.edits import snapped
from streamstgs.app.translation import tr
from streamstgs.app.ui import theme
from streamstgs.app.ui.transport.timecode import format_time

MARGIN_PX = 12
KEY_PX = 7  # half the width of a key
GRAB_PX = 9
SNAP_PX = 6
_SLOP_PX = 3  # a shorter drag is a click

_NONE, _SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
_CONTROL, _ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier


@dataclass
class Drag:
    """A key that is dragged: where the pointer was pressed, and what the key becomes."""

    index: int
    start: QPointF
    key: Any
    copies: bool = False
    moved: bool = False


class Lane(QWidget):
    """Shows the keys of a track. Owner: the GUI thread.

    Left and Right select the key before and after, Alt moves it by a frame. Enter adds a key,
    Shift+Enter replaces it; Ctrl+C, Ctrl+V, Delete, Ctrl+Z and Ctrl+Shift+Z do what they always do.

    Args:
        track: Its keys are shown and edited.
        name: For screen readers.
    """

    sought = Signal(float, bool)  # a time of the film; false while dragging goes on
    add_wanted = Signal()
    undo_wanted = Signal()
    redo_wanted = Signal()
    replace_wanted = Signal(int)  # the index of the selected key, -1 without one
    selection_changed = Signal(int)  # the index of the selected key, -1 without one

    HEIGHT_PX = 40

    def __init__(self, track: EditTrack[Any], name: str) -> None:
        super().__init__()
        self.track, self.name = track, name
        self.selected: int | None = None
        self.span_s = 1.0  # written by `show_film`
        self.position_s = 0.0
        self.fps = 30.0
        self.attractors: Callable[[], list[float]] = list  # times that dragged keys snap to
        self._copied: Any = None
        self._drag: Drag | None = None
        self._scrubs = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)
        track.changed.connect(self._track_changed)
        self._keys: dict[tuple[Qt.Key, Any], Callable[[], object]] = {
            (Qt.Key.Key_Left, _NONE): lambda: self._select_by(-1),
            (Qt.Key.Key_Right, _NONE): lambda: self._select_by(1),
            (Qt.Key.Key_Left, _ALT): lambda: self._move_by(-1),
            (Qt.Key.Key_Right, _ALT): lambda: self._move_by(1),
            (Qt.Key.Key_Return, _NONE): self.add_wanted.emit,
            (Qt.Key.Key_Enter, _NONE): self.add_wanted.emit,
            (Qt.Key.Key_Return, _SHIFT): self._ask_to_replace,
            (Qt.Key.Key_Enter, _SHIFT): self._ask_to_replace,
            (Qt.Key.Key_Delete, _NONE): self.remove_selected,
            (Qt.Key.Key_Backspace, _NONE): self.remove_selected,
            (Qt.Key.Key_C, _CONTROL): self.copy_selected,
            (Qt.Key.Key_V, _CONTROL): self.paste,
            (Qt.Key.Key_Z, _CONTROL): self.undo_wanted.emit,
            (Qt.Key.Key_Z, _CONTROL | _SHIFT): self.redo_wanted.emit,
            (Qt.Key.Key_Escape, _NONE): self._escape,
        }

    def sizeHint(self) -> QSize:
        return QSize(320, self.HEIGHT_PX)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.HEIGHT_PX)

    # --- axis -------------------------------------------------------------------------------------

    def show_film(self, span_s: float, position_s: float, fps: float) -> None:
        """Show the film at a time.

        Args:
            span_s: The time at the right edge.
        """
        if (span_s, position_s, fps) != (self.span_s, self.position_s, self.fps):
            self.span_s, self.position_s, self.fps = span_s, position_s, fps
            self.update()

    def x_of(self, time_s: float) -> float:
        """The place of a time, px from the left."""
        return MARGIN_PX + time_s / self.span_s * max(self.width() - 2 * MARGIN_PX, 1)

    def time_at(self, x: float) -> float:
        """The time at a place, not below 0."""
        return max((x - MARGIN_PX) / max(self.width() - 2 * MARGIN_PX, 1) * self.span_s, 0.0)

    def y_of(self, key: Any) -> float:
        """The place of a key, px from the top."""
        return self.height() / 2

    def key_at(self, place: QPointF) -> int | None:
        """The index of the key under the pointer; None if there is none."""
        for index in reversed(range(len(self.track))):
            key = self.track[index]
            away = place - QPointF(self.x_of(key.time_s), self.y_of(key))
            if abs(away.x()) <= GRAB_PX and abs(away.y()) <= GRAB_PX + 2:
                return index
        return None

    def key_text(self, key: Any) -> str:
        """A key in words, for screen readers."""
        return format_time(key.time_s)

    def dragged_key(self, key: Any, place: QPointF) -> Any:
        """What a key becomes that is dragged to a place."""
        return replace(key, time_s=self.snapped_at(place.x(), key.time_s))

    def snapped_at(self, x: float, own_s: float) -> float:
        """The time at a place, at a frame or at another time that attracts."""
        others = [time_s for time_s in self.attractors() if time_s != own_s]
        return snapped(self.time_at(x), self.fps, others, SNAP_PX * self.span_s / self.width())

    # --- edits ------------------------------------------------------------------------------------

    def select(self, index: int | None) -> None:
        """Select a key; None selects nothing."""
        self.selected = index if index is not None and 0 <= index < len(self.track) else None
        self.selection_changed.emit(-1 if self.selected is None else self.selected)
        self._describe()
        self.update()

    def remove_selected(self) -> None:
        """Delete the selected key."""
        if self.selected is not None:
            index = self.selected
            self.select(None)
            self.track.remove(index)

    def copy_selected(self) -> None:
        """Keep a copy of the selected key for `paste`."""
        if self.selected is not None:
            self._copied = self.track[self.selected]

    def paste(self) -> None:
        """Add the copied key at the time of the film."""
        if self._copied is not None:
            time_s = snapped(self.position_s, self.fps)
            self.select(self.track.add(replace(self._copied, time_s=time_s)))

    @property
    def can_paste(self) -> bool:
        """Whether a key was copied."""
        return self._copied is not None

    def _select_by(self, step: int) -> None:
        if not len(self.track):
            return
        count, now = len(self.track), self.selected
        start = (-1 if step > 0 else count) if now is None else now
        self.select(min(max(start + step, 0), count - 1))
        assert self.selected is not None
        self.sought.emit(self.track[self.selected].time_s, True)

    def _move_by(self, frames: int) -> None:
        if self.selected is not None:
            key = self.track[self.selected]
            time_s = snapped(key.time_s + frames / max(self.fps, 1e-6), self.fps)
            self.select(self.track.move(self.selected, time_s))

    def _ask_to_replace(self) -> None:
        self.replace_wanted.emit(-1 if self.selected is None else self.selected)

    def _track_changed(self) -> None:
        self.select(self.selected)

    def _describe(self) -> None:
        """Say for screen readers what is selected."""
        count = len(self.track)
        text = tr("1 key") if count == 1 else tr("{count} keys", count=count)
        if self.selected is not None:
            time = format_time(self.track[self.selected].time_s)
            number = self.selected + 1
            text = tr(
                "{keys}; key {number} at {time} is selected", keys=text, number=number, time=time
            )
        self.setAccessibleDescription(text)

    def _escape(self) -> None:
        if self._drag is not None:
            self._drag = None
            self.update()
        else:
            self.window().setFocus()

    # --- keyboard and pointer ---------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        overrides = event.type() == QEvent.Type.ShortcutOverride
        if overrides and isinstance(event, QKeyEvent) and self._command_of(event) is not None:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        command = self._command_of(event)
        if command is None:
            super().keyPressEvent(event)
        else:
            command()

    def _command_of(self, event: QKeyEvent) -> Callable[[], object] | None:
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        return self._keys.get((Qt.Key(event.key()), modifiers))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = event.position()
        index = self.key_at(place)
        self.select(index)
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        if index is None:
            self._scrubs = True
            self.sought.emit(self.time_at(place.x()), False)
        else:
            copies = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
            self._drag = Drag(index, place, self.track[index], copies)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place, drag = event.position(), self._drag
        if self._scrubs:
            self.sought.emit(self.time_at(place.x()), False)
        elif drag is not None:
            drag.moved = drag.moved or (place - drag.start).manhattanLength() > _SLOP_PX
            if drag.moved:
                drag.key = self.dragged_key(self.track[drag.index], place)
                self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        drag, self._drag = self._drag, None
        if self._scrubs:
            self._scrubs = False
            self.sought.emit(self.time_at(event.position().x()), True)
        elif drag is not None and drag.moved and drag.index < len(self.track):
            add = self.track.add if drag.copies else lambda key: self.track.replace(drag.index, key)
            self.select(add(drag.key))
        elif drag is not None:
            self.sought.emit(drag.key.time_s, True)
        self.update()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() is QContextMenuEvent.Reason.Mouse:
            place = QPointF(event.pos())
            self.select(self.key_at(place))
            time_s = self.snapped_at(place.x(), -1.0)
        else:
            chosen = self.track[self.selected].time_s if self.selected is not None else None
            time_s = self.position_s if chosen is None else chosen
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.fill_menu(menu, time_s)
        menu.popup(event.globalPos())

    def fill_menu(self, menu: QMenu, time_s: float) -> None:
        """Add the actions of the context menu.

        Args:
            time_s: The time of the film where it is opened.
        """
        chosen = self.selected is not None
        for text, enabled, action in (
            (tr("Copy\tCtrl+C"), chosen, self.copy_selected),
            (tr("Paste at the time of the film\tCtrl+V"), self.can_paste, self.paste),
            (tr("Delete\tDel"), chosen, self.remove_selected),
        ):
            entry = menu.addAction(text)
            entry.setEnabled(enabled)
            entry.triggered.connect(lambda _=False, run=action: run())

    # --- drawing ----------------------------------------------------------------------------------

    def shown_keys(self) -> list[tuple[Any, bool]]:
        """(key, whether it is selected), with the dragged one where the pointer is."""
        drag = self._drag
        keys = [(key, index == self.selected) for index, key in enumerate(self.track)]
        if drag is not None and drag.moved and drag.index < len(keys):
            if drag.copies:
                keys.append((drag.key, True))
            else:
                keys[drag.index] = (drag.key, True)
        return keys

    def paintEvent(self, event: QPaintEvent) -> None:
        look = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(look.raised))
        self.draw(painter)
        painter.setPen(QColor(look.accent))
        x = self.x_of(self.position_s)
        painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))
        border = look.accent if self.hasFocus() else look.border
        painter.setPen(QColor(border))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def draw(self, painter: QPainter) -> None:
        """Draw the content, between background and playhead."""


def add_easings(
    menu: QMenu, names: dict[str, str], chosen: str, choose: Callable[[Any], object]
) -> None:
    """Fill a menu with easings.

    Args:
        names: The text of each easing.
        chosen: The easing that is checked.
        choose: Called with the easing that a person chooses.
    """
    group = QActionGroup(menu)
    for easing, name in names.items():
        action = menu.addAction(tr(name))
        action.setCheckable(True)
        action.setChecked(easing == chosen)
        action.triggered.connect(lambda _=False, one=easing: choose(one))
        group.addAction(action)
