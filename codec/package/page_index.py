"""The index of a scene with pages: one row of fixed size for each page."""

from __future__ import annotations

import base64
import heapq
import struct
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from streamstgs.codec import limits
from streamstgs.codec.errors import NotAScene
from streamstgs.codec.package.file_entry import FileEntry

PAGES = "pages/"  # folder of the index and the pages
MAGIC = b"STGSIDX1"
ROW = struct.Struct("<IIIIQ32s")  # first GOP, GOPs, bytes, CRC-32, place in an archive, SHA-256
NOWHERE = (1 << 64) - 1  # in place of a place: the scene is no archive


def page_name(first: int) -> str:
    """Return the name of the page that begins with a GOP."""
    return f"{PAGES}{first:06d}.page"


def index_name(end: int) -> str:
    """Return the name of an index; each state of a growing one has its own.

    Args:
        end: the GOP after the last one that it lists.
    """
    return f"{PAGES}{end:06d}.index"


@dataclass(frozen=True)
class PageRow:
    """A page as the index declares it.

    Args:
        first: its first GOP.
        count: number of its GOPs.
        file: the page.
    """

    first: int
    count: int
    file: FileEntry

    @property
    def end(self) -> int:
        """The GOP after its last one."""
        return self.first + self.count


def write_index(rows: Iterable[PageRow]) -> bytes:
    """Return the content of the index."""
    packed = []
    for row in rows:
        file = row.file
        assert file.sha256 is not None
        digest = base64.urlsafe_b64decode(file.sha256 + "=")
        at = NOWHERE if file.at is None else file.at
        packed.append(ROW.pack(row.first, row.count, file.size_bytes, file.crc32, at, digest))
    return MAGIC + b"".join(packed)


class PageIndex(Sequence[PageRow]):
    """The pages of a scene, in order; each row is unpacked when it is asked for. Immutable.

    Args:
        data: content of the index; empty for none.
        name: of its file, for messages.

    Raises:
        NotAScene: not an index, or pages that are too large, or not one after the other.
    """

    def __init__(self, data: bytes = MAGIC, name: str = "") -> None:
        self._data, self._name = data, name
        size = len(data) - len(MAGIC)
        self._count = size // ROW.size
        if not data.startswith(MAGIC) or size % ROW.size or self._count > limits.PAGES:
            raise NotAScene(f"{name} is not an index of pages.")
        end = 0
        for first, count, size_bytes, _, at, _ in ROW.iter_unpack(data[len(MAGIC) :]):
            self._check(first, count, size_bytes, at, end)
            end = first + count

    def _check(self, first: int, count: int, size_bytes: int, at: int, end: int) -> None:
        problem = ""
        if not (1 <= count <= limits.GOPS_PER_PAGE and 1 <= size_bytes <= limits.PAGE_BYTES):
            problem = "is of an impossible size"
        elif first < end or first + count > limits.PAGED_GOPS:
            problem = "is out of order"
        elif at != NOWHERE and at > limits.ARCHIVE_BYTES:
            problem = "lies at an impossible place"
        if problem:
            raise NotAScene(f"{self._name}: the page of GOP {first} {problem}.")

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> PageRow:  # type: ignore[override]
        if not 0 <= number < self._count:
            raise IndexError(f"no page {number}; there are {self._count}")
        unpacked = ROW.unpack_from(self._data, len(MAGIC) + number * ROW.size)
        first, count, size_bytes, crc32, at, digest = unpacked
        sha256 = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        place = None if at == NOWHERE else at
        return PageRow(first, count, FileEntry(page_name(first), size_bytes, crc32, sha256, place))

    def find(self, gop: int) -> int:
        """Return the number of the last page that does not begin after a GOP; -1 for none."""
        return bisect_right(self, gop, key=lambda row: row.first) - 1


def check_coverage(rows: Iterable[PageRow], inline: range, gops: range, name: str) -> None:
    """Check that each GOP is in exactly one place: in scene.json or in one page.

    Args:
        rows: the pages, in order.
        inline: GOPs that scene.json lists.
        gops: GOPs that there are.

    Raises:
        NotAScene: a GOP is missing or is listed twice.
    """
    listed = ((row.first, row.end) for row in rows)
    expected = gops.start
    for first, end in heapq.merge(listed, [(inline.start, inline.stop)]):
        if first != expected:
            raise NotAScene(f"{name}: GOP {min(first, expected)} is missing or is listed twice.")
        expected = end
    if expected != gops.stop:
        raise NotAScene(f"{name}: the pages end at GOP {expected} instead of {gops.stop}.")
