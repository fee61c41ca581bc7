"""Codes of files that one thread decodes before another one asks for them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from typing import Any

from streamstgs.codec.cancel import NEVER, CancelToken

log = logging.getLogger(__name__)

_LOOK_S = 0.02  # between two looks at the cancel token


class CodesAhead:
    """Hands codes from the thread that runs `decode` to those that call `take`. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards the fields below
        self._parts: dict[Hashable, Future[Any]] = {}
        self._closed = False

    def decode(self, parts: Mapping[Hashable, Callable[[], Any]]) -> None:
        """Decode parts in this order, in the calling thread, until `close`.

        Args:
            parts: What returns the codes, by keys: equal keys stand for the same codes.
        """
        futures: dict[Hashable, Future[Any]] = {key: Future() for key in parts}
        with self._lock:
            if self._closed:
                return
            self._parts.update(futures)
        for key, part in futures.items():
            if not part.set_running_or_notify_cancel():
                continue  # it was left to the thread that asked for it
            try:
                part.set_result(parts[key]())
            except Exception as error:
                part.set_exception(error)

    def take(self, key: Hashable, cancel: CancelToken = NEVER) -> Any:
        """The codes of a part, once; None where the caller must decode it.

        Waits for a part that is being decoded. One that has not begun is left to the caller, so
        that both threads have work. So is one that failed: the caller meets the same error.

        Raises:
            Cancelled: through the token.
        """
        with self._lock:
            part = self._parts.pop(key, None)
        if part is None or part.cancel():
            return None
        while True:
            try:
                return part.result(_LOOK_S)
            except NotYet:
                cancel.raise_if_cancelled("waiting for a part that is being decoded")
            except Exception as error:
                log.debug("a part could not be decoded ahead: %s", error)
                return None

    def close(self) -> None:
        """Throw away what was not taken; `decode` returns after the part it is at."""
        with self._lock:
            self._closed = True
            parts, self._parts = self._parts, {}
        for part in parts.values():
            part.cancel()
