"""Runs name lookups in daemon threads, so that a hanging lookup does not delay the exit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class DaemonThreads(ThreadPoolExecutor):
    """Runs each call in a daemon thread of its own.

    asyncio asks its default executor for addresses. The resolver of the system cannot be
    interrupted and may take half a minute where a network is gone; Python would wait for it at the
    end of the program, as it does for all threads of the standard executor.
    """

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:  # the thread boundary: `result` raises it
                future.set_exception(error)
            else:
                future.set_result(result)

        threading.Thread(target=run, name="name-lookup", daemon=True).start()
        return future
