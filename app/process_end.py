"""The end of a process that had a window: no thread may run Python while the interpreter ends.

Until Python 3.14, a daemon thread that comes back from native code during that end is cut off by
`pthread_exit`. It unwinds the stack, and where C++ that lets no exception pass is on it (an
operation of torch, a signal of Qt), C++ calls `abort`: the program ends with status 134.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time

log = logging.getLogger(__name__)

WAIT_S = 2.0  # for threads that were told to end; compiling kernels takes longer


def wait_for_threads(timeout_s: float = WAIT_S) -> list[str]:
    """Wait for the end of all other threads of Python; returns the names of those still running.

    Args:
        timeout_s: The longest wait for all of them together.
    """
    end_s = time.monotonic() + timeout_s
    here = threading.current_thread()
    # Threads that Python did not start end with those who started them, and cannot be joined.
    others = [
        thread
        for thread in threading.enumerate()
        if thread is not here and not isinstance(thread, threading._DummyThread)
    ]
    for thread in others:
        thread.join(max(end_s - time.monotonic(), 0.0))
    return [thread.name for thread in others if thread.is_alive()]


def end_safely(status: int, timeout_s: float = WAIT_S) -> int:
    """Wait for all threads; call it last, when everything is closed.

    If some still run after `timeout_s`, such as one that compiles or waits for a server, the
    process ends here, without the end of the interpreter, which could abort (see above).

    Returns:
        The exit status that was passed.
    """
    late = wait_for_threads(timeout_s)
    if late:
        log.info("threads that did not end in time: %s", ", ".join(late))
        logging.shutdown()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # a program without a console has none
                stream.flush()
        os._exit(status)
    return status
