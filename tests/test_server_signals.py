"""The development server ends at a signal, whatever it is doing at that moment."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamstgs.server.stop_signals import Stop, stop_on_signals

PROJECT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")


@pytest.fixture
def raising() -> Iterator[None]:
    """SIGTERM raises KeyboardInterrupt wherever Python is, as in the commands."""

    def interrupt(number: int, _: object) -> None:
        raise KeyboardInterrupt(number)

    former = signal.signal(signal.SIGTERM, interrupt)
    yield
    assert signal.getsignal(signal.SIGTERM) is interrupt, "the handler was not given back"
    signal.signal(signal.SIGTERM, former)


def test_signal_within_a_callback_ends_the_loop_in_order(raising: None) -> None:
    steps: list[str] = []

    async def work(woken: asyncio.Event) -> None:
        await woken.wait()
        steps.append("woken")

    def wake(woken: asyncio.Event) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        sum(range(1000))  # the handler of a signal runs between two lines of Python
        woken.set()

    async def serve() -> Stop:
        with stop_on_signals(stop := Stop()):
            woken = asyncio.Event()
            working = asyncio.create_task(work(woken))
            asyncio.get_running_loop().call_soon(wake, woken)
            await stop.asked.wait()
            await working
        return stop

    with pytest.raises(KeyboardInterrupt) as interrupt:
        asyncio.run(serve()).raise_again()
    assert interrupt.value.args == (signal.SIGTERM,)
    assert steps == ["woken"]


def test_without_a_signal_nothing_is_raised() -> None:
    Stop().raise_again()


def test_ignored_signals_stay_ignored() -> None:
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)

    async def look() -> object:
        with stop_on_signals(Stop()):
            return signal.getsignal(signal.SIGHUP)

    try:
        assert asyncio.run(look()) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, former)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_throttled_server_ends_while_it_sends(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "large.stgs").write_bytes(bytes(20_000_000))
    network = tmp_path / "network.json"
    row = {"duration_ms": 1000, "bandwidth_kbps": 20_000, "latency_ms": 1}
    network.write_text(json.dumps([row]))
    command = [sys.executable, "main.py", "serve", str(tmp_path), "--port", "0"]
    process = subprocess.Popen(
        [*command, "--throttle", str(network)],
        cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    found = re.search(r"http://127.0.0.1:(\d+)/", process.stdout.readline())
    assert found is not None
    clients = [socket.create_connection(("127.0.0.1", int(found[1]))) for _ in range(8)]
    for client in clients:
        client.sendall(b"GET /large.stgs HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.recv(1000)
    process.send_signal(number)
    _, told = process.communicate(timeout=100.0)
    for client in clients:
        client.close()
    assert (process.returncode, told) == (0, "")
