"""A thread pool for compiled loops that share their work through an atomic counter."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch


class ThreadPool:
    """Runs a kernel in the calling thread and its helpers. Owner: any one thread at a time.

    `run` does not wait for a helper that has not started: another program may hold its core.

    Args:
        threads: number of threads, with the calling one; None takes as many as torch.
        name: prefix of the names of the helper threads.
    """

    def __init__(self, threads: int | None, name: str) -> None:
        self.size = threads or torch.get_num_threads()
        self._pool = ThreadPoolExecutor(max(1, self.size - 1), thread_name_prefix=name)

    def run(self, kernel: Callable[..., None], *arguments: object) -> None:
        """Run a kernel in all threads.

        Args:
            kernel: a compiled function that releases the GIL and shares work (`kernels.take`).
            arguments: of the kernel; a shared counter, int64 [1], takes the place of the None.
        """
        counter = np.zeros(1, np.int64)
        filled = [counter if argument is None else argument for argument in arguments]
        others = [self._pool.submit(kernel, *filled) for _ in range(self.size - 1)]
        kernel(*filled)
        for other in others:
            _finish(other)

    def close(self) -> None:
        """End the helper threads. The pool cannot run anything afterwards."""
        self._pool.shutdown()


def _finish(helped: Future[None]) -> None:
    """Wait for a helper that has started; cancel one that has not."""
    if not helped.cancel():
        helped.result()
