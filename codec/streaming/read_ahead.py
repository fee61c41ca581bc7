"""Fetches files in the background while earlier ones are decoded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.errors import Cancelled

THREADS = 2


class NamedFile(Protocol):
    """What names a file; equal for the same file, and hashable."""

    @property
    def name(self) -> str:
        """For messages."""
        ...


File = TypeVar("File", bound=NamedFile)


@dataclass(frozen=True)
class _Transfer:
    future: Future[bytes]
    cancel_token: CancelToken

    @property
    def failed(self) -> bool:
        done = self.future.done()
        return done and (self.future.cancelled() or self.future.exception() is not None)


class ReadAhead(Generic[File]):
    """Fetches a list of files in order, in threads that it owns.

    Two files are requested at a time, so that the round trip to the server is waited for once in a
    list of files and not for each file.

    Args:
        fetch: returns the content of a file; the token ends it early.
    """

    def __init__(self, fetch: Callable[[File, CancelToken], bytes]) -> None:
        self._fetch = fetch
        self._lock = threading.Lock()
        self._transfers: dict[File, _Transfer] = {}
        self._workers = ThreadPoolExecutor(THREADS, thread_name_prefix="read-ahead")
        self._closed = False

    def request(self, files: Sequence[File]) -> None:
        """Start to fetch these files in this order; cancel transfers of other files."""
        with self._lock:
            for file, transfer in list(self._transfers.items()):
                if file not in files or transfer.failed:  # failed transfers are repeated
                    self._cancel(self._transfers.pop(file))
            for file in files:
                if file not in self._transfers and not self._closed:
                    self._transfers[file] = self._send(file)

    def take(self, file: File, cancel: CancelToken) -> bytes | None:
        """Wait for a listed file and return its content; None if the file is not listed.

        The content is kept until the list changes, also when the caller cancels its waiting. After
        a failure the list is empty.

        Raises:
            The error of fetching the file. Cancelled: through `cancel`.
        """
        with self._lock:
            transfer = self._transfers.get(file)
        if transfer is None:
            return None
        if not cancel.wait_for(transfer.future):
            raise Cancelled(f"{file.name}: reading was cancelled.")
        if transfer.failed:
            self.request([])  # the caller will change its plan
        if transfer.future.cancelled():
            raise Cancelled(f"{file.name}: reading was cancelled.")
        return transfer.future.result()

    def close(self) -> None:
        """Cancel all transfers and end the threads."""
        with self._lock:
            self._closed = True
            for transfer in self._transfers.values():
                self._cancel(transfer)
            self._transfers.clear()
        self._workers.shutdown(wait=True, cancel_futures=True)

    def _send(self, file: File) -> _Transfer:
        cancel_token = CancelToken()
        return _Transfer(self._workers.submit(self._fetch, file, cancel_token), cancel_token)

    def _cancel(self, transfer: _Transfer) -> None:
        transfer.cancel_token.cancel()
        transfer.future.cancel()
