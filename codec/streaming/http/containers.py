"""A scene on a web server: files below a URL, or one archive read by byte ranges."""

from __future__ import annotations

import logging

from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import (
    CorruptSegment,
    MissingSegment,
    NotAScene,
    SceneChanged,
    SceneUnreachable,
)
from streamstgs.codec.streaming.address import redact_credentials
from streamstgs.codec.streaming.transport import ByteRange, RangesIgnored, Reply, Transport

log = logging.getLogger(__name__)

TAIL_BYTES = 64 << 10  # holds the directory of most archives: one request finds everything


class HttpContainer:
    """Implements `Container` for a scene directory below a URL.

    Args:
        transport: the caller closes it.
        fresh: whether caches on the way must revalidate.
    """

    def __init__(self, url: str, transport: Transport, fresh: bool = False) -> None:
        base, _, self._query = url.partition("?")
        self._base = base.rstrip("/")
        self.location = redact_credentials(self._base)
        self._transport = transport
        self._fresh = fresh

    def read(
        self, name: str, most_bytes: int, cancel: CancelToken = NEVER, at: int | None = None
    ) -> bytes:
        query = f"?{self._query}" if self._query else ""
        url = f"{self._base}/{name}{query}"
        return self._transport.get(url, most_bytes, cancel, fresh=self._fresh).content

    def close(self) -> None:
        """Does nothing: no connection is kept."""


class HttpRanges:
    """Implements `ByteRanges` for one file on a server; arguments as in `HttpContainer`."""

    def __init__(
        self,
        url: str,
        transport: Transport,
        fresh: bool = False,
        cancel: CancelToken = NEVER,
    ) -> None:
        """
        Raises:
            NotAScene: the file is missing or empty.
            SceneUnreachable: the server fails or ignores ranges.
            Cancelled: through `cancel`, while the end of the file is read.
        """
        self._url, self.location = url, redact_credentials(url)
        self._transport = transport
        self._fresh = fresh
        try:
            tail = self._read_tail(cancel)
        except (MissingSegment, CorruptSegment) as error:
            raise NotAScene(f"{self.location} is not a scene: {error}") from error
        if tail.whole_bytes is None:
            raise SceneUnreachable(
                f"{self.location}: the server does not say how long the file is."
            )
        self.size_bytes = tail.whole_bytes
        self._tail_start, self._tail = tail.range_start, tail.content

    def _read_tail(self, cancel: CancelToken) -> Reply:
        """The end of the file; raises as `Transport.get`.

        Some servers know "the last bytes" as no range, though they know others: before ranges are
        called missing, the length is asked for by the first byte, and the end by its place.
        """

        def get(part: ByteRange, most_bytes: int) -> Reply:
            return self._transport.get(self._url, most_bytes, cancel, part, self._fresh)

        try:
            tail = get(ByteRange(None, TAIL_BYTES), TAIL_BYTES)
            if tail.whole_bytes is not None:
                return tail
        except (RangesIgnored, CorruptSegment) as error:
            log.info("%s; the end is asked for by its place", error)
        whole_bytes = get(ByteRange(0, 0), 1).whole_bytes
        if not whole_bytes:
            raise RangesIgnored(f"{self.location}: the server does not say how long the file is.")
        start = max(whole_bytes - TAIL_BYTES, 0)
        return get(ByteRange(start, whole_bytes - 1), whole_bytes - start)

    def read(self, start: int, length: int, cancel: CancelToken = NEVER) -> bytes:
        end = min(start + length, self.size_bytes)
        if end <= start:
            return b""
        if start >= self._tail_start:
            return self._tail[start - self._tail_start : end - self._tail_start]
        part = ByteRange(start, end - 1)
        reply = self._transport.get(self._url, end - start, cancel, part, self._fresh)
        if reply.whole_bytes != self.size_bytes:
            raise SceneChanged(f"{self.location} was replaced while it was open.")
        return reply.content

    def close(self) -> None:
        """Does nothing: no connection is kept."""
