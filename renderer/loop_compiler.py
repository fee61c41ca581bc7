"""Compiles the loops for the CPU in a child process, while something else draws.

Compiling takes many seconds, once for each processor and version. It runs Python code all the time,
which would stop every other thread of this process again and again; a child process leaves them
alone, and fills the cache that this process then loads from.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

log = logging.getLogger(__name__)

_STDIN = 0
_CODE = "from streamstgs.renderer import loop_compiler; loop_compiler.compile_here({drawing})"


class LoopCompiler:
    """At most one child process that compiles. Any thread may call its methods."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None  # the last one
        self._waits = False  # for `go`

    def begin(self, drawing: bool) -> bool:
        """Start a child if compiled loops are missing; returns `is_running`.

        After a child that failed none is started: the loops are compiled where they are used.

        Args:
            drawing: Whether the loops of the cpu backend are needed, or only those of the
                deformation field.
        """
        failed = self._child is not None and self._child.poll() not in (None, 0)
        if not failed and not self.is_running() and not _is_compiled(drawing):
            self.stop()
            self._waits = True
            self._child = _start(_CODE.format(drawing=drawing))
        return self.is_running()

    def go(self) -> None:
        """Let the child compile; until then it only waits."""
        child, waits = self._child, self._waits
        if child is not None and child.stdin is not None and waits:
            self._waits = False
            with contextlib.suppress(OSError, ValueError):  # it has ended
                child.stdin.write(b"g")
                child.stdin.flush()

    def is_running(self) -> bool:
        """Whether a child is at work, or waits for `go`."""
        return self._child is not None and self._child.poll() is None

    def wait(self) -> None:
        """Wait for the end of the child."""
        child = self._child
        if child is not None and child.wait() != 0:
            log.info("compiling ended with status %s", child.returncode)

    def stop(self) -> None:
        """End the child; loops that are finished stay in the cache."""
        child, self._child = self._child, None
        if child is not None:
            child.terminate()
            child.communicate()  # also closes the pipe


compiler = LoopCompiler()


def compile_here(drawing: bool) -> None:
    """Compile in this process once the parent says `go`. See `LoopCompiler.begin`.

    Its priority is the usual one: a lower one would starve it while emulated OpenGL draws, which
    takes all the time that there is.
    """
    if not os.read(_STDIN, 1):
        return  # the parent has ended
    end_with_parent()
    if drawing:
        from streamstgs.renderer.backends.cpu.backend import CpuBackend

        CpuBackend().warm_up()
    else:
        from streamstgs.renderer.field_inference import warm_up

        warm_up()


def end_with_parent() -> None:
    """End this process when the pipe from the one that started it breaks, as when it crashed."""

    def watch() -> None:
        os.read(_STDIN, 1)  # not `sys.stdin`, whose lock would abort the end of the process
        os._exit(1)

    threading.Thread(target=watch, name="watch-parent", daemon=True).start()


def _is_compiled(drawing: bool) -> bool:
    from streamstgs.renderer import field_inference
    from streamstgs.renderer.backends.cpu import backend

    return field_inference.runs_at_once() and (not drawing or backend.can_draw_at_once())


def _start(code: str) -> subprocess.Popen[bytes]:
    """Run code in a Python process with the package and the cache of this process."""
    from streamstgs.renderer.backends.cpu.kernels import CACHE_FOLDER

    package = sys.modules[__name__.partition(".")[0]]
    root = Path(str(package.__file__)).resolve().parents[1]
    path = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path, "NUMBA_CACHE_DIR": CACHE_FOLDER},
        creationflags=flags,
    )
