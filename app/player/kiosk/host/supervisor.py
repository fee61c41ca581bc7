"""Runs the kiosk in a child process, and starts it again when it crashes."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import time
from collections.abc import Callable
from types import FrameType

from streamstgs.app.process_end import end_safely

log = logging.getLogger(__name__)

PAUSE_S, PAUSE_S_MAX = 1.0, 60.0
SOUND_S = 120.0  # a child that ran for so long was well: the next pause is short again


def supervise(
    target: Callable[..., int],
    arguments: tuple[object, ...] = (),
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Run a function in a child process until it returns 0; returns that.

    After a crash, or another exit status, the child is started again after a pause, which doubles
    up to `PAUSE_S_MAX`. SIGTERM, SIGHUP and Ctrl-C end both processes.

    Args:
        target: A function of a module; its result is the exit status of the child.
        arguments: Passed to it.
        sleep: Waits for some seconds.
    """
    spawn = multiprocessing.get_context("spawn")
    pause_s = PAUSE_S
    while True:
        start_s = time.monotonic()
        child = spawn.Process(target=_run, args=(target, arguments), name="kiosk")
        child.start()
        _wait(child)
        if child.exitcode == 0:
            return 0
        if time.monotonic() - start_s >= SOUND_S:
            pause_s = PAUSE_S
        log.error(
            "The kiosk ended with status %s; it starts again in %g s.", child.exitcode, pause_s
        )
        sleep(pause_s)
        pause_s = min(2 * pause_s, PAUSE_S_MAX)


def _wait(child: multiprocessing.process.BaseProcess) -> None:
    """Wait for the end of the child; a signal to this process ends the child first."""

    def end(number: int, _: FrameType | None) -> None:
        raise KeyboardInterrupt(number)

    former = {number: signal.signal(number, end) for number in _signals()}
    try:
        child.join()
    except KeyboardInterrupt:
        child.terminate()
        child.join()
        raise
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _signals() -> list[int]:
    names = ("SIGTERM", "SIGHUP")  # Windows has no SIGHUP
    return [getattr(signal, name) for name in names if hasattr(signal, name)]


def _run(target: Callable[..., int], arguments: tuple[object, ...]) -> None:
    """The child: Ctrl-C in a terminal reaches it as well, and only the parent answers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise SystemExit(end_safely(target(*arguments)))
