"""Reads a scene index and its posters in a thread of its own."""

from __future__ import annotations

import logging
import threading
from queue import Empty, SimpleQueue

from psygnal import Signal
from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.errors import Cancelled, CodecError
from streamstgs.codec.scene_index import SceneIndex

log = logging.getLogger(__name__)


class IndexLoader:
    """Loads scene indexes. Owner: the thread of the viewer model; signals are sent by `tick`.

    Signals:
        loaded: An index is read; its posters follow.
        poster_loaded: The number of a scene of it, and its JPEG.
        failed: What happened, in words for a person.
    """

    loaded = Signal(SceneIndex)
    poster_loaded = Signal(int, bytes)
    failed = Signal(str)

    def __init__(self) -> None:
        self.index: SceneIndex | None = None  # the newest one; written by `tick`
        self._cancel = CancelToken()
        self._found: SimpleQueue[tuple[CancelToken, SceneIndex | str | tuple[int, bytes]]]
        self._found = SimpleQueue()

    def load(self, location: str) -> None:
        """Start to read an index at a path or URL; one that is still being read is dropped."""
        self._cancel.cancel()
        self._cancel = CancelToken()
        arguments = (location, self._cancel)
        threading.Thread(target=self._run, args=arguments, name="index", daemon=True).start()

    def tick(self) -> None:
        """Send the signals that are due."""
        while True:
            try:
                of, found = self._found.get_nowait()
            except Empty:
                return
            if of is not self._cancel:
                continue
            if isinstance(found, SceneIndex):
                self.index = found
                self.loaded.emit(found)
            elif isinstance(found, str):
                self.failed.emit(found)
            else:
                self.poster_loaded.emit(*found)

    def close(self) -> None:
        """Stop reading."""
        self._cancel.cancel()

    def _run(self, location: str, cancel: CancelToken) -> None:
        """The thread boundary: every error becomes a signal."""
        try:
            index = SceneIndex(location, cancel=cancel)
            self._found.put((cancel, index))
        except Cancelled:
            return
        except (CodecError, OSError) as error:
            self._found.put((cancel, str(error)))
            return
        for number, scene in enumerate(index.scenes):
            try:
                jpeg = index.read_poster(scene, cancel)
            except Cancelled:
                return
            except (CodecError, OSError) as error:  # a page does without it
                log.info("no poster: %s", error)
                continue
            if jpeg is not None:
                self._found.put((cancel, (number, jpeg)))
