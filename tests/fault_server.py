"""A web server that fails as a test tells it to, in a thread of its own, on bare sockets.

A real server would mend or refuse most of these faults.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
import zlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

REASONS = {200: "OK", 206: "Partial Content", 404: "Not Found", 416: "Range Not Satisfiable"}


@dataclass
class Exchange:
    """One request and the way back to the client.

    Args:
        whole: content of the file; None when there is none.
        body: what the request asked for: all of it or a range.
    """

    path: str
    headers: dict[str, str]
    whole: bytes | None
    writer: asyncio.StreamWriter
    ranges: bool = True
    status: int = 200
    extra: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def __post_init__(self) -> None:
        if self.whole is None:
            self.status = 404
            return
        self.body = self.whole
        tag = f'"{zlib.crc32(self.whole):08x}"'
        self.extra["ETag"] = tag
        wanted = self.headers.get("range")
        if wanted and self.ranges and self.headers.get("if-range", tag) == tag:
            self._choose(wanted.removeprefix("bytes="))

    def _choose(self, wanted: str) -> None:
        assert self.whole is not None
        first, _, last = wanted.partition("-")
        size = len(self.whole)
        start = int(first) if first else max(size - int(last), 0)
        end = min(int(last) + 1, size) if first and last else size
        if start >= size:
            self.status, self.body = 416, b""
            return
        self.status, self.body = 206, self.whole[start:end]
        self.extra["Content-Range"] = f"bytes {start}-{end - 1}/{size}"

    async def head(self, length: int | None, **headers: str) -> None:
        told = {**self.extra, **{name.replace("_", "-"): text for name, text in headers.items()}}
        if length is not None:
            told["Content-Length"] = str(length)
        lines = [f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Status')}"]
        lines += [f"{name}: {text}" for name, text in told.items()]
        await self.send(("\r\n".join(lines) + "\r\n\r\n").encode())

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> None:
        """As a good server would."""
        await self.head(len(self.body))
        await self.send(self.body)

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        raw = self.writer.get_extra_info("socket")
        with suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Fault = Callable[[Exchange], Awaitable[None]]


def status(code: int, **headers: str) -> Fault:
    async def fault(exchange: Exchange) -> None:
        exchange.status, exchange.extra = code, {}
        await exchange.head(0, **headers)

    return fault


def reset_after(count: int) -> Fault:
    async def fault(exchange: Exchange) -> None:
        await exchange.head(len(exchange.body))
        await exchange.send(exchange.body[:count])
        await asyncio.sleep(0.05)  # a reset throws away what is still on its way
        exchange.reset()

    return fault


def stall_after(count: int) -> Fault:
    """Neither bytes nor an end."""

    async def fault(exchange: Exchange) -> None:
        await exchange.head(len(exchange.body))
        await exchange.send(exchange.body[:count])
        await asyncio.sleep(3600)

    return fault


def silence() -> Fault:
    """Not even headers."""

    async def fault(exchange: Exchange) -> None:
        await asyncio.sleep(3600)

    return fault


def cut_to(count: int, declared: bool) -> Fault:
    """A shorter body; `declared` whether its headers say so."""

    async def fault(exchange: Exchange) -> None:
        body = exchange.body[:count]
        await exchange.head(len(body) if declared else len(exchange.body))
        await exchange.send(body)
        exchange.writer.close()

    return fault


def corrupt() -> Fault:
    async def fault(exchange: Exchange) -> None:
        exchange.body = bytes(byte ^ 0x55 for byte in exchange.body)
        await exchange.answer()

    return fault


def drip(pause_s: float) -> Fault:
    """Slow-loris: a byte now and then."""

    async def fault(exchange: Exchange) -> None:
        await exchange.head(len(exchange.body))
        for byte in exchange.body:
            await exchange.send(bytes([byte]))
            await asyncio.sleep(pause_s)

    return fault


def endless(declared: bool = False) -> Fault:
    """A body without end, chunked or with an enormous length."""

    async def fault(exchange: Exchange) -> None:
        if declared:
            await exchange.head(10**15)
        else:
            await exchange.head(None, Transfer_Encoding="chunked")
        chunk = bytes(65536)
        while True:
            await exchange.send(chunk if declared else b"10000\r\n" + chunk + b"\r\n")

    return fault


def encoded(encoding: str, body: bytes) -> Fault:
    """A body in an encoding that was not asked for."""

    async def fault(exchange: Exchange) -> None:
        await exchange.head(len(body), Content_Encoding=encoding)
        await exchange.send(body)

    return fault


def redirect(location: str, endless: bool = False) -> Fault:
    """To another address; `endless` with a body that never ends."""

    async def fault(exchange: Exchange) -> None:
        exchange.status = 302
        await exchange.head(10**15 if endless else 0, Location=location)
        while endless:
            await exchange.send(bytes(65536))

    return fault


class FaultServer:
    """Serves `files` (path -> content) on 127.0.0.1.

    `faults` (path -> list) are used up one per request, `always` (path -> fault) are not. All
    three may be changed at any time.
    """

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = dict(files)
        self.faults: dict[str, list[Fault]] = {}
        self.always: dict[str, Fault] = {}
        self.ranges = True
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.connections = 0  # that were ever made
        self._changed = threading.Condition()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-server")
        self._thread.start()
        self._port = 0
        self.come_back()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def open_connections(self) -> int:
        return len(self._writers)

    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [path for path, _ in self.requests]

    def wait_for(self, condition: Callable[[], bool], timeout_s: float = 10.0) -> bool:
        """Wait until a condition holds, asked whenever a request or connection begins or ends."""
        with self._changed:
            return self._changed.wait_for(condition, timeout_s)

    def vanish(self) -> None:
        """Reset all connections and refuse new ones."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10.0)

    def come_back(self) -> None:
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(10.0)

    def stop(self) -> None:
        self.vanish()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._connection, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        await asyncio.sleep(0.01)  # connections that are just accepted know their writer then
        for writer in list(self._writers):
            writer.transport.abort()
        others = asyncio.all_tasks() - {asyncio.current_task()}  # answers that wait, too
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with self._changed:
            self.connections += 1
            self._writers.add(writer)
            self._changed.notify_all()
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            with self._changed:
                self._writers.discard(writer)
                self._changed.notify_all()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        path = head[0].split(" ")[1]
        pairs = (line.split(": ", 1) for line in head[1:] if line)
        headers = {name.lower(): value for name, value in pairs}
        with self._changed:
            self.requests.append((path, headers))
            self._changed.notify_all()
        whole = self.files.get(path, self.files.get(path.partition("?")[0]))
        exchange = Exchange(path, headers, whole, writer, self.ranges)
        waiting = self.faults.get(path)
        fault = waiting.pop(0) if waiting else self.always.get(path)
        work = asyncio.ensure_future(fault(exchange) if fault else exchange.answer())
        gone = asyncio.ensure_future(reader.read(1))  # no client sends while it waits
        done, _ = await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        if work not in done:  # the client hung up
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            return False
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        work.result()
        return not writer.is_closing()
