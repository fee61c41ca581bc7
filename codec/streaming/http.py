"""A scene on a web server: any static host, plain GET and byte ranges."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from codec.errors import (
    Cancelled,
    CorruptSegment,
    MissingSegment,
    NotAScene,
    SceneUnreachable,
)
from codec.streaming.container import never

CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
GONE = (404, 410, 403)  # object stores answer 403 for what is not there


@dataclass(frozen=True)
class HttpSettings:
    """Patience with a server.

    Args:
        connect_s: to reach it.
        stall_s: without a byte.
        deadline_s: for one file in all tries; a server that drips bytes is given up then.
        tries: of one request, where the fault may pass (no connection, 5xx, 429).
        backoff_s: pause before the second try, doubled before each further one.
        redirects: followed at most.
    """

    connect_s: float = 5.0
    stall_s: float = 10.0
    deadline_s: float = 120.0
    tries: int = 4
    backoff_s: float = 0.2
    redirects: int = 4


def is_url(location: str) -> bool:
    """Whether a location names a web server."""
    return location.lower().startswith(("http://", "https://"))


class _Passing(Exception):
    """A fault that may be gone at the next try."""


@dataclass(frozen=True)
class _Answer:
    status: int
    content: bytes
    range_start: int
    whole_bytes: int | None  # of the file, where the server says it


class HttpReader:
    """GET with retries, deadline, size limit and cancellation; from two threads at a time."""

    def __init__(
        self, settings: HttpSettings, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._settings = settings
        self._client = httpx.Client(
            timeout=httpx.Timeout(settings.stall_s, connect=settings.connect_s),
            follow_redirects=True,
            max_redirects=settings.redirects,
            headers={"Accept-Encoding": "identity"},  # what arrives is what is declared
            transport=transport,
        )

    def get(
        self,
        url: str,
        most_bytes: int,
        cancelled: Callable[[], bool] = never,
        byte_range: str | None = None,
    ) -> _Answer:
        """The body of a file or of a range of it.

        Raises:
            MissingSegment, CorruptSegment (too long), SceneUnreachable, Cancelled.
        """
        give_up = time.monotonic() + self._settings.deadline_s
        pause_s = self._settings.backoff_s
        for attempt in range(1, self._settings.tries + 1):
            try:
                return self._get_once(url, most_bytes, cancelled, byte_range, give_up)
            except (_Passing, httpx.TransportError) as error:
                if attempt == self._settings.tries or time.monotonic() + pause_s > give_up:
                    reason = str(error) or type(error).__name__
                    raise SceneUnreachable(f"{url} cannot be fetched: {reason}.") from error
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise SceneUnreachable(f"{url} cannot be fetched: {error}.") from error
            _wait(pause_s, url, cancelled)
            pause_s *= 2
        raise SceneUnreachable(f"{url} was never tried: the settings allow no try.")

    def _get_once(
        self,
        url: str,
        most_bytes: int,
        cancelled: Callable[[], bool],
        byte_range: str | None,
        give_up: float,
    ) -> _Answer:
        headers = {"Range": f"bytes={byte_range}"} if byte_range else {}
        with self._client.stream("GET", url, headers=headers) as response:
            _check_status(response, url)
            start, whole = _content_range(response)
            if response.status_code == 200 and byte_range:
                raise SceneUnreachable(
                    f"{url}: the server ignores byte ranges; serve the scene as a directory."
                )
            content = _body(response, url, most_bytes, cancelled, give_up)
        return _Answer(response.status_code, content, start, whole)

    def close(self) -> None:
        self._client.close()


def _check_status(response: httpx.Response, url: str) -> None:
    status = response.status_code
    if status in GONE:
        raise MissingSegment(f"{url} is not there (HTTP {status}).")
    if status == 416:
        raise CorruptSegment(f"{url} is shorter than expected (HTTP 416).")
    if status == 429 or status >= 500:
        raise _Passing(f"HTTP {status}")
    if status not in (200, 206):
        raise SceneUnreachable(f"{url} cannot be fetched: HTTP {status}.")


def _content_range(response: httpx.Response) -> tuple[int, int | None]:
    match = CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    if match is None or len(match[3]) > 18:
        return 0, None
    return int(match[1]), int(match[3])


def _body(
    response: httpx.Response,
    url: str,
    most_bytes: int,
    cancelled: Callable[[], bool],
    give_up: float,
) -> bytes:
    content = bytearray()
    for chunk in response.iter_raw():
        content += chunk
        if len(content) > most_bytes:
            raise CorruptSegment(f"{url} is longer than the {most_bytes} bytes it should have.")
        if cancelled():
            raise Cancelled(f"{url}: reading was cancelled.")
        if time.monotonic() > give_up:
            raise SceneUnreachable(f"{url} comes too slowly; given up.")
    return bytes(content)


def _wait(pause_s: float, url: str, cancelled: Callable[[], bool]) -> None:
    end = time.monotonic() + pause_s
    while (left := end - time.monotonic()) > 0:
        if cancelled():
            raise Cancelled(f"{url}: reading was cancelled.")
        time.sleep(min(left, 0.05))


class HttpContainer:
    """A scene directory below a URL."""

    def __init__(
        self, url: str, settings: HttpSettings, transport: httpx.BaseTransport | None = None
    ) -> None:
        base, _, self._query = url.partition("?")
        self.location = base.rstrip("/")
        self._reader = HttpReader(settings, transport)

    def read(self, name: str, most_bytes: int, cancelled: Callable[[], bool] = never) -> bytes:
        query = f"?{self._query}" if self._query else ""
        return self._reader.get(f"{self.location}/{name}{query}", most_bytes, cancelled).content

    def close(self) -> None:
        self._reader.close()


TAIL_BYTES = 64 << 10  # holds the directory of most archives: one request finds everything


class HttpRanges:
    """Byte ranges of one file on a server."""

    def __init__(
        self, url: str, settings: HttpSettings, transport: httpx.BaseTransport | None = None
    ) -> None:
        """
        Raises:
            NotAScene: it is not there, or empty.
            SceneUnreachable: the server fails or ignores ranges.
        """
        self.location = url
        self._reader = HttpReader(settings, transport)
        with _closing_on_error(self._reader):
            try:
                tail = self._reader.get(url, TAIL_BYTES, byte_range=f"-{TAIL_BYTES}")
            except (MissingSegment, CorruptSegment) as error:
                raise NotAScene(f"{url} is not a scene: {error}") from error
            if tail.whole_bytes is None:
                raise SceneUnreachable(f"{url}: the server does not say how long the file is.")
            self.size_bytes = tail.whole_bytes
            self._tail_start, self._tail = tail.range_start, tail.content

    def read(self, start: int, length: int, cancelled: Callable[[], bool] = never) -> bytes:
        end = min(start + length, self.size_bytes)
        if end <= start:
            return b""
        if start >= self._tail_start:
            return self._tail[start - self._tail_start : end - self._tail_start]
        answer = self._reader.get(self.location, end - start, cancelled, f"{start}-{end - 1}")
        if answer.range_start != start:
            raise CorruptSegment(f"{self.location}: the server sent another range than asked for.")
        return answer.content

    def close(self) -> None:
        self._reader.close()


@contextmanager
def _closing_on_error(reader: HttpReader) -> Iterator[None]:
    try:
        yield
    except BaseException:
        reader.close()
        raise
