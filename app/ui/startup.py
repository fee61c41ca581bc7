"""Loads everything heavy after the window is on the screen, and then starts the render loop."""

from __future__ import annotations

import gc
import logging

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from streamstgs.app.player.viewer.open_scene import PAINTED, OpenScene
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.app.ui.drawing.render_loop import RenderLoop
from streamstgs.app.ui.preloader import Preloader
from streamstgs.app.ui.viewport.poster_loader import PosterLoader
from streamstgs.app.ui.viewport.poster_view import PosterView

log = logging.getLogger(__name__)

_NO_POSTER_MS = 500  # a window that is not visible paints no poster
_COLLECT_MS = 10_000  # garbage is collected from then on, even if no frame was painted


class Startup(QObject):
    """Loads the player's modules, starts the loop, and resumes garbage collection.

    Until then a requested scene stays in the state REQUESTED. Owner: the GUI thread.
    """

    loaded = Signal()  # the render loop runs
    _loaded = Signal()  # from the loading thread

    def __init__(
        self, model: ViewerModel, loop: RenderLoop, posters: PosterLoader, poster: PosterView
    ) -> None:
        super().__init__(loop)
        self._model, self._loop, self._poster = model, loop, poster
        self._begun = False
        self._preloader = Preloader(self._loaded.emit)
        self._loaded.connect(self._start, Qt.ConnectionType.QueuedConnection)
        posters.settled.connect(self._poster_settled)
        poster.painted.connect(self._begin)

    def begin_after_poster(self) -> None:
        """Load once the poster is on the screen, or once it is known that there is none.

        Python runs one thread at a time: loading at the same time would only delay the poster.
        """
        QTimer.singleShot(_NO_POSTER_MS, self._begin)

    def _poster_settled(self) -> None:
        if not self._poster.isVisible():
            self._begin()

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self._preloader.begin()

    def _start(self) -> None:
        log.debug("player loaded")
        self._model.scene_changed.connect(_collect_once_painted)
        self._model.failed.connect(collect_again)
        QTimer.singleShot(_COLLECT_MS, collect_again)
        self._loop.start()
        self.loaded.emit()


def _collect_once_painted(scene: OpenScene) -> None:
    if scene.state in PAINTED:
        collect_again()


def collect_again() -> None:
    """Resume garbage collection, which the command pauses while it loads."""
    if not gc.isenabled():
        gc.freeze()  # nothing that was loaded so far is searched again while playing
        gc.enable()
