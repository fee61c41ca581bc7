"""Loads everything heavy after the window is on the screen, and then starts the render loop."""

from __future__ import annotations

import gc
import logging
import threading
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from streamstgs.app.player.viewer.open_scene import PAINTED, OpenScene
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.app.ui.drawing.render_loop import RenderLoop
from streamstgs.app.ui.preloader import Preloader
from streamstgs.app.ui.viewport.poster_loader import PosterLoader
from streamstgs.app.ui.viewport.poster_view import PosterView
from streamstgs.codec.codes_ahead import CodesAhead

log = logging.getLogger(__name__)

_NO_POSTER_MS = 500  # a window that is not visible paints no poster
_COLLECT_MS = 10_000  # garbage is collected from then on, even if no frame was painted


@dataclass(frozen=True)
class DecodeAhead:
    """What is decoded while the player is loaded.

    Args:
        ahead: Decodes it, until the scene is painted.
        location: Of the first scene.
        start_s: Content time at which it begins.
        qp: Of the quality that is remembered; None for the best.
    """

    ahead: CodesAhead
    location: str
    start_s: float
    qp: int | None

    def begin(self) -> None:
        """Start to decode, in a thread."""
        threading.Thread(target=self._run, name="decode-ahead", daemon=True).start()

    def _run(self) -> None:
        """The thread boundary: the player decodes what is missing, and reports errors."""
        try:  # this loads NumPy and the decoders, but not torch
            from streamstgs.codec.decode_ahead import decode_ahead

            decode_ahead(self.ahead, self.location, self.start_s, self.qp)
        except Exception:
            log.exception("decoding ahead")


class Startup(QObject):
    """Loads the player's modules, starts the loop, and resumes garbage collection.

    Until then a requested scene stays in the state REQUESTED. Owner: the GUI thread.

    Args:
        decode_ahead: Begins with the loading; None for nothing.
    """

    loaded = Signal()  # the render loop runs
    _loaded = Signal()  # from the loading thread

    def __init__(
        self,
        model: ViewerModel,
        loop: RenderLoop,
        posters: PosterLoader,
        poster: PosterView,
        decode_ahead: DecodeAhead | None = None,
    ) -> None:
        super().__init__(loop)
        self._decode_ahead = decode_ahead
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
            if self._decode_ahead is not None:
                self._decode_ahead.begin()

    def _start(self) -> None:
        log.debug("player loaded")
        self._model.scene_changed.connect(_collect_once_painted)
        self._model.scene_changed.connect(self._end_once_painted)
        self._model.failed.connect(collect_again)
        QTimer.singleShot(_COLLECT_MS, collect_again)
        self._loop.start()
        self.loaded.emit()

    def _end_once_painted(self, scene: OpenScene) -> None:
        if scene.state in PAINTED and self._decode_ahead is not None:
            self._decode_ahead.ahead.close()


def _collect_once_painted(scene: OpenScene) -> None:
    if scene.state in PAINTED:
        collect_again()


def collect_again() -> None:
    """Resume garbage collection, which the command pauses while it loads."""
    if not gc.isenabled():
        gc.freeze()  # nothing that was loaded so far is searched again while playing
        gc.enable()
