"""What a scene asks of a network: whole files or byte ranges, with progress and cancellation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from streamstgs.codec.cancel import NEVER, CancelToken


@dataclass(frozen=True)
class ByteRange:
    """Part of a file; `last` is inclusive, as in HTTP. `first` None: the last `last` bytes."""

    first: int | None
    last: int

    def header(self) -> str:
        """The value of an HTTP Range header."""
        return f"bytes={'' if self.first is None else self.first}-{self.last}"


@dataclass(frozen=True)
class Reply:
    """What came back.

    Args:
        content: of the file or of the range.
        range_start: where in the file `content` begins.
        whole_bytes: length of the whole file, where the server says it.
    """

    content: bytes
    range_start: int = 0
    whole_bytes: int | None = None


class Transport(Protocol):
    """Fetches files; from several threads at a time."""

    def get(
        self,
        url: str,
        most_bytes: int,
        cancel: CancelToken = NEVER,
        byte_range: ByteRange | None = None,
        fresh: bool = False,
    ) -> Reply:
        """A file or a range of it.

        Args:
            url: http or https.
            most_bytes: a longer body is not read.
            cancel: ends the request and closes its connection. The bytes received so far may be
                kept: a later request for the same bytes continues there.
            fresh: caches on the way shall ask the server.

        Raises:
            MissingSegment: there is no such file.
            CorruptSegment: it is longer than `most_bytes`.
            SceneUnreachable: the server fails, is silent or too slow.
            SceneChanged: the file was replaced while a range of it was being read.
            Cancelled: the caller asked for it, or the transport was closed.
        """
        ...

    @property
    def heard_s(self) -> float:
        """`time.monotonic` when the server last sent anything; 0.0 before."""
        ...

    def close(self) -> None:
        """End all requests and let go of the connections; safe to call twice."""
        ...


@dataclass(frozen=True)
class Progress:
    """One look at a request, for those who estimate throughput or give up on slow segments.

    Args:
        request: number of the request; the same in all of its progress.
        url: what is fetched.
        state: waiting (sent, nothing came yet), receiving, done, failed, cancelled.
        received_bytes: of the body so far, over all tries, repeated bytes included.
        elapsed_s: since the request was made, pauses between tries included.
        first_byte_s: from sending the latest try until its headers came; None before that.
        tries: 1 in the first try.
    """

    request: int
    url: str
    state: Literal["waiting", "receiving", "done", "failed", "cancelled"]
    received_bytes: int
    elapsed_s: float
    first_byte_s: float | None
    tries: int


Listener = Callable[[Progress], None]  # called in the thread of the transport; must not wait


def nobody(progress: Progress) -> None:
    """The listener where nobody listens."""
