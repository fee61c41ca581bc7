"""What screen readers see of a lane: a list of its keys, with the time of each.

Keys are drawn, and no widgets. `QAccessible.installFactory` gives a lane an interface of its own,
in which each key is an item. Where PySide6 lacks it, a lane says its name, and in its description
how many keys it has and which one is selected.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QAccessible, QAccessibleEvent, QAccessibleInterface
from PySide6.QtWidgets import QAccessibleWidget
from shiboken6 import isValid
from streamstgs.app.translation import tr
from streamstgs.app.ui.transport.lanes.lane import GRAB_PX, Lane

Maybe = Any  # an interface or None, which the types of PySide6 leave out
# Qt knows interfaces by number and may ask for one at any time, so none is given back.
_interfaces: list[QAccessibleInterface] = []
_installed = False


class LaneInterface(QAccessibleWidget):
    """A lane as a list of keys."""

    def __init__(self, lane: Lane) -> None:
        super().__init__(lane, QAccessible.Role.List)
        self._lane = lane
        self._keys: list[KeyInterface] = []

    def childCount(self) -> int:
        return len(self._lane.track)

    def child(self, index: int) -> Maybe:
        if not 0 <= index < self.childCount():
            return None
        while len(self._keys) <= index:
            key = KeyInterface(self._lane, len(self._keys))
            _interfaces.append(key)
            QAccessible.registerAccessibleInterface(key)
            self._keys.append(key)
        return self._keys[index]

    def childAt(self, x: int, y: int) -> Maybe:
        place = self._lane.mapFromGlobal(QPoint(x, y))
        index = self._lane.key_at(place.toPointF())
        return None if index is None else self.child(index)

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        return child.index if isinstance(child, KeyInterface) else -1

    def focusChild(self) -> Maybe:
        chosen = self._lane.selected
        return None if chosen is None else self.child(chosen)

    def text(self, kind: QAccessible.Text) -> str:
        if kind == QAccessible.Text.Value:
            return self._lane.accessibleDescription()
        return super().text(kind)


class KeyInterface(QAccessibleInterface):
    """A key as an item of the list.

    Args:
        lane: Shows the key.
        index: Of the key in its track.
    """

    def __init__(self, lane: Lane, index: int) -> None:
        super().__init__()
        self._lane, self.index = lane, index

    def isValid(self) -> bool:
        return isValid(self._lane) and self.index < len(self._lane.track)

    def object(self) -> Maybe:
        return None

    def parent(self) -> Maybe:
        return QAccessible.queryAccessibleInterface(self._lane) if isValid(self._lane) else None

    def child(self, index: int) -> Maybe:
        return None

    def childAt(self, x: int, y: int) -> Maybe:
        return None

    def childCount(self) -> int:
        return 0

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        return -1

    def role(self) -> QAccessible.Role:
        return QAccessible.Role.ListItem

    def text(self, kind: QAccessible.Text) -> str:
        if not self.isValid():
            return ""
        if kind == QAccessible.Text.Name:
            number, count = self.index + 1, len(self._lane.track)
            return tr("Key {number} of {count}", number=number, count=count)
        if kind == QAccessible.Text.Value:
            return self._lane.key_text(self._lane.track[self.index])
        return ""

    def setText(self, kind: QAccessible.Text, text: str) -> None:
        """Names and times of keys are not written by screen readers."""

    def rect(self) -> QRect:
        if not self.isValid():
            return QRect()
        key, lane = self._lane.track[self.index], self._lane
        middle = QPoint(round(lane.x_of(key.time_s)), round(lane.y_of(key)))
        corner = lane.mapToGlobal(middle - QPoint(GRAB_PX, GRAB_PX))
        return QRect(corner.x(), corner.y(), 2 * GRAB_PX, 2 * GRAB_PX)

    def state(self) -> QAccessible.State:
        state = QAccessible.State()
        if not self.isValid():
            state.invalid = True
            return state
        state.selectable = state.focusable = True
        chosen = self._lane.selected == self.index
        state.selected = chosen
        state.focused = chosen and self._lane.hasFocus()
        state.invisible = not self._lane.isVisible()
        return state


def install() -> None:
    """Let Qt give each lane this interface; the first call counts."""
    global _installed
    factory = getattr(QAccessible, "installFactory", None)
    if factory is not None and not _installed:
        _installed = True
        factory(_interface_of)


def tell_selected(lane: Lane) -> None:
    """Tell screen readers that another key is selected."""
    if _installed and QAccessible.isActive() and lane.selected is not None:
        event = QAccessibleEvent(lane, QAccessible.Event.Focus)
        event.setChild(lane.selected)
        QAccessible.updateAccessibility(event)


def _interface_of(kind: str, thing: Any) -> QAccessibleInterface | None:
    if not isinstance(thing, Lane):
        return None
    made = LaneInterface(thing)
    _interfaces.append(made)
    return made
