"""What happens between the window and its first picture: everything heavy is loaded."""

from __future__ import annotations

import gc
import logging

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from streamstgs.app.ui.main_window import MainWindow
from streamstgs.app.ui.preloader import Preloader

log = logging.getLogger(__name__)

_UNSEEN_MS = 500  # a window that nobody sees paints no poster
_COLLECT_MS = 10_000  # garbage is collected from then on, also if no picture comes


class Loading(QObject):
    """Loads behind the poster, starts the loop, and ends the pause of the garbage collector.

    Owner: the GUI thread.
    """

    _loaded = Signal()  # crosses from the loading thread

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._begun = False
        self._early = Preloader(self._loaded.emit)
        self._loaded.connect(self._start, Qt.ConnectionType.QueuedConnection)

    def begin_behind_poster(self) -> None:
        """Begin when the poster is on the screen, or when there is none.

        Python runs one thread at a time: loading at the same time would only delay the poster.
        """
        self._window.posters.settled.connect(self._poster_settled)
        self._window.viewport.poster.painted.connect(self._begin)
        QTimer.singleShot(_UNSEEN_MS, self._begin)

    def _poster_settled(self) -> None:
        if not self._window.viewport.poster.isVisible():
            self._begin()

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self._early.begin()

    def _start(self) -> None:
        log.debug("player loaded")
        loop = self._window.loop
        loop.scene_shown.connect(collect_again)
        loop.screening.failed.connect(collect_again)
        QTimer.singleShot(_COLLECT_MS, collect_again)
        loop.start()


def collect_again() -> None:
    """Loading leaves next to no garbage, so `streamstgs` pauses the collector meanwhile."""
    if not gc.isenabled():
        gc.freeze()  # what was loaded so far stays: do not search it again and again while playing
        gc.enable()
