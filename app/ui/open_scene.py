"""What is open, and what is being opened: at most one scene plays while another one opens.

Owner: the GUI thread. Nothing here waits: a `Playback` opens its scene in its own thread, and one
that is no longer wanted is closed in a thread of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from streamstgs.app.player.status import PlaybackFrame, PlaybackState

if TYPE_CHECKING:
    from streamstgs.app.player.playback import Playback

OpenPlayback = Callable[[str], "Playback"]


class OpenScene(QObject):
    """The playback on the screen and its successor.

    The successor takes over once its first frame is there, so the old picture stays until then;
    where it cannot be opened the old scene just goes on.
    """

    opening = Signal(str)
    opened = Signal()
    failed = Signal(str)  # could not open, or cannot go on; what happened and what to do
    warned = Signal(str)  # something was survived

    def __init__(self, open_playback: OpenPlayback, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._open_playback = open_playback
        self._closing: list[threading.Thread] = []
        self.playback: Playback | None = None
        self.pending: Playback | None = None
        self.last_location: str | None = None

    def open(self, location: str, position_s: float = 0.0, play: bool = True) -> None:
        """Start to open a scene; `opened` or `failed` follows."""
        self.cancel()
        self.last_location = location
        self.pending = self._open_playback(location)
        if position_s:
            self.pending.seek(position_s)
        if not play:
            self.pending.pause()
        self.opening.emit(location)

    def cancel(self) -> None:
        """Give up what is being opened."""
        if self.pending is not None:
            self._dispose(self.pending)
            self.pending = None

    def tick(self) -> PlaybackFrame | None:
        """The frame to show now; call on every display refresh."""
        if self.pending is not None:
            self._look_at_pending(self.pending)
        if self.playback is None:
            return None
        frame = self.playback.tick()
        for event in self.playback.take_events():
            (self.failed if event.fatal else self.warned).emit(event.message)
        return frame

    def _look_at_pending(self, pending: Playback) -> None:
        frame = pending.tick()
        if pending.state is PlaybackState.FAILED:
            messages = [event.message for event in pending.take_events() if event.fatal]
            self.cancel()
            self.failed.emit(messages[-1] if messages else "The scene cannot be opened.")
        elif frame is not None:
            if self.playback is not None:
                self._dispose(self.playback)
            self.playback, self.pending = pending, None
            self.opened.emit()

    def _dispose(self, playback: Playback) -> None:
        thread = threading.Thread(target=playback.close, name="close-scene", daemon=True)
        thread.start()
        self._closing = [old for old in self._closing if old.is_alive()] + [thread]

    def close(self) -> None:
        """Stop everything and wait for the threads; the end of the window."""
        self.cancel()
        if self.playback is not None:
            self._dispose(self.playback)
            self.playback = None
        for thread in self._closing:
            thread.join(timeout=5.0)
