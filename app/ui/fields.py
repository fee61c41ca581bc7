"""Text fields that keep the keys which people need while they type."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit

_OWN_KEYS = (Qt.Key.Key_Tab, Qt.Key.Key_Backtab, Qt.Key.Key_Escape, Qt.Key.Key_Up, Qt.Key.Key_Down)


class Field(QLineEdit):
    """A line edit in which Tab, Esc and the arrows do what they do in text, not in the player."""

    def event(self, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() in _OWN_KEYS
        ):
            event.accept()
            return True
        return super().event(event)


def mark_wrong(field: QLineEdit, wrong: bool) -> None:
    """Show that what stands in the field cannot be used (the style sheet draws it)."""
    field.setProperty("wrong", wrong)
    field.style().unpolish(field)
    field.style().polish(field)
