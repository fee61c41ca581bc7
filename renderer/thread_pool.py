"""Threads that share the work of compiled loops."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch


class ThreadPool:
    """The calling thread and its helpers. Owner: any one thread at a time.

    Nothing waits for a helper that has not even begun: another program may hold its core.

    Args:
        threads: how many work together, the calling one included; None takes as many as torch.
        name: of the helpers.
    """

    def __init__(self, threads: int | None, name: str) -> None:
        self.size = threads or torch.get_num_threads()
        self._pool = ThreadPoolExecutor(max(1, self.size - 1), thread_name_prefix=name)

    def run(self, kernel: Callable[..., None], *arguments: object) -> None:
        """Run a kernel in all threads; a counter they share takes the place of the None."""
        counter = np.zeros(1, np.int64)
        filled = [counter if argument is None else argument for argument in arguments]
        others = [self._pool.submit(kernel, *filled) for _ in range(self.size - 1)]
        kernel(*filled)
        for other in others:
            _finish(other)

    def close(self) -> None:
        """End the helpers. The crew cannot work afterwards."""
        self._pool.shutdown()


def _finish(helped: Future[None]) -> None:
    """Wait for a helper that has begun; one that has not never will."""
    if not helped.cancel():
        helped.result()
