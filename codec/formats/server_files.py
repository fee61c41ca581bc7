"""Splat files on a web server: fetched whole and kept in the cache, or by ranges of an archive."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, unquote

from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import Cancelled, CorruptSegment, MissingSegment, NotAScene
from streamstgs.codec.file_kind import HTML
from streamstgs.codec.formats.file_sets import ArchiveFiles, FileSet
from streamstgs.codec.formats.sequence import PRINTF
from streamstgs.codec.limits import SEQUENCE_FRAMES
from streamstgs.codec.scene import OpenSettings
from streamstgs.codec.streaming.address import redact_credentials, split_login
from streamstgs.codec.streaming.disk_cache import DiskCache
from streamstgs.codec.streaming.http.client import HttpTransport
from streamstgs.codec.streaming.http.containers import HttpRanges
from streamstgs.codec.streaming.read_ahead import ReadAhead
from streamstgs.codec.streaming.transport import ByteRange, RangesIgnored, Reply, Transport

REMOTE_FILE_BYTES = 1 << 30  # 4 million Gaussians with harmonics as .ply; all of it is in memory
HEAD_BYTES = 4_096
AHEAD_FRAMES = 4
NAMED_BY_SERVER = re.compile(r"[?#].*", re.DOTALL)


class SplatServer:
    """Fetches files of a server whole, with a cache on disk. Thread-safe.

    A cached file is used as long as the server tells the same validator and length for its URL.
    Servers that know no ranges or validators are read without the cache.

    Args:
        settings: timeouts, cache and listener.
        transport: replaces HTTP in tests.
    """

    def __init__(self, settings: OpenSettings, transport: Transport | None = None) -> None:
        self._transport = transport or HttpTransport(settings.http, listener=settings.listener)
        self._cache = DiskCache(settings.cache) if settings.cache.max_bytes else None

    def read(self, url: str, most_bytes: int, cancel: CancelToken = NEVER) -> bytes:
        """The content of a file.

        Raises:
            MissingSegment: there is none. CorruptSegment: it is longer than `most_bytes`.
            SceneUnreachable: the server does not answer. Cancelled: through `cancel`.
        """
        most_bytes = min(most_bytes, REMOTE_FILE_BYTES)
        head = self._head(url, cancel)
        if head is None:
            return self._transport.get(url, most_bytes, cancel).content
        if head.whole_bytes is not None and head.whole_bytes > most_bytes:
            raise CorruptSegment(f"{shown(url)} is longer than {most_bytes} bytes.")
        if head.whole_bytes == len(head.content):
            return head.content
        key = f"{split_login(url)[0]} {head.whole_bytes} {head.validator}"
        kept = self._cache.get(key, most_bytes) if self._cache and head.validator else None
        if kept is not None and len(kept) == head.whole_bytes:
            return kept
        reply = self._transport.get(url, most_bytes, cancel)
        if self._cache is not None and head.validator and reply.validator == head.validator:
            self._cache.put(key, reply.content)
        return reply.content

    def read_once(self, key: str, fetch: Callable[[], bytes], most_bytes: int) -> bytes:
        """Content whose key tells its checksum: from the cache, else fetched and kept."""
        kept = self._cache.get(key, most_bytes) if self._cache is not None else None
        if kept is None:
            kept = fetch()
            if self._cache is not None:
                self._cache.put(key, kept)
        return kept

    def has(self, url: str, cancel: CancelToken = NEVER) -> bool:
        """Whether there is a file; web pages that servers send in place of one do not count."""
        try:
            head = self._head(url, cancel)
        except MissingSegment:
            return False
        except CorruptSegment:  # it is empty
            return True
        return head is None or not HTML.match(head.content)

    def ranges(self, url: str, cancel: CancelToken = NEVER) -> HttpRanges:
        """Random access to a file; raises NotAScene, RangesIgnored or SceneUnreachable."""
        return HttpRanges(url, self._transport, cancel=cancel)

    def close(self) -> None:
        """Close connections; safe to call twice."""
        self._transport.close()
        if self._cache is not None:
            self._cache.close()

    def _head(self, url: str, cancel: CancelToken) -> Reply | None:
        """The first bytes of a file; None if the server knows no ranges."""
        try:
            return self._transport.get(url, HEAD_BYTES, cancel, ByteRange(0, HEAD_BYTES - 1))
        except RangesIgnored:
            return None


class SiblingFiles:
    """Implements `FileSet` for the files beside a URL, which cannot be listed.

    Args:
        server: closed with this.
        url: of one of the files; its query is used for all.
    """

    names: tuple[str, ...] = ()

    def __init__(self, server: SplatServer, url: str) -> None:
        self._server, self._url = server, url

    def read(self, name: str, most_bytes: int, cancel: CancelToken = NEVER) -> bytes:
        """As of `FileSet`."""
        return self._server.read(beside(self._url, name), most_bytes, cancel)

    def close(self) -> None:
        """Close the server."""
        self._server.close()


class NumberedFiles:
    """Implements `FileSet` for the files that a URL with a number such as %04d stands for.

    Args:
        server: closed with this.
        url: `https://example.org/clip/frame_%04d.ply`.

    Raises:
        NotAScene: there is no file with the number 0 or 1.
    """

    def __init__(self, server: SplatServer, url: str, cancel: CancelToken = NEVER) -> None:
        self._server, self._url = server, url
        self._pattern = name_of(url)
        first = next((n for n in (0, 1) if self._has(n, cancel)), None)
        if first is None:
            names = f"neither {self._name(0)} nor {self._name(1)} is there"
            raise NotAScene(f"{shown(url)} is not a scene: {names}.")
        last = _last_of(lambda number: self._has(number, cancel), first)
        self.names = tuple(self._name(number) for number in range(first, last + 1))

    def read(self, name: str, most_bytes: int, cancel: CancelToken = NEVER) -> bytes:
        """As of `FileSet`."""
        return self._server.read(beside(self._url, name), most_bytes, cancel)

    def close(self) -> None:
        """Close the server."""
        self._server.close()

    def _name(self, number: int) -> str:
        found = list(PRINTF.finditer(self._pattern))[-1]  # %20d may be an escaped blank and a d
        return self._pattern[: found.start()] + found[0] % number + self._pattern[found.end() :]

    def _has(self, number: int, cancel: CancelToken) -> bool:
        return self._server.has(beside(self._url, self._name(number)), cancel)


def _last_of(has: Callable[[int], bool], first: int) -> int:
    """The last number of a row without gaps, found with few questions."""
    low, step = first, 1
    while low + step - first < SEQUENCE_FRAMES and has(low + step):
        low, step = low + step, step * 2
    high = min(low + step, first + SEQUENCE_FRAMES)  # not there
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if has(middle) else (low, middle)
    return low


class ServedArchive:
    """Implements `FileSet` for a ZIP archive on a server, of which only what is read is fetched.

    Args:
        server: closed with this.
        url: of the archive.
        most_files: more are refused.
    """

    def __init__(
        self, server: SplatServer, url: str, most_files: int, cancel: CancelToken = NEVER
    ) -> None:
        self._server, self._key = server, split_login(url)[0]
        try:
            ranges = server.ranges(url, cancel)
            self._archive = ArchiveFiles(ranges, most_files)
            self.size_bytes = ranges.size_bytes
        except RangesIgnored:
            data = server.read(url, REMOTE_FILE_BYTES, cancel)
            self._archive = ArchiveFiles.of_bytes(data, shown(url), most_files)
            self.size_bytes = len(data)
        self.names = self._archive.names

    def read(self, name: str, most_bytes: int, cancel: CancelToken = NEVER) -> bytes:
        """As of `FileSet`."""
        size_bytes, crc32 = self._archive.checksum(name)
        key = f"{self._key} {name} {size_bytes} {crc32:08x}"
        most_bytes = min(most_bytes, REMOTE_FILE_BYTES)
        return self._server.read_once(
            key, lambda: self._archive.read(name, most_bytes, cancel), most_bytes
        )

    def close(self) -> None:
        """Close the archive and the server."""
        self._archive.close()
        self._server.close()


@dataclass(frozen=True)
class _Frame:
    name: str


class FramesAhead:
    """Implements `FileSet` over another one, whose next frames are fetched while one is decoded.

    Args:
        files: thread-safe; closed with this.
        names: of the frames, in the order of time; after the last comes the first.
        most_bytes: of a frame.
    """

    def __init__(self, files: FileSet, names: tuple[str, ...], most_bytes: int) -> None:
        self._files, self._frames = files, tuple(_Frame(name) for name in names)
        self._index = {name: index for index, name in enumerate(names)}
        self.names = files.names
        self._ahead: ReadAhead[_Frame] = ReadAhead(
            lambda frame, cancel: files.read(frame.name, most_bytes, cancel)
        )

    def read(self, name: str, most_bytes: int, cancel: CancelToken = NEVER) -> bytes:
        """As of `FileSet`."""
        index = self._index[name]
        count = min(AHEAD_FRAMES, len(self._frames))
        wanted = [self._frames[(index + k) % len(self._frames)] for k in range(count)]
        self._ahead.request(wanted)
        content = self._ahead.take(wanted[0], cancel)
        if content is None:
            raise Cancelled(f"Cancelled: reading {name}.")  # it was closed meanwhile
        return content

    def close(self) -> None:
        """Cancel what is fetched ahead, and close the files."""
        self._files.close()
        self._ahead.close()


def shown(url: str) -> str:
    """A URL for messages, without credentials and query."""
    return NAMED_BY_SERVER.sub("", redact_credentials(url))


def name_of(url: str) -> str:
    """The last part of the path of a URL, as it is written there."""
    return NAMED_BY_SERVER.sub("", url).rstrip("/").rpartition("/")[2]


def title_of(url: str) -> str:
    """The name of the file of a URL for people, without suffix."""
    return unquote(name_of(url)).partition(".")[0]


def beside(url: str, name: str) -> str:
    """The URL of another file of the same folder, with the same query."""
    path, mark, query = url.partition("#")[0].partition("?")
    return f"{path.rpartition('/')[0]}/{quote(unquote(name))}{mark}{query}"
