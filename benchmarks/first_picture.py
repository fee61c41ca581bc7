"""Measures the time from the start of the program to the poster and to the first rendered image.

    python -m benchmarks.first_picture [SCENE] [--starts 10]

Starts the program several times under the current display, with settings of its own, and ends it
when its first image is painted. The clock starts before the process exists and stops at the paint
event. Caches of the system and of numba are warm: the first start is not counted.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Annotated

import tyro

ROOT = Path(__file__).resolve().parent.parent
LIMIT_S = 60.0
EVENTS = ("poster painted", "player loaded", "first picture painted")

# Prints what the window logs, with the time of the clock that all processes share.
_CHILD = """
import logging, sys, time
class Told(logging.Handler):
    def emit(self, record):
        print(time.monotonic(), record.getMessage(), flush=True)
ui = logging.getLogger("streamstgs.app.ui")
ui.setLevel(logging.DEBUG)
ui.addHandler(Told())
ui.propagate = False
from streamstgs.cli import command_line as main
sys.exit(main.main(sys.argv[1:]))
"""


def measure(
    arguments: list[str], settings: Path, environment: Mapping[str, str] = os.environ
) -> dict[str, float]:
    """Event -> seconds after the start."""
    environment = {**environment, "XDG_CONFIG_HOME": str(settings)}
    found: dict[str, float] = {}
    start_s = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-c", _CHILD, *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        limit = threading.Timer(LIMIT_S, child.kill)
        limit.start()
        for line in child.stdout:
            at_s, _, what = line.strip().partition(" ")
            if what in EVENTS:
                found.setdefault(what, float(at_s) - start_s)
            if what == EVENTS[-1]:
                break
        limit.cancel()
        child.kill()
    return found


def main(
    scene: Annotated[str, tyro.conf.Positional] = "",
    starts: int = 10,
) -> None:
    """Print the least, the median and the most of each time."""
    with tempfile.TemporaryDirectory() as settings:
        arguments = [scene] if scene else []
        measure(arguments, Path(settings))
        runs = [measure(arguments, Path(settings)) for _ in range(starts)]
    for event in EVENTS:
        times = sorted(run[event] for run in runs if event in run)
        if times:
            row = f"{times[0]:6.2f} {median(times):6.2f} {times[-1]:6.2f}"
            print(f"{event:24s} {row}  s (least, median, most of {len(times)} starts)")


if __name__ == "__main__":
    tyro.cli(main)
