"""Limits connections like a recorded network: all share one bottleneck that follows a trace."""

from __future__ import annotations

import asyncio
import json
import time
from bisect import bisect_right
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from streamstgs.codec.errors import ServeError

CHUNK_BYTES = 8 << 10  # small, so that requests share the bottleneck fairly
REQUEST_BYTES = 64 << 10
INTERVALS_MAX = 1_000_000


@dataclass(frozen=True)
class TraceInterval:
    """A part of a trace with constant bandwidth and latency."""

    duration_s: float
    bandwidth_bps: float
    latency_s: float


class NetworkTrace:
    """A recorded network, played from its start and repeated.

    Raises:
        ServeError: the trace is empty, or has no bandwidth at all.
    """

    def __init__(self, intervals: list[TraceInterval]) -> None:
        self._intervals = intervals
        self._ends_s = list(accumulate(interval.duration_s for interval in intervals))
        self._loop_bits = sum(s.duration_s * s.bandwidth_bps for s in intervals)
        if self._loop_bits <= 0:
            raise ServeError("The network of this trace has no bandwidth at all.")

    @property
    def duration_s(self) -> float:
        return self._ends_s[-1]

    def latency_s(self, at_s: float) -> float:
        """Return the seconds from a request to the first byte of its answer."""
        return self._intervals[self._index(at_s % self.duration_s)].latency_s

    def arrival_s(self, sent_s: float, size_bytes: int) -> float:
        """Return the time when the last of `size_bytes` passes, if they enter at `sent_s`."""
        loops, bits = divmod(size_bytes * 8.0, self._loop_bits)
        now_s = sent_s + loops * self.duration_s
        while bits > 0:
            inside_s = now_s % self.duration_s
            k = self._index(inside_s)
            left_s = self._ends_s[k] - inside_s
            rate_bps = self._intervals[k].bandwidth_bps
            if rate_bps * left_s >= bits:
                return now_s + bits / rate_bps
            bits -= rate_bps * left_s
            now_s += max(left_s, 1e-9)  # or rounding could stop at a border
        return now_s

    def _index(self, inside_s: float) -> int:
        return min(bisect_right(self._ends_s, inside_s), len(self._intervals) - 1)


def read_trace(path: Path) -> NetworkTrace:
    """Read a JSON list of {"duration_ms", "bandwidth_kbps", "latency_ms"}; kbps is 1000 bit/s.

    Raises:
        ServeError: the file cannot be read, or is no such list.
    """
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        intervals = [_interval(row) for row in rows[:INTERVALS_MAX]]
    except OSError as error:
        raise ServeError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ServeError(
            f"{path} is no network trace: it should be a JSON list of objects with "
            f"duration_ms, bandwidth_kbps and latency_ms ({error!r})."
        ) from error
    return NetworkTrace([interval for interval in intervals if interval.duration_s > 0])


def _interval(row: dict[str, float]) -> TraceInterval:
    duration_ms, bandwidth_kbps = float(row["duration_ms"]), float(row["bandwidth_kbps"])
    latency_ms = float(row["latency_ms"])
    if not all(0 <= value < 1e12 for value in (duration_ms, bandwidth_kbps, latency_ms)):
        raise ValueError("numbers must be 0 or more")
    return TraceInterval(duration_ms / 1e3, bandwidth_kbps * 1e3, latency_ms / 1e3)


class Bottleneck:
    """A connection that all answers share; bytes pass in the order in which they arrive.

    Args:
        trace: bandwidth and latency; it starts with the first use.
        monotonic: returns monotonic seconds.
        sleep: waits for a number of seconds.
    """

    def __init__(
        self,
        trace: NetworkTrace,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._trace = trace
        self._monotonic = monotonic
        self._sleep = sleep
        self._start_s: float | None = None
        self._free_s = 0.0  # when all bytes so far have passed

    def now_s(self) -> float:
        """Return the time in the trace, seconds."""
        if self._start_s is None:
            self._start_s = self._monotonic()
        return self._monotonic() - self._start_s

    async def wait_latency(self) -> None:
        """Wait for the latency of one request."""
        await self._sleep(self._trace.latency_s(self.now_s()))

    async def pass_bytes(self, size_bytes: int, offered_s: float) -> float:
        """Wait until a number of further bytes have passed.

        Args:
            offered_s: when the bytes arrived at the bottleneck, in the time of the trace.

        Returns:
            When the last byte passed; earlier than now by the delay of waking up.
        """
        through_s = self._trace.arrival_s(max(offered_s, self._free_s), size_bytes)
        self._free_s = through_s
        await self._sleep(max(through_s - self.now_s(), 0.0))
        return through_s


class Relay:
    """Forwards TCP connections through a bottleneck to a server.

    It does not parse HTTP, so headers, ranges and caching are those of the server. Each burst
    from the client counts as a request and waits for the latency; a new connection costs one more,
    as its handshake would.

    Args:
        port: TCP port of the server on this machine.
    """

    def __init__(self, bottleneck: Bottleneck, port: int) -> None:
        self._bottleneck = bottleneck
        self._port = port

    async def start(self, host: str, port: int) -> asyncio.Server:
        """Listen; port 0 takes a free one."""
        return await asyncio.start_server(self._connection, host, port)

    async def _connection(
        self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter
    ) -> None:
        # Either side may close at any time. What runs when the program ends is cancelled, which
        # asyncio would report as an error of its own.
        with suppress(ConnectionError, asyncio.CancelledError):
            server, to_server = await asyncio.open_connection("127.0.0.1", self._port)
            conversation = _Conversation(self._bottleneck)
            try:
                await self._bottleneck.wait_latency()
                async with asyncio.TaskGroup() as both:
                    asking = both.create_task(conversation.pass_requests(client, to_server))
                    await conversation.pass_answers(server, to_client)
                    asking.cancel()
            except* ConnectionError:
                pass
            finally:
                to_server.close()
        to_client.close()


class _Conversation:
    """Forwards the two directions of one connection."""

    def __init__(self, bottleneck: Bottleneck) -> None:
        self._bottleneck = bottleneck
        self._asked_s = 0.0  # when the last request reached the server

    async def pass_requests(
        self, client: asyncio.StreamReader, to_server: asyncio.StreamWriter
    ) -> None:
        while data := await client.read(REQUEST_BYTES):
            await self._bottleneck.wait_latency()
            self._asked_s = self._bottleneck.now_s()
            to_server.write(data)
            await to_server.drain()
        raise ConnectionResetError("the client closed the connection")

    async def pass_answers(
        self, server: asyncio.StreamReader, to_client: asyncio.StreamWriter
    ) -> None:
        """Forward answers. Bytes count as arriving without a gap after a request, so that the speed
        of this program has no influence."""
        through_s = 0.0
        while data := await server.read(CHUNK_BYTES):
            offered_s = max(self._asked_s, through_s)
            through_s = await self._bottleneck.pass_bytes(len(data), offered_s)
            to_client.write(data)
            await to_client.drain()
