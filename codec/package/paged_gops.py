"""The GOPs of a scene with pages: a sequence that reads the pages when they are asked for."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import CorruptSegment, MissingSegment, NotAScene
from streamstgs.codec.package import schema
from streamstgs.codec.package.checked_json import decode_json
from streamstgs.codec.package.file_entry import MANIFEST_NAME, FileEntry
from streamstgs.codec.package.gop_json import given, read_gop, read_static, require
from streamstgs.codec.package.gop_times import GopTimes
from streamstgs.codec.package.manifest import GopEntry, LayerEntry, UnreadGops
from streamstgs.codec.package.page_index import PageIndex, PageRow, check_coverage
from streamstgs.codec.video.tile_layout import TileLayout

KEPT_PAGES = 32  # that were read last

ReadFile = Callable[[FileEntry, CancelToken], bytes]


@dataclass(frozen=True)
class PageSet:
    """What scene.json says of the pages of a scene.

    Args:
        times: lengths of all GOPs.
        available: the first GOP that can still be fetched; those before it are gone.
        first: number of the first GOP that scene.json lists itself.
        totals: sums over all GOPs.
        index: the file that lists the pages; None if scene.json lists all GOPs.
    """

    times: GopTimes
    available: int
    first: int
    totals: schema.Totals
    index: FileEntry | None


@dataclass(frozen=True)
class Page:
    """The GOPs of a page.

    Args:
        first: number of the first one.
        gops: in order of time.
        static: the static layers of all of them; None for those of scene.json.
        no_static_db: as of `Manifest`, of these layers.
    """

    first: int
    gops: tuple[GopEntry, ...]
    static: tuple[LayerEntry, ...] | None = None
    no_static_db: float | None = None


class PagedGops(UnreadGops):
    """The GOPs of a scene with pages. Thread-safe; memory does not grow with the scene.

    Indexing reads the page of a GOP, unless it is one of the last pages that were read. It raises
    CorruptSegment for a broken page, NotAScene for a broken index, and what `read` raises.

    Args:
        pages: what scene.json says.
        inline: the GOPs that scene.json lists.
        tiles: layout of the feature video.
        rows: of the tiles of each quality, best first.
        read: returns the content of a file of the scene, checked against its checksums.
        before: the GOPs of the same scene at an earlier time; what it listed needs no reading.
    """

    def __init__(
        self,
        pages: PageSet,
        inline: tuple[GopEntry, ...],
        tiles: TileLayout,
        rows: tuple[int, ...],
        read: ReadFile,
        before: PagedGops | None = None,
    ) -> None:
        self.pages = pages
        self._inline = Page(pages.first, inline)
        self._tiles, self._rows = tiles, rows
        self._read = read
        self._lock = threading.Lock()  # guards the fields below
        self._index: PageIndex | None = None
        # Pages by their first GOP, least recently used first.
        self._kept = OrderedDict[int, Page]() if before is None else before._copy_kept()

    def __len__(self) -> int:
        return len(self.pages.times)

    def __getitem__(self, gop: int) -> GopEntry:  # type: ignore[override]
        page = self.page(gop)
        return page.gops[gop - page.first]

    @property
    def times(self) -> GopTimes:
        """As of `UnreadGops`."""
        return self.pages.times

    def static(self, gop: int) -> tuple[LayerEntry, ...] | None:
        """As of `UnreadGops`."""
        return self.page(gop).static

    def no_static_db(self, gop: int) -> float | None:
        """As of `UnreadGops`."""
        return self.page(gop).no_static_db

    @property
    def inline(self) -> tuple[GopEntry, ...]:
        """The GOPs that scene.json lists."""
        return self._inline.gops

    @property
    def first_inline(self) -> int:
        """The number of the first GOP that scene.json lists."""
        return self._inline.first

    def is_read(self, gop: int) -> bool:
        """Whether a GOP can be looked up without reading a file."""
        return self._find_kept(gop) is not None

    def page(self, gop: int, cancel: CancelToken = NEVER) -> Page:
        """Return the page of a GOP.

        That of a GOP which is no longer available is known for a while, so that what was fetched
        in time can be decoded.

        Raises:
            IndexError: no such GOP.
            MissingSegment: it is gone.
            CorruptSegment: the page is not what it should be.
            NotAScene: the index is not what it should be.
            CodecError: whatever `read` raises; Cancelled through `cancel`.
        """
        if not 0 <= gop < len(self):
            raise IndexError(f"no GOP {gop}; the scene has {len(self)}")
        kept = self._find_kept(gop)
        if kept is not None:
            return kept
        if gop < self.pages.available:
            raise MissingSegment(f"GOP {gop} is gone; those from {self.pages.available} on remain.")
        index = self.page_index(cancel)
        page = self._read_page(index[index.find(gop)], cancel)
        with self._lock:
            self._kept[page.first] = page
            while len(self._kept) > KEPT_PAGES:
                self._kept.popitem(last=False)
        return page

    def span(self, gop: int) -> range:
        """Return the GOPs of the page of a GOP, which need not be readable."""
        kept = self._find_kept(gop)
        if kept is not None:
            return range(kept.first, kept.first + len(kept.gops))
        index = self.page_index()
        row = index[index.find(gop)]
        return range(row.first, row.end)

    def page_index(self, cancel: CancelToken = NEVER) -> PageIndex:
        """Return the list of the pages, read once; raises as `page`."""
        with self._lock:
            if self._index is not None:
                return self._index
        index, file = PageIndex(), self.pages.index
        if file is not None:
            try:
                index = PageIndex(self._read(file, cancel), file.name)
            except (CorruptSegment, MissingSegment) as error:
                raise NotAScene(f"The list of the scene's parts is damaged: {error}") from error
        inline = range(self._inline.first, self._inline.first + len(self._inline.gops))
        gops = range(self.pages.available, len(self))
        check_coverage(index, inline, gops, file.name if file else MANIFEST_NAME)
        with self._lock:
            self._index = index
        return index

    def _copy_kept(self) -> OrderedDict[int, Page]:
        """Pages that need no reading; what scene.json listed will be in a page some time."""
        with self._lock:
            kept = self._kept.copy()
            kept[self._inline.first] = self._inline
            return kept

    def _find_kept(self, gop: int) -> Page | None:
        """The page of a GOP, if it needs no reading."""
        if _holds(self._inline, gop):
            return self._inline
        with self._lock:
            found = next((page for page in self._kept.values() if _holds(page, gop)), None)
            if found is not None:
                self._kept.move_to_end(found.first)
            return found

    def _read_page(self, row: PageRow, cancel: CancelToken) -> Page:
        data, name = self._read(row.file, cancel), row.file.name
        try:
            document = decode_json(data, schema.Page, MANIFEST_NAME)
            require(len(document.gops) == row.count, "gops", f"a list of {row.count}")
            check_times(document.gops, self.pages.times, row.first)
            gops = tuple(
                read_gop(gop, self._tiles, self._rows, f"gops[{k}]")
                for k, gop in enumerate(document.gops)
            )
            declared = given(document.static)
            static = None if declared is None else read_static(declared, "static")
            return Page(row.first, gops, static, given(document.no_static_db))
        except NotAScene as error:  # one page, not the scene
            raise CorruptSegment(str(error).replace(MANIFEST_NAME, name, 1)) from error


def _holds(page: Page, gop: int) -> bool:
    return 0 <= gop - page.first < len(page.gops)


def check_times(gops: Sequence[schema.Gop], times: GopTimes, first: int) -> None:
    """Raise NotAScene unless GOPs lie where the times of the whole scene say.

    Args:
        first: number of the first of these GOPs.
    """
    for k, gop in enumerate(gops):
        start, frames = times.start(first + k), times[first + k]
        require(gop.start_frame == start, f"gops[{k}].start_frame", f"{start}, as of the times")
        require(gop.frames == frames, f"gops[{k}].frames", f"{frames}, as of the times")
