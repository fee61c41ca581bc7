"""Ends an event loop when a signal asks for it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


class Stop:
    """What a signal asks for: wait for `asked`, end what runs, then call `raise_again`."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self._number: int | None = None

    def ask(self, number: int) -> None:
        self._number = number
        self.asked.set()

    def raise_again(self) -> None:
        """Raise the KeyboardInterrupt, with its number, that the signal would have been."""
        if self._number is not None:
            raise KeyboardInterrupt(self._number)


@contextmanager
def stop_on_signals(stop: Stop) -> Iterator[None]:
    """Let the running event loop take the signals that Python code handles, meanwhile.

    A handler that raises KeyboardInterrupt may do so within a callback of the loop. A task that the
    callback would have woken then waits for ever, and so does the end of the loop. Does nothing
    where a loop cannot take signals: outside the main thread, and on Windows.
    """
    loop, former = asyncio.get_running_loop(), {}
    for name in _NAMES:
        if not hasattr(signal, name):  # Windows has no SIGHUP
            continue
        number = getattr(signal, name)
        handler = signal.getsignal(number)
        if not callable(handler):  # ignored, or the default
            continue
        try:
            loop.add_signal_handler(number, stop.ask, number)
        except (NotImplementedError, RuntimeError, ValueError):
            break
        former[number] = handler
    try:
        yield
    finally:
        for number, handler in former.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
