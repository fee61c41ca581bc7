"""Ctrl+C and the other signals that end a command: half-written files are removed."""

from __future__ import annotations

import signal
import sys
import threading

REMIND_S = 0.2
_received: list[int] = []  # numbers of signals


def interrupt_on_signals() -> None:
    """Let SIGINT, SIGTERM and SIGHUP raise KeyboardInterrupt with their number.

    A signal that was ignored when the program started stays ignored, as after `nohup`. Does nothing
    outside the main thread, which alone may handle signals.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def stop_reminding() -> None:
    """Call this where a KeyboardInterrupt has arrived at the end of the command."""
    if hasattr(signal, "setitimer") and signal.getsignal(signal.SIGALRM) is _remind:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


def _interrupt(number: int, _: object) -> None:
    """Raise KeyboardInterrupt, and let `_remind` raise it again while nothing handles it.

    Python drops an exception that a signal raises inside a destructor or a callback of a library.
    The command would go on as if there had been no signal.
    """
    if hasattr(signal, "setitimer"):  # not on Windows
        signal.signal(signal.SIGALRM, _remind)
        signal.setitimer(signal.ITIMER_REAL, REMIND_S, REMIND_S)
    _received.append(number)
    raise KeyboardInterrupt(number)


def _remind(*_: object) -> None:
    if not isinstance(sys.exception(), KeyboardInterrupt):
        raise KeyboardInterrupt(_received[-1])
