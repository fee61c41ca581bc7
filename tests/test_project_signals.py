"""Signals end a command: nothing half-written stays, and a dropped exception is raised again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.golden.make_golden import golden_scene

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")

ROOT = Path(__file__).parents[1]
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
TIMEOUT_S = 100.0


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    """A Python process in which no signal is ignored, although the tests may run under nohup."""
    reset = "import signal\nfor n in (1, 2, 15): signal.signal(n, signal.SIG_DFL)\n"
    reset += "signal.signal(2, signal.default_int_handler)\n"
    command = [sys.executable, "-c", reset + script, *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True)


@pytest.mark.parametrize("number", SIGNALS)
def test_signal_removes_the_half_written_film(tmp_path: Path, number: signal.Signals) -> None:
    target = tmp_path / "film.mp4"
    target.write_text("old")
    script = "import sys; from streamstgs.cli.command_line import main; sys.exit(main())"
    arguments = ["render", str(golden_scene("h264")), "--camera", "orbit", "-o", str(target)]
    with start(script, *arguments, "--size", "1920x1080", "--duration", "600") as process:
        while not any(path.name.startswith(".partial-") for path in tmp_path.iterdir()):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(number)
        _, said = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 128 + number
    assert said.splitlines()[-1] == f"Interrupted. {target} was not written."
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


@pytest.mark.parametrize("number", SIGNALS)
def test_interrupt_dropped_by_a_destructor_is_raised_again(number: signal.Signals) -> None:
    script = """
import os, sys, time
from streamstgs.cli.interrupts import interrupt_on_signals, stop_reminding
class Drops:
    def __del__(self):
        os.kill(os.getpid(), int(sys.argv[1]))
        time.sleep(0.01)  # the exception is raised here, and dropped
interrupt_on_signals()
cleaned = "no"
try:
    try:
        Drops()
        for _ in range(10_000):
            time.sleep(0.01)
    finally:
        time.sleep(0.5)  # cleaning up is not interrupted again
        cleaned = "yes"
except KeyboardInterrupt as interrupt:
    stop_reminding()
    print(interrupt.args[0], cleaned, flush=True)
"""
    with start(script, str(int(number))) as process:
        printed, said = process.communicate(timeout=TIMEOUT_S)
    assert "Exception ignored" in said
    assert printed.split() == [str(int(number)), "yes"]


def test_ignored_signal_stays_ignored() -> None:
    script = """
import os, signal
signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
from streamstgs.cli.interrupts import interrupt_on_signals
interrupt_on_signals()
os.kill(os.getpid(), signal.SIGHUP)
print("alive")
"""
    with start(script) as process:
        printed, _ = process.communicate(timeout=TIMEOUT_S)
    assert printed == "alive\n"


def test_server_ends_while_a_throttled_client_waits(tmp_path: Path) -> None:
    """The bottleneck would hold up the answer for hours."""
    import json
    import re
    import urllib.request

    (tmp_path / "scene.json").write_text("x" * 1_000_000)
    trace = tmp_path / "trace.json"
    rows = [{"duration_ms": 1000, "bandwidth_kbps": 100, "latency_ms": 0}]
    trace.write_text(json.dumps(rows))
    script = "import sys; from streamstgs.cli.command_line import main; sys.exit(main())"
    with start(script, "serve", str(tmp_path), "--port", "0", "--throttle", str(trace)) as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+?(?=/ )", process.stdout.readline())
        assert found
        with urllib.request.urlopen(f"{found[0]}/scene.json", timeout=TIMEOUT_S) as answer:
            assert answer.read(10) == b"x" * 10
            process.terminate()
            process.communicate(timeout=100.0)
    assert process.returncode == 0
