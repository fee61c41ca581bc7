"""How the program ends while threads still work: with its status, never with an abort."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import tests.window_driver  # noqa: F401  skips without a display

ROOT = Path(__file__).parents[1]
TIMEOUT_S = 300.0  # far above what a busy machine needs

# A daemon thread in torch while the interpreter ends: C++ aborts where it is cut off.
MULTIPLIES = """
import sys, threading

def multiply():
    import torch
    began, number = threading.Event(), torch.ones(300_000)
    def work():
        while True:
            number * number
            began.set()
    threading.Thread(target=work, daemon=True).start()
    began.wait()
"""

STATUS = """
from streamstgs.app.process_end import end_safely

multiply()
status = 7
if sys.argv[1] == "safely":
    status = end_safely(status, 0.1)
sys.exit(status)
"""

# Closes the window of the command `streamstgs` while the named thread works.
CLOSES = """
from PySide6.QtCore import QTimer
from streamstgs.app.ui import application
from streamstgs.cli import command_line

moment, show = sys.argv.pop(1), application.make_window
def make_window(*arguments):
    window = show(*arguments)
    def look():
        names = {thread.name for thread in threading.enumerate()}
        if moment in names:
            window.watch.stop()
            print("closed during", moment, flush=True)
            multiply()
            window.close()
    window.watch = QTimer(window)
    window.watch.timeout.connect(look)
    window.watch.start(5)
    return window
application.make_window = make_window
sys.exit(command_line.main(["--backend", "cpu"]))
"""


def run(script: str, *arguments: str, **environment: str) -> tuple[int, str, str]:
    """Exit status, output and messages of a Python process."""
    command = [sys.executable, "-c", MULTIPLIES + script, *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | environment,
        capture_output=True, text=True, timeout=TIMEOUT_S,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="Python stops such threads without C++")
@pytest.mark.skipif(os.name == "nt", reason="Windows ends threads without unwinding")
def test_end_of_the_interpreter_aborts_with_a_thread_in_torch() -> None:
    """The reason for `end_safely`; it can go once this fails for every supported Python."""
    status, _, said = run(STATUS, "as usual")
    assert status == -signal.SIGABRT
    assert "terminate called" in said


def test_thread_that_never_ends_leaves_the_status() -> None:
    assert run(STATUS, "safely") == (7, "", "")


@pytest.mark.parametrize("moment", ["preload", "choose-backend"])
def test_window_closed_while_a_thread_works(moment: str, tmp_path: Path) -> None:
    environment = {"XDG_CONFIG_HOME": str(tmp_path)}
    if moment == "choose-backend":
        environment["NUMBA_CACHE_DIR"] = str(tmp_path)  # empty: it compiles
    assert run(CLOSES, moment, **environment) == (0, f"closed during {moment}\n", "")
