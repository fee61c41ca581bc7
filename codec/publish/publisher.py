"""Appends GOPs to a scene that is being watched."""

from __future__ import annotations

import logging
import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from msgspec import UnsetType
from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.errors import CodecError, CorruptSegment, NotAScene, WriteError
from streamstgs.codec.package import schema
from streamstgs.codec.package.checked_json import decode_json
from streamstgs.codec.package.file_entry import DASH_NAME, MANIFEST_NAME, FileEntry
from streamstgs.codec.package.gop_times import GopTimes
from streamstgs.codec.package.live_entry import LiveEntry
from streamstgs.codec.package.manifest import GopEntry, Manifest
from streamstgs.codec.package.manifest_json import read_manifest, write_manifest
from streamstgs.codec.package.page_index import (
    PAGES,
    PageIndex,
    PageRow,
    index_name,
    write_index,
)
from streamstgs.codec.package.page_writer import with_pages, write_page
from streamstgs.codec.package.paged_gops import Page, PagedGops, PageSet
from streamstgs.codec.package.schema import Totals
from streamstgs.codec.package.sound_track import GopSound
from streamstgs.codec.publish.live_dash import write_live_dash
from streamstgs.codec.publish.running_totals import no_totals, with_gop
from streamstgs.codec.publish.store import Store

log = logging.getLogger(__name__)

DASH_GOPS = 600  # that scene.mpd lists at most, the newest ones
NUMBERED = re.compile(rf"{PAGES}([0-9]+)\.(page|index)")
BEYOND = "The event is beyond what players read:"
STEPS_BACK_S = 10.0  # the clock of a computer is corrected by less while it runs


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

    Files of a GOP are written before scene.json names them, so players never see a gap, whatever
    fails in between. Belongs to one thread.

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
        self._gone: deque[tuple[str, ...]] = deque()  # files of pages that left the window
        self._unneeded: list[str] = []  # files to delete
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
            WriteError: the store fails. The GOP is not published then, and may be appended again.
        """
        state = self._state
        gop = replace(gop, start_frame=state.times.frames)
        new = replace(state, rows=list(state.rows), inline=[*state.inline, gop])
        new.times = state.times.extended([gop.frames])
        if len(state.inline) >= self._settings.per_page:
            new.rows.append(write_page(Page(state.first, tuple(state.inline)), self.write))
            new.inline, new.first = [gop], state.first + len(state.inline)
        gone: list[tuple[str, ...]] = []
        if new.rows != state.rows:
            gone = self._trim(new)
            new.index = self._write_index(new.rows)
        new.live = replace(state.live, edge_s=max(self._utc(), state.live.edge_s))
        totals = with_gop(self._totals, gop, len(state.times))
        self._announce(new, totals, new.live)
        self._totals, self._state = totals, new
        self._delete_old(gone, state.index if state.index != new.index else None)

    def _write_index(self, rows: list[PageRow]) -> FileEntry | None:
        if not rows:
            return None
        name, index = index_name(rows[-1].end), write_index(rows)
        try:
            PageIndex(index, name)
        except NotAScene as error:
            raise WriteError(f"{BEYOND} {error}") from error
        return self.write(name, index)

    def finish(self) -> None:
        """End the event: the scene stays as an ordinary one.

        Raises:
            WriteError: the store fails, or nothing was published.
        """
        if not self._state.inline:
            raise WriteError("Nothing was published, so there is no scene.")
        self._announce(self._state, self._totals, None)

    def _announce(self, state: _State, totals: Totals, live: LiveEntry | None) -> None:
        """Write scene.mpd for players of plain DASH, then scene.json."""
        pages = PageSet(state.times, state.available, state.first, totals, state.index)
        sound = self._header.sound
        if isinstance(sound, GopSound):
            sound = replace(sound, times=state.times)
        header = replace(self._header, live=live, sound=sound)
        manifest = with_pages(header, pages, tuple(state.inline))
        newest = range(max(state.available, len(state.times) - DASH_GOPS), len(state.times))
        mpd = write_live_dash(manifest, newest, state.inline[-1])
        content = _readable(write_manifest(manifest))
        self._store.write(DASH_NAME, mpd)
        self._store.write(MANIFEST_NAME, content)

    def _trim(self, state: _State) -> list[tuple[str, ...]]:
        """Take pages out of the list that are outside of the window; returns their files."""
        fps, gone = self._header.meta.fps, []
        least = state.times.frames - self._settings.window_s * fps
        while state.rows and state.times.start(state.rows[0].end) <= least:
            row = state.rows.pop(0)
            state.available = row.end
            gone.append(self._files_of(row.file.name))
        return gone

    def _files_of(self, name: str) -> tuple[str, ...]:
        """Names of a page and of the files of its GOPs."""
        data = self._store.read(name)
        if data is None:
            return ()
        try:
            page = decode_json(data, schema.Page, name)
        except CodecError as error:
            log.warning("files of old segments remain, as their page is damaged: %s", error)
            return (name,)
        # The page comes last: it is what another publisher finds them by.
        return (*(file.name for gop in page.gops for file in _gop_files(gop)), name)

    def _delete_old(self, gone: list[tuple[str, ...]], index: FileEntry | None) -> None:
        """Delete what players no longer need; what fails is tried again after the next GOP.

        Args:
            gone: files of pages that left the window now.
            index: one that was replaced now; caches may name it until the next one is.
        """
        self._gone.extend(gone)
        while len(self._gone) > self._settings.grace_pages:
            self._unneeded.extend(self._gone.popleft())
        try:
            while self._unneeded:
                self._store.delete(self._unneeded[0])
                self._unneeded.pop(0)
        except WriteError as error:
            log.warning("%d old files remain for now: %s", len(self._unneeded), error)
        if index is not None:
            self._unneeded.append(index.name)

    def _find_old(self, state: _State) -> None:
        """Take note of what an earlier publisher did not live to delete. Raises WriteError."""
        listed = [row.end for row in state.rows[-1:]]
        for name in sorted(self._store.list(PAGES)):
            match = NUMBERED.fullmatch(name)
            if match is None:
                continue
            number, kind = int(match[1]), match[2]
            if kind == "page" and number < state.available:
                self._gone.append(self._files_of(name))
            elif kind == "index" and listed and number < listed[0]:
                self._unneeded.append(name)

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
        start_s, edge_s = (found.live.start_s, found.live.edge_s) if found.live else (now_s, now_s)
        if now_s < edge_s - STEPS_BACK_S:
            log.warning(
                "The clock of this machine is %.0f s behind that of the last publisher: players of "
                "plain DASH wait until it is that late. Set the clocks.", edge_s - now_s,
            )  # fmt: skip
        now_s = max(now_s, edge_s)  # times of an event only grow
        live = LiveEntry(start_s, pages.times.frames, now_s, now_s, self._settings.update_s)
        state = _State(
            rows, list(gops.inline), pages.first, pages.times, pages.available, live, pages.index
        )
        self._find_old(state)
        return state


def _readable(manifest: bytes) -> bytes:
    """Return scene.json if players can read it; raises WriteError."""
    try:
        read_manifest(manifest)
    except CodecError as error:
        raise WriteError(f"{BEYOND} {error}") from error
    return manifest


def _gop_files(gop: schema.Gop) -> list[schema.File | schema.SoundFile]:
    layers = [layer.file for layer in gop.layers]
    sound = [] if isinstance(gop.sound, UnsetType) else [gop.sound]
    return [gop.field, *layers, *(segment.file for segment in gop.segments), *sound]
