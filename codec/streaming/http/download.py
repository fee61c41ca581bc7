"""The received part of one file, and the version of the file that it belongs to."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Literal

import httpx
from streamstgs.codec.errors import CorruptSegment, MissingSegment, SceneChanged, SceneUnreachable
from streamstgs.codec.streaming.address import redact_credentials
from streamstgs.codec.streaming.transport import (
    ByteRange,
    Listener,
    RangesIgnored,
    Reply,
    RequestProgress,
)

CONTENT_RANGE = re.compile(r"bytes\s+(\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.IGNORECASE)
MEANS_NOTHING = {"", "identity", "aws-chunked"}  # S3 keeps the last one of an upload
CONTENT_LENGTH = re.compile(r"\d{1,18}")
NUMBERS = itertools.count(1)  # of requests, over all transports
GONE = (403, 404, 410)  # object stores answer 403 for missing files
RANGE_REFUSED = (400, 405, 501)  # by servers that do not know the form of a range
TRANSIENT = (408, 425, 429)  # and all 5xx


class TransientError(Exception):
    """An error that the next try may not meet.

    Args:
        retry_after_s: pause in seconds that the server asks for.
    """

    def __init__(self, message: str, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ShortPart(TransientError):
    """The server sent all bytes that it announced, but fewer than requested."""


class Download:
    """The body of one request over several tries; each try continues where the one before broke.

    A try continues only if the server proves that the file is still the same:
    by If-Range where it gave a strong ETag or a date, and by the same length of the whole file.
    """

    def __init__(
        self,
        url: str,
        most_bytes: int,
        byte_range: ByteRange | None,
        fresh: bool,
        clock: Callable[[], float],
        listener: Listener,
    ) -> None:
        self._number = next(NUMBERS)
        self.address = url
        self.url = redact_credentials(url)  # for messages and listeners
        self.most_bytes = most_bytes
        self.content = bytearray()
        self.tries = 0
        self._range = byte_range
        self.fresh = fresh
        self._start = byte_range.first if byte_range and byte_range.first is not None else 0
        self._whole: int | None = None
        self._expected: int | None = None  # length of the body
        self._validator: str | None = None
        self._clock = clock
        self._listener = listener
        self._began_s = self._sent_s = clock()
        self._first_byte_s: float | None = None
        self._received = 0
        self._part_bytes: int | None = None  # that the answer to this try announced
        self._part_received = 0

    @property
    def key(self) -> tuple[str, int, ByteRange | None]:
        """Equal for requests of the same bytes."""
        return self.address, self.most_bytes, self._range

    @property
    def is_worth_keeping(self) -> bool:
        """Whether a part was received and a part is missing."""
        return not self.fresh and 0 < len(self.content) < self.size_bytes

    def continue_with(self, part: Download) -> None:
        """Take over the received part of an earlier request, before the first try."""
        self.content = part.content
        self._start, self._whole, self._expected = part._start, part._whole, part._expected
        self._validator = part._validator

    @property
    def size_bytes(self) -> int:
        """Length of the whole body in bytes, as far as it is known."""
        return self._expected if self._expected is not None else self.most_bytes

    def request_headers(self) -> dict[str, str]:
        """Return the headers of the next try: for the whole body, or for the missing part."""
        headers = {"Cache-Control": "no-cache"} if self.fresh else {}
        if self.content:
            first = self._start + len(self.content)
            last = "" if self._expected is None else self._start + self._expected - 1
            headers["Range"] = f"bytes={first}-{last}"
            if self._validator:
                headers["If-Range"] = self._validator
        elif self._range:
            headers["Range"] = self._range.header()
        return headers

    def begin_try(self) -> None:
        self.tries += 1
        self._sent_s = self._clock()
        self._first_byte_s = None
        self._part_bytes, self._part_received = None, 0
        self.report("waiting")

    def accept(self, response: httpx.Response) -> None:
        """Check the headers of a try before its body is read.

        Raises:
            TransientError: try again. MissingSegment, CorruptSegment, SceneChanged,
            SceneUnreachable: there is no use in that.
        """
        self._first_byte_s = self._clock() - self._sent_s
        self._check_status(response)
        self._check_encoding(response)
        if response.status_code == 206:
            self._accept_part(response)
        elif self._range:
            self._refuse_whole_file()
        else:
            self._restart()  # a server that cannot continue sends the whole body again
            self._expected = self._whole = _content_length(response)
        self._validator = _validator(response)
        if self.size_bytes > self.most_bytes:
            raise self._too_long_error()

    def add(self, chunk: bytes) -> None:
        """Append a piece of the body."""
        self._received += len(chunk)
        self._part_received += len(chunk)
        self.content += chunk
        if len(self.content) > self.most_bytes:
            raise self._too_long_error()
        self.report("receiving")

    def finish(self) -> Reply:
        """Return the complete body.

        Raises:
            TransientError: it is shorter than its headers said.
        """
        if self._expected is not None and len(self.content) < self._expected:
            if 0 < self._part_received == self._part_bytes:
                raise ShortPart("the server sends less at a time than was asked for")
            raise TransientError(f"the body ended after {len(self.content)} of {self._expected} B")
        if self._expected is not None and len(self.content) > self._expected:
            raise CorruptSegment(f"{self.url}: the body is longer than its headers say.")
        return Reply(bytes(self.content), self._start, self._whole, self._validator)

    def report(self, state: Literal["waiting", "receiving", "done", "failed", "cancelled"]) -> None:
        self._listener(
            RequestProgress(
                request=self._number,
                url=self.url,
                state=state,
                received_bytes=self._received,
                elapsed_s=self._clock() - self._began_s,
                first_byte_s=self._first_byte_s,
                tries=self.tries,
            )
        )

    # --- judging headers -------------------------------------------------------------------------

    def _check_status(self, response: httpx.Response) -> None:
        status = response.status_code
        if status in GONE:
            raise MissingSegment(f"{self.url} is not there (HTTP {status}).")
        if status == 416 and self.content:
            self._restart()
            raise TransientError("the file became shorter while it was read")
        if status == 416:
            raise CorruptSegment(f"{self.url} is shorter than expected (HTTP 416).")
        if self._range and not self.content and status in RANGE_REFUSED:
            raise RangesIgnored(f"{self.url}: the server refuses byte ranges (HTTP {status}).")
        if status in TRANSIENT or status >= 500:
            raise TransientError(f"HTTP {status}", _retry_after_s(response))
        if status not in (200, 206):
            raise SceneUnreachable(f"{self.url} cannot be fetched: HTTP {status}.")

    def _check_encoding(self, response: httpx.Response) -> None:
        """Refuse compressed bodies: none was requested, and they could unpack to any length."""
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if any(part.strip() not in MEANS_NOTHING for part in encoding.split(",")):
            raise SceneUnreachable(
                f"{self.url}: the server compresses ({encoding[:20]}) what was asked for as it is."
            )

    def _accept_part(self, response: httpx.Response) -> None:
        match = CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
        if match is None:
            raise SceneUnreachable(f"{self.url}: the server does not say which range it sends.")
        first, last = int(match[1]), int(match[2])
        whole = self._whole_of(first, last) if match[3] == "*" else int(match[3])
        if first > last or (whole is not None and last >= whole):
            raise SceneUnreachable(f"{self.url}: the server sends an impossible range.")
        self._part_bytes = last - first + 1
        if self.content:
            self._check_continuation(response, first, whole)
            return
        if not self._is_requested_range(first, whole):
            raise CorruptSegment(f"{self.url}: the server sent another range than asked for.")
        self._start, self._whole = first, whole
        self._expected = self._asked_bytes(first, last, whole)

    def _whole_of(self, first: int, last: int) -> int | None:
        """Length of a file that the server does not tell: the end of what was asked for as the
        last bytes, or as known before."""
        if self._range is not None and self._range.first is None and not self.content:
            return last + 1
        return self._whole

    def _asked_bytes(self, first: int, last: int, whole: int | None) -> int:
        """Length of what was asked for; a server may send less of it at a time."""
        end = None if whole is None else whole - 1
        if self._range is not None and self._range.first is not None:
            end = self._range.last if end is None else min(self._range.last, end)
        return (last if end is None else max(last, end)) - first + 1

    def _is_requested_range(self, first: int, whole: int | None) -> bool:
        if self._range is None:
            return first == 0
        if self._range.first is None:
            return whole is not None and first >= max(whole - self._range.last, 0)
        return first == self._range.first

    def _check_continuation(self, response: httpx.Response, first: int, whole: int | None) -> None:
        same = self._whole in (None, whole) and self._validator == _validator(response)
        if same and first == self._start + len(self.content):
            self._whole = whole
            if self._range is None and whole is not None:
                self._expected = whole
            return
        self._restart()
        if self._range and not same:
            raise SceneChanged(f"{self.url} was replaced while it was read.")
        raise TransientError("the server continued with something else")

    def _refuse_whole_file(self) -> None:
        """Refuse a whole file where a range was requested."""
        if self.content:
            raise SceneChanged(f"{self.url} was replaced while it was read.")
        raise RangesIgnored(
            f"{self.url}: the server ignores byte ranges; serve the scene as a directory."
        )

    def _restart(self) -> None:
        self.content.clear()
        self._whole = self._expected = self._validator = None

    def _too_long_error(self) -> CorruptSegment:
        return CorruptSegment(
            f"{self.url} is longer than the {self.most_bytes} bytes it should have."
        )


def _content_length(response: httpx.Response) -> int | None:
    told = response.headers.get("Content-Length", "").strip()
    return int(told) if CONTENT_LENGTH.fullmatch(told) else None


def _validator(response: httpx.Response) -> str | None:
    """Return the value for If-Range: a strong ETag, or else a date (RFC 9110, 13.1.5)."""
    tag = response.headers.get("ETag", "").strip()
    if tag.startswith('"'):
        return tag
    return response.headers.get("Last-Modified") or None


def _retry_after_s(response: httpx.Response) -> float:
    told = response.headers.get("Retry-After", "").strip()
    return float(told) if told.isdecimal() and len(told) < 6 else 0.0
