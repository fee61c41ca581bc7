"""Tells a key that is held from one that is pressed again."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

_HELD_MS = 1000  # longer than keyboards wait before they repeat


class KeyRepeat(QObject):
    """Shortcuts do not say whether a key repeats. Between two presses there is a release, which the
    window sees; one that it does not see is taken for granted after a while.

    Args:
        let_go: called once a key that was held is released.
    """

    def __init__(self, let_go: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._let_go = let_go
        self._repeats = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.end)

    def press(self) -> bool:
        """A shortcut was triggered; whether its key has been held since the last time."""
        self._repeats = self._timer.isActive()
        self._timer.start(_HELD_MS)
        return self._repeats

    def end(self) -> None:
        """The key was released."""
        self._timer.stop()
        if self._repeats:
            self._repeats = False
            self._let_go()
