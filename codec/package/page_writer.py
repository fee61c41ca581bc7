"""Writes scene.json and its pages, so that opening long scenes is as fast as short ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from streamstgs.codec.package.file_entry import FileEntry
from streamstgs.codec.package.gop_json import gop_object, layer_object, rows_of
from streamstgs.codec.package.gop_times import GopTimes
from streamstgs.codec.package.manifest import GopEntry, LayerEntry, Manifest
from streamstgs.codec.package.manifest_json import write_manifest
from streamstgs.codec.package.page_index import PageRow, index_name, page_name, write_index
from streamstgs.codec.package.paged_gops import Page, PagedGops, PageSet
from streamstgs.codec.package.schema import Totals

WriteFile = Callable[[str, bytes], FileEntry]


@dataclass(frozen=True)
class PageSettings:
    """How GOPs are listed.

    Args:
        paged_from: scenes with at least so many GOPs have pages.
        inline: GOPs that scene.json of a scene with pages lists itself: enough to start playing.
        per_page: GOPs of a page at most.
    """

    paged_from: int = 64
    inline: int = 4
    per_page: int = 16


@dataclass(frozen=True)
class Period:
    """GOPs that share their static layers.

    Args:
        first: its first GOP.
        static: its layers, most important first.
        no_static_db: as of `Manifest`.
    """

    first: int
    static: tuple[LayerEntry, ...]
    no_static_db: float | None = None


def write_scene_json(
    manifest: Manifest,
    write: WriteFile,
    totals: Totals,
    settings: PageSettings = PageSettings(),
    periods: Sequence[Period] = (),
) -> bytes:
    """Return the content of scene.json, after the pages are written if the scene has any.

    Args:
        manifest: lists all GOPs.
        write: writes a file of the scene.
        totals: sums over all GOPs.
        periods: later ones that have other static layers than `manifest`, in order.
    """
    count = len(manifest.gops)
    if count < settings.paged_from and not periods:
        return write_manifest(manifest)
    starts = [0, *(period.first for period in periods), count]
    inline = min(settings.inline, starts[1])
    rows = []
    for span, period in zip(pairwise(starts), (None, *periods), strict=True):
        for first in range(max(span[0], inline), span[1], settings.per_page):
            gops = manifest.gops[first : min(first + settings.per_page, span[1])]
            static = (None, None) if period is None else (period.static, period.no_static_db)
            rows.append(write_page(Page(first, tuple(gops), *static), write))
    index = write(index_name(rows[-1].end), write_index(rows)) if rows else None
    times = GopTimes.of(gop.frames for gop in manifest.gops)
    return write_manifest(
        with_pages(manifest, PageSet(times, 0, 0, totals, index), tuple(manifest.gops[:inline]))
    )


def with_pages(manifest: Manifest, pages: PageSet, inline: tuple[GopEntry, ...]) -> Manifest:
    """Return the manifest of a scene whose other GOPs are in pages that are written already."""
    rows = rows_of(manifest.representations, manifest.tiles)

    def unread(file: FileEntry, _: object) -> bytes:
        raise AssertionError(f"{file.name} was just written")

    return replace(manifest, gops=PagedGops(pages, inline, manifest.tiles, rows, unread))


def write_page(page: Page, write: WriteFile) -> PageRow:
    """Write a page; returns what the index says of it."""
    content: dict[str, Any] = {"gops": [gop_object(gop) for gop in page.gops]}
    if page.static is not None:
        content["static"] = [layer_object(layer) for layer in page.static]
        if page.no_static_db is not None:
            content["no_static_db"] = page.no_static_db
    file = write(page_name(page.first), compact_json(content))
    return PageRow(page.first, len(page.gops), file)


def compact_json(document: object) -> bytes:
    """Return a document as JSON without blanks."""
    return json.dumps(document, allow_nan=False, separators=(",", ":")).encode()


def declared_files(document: object) -> Iterator[dict[str, Any]]:
    """Yield the object of each file that a JSON document declares."""
    if isinstance(document, dict):
        if "name" in document and "size_bytes" in document:
            yield document
        for value in document.values():
            yield from declared_files(value)
    elif isinstance(document, list):
        for value in document:
            yield from declared_files(value)
