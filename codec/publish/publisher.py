"""Appends GOPs to a scene that is being watched."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from msgspec import UnsetType
from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.errors import CodecError, CorruptSegment, WriteError
from streamstgs.codec.package import schema
from streamstgs.codec.package.checked_json import decode_json
from streamstgs.codec.package.file_entry import DASH_NAME, MANIFEST_NAME, FileEntry
from streamstgs.codec.package.gop_times import GopTimes
from streamstgs.codec.package.live_entry import LiveEntry
from streamstgs.codec.package.manifest import GopEntry, Manifest
from streamstgs.codec.package.manifest_json import read_manifest, write_manifest
from streamstgs.codec.package.page_index import PageRow, index_name, write_index
from streamstgs.codec.package.page_writer import with_pages, write_page
from streamstgs.codec.package.paged_gops import Page, PagedGops, PageSet
from streamstgs.codec.package.sound_track import GopSound
from streamstgs.codec.publish.live_dash import write_live_dash
from streamstgs.codec.publish.running_totals import no_totals, with_gop
from streamstgs.codec.publish.store import Store

log = logging.getLogger(__name__)

DASH_GOPS = 600  # that scene.mpd lists at most, the newest ones


@dataclass(frozen=True)
class PublishSettings:
    """How a live scene is published.

    Args:
        window_s: how much can be watched later, content seconds; older GOPs are deleted. Infinite
            keeps everything.
        per_page: GOPs of a page; scene.json lists the newest ones until they fill a page.
        update_s: how often players ask for news.
        grace_pages: pages that are kept after they left the window, for players that know them.
    """

    window_s: float = float("inf")
    per_page: int = 8
    update_s: float = 1.0
    grace_pages: int = 2


@dataclass
class _State:
    """What is published so far."""

    rows: list[PageRow]
    inline: list[GopEntry]
    first: int  # of `inline`
    times: GopTimes
    available: int
    live: LiveEntry
    index: FileEntry | None = None


class Publisher:
    """Writes a live scene GOP by GOP; goes on where an earlier publisher stopped.

    Files of a GOP are written before scene.json names them, so players never see a gap. Belongs to
    one thread.

    Args:
        store: where the scene lies.
        header: the scene without GOPs: description, layout, qualities, static layers.
        settings: window and pages.
        utc: seconds since 1970.

    Raises:
        WriteError: another scene is there, or the store fails.
    """

    def __init__(
        self,
        store: Store,
        header: Manifest,
        settings: PublishSettings = PublishSettings(),
        utc: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._header, self._settings, self._utc = store, header, settings, utc
        self._totals = no_totals(len(header.representations))
        self._gone: deque[tuple[str, ...]] = deque()
        now_s = utc()
        live = LiveEntry(now_s, 0, now_s, now_s, settings.update_s)
        self._state = self._resumed(now_s) or _State([], [], 0, GopTimes(()), 0, live)

    @property
    def count(self) -> int:
        """Number of GOPs that were published, those that are gone included."""
        return len(self._state.times)

    @property
    def frames(self) -> int:
        """Content frames that were published."""
        return self._state.times.frames

    def write(self, name: str, data: bytes) -> FileEntry:
        """Write a file that GOPs or the header name; returns its entry. Raises WriteError."""
        self._store.write(name, data)
        return FileEntry.of(name, data)

    def append(self, gop: GopEntry) -> None:
        """Publish the next GOP, whose files are written; its start frame is set.

        Raises:
            WriteError: the store fails; calling again with the same GOP is safe.
        """
        state = self._state
        gop = replace(gop, start_frame=state.times.frames)
        new = replace(state, rows=list(state.rows), inline=[*state.inline, gop])
        new.times = state.times.extended([gop.frames])
        if len(state.inline) >= self._settings.per_page:
            new.rows.append(write_page(Page(state.first, tuple(state.inline)), self.write))
            new.inline, new.first = [gop], state.first + len(state.inline)
        if new.rows != state.rows:
            self._trim(new)
            index = write_index(new.rows)
            new.index = self.write(index_name(new.rows[-1].end), index) if new.rows else None
        new.live = replace(state.live, edge_s=self._utc())
        totals = with_gop(self._totals, gop, len(state.times))
        self._totals, before, self._state = totals, state, new
        self._announce(new.live)
        if before.index is not None and before.index != new.index:
            self._store.delete(before.index.name)
        self._delete_gone()

    def finish(self) -> None:
        """End the event: the scene stays as an ordinary one. Raises WriteError."""
        self._announce(None)

    def _announce(self, live: LiveEntry | None) -> None:
        """Write scene.json, and scene.mpd for players of plain DASH."""
        state = self._state
        pages = PageSet(state.times, state.available, state.first, self._totals, state.index)
        sound = self._header.sound
        if isinstance(sound, GopSound):
            sound = replace(sound, times=state.times)
        header = replace(self._header, live=live, sound=sound)
        manifest = with_pages(header, pages, tuple(state.inline))
        self._store.write(MANIFEST_NAME, write_manifest(manifest))
        newest = range(max(state.available, len(state.times) - DASH_GOPS), len(state.times))
        mpd = write_live_dash(manifest, newest, state.inline[-1])
        self._store.write(DASH_NAME, mpd)

    def _trim(self, state: _State) -> None:
        """Take pages out of the list that are outside of the window."""
        fps = self._header.meta.fps
        least = state.times.frames - self._settings.window_s * fps
        while state.rows and state.times.start(state.rows[0].end) <= least:
            row = state.rows.pop(0)
            state.available = row.end
            self._gone.append((row.file.name, *self._files_of(row)))

    def _files_of(self, row: PageRow) -> tuple[str, ...]:
        """Names of the files of the GOPs of a page."""
        data = self._store.read(row.file.name)
        if data is None:
            return ()
        try:
            page = decode_json(data, schema.Page, row.file.name)
        except CodecError as error:
            log.warning("files of old segments remain, as their page is damaged: %s", error)
            return ()
        return tuple(file.name for gop in page.gops for file in _gop_files(gop))

    def _delete_gone(self) -> None:
        while len(self._gone) > self._settings.grace_pages:
            for name in self._gone.popleft():
                self._store.delete(name)

    def _read(self, file: FileEntry, _: CancelToken) -> bytes:
        data = self._store.read(file.name)
        if data is None or not file.describes(data):
            raise CorruptSegment(f"{file.name} of {self._store.location} is damaged.")
        return data

    def _is_continued_by(self, found: Manifest, gops: PagedGops) -> bool:
        """Whether a published scene is this one; numbers are compared as they are written."""
        header = replace(self._header, live=None)
        mine = with_pages(header, gops.pages, tuple(gops.inline))
        return write_manifest(mine) == write_manifest(replace(found, live=None))

    def _resumed(self, now_s: float) -> _State | None:
        """What an earlier publisher left; None where there is no scene."""
        data = self._store.read(MANIFEST_NAME)
        if data is None:
            return None
        try:
            found = read_manifest(data, self._read)
            gops = found.gops
            if not isinstance(gops, PagedGops) or not self._is_continued_by(found, gops):
                raise WriteError(
                    f"{self._store.location} holds another scene; name another place for this one."
                )
            rows = list(gops.page_index())
        except CodecError as error:
            if isinstance(error, WriteError):
                raise
            raise WriteError(f"{self._store.location} cannot be continued: {error}") from error
        pages = gops.pages
        self._totals = pages.totals
        anchor = LiveEntry(now_s, pages.times.frames, now_s, now_s, self._settings.update_s)
        live = replace(anchor, start_s=found.live.start_s if found.live else now_s)
        return _State(
            rows, list(gops.inline), pages.first, pages.times, pages.available, live, pages.index
        )


def _gop_files(gop: schema.Gop) -> list[schema.File | schema.SoundFile]:
    layers = [layer.file for layer in gop.layers]
    sound = [] if isinstance(gop.sound, UnsetType) else [gop.sound]
    return [gop.field, *layers, *(segment.file for segment in gop.segments), *sound]
