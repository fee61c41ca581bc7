"""What simulated viewers ask a server for, and the sending of it in real time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from streamstgs.codec.package.file_entry import MANIFEST_NAME
from streamstgs.codec.package.manifest import Manifest
from streamstgs.codec.streaming.adaptive.decision import FetchLayer, FetchSegment, NextStep

CHUNK_BYTES = 256 << 10
ANSWER_S = 120.0
OK = b"200"


@dataclass(frozen=True)
class Request:
    """A file, and when a viewer asks for it, in seconds after its start."""

    at_s: float
    name: str
    size_bytes: int


def requests_of(manifest: Manifest, steps: Iterable[tuple[float, NextStep]]) -> list[Request]:
    """The requests of a session: files that a player has are not asked for again."""
    found, known = [Request(0.0, MANIFEST_NAME, 0)], set[str]()
    best = len(manifest.representations) - 1
    for at_s, step in steps:
        files = []
        if isinstance(step, FetchLayer):
            files = [manifest.static[step.layer].file]
        elif isinstance(step, FetchSegment):
            gop, place = manifest.gops[step.gop], best - step.quality_index
            layers = gop.layers[: gop.layer_count(place)]
            files = [layer.file for layer in layers] + [gop.field]
            files += [manifest.representations[place].init, gop.segments[place].file]
        for file in files:
            if file.name not in known:
                known.add(file.name)
                found.append(Request(at_s, file.name, file.size_bytes))
    return found


@dataclass
class Sent:
    """What came of all requests."""

    count: int = 0
    bytes: int = 0
    failed: int = 0
    late_s: list[float] = field(default_factory=list)  # from when a request was due until it went
    took_s: list[float] = field(default_factory=list)  # until its last byte


async def view(base: str, requests: list[Request], begin_s: float, sent: Sent) -> None:
    """Send the requests of one viewer over one connection, each when it is due."""
    parts = urlsplit(base)
    assert parts.hostname is not None
    await _until(begin_s)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
    try:
        for request in requests:
            due_s = begin_s + request.at_s
            await _until(due_s)
            began_s = time.monotonic()
            path = f"{parts.path.rstrip('/')}/{request.name}"
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
            size = await asyncio.wait_for(_answer(reader), ANSWER_S)
            wrong = size < 0 or (request.size_bytes and size != request.size_bytes)
            sent.count, sent.failed = sent.count + 1, sent.failed + bool(wrong)
            sent.bytes += max(size, 0)
            sent.late_s.append(began_s - due_s)
            sent.took_s.append(time.monotonic() - began_s)
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        sent.failed += 1
    finally:
        writer.close()


async def _until(due_s: float) -> None:
    await asyncio.sleep(max(due_s - time.monotonic(), 0.0))


async def _answer(reader: asyncio.StreamReader) -> int:
    """Read an answer; returns the length of its body, -1 for an error."""
    head = await reader.readuntil(b"\r\n\r\n")
    status = head.split(b" ", 2)[1]
    lengths = [
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    ]
    left = size = lengths[0]
    while left:
        part = await reader.read(min(left, CHUNK_BYTES))
        if not part:
            raise asyncio.IncompleteReadError(b"", left)
        left -= len(part)
    return size if status == OK else -1
