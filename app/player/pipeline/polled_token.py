"""A cancel token that asks a predicate, for transfers that judge themselves while they wait."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from streamstgs.codec.cancel import CancelToken

POLL_S = 0.03


class PolledToken(CancelToken):
    """Cancelled once a predicate says so; the waiting thread asks it every `POLL_S`."""

    def __init__(self, predicate: Callable[[], bool]) -> None:
        super().__init__()
        self._predicate = predicate

    @property
    def cancelled(self) -> bool:
        return self._predicate()

    def wait_for(self, future: Future[Any]) -> bool:
        while not self.cancelled:
            concurrent.futures.wait([future], POLL_S)
            if future.done():
                return True
        return False
