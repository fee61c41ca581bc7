"""Cancel tokens that a test controls by a condition."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from streamstgs.codec.cancel import CancelToken

POLL_S = 0.002


def cancelled_token() -> CancelToken:
    """A token that is cancelled already."""
    token = CancelToken()
    token.cancel()
    return token


@contextmanager
def cancelled_when(condition: Callable[[], bool]) -> Iterator[CancelToken]:
    """A token that another thread cancels once the condition holds."""
    token, over = CancelToken(), threading.Event()

    def watch() -> None:
        while not over.wait(POLL_S):
            if condition():
                token.cancel()
                return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield token
    finally:
        over.set()
        thread.join()


class TokenOfChecks(CancelToken):
    """A token that is cancelled at its n-th check."""

    def __init__(self, checks: int) -> None:
        super().__init__()
        self._left = checks

    @property
    def cancelled(self) -> bool:
        self._left -= 1
        return self._left <= 0
