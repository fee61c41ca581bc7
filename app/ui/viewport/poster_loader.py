"""Loads the poster of a scene that is being opened."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QImage
from streamstgs.app.ui.viewport.poster_view import decoded
from streamstgs.codec.poster import Poster, local_poster
from streamstgs.codec.streaming.address import redact_credentials

log = logging.getLogger(__name__)


class PosterLoader(QObject):
    """Owner: the GUI thread; reading and decoding run in others.

    Args:
        kept: Returns the poster that this program kept of a scene that brings none.

    `found` carries location, Poster and QImage. `settled` follows each `look_for` once a file on
    this machine was read. From a server the poster is fetched by the playback of the scene, which
    passes it to `offer`.
    """

    found = Signal(str, object, QImage)
    settled = Signal()
    _looked = Signal(str, object, object)  # crosses from a thread: location, Poster, QImage or None

    def __init__(self, kept: Callable[[str], Poster | None] = lambda location: None) -> None:
        super().__init__()
        self._kept = kept
        self._looked.connect(self._take, Qt.ConnectionType.QueuedConnection)

    def look_for(self, location: str) -> None:
        """Read the poster of a file or folder in a thread."""
        self._begin(self._look, location)

    def offer(self, location: str, poster: Poster) -> None:
        """Take a poster that was fetched; may be called in any thread, which does not wait."""
        self._begin(self._decode, location, poster)

    def _begin(self, work: Callable[..., None], *arguments: object) -> None:
        threading.Thread(target=work, args=arguments, name="poster", daemon=True).start()

    def _decode(self, location: str, poster: Poster) -> None:
        image = decoded(poster)
        if image is not None:
            self._looked.emit(location, poster, image)

    def _look(self, location: str) -> None:
        """The thread boundary: a poster that cannot be read is left out."""
        poster, image = None, None
        try:
            poster = local_poster(location) or self._kept(location)
            image = decoded(poster) if poster else None
        except Exception:
            log.exception("poster of %s", redact_credentials(location))
        self._looked.emit(location, poster, image)

    def _take(self, location: str, poster: Poster | None, image: QImage | None) -> None:
        if poster is not None and image is not None:
            self.found.emit(location, poster, image)
        self.settled.emit()
