"""The keyboard: Tab reaches every control, and a control with the focus gets the keys it needs.

The window's shortcuts come first everywhere else: Space plays, Up and Down choose the quality, also
while a list has the focus.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QComboBox, QWidget

_PRESS = frozenset({Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter})


class FocusKeys(QObject):
    """Gives Space and Enter to a button or list that was reached by Tab. Owner: the GUI thread.

    Args:
        window: The window whose controls are meant; owns this filter.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the keys of the control with the focus from the shortcuts, and press it by Enter."""
        if not isinstance(event, QKeyEvent) or event.key() not in _PRESS or event.modifiers():
            return False
        if not isinstance(watched, QAbstractButton | QComboBox):
            return False
        if watched.window() is not self._window or not watched.hasFocus():
            return False
        if event.type() is QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        if event.type() is QEvent.Type.KeyPress and not event.isAutoRepeat():
            press(watched)
            return True
        return event.type() is QEvent.Type.KeyRelease


def press(control: QAbstractButton | QComboBox) -> None:
    """Do what a click on a control does."""
    if isinstance(control, QComboBox):
        control.showPopup()
    else:
        control.click()


def make_reachable(window: QWidget) -> None:
    """Let Tab reach all buttons, lists and sliders; a click leaves the focus on the picture."""
    for control in window.findChildren(QWidget):
        if isinstance(control, QAbstractButton | QComboBox | QAbstractSlider):
            control.setFocusPolicy(Qt.FocusPolicy.TabFocus)
