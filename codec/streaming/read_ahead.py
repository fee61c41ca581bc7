"""Fetching goes on while what came before is decoded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.errors import Cancelled
from streamstgs.codec.package.file_entry import FileEntry

AT_ONCE = 2

Fetch = Callable[[FileEntry, CancelToken], bytes]


@dataclass(frozen=True)
class _Errand:
    future: Future[bytes]
    unwanted: CancelToken

    @property
    def failed(self) -> bool:
        done = self.future.done()
        return done and (self.future.cancelled() or self.future.exception() is not None)


class ReadAhead:
    """Fetches listed files in order in threads that it owns.

    Two at a time: while the one comes the other is asked for, so that the way to the server and
    back is waited for once in a line of files and not for each.

    Args:
        fetch: returns the content of a file; the token ends it early.
    """

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._lock = threading.Lock()
        self._errands: dict[FileEntry, _Errand] = {}
        self._workers = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="read-ahead")
        self._closed = False

    def want(self, files: Sequence[FileEntry]) -> None:
        """Begin to fetch these, in this order; others that were listed are given up."""
        with self._lock:
            for file, errand in list(self._errands.items()):
                if file not in files or errand.failed:  # what failed is tried again
                    self._give_up(self._errands.pop(file))
            for file in files:
                if file not in self._errands and not self._closed:
                    self._errands[file] = self._send(file)

    def take(self, file: FileEntry, cancel: CancelToken) -> bytes | None:
        """The content of a listed file; None when it is not listed.

        It is kept until the list changes: whoever leaves in between finds it again. After a
        failure nothing is listed any more.

        Raises:
            what fetching it raised; Cancelled: the caller asked for it.
        """
        with self._lock:
            errand = self._errands.get(file)
        if errand is None:
            return None
        if not cancel.wait_for(errand.future):
            raise Cancelled(f"{file.name}: reading was cancelled.")
        if errand.failed:
            self.want([])  # the reader will not go on as was planned
        if errand.future.cancelled():
            raise Cancelled(f"{file.name}: reading was cancelled.")
        return errand.future.result()

    def close(self) -> None:
        """Give everything up and end the threads; the fetching must be able to end by then."""
        with self._lock:
            self._closed = True
            for errand in self._errands.values():
                self._give_up(errand)
            self._errands.clear()
        self._workers.shutdown(wait=True, cancel_futures=True)

    def _send(self, file: FileEntry) -> _Errand:
        unwanted = CancelToken()
        return _Errand(self._workers.submit(self._fetch, file, unwanted), unwanted)

    def _give_up(self, errand: _Errand) -> None:
        errand.unwanted.cancel()
        errand.future.cancel()
