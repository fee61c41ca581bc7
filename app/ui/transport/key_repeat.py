"""Tells a held key from one that is pressed again."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

_HELD_MS = 1000  # longer than keyboards wait before they repeat


class KeyRepeat(QObject):
    """Shortcuts do not tell whether a key repeats, but the window sees the release between presses.

    A release that the window does not see is assumed after `_HELD_MS`.

    Args:
        let_go: Called once a held key is released.
    """

    def __init__(self, let_go: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._let_go = let_go
        self._repeats = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.end)

    def press(self) -> bool:
        """Report a shortcut; returns whether its key has been held since the last one."""
        self._repeats = self._timer.isActive()
        self._timer.start(_HELD_MS)
        return self._repeats

    def end(self) -> None:
        """Report that the key was released."""
        self._timer.stop()
        if self._repeats:
            self._repeats = False
            self._let_go()
