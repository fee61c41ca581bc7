"""The interface to a network: whole files or byte ranges, with progress and cancellation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import SceneUnreachable


@dataclass(frozen=True)
class ByteRange:
    """A range of bytes in a file.

    Args:
        first: offset of the first byte; None for the last `last` bytes of the file.
        last: offset of the last byte, inclusive as in HTTP.
    """

    first: int | None
    last: int

    def header(self) -> str:
        """The value of an HTTP Range header."""
        return f"bytes={'' if self.first is None else self.first}-{self.last}"


@dataclass(frozen=True)
class Reply:
    """The answer to a request.

    Args:
        content: the bytes of the file or of the range.
        range_start: offset of `content` in the file.
        whole_bytes: length of the whole file; None if the server does not tell it.
        validator: strong ETag or date of the file's version; None if the server tells neither.
    """

    content: bytes
    range_start: int = 0
    whole_bytes: int | None = None
    validator: str | None = None


class RangesIgnored(SceneUnreachable):
    """The server sends the whole file where a range of it was requested, or refuses the range."""


class Transport(Protocol):
    """Fetches files. Thread-safe."""

    def get(
        self,
        url: str,
        most_bytes: int,
        cancel: CancelToken = NEVER,
        byte_range: ByteRange | None = None,
        fresh: bool = False,
    ) -> Reply:
        """Fetch a file or a range of it.

        Args:
            url: with the scheme http or https.
            most_bytes: the largest length that is accepted; a longer body is not read.
            cancel: ends the request and closes its connection. The bytes received so far may be
                kept: a later request for the same bytes continues there.
            fresh: whether caches on the way must revalidate.

        Raises:
            MissingSegment: the server has no such file.
            CorruptSegment: the file is longer than `most_bytes`.
            SceneUnreachable: the server fails, sends nothing, or is too slow; RangesIgnored: it
                knows no ranges.
            SceneChanged: the file was replaced while a range of it was being read.
            Cancelled: through `cancel`, or because the transport was closed.
        """
        ...

    @property
    def heard_s(self) -> float:
        """`time.monotonic` when the server last sent anything; 0.0 before."""
        ...

    def close(self) -> None:
        """Cancel all requests and close the connections; safe to call twice."""
        ...


@dataclass(frozen=True)
class RequestProgress:
    """The state of a request at one moment, for throughput estimation and slow transfers.

    Args:
        request: number of the request, the same in all of its reports.
        url: address of the file, without credentials.
        state: waiting (sent, no answer yet), receiving, done, failed or cancelled.
        received_bytes: bytes of the body so far in all tries; repeated bytes count again.
        elapsed_s: seconds since the request was made, with the pauses between tries.
        first_byte_s: seconds from the start of the latest try until its headers; None before them.
        tries: number of the present try, from 1.
    """

    request: int
    url: str
    state: Literal["waiting", "receiving", "done", "failed", "cancelled"]
    received_bytes: int
    elapsed_s: float
    first_byte_s: float | None
    tries: int


Listener = Callable[[RequestProgress], None]  # called in the thread of the transport; must not wait


def ignore_progress(progress: RequestProgress) -> None:
    """A listener that does nothing."""
