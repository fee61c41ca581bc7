"""Cancellation: one thread tells a long operation in another thread to end early."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from streamstgs.codec.errors import Cancelled


class CancelToken:
    """Handed to an operation so that any thread can end it. Thread-safe; polling has no effects.

    Args:
        parents: this token is cancelled as soon as any of these is.
    """

    def __init__(self, *parents: CancelToken) -> None:
        self._lock = threading.Lock()  # guards the fields below
        self._event = threading.Event()
        self._callbacks: dict[object, Callable[[], None]] = {}
        self._children: weakref.WeakSet[CancelToken] = weakref.WeakSet()
        self._parents = parents  # keeps them alive: they cancel this one
        for parent in parents:
            parent._add_child(self)

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called, here or on a parent."""
        return self._event.is_set()

    def cancel(self) -> None:
        """Cancel for good; later calls do nothing. Runs the callbacks in the calling thread."""
        with self._lock:
            if self._event.is_set():
                return
            self._event.set()
            callbacks, children = list(self._callbacks.values()), list(self._children)
        for child in children:
            child.cancel()
        for callback in callbacks:
            callback()

    def raise_if_cancelled(self, action: str) -> None:
        """Raise Cancelled once the token is cancelled.

        Args:
            action: what ends, for the message: "reading a.planes".
        """
        if self.cancelled:
            raise Cancelled(f"Cancelled: {action}.")

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the token is cancelled; False when the time is over before."""
        return self._event.wait(timeout_s)

    def wait_for(self, future: Future[Any]) -> bool:
        """Wait until a future is done or the token is cancelled; True if the future is done."""
        either = threading.Event()
        future.add_done_callback(lambda done: either.set())
        with self.on_cancel(either.set):
            either.wait()
        return future.done()

    def on_cancel(self, callback: Callable[[], None]) -> AbstractContextManager[None]:
        """While the context is open, `callback` runs once when the token is cancelled.

        It runs in the thread that cancels, or at once if the token is cancelled already. It must
        not wait.
        """
        return self._registered(callback)

    @contextmanager
    def expiring(
        self, seconds: float, sign_of_life_s: Callable[[], float] | None = None
    ) -> Iterator[CancelToken]:
        """A child that is also cancelled when the time is over.

        Args:
            seconds: how long it lasts.
            sign_of_life_s: `time.monotonic` of the latest sign of life, from which the time begins
                anew; None for a time that begins now and is not renewed.
        """
        child = CancelToken(self)
        done = threading.Event()
        began_s = time.monotonic()

        def watch() -> None:
            while True:
                latest_s = max(began_s, sign_of_life_s()) if sign_of_life_s else began_s
                left_s = latest_s + seconds - time.monotonic()
                if left_s <= 0:
                    child.cancel()
                    return
                if done.wait(left_s):
                    return

        watcher = threading.Thread(target=watch, name="expiring", daemon=True)
        watcher.start()
        try:
            yield child
        finally:
            done.set()
            watcher.join()

    @contextmanager
    def _registered(self, callback: Callable[[], None]) -> Iterator[None]:
        key = object()
        with self._lock:
            already = self._event.is_set()
            if not already:
                self._callbacks[key] = callback
        if already:
            callback()
        try:
            yield
        finally:
            with self._lock:
                self._callbacks.pop(key, None)

    def _add_child(self, child: CancelToken) -> None:
        with self._lock:
            already = self._event.is_set()
            if not already:
                self._children.add(child)
        if already:
            child.cancel()


class _Never(CancelToken):
    """Shared by all callers who never cancel, so it keeps nothing."""

    def cancel(self) -> None:
        raise TypeError("NEVER cannot be cancelled; make a CancelToken")

    def on_cancel(self, callback: Callable[[], None]) -> AbstractContextManager[None]:
        return nullcontext()

    def _add_child(self, child: CancelToken) -> None:
        pass


NEVER: CancelToken = _Never()  # for callers that never cancel
