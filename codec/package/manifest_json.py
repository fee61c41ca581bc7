"""scene.json <-> Manifest. Reading trusts nothing: types, ranges, paths and sums are checked."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

from msgspec import convert, to_builtins
from streamstgs.codec import limits
from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.errors import CorruptSegment, NotAScene, UnsupportedVersion
from streamstgs.codec.package import schema
from streamstgs.codec.package.checked_json import decode_json
from streamstgs.codec.package.file_entry import MANIFEST_NAME, FileEntry
from streamstgs.codec.package.gop_json import (
    check_representations,
    entry_object,
    given,
    gop_object,
    layer_object,
    read_file,
    read_gop,
    read_representation,
    read_static,
    require,
    rows_of,
)
from streamstgs.codec.package.gop_times import GopTimes
from streamstgs.codec.package.live_entry import LiveEntry
from streamstgs.codec.package.manifest import (
    FORMAT,
    PAGED_VERSION,
    VERSIONS,
    GopEntry,
    Manifest,
)
from streamstgs.codec.package.paged_gops import PagedGops, PageSet, ReadFile, check_times
from streamstgs.codec.package.poster_entry import poster_object, read_poster_entry
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.codec.package.sound_entry import read_sound_track, sound_object
from streamstgs.codec.video.tile_layout import TileLayout

GOP_MARK = b'"start_frame"'
UNIT_TOLERANCE = 1e-3  # of vectors that are written with a few decimals


def write_manifest(manifest: Manifest) -> bytes:
    """Return the content of scene.json; of a scene with pages, without the pages."""
    gops = manifest.gops
    document: dict[str, Any] = {
        "format": FORMAT,
        "version": manifest.version,
        "meta": _meta_object(manifest.meta),
        "features": asdict(manifest.tiles),
        "rungs": [entry_object(entry) for entry in manifest.representations],
        "static": [layer_object(layer) for layer in manifest.static],
    }
    if isinstance(gops, PagedGops):
        document["pages"] = _pages_object(gops.pages)
        gops = gops.inline
    document["gops"] = [gop_object(gop) for gop in gops]
    if manifest.poster is not None:
        document["poster"] = poster_object(manifest.poster)
    if manifest.live is not None:
        document["live"] = asdict(manifest.live)
    if manifest.no_static_db is not None:
        document["no_static_db"] = manifest.no_static_db
    if manifest.sound is not None:
        document["sound"] = sound_object(manifest.sound)
    return json.dumps(document, allow_nan=False, separators=(",", ":")).encode()


def _live(document: schema.Document) -> LiveEntry | None:
    if document.live is None:
        return None
    return convert(document.live, LiveEntry, from_attributes=True)


def _pages_object(pages: PageSet) -> dict[str, Any]:
    content: dict[str, Any] = {
        "count": len(pages.times),
        "first": pages.first,
        "available": pages.available,
        "times": pages.times.runs,
        "totals": to_builtins(pages.totals),
    }
    if pages.index is not None:
        content["index"] = entry_object(pages.index)
    return content


def read_manifest(
    data: bytes, read: ReadFile | None = None, before: Manifest | None = None
) -> Manifest:
    """Parse and check scene.json.

    Args:
        read: returns a file of the scene after checking it; reads the pages when they are asked
            for. None where no page will be asked for.
        before: the same scene at an earlier time; pages that it read are kept.

    Raises:
        NotAScene: not the manifest of a scene; the message names the place and what it should be.
        UnsupportedVersion: of another version.
    """
    _check_length(data)
    version = _check_version(data)
    document = decode_json(data, schema.Document, MANIFEST_NAME)
    qps = [entry.qp for entry in document.representations]
    require(qps == sorted(set(qps)), "rungs", "of rising QP")
    tiles = convert(document.tiles, TileLayout, from_attributes=True)
    _check_tiles(tiles)
    _check_filmed(document.meta.filmed)
    representations = tuple(map(read_representation, document.representations))
    static = read_static(document.static, "static")
    check_representations(representations, tiles, len(static))
    rows = rows_of(representations, tiles)
    gops = tuple(read_gop(gop, tiles, rows, f"gops[{k}]") for k, gop in enumerate(document.gops))
    paged = document.pages if version >= PAGED_VERSION else None
    require(paged is not None or version < PAGED_VERSION, "pages", "there from version 4 on")
    if paged is None:
        _check_times(document.gops)
    else:
        _check_pages(paged, document, len(qps))
    lengths = GopTimes.of(gop.frames for gop in gops) if paged is None else GopTimes(paged.times)
    return Manifest(
        meta=convert(document.meta, SceneMeta, from_attributes=True),
        tiles=tiles,
        representations=representations,
        static=static,
        gops=gops if paged is None else _paged(paged, gops, tiles, rows, read, before),
        poster=read_poster_entry(document.poster),
        no_static_db=given(document.no_static_db),
        live=_live(document) if paged is not None else None,
        sound=read_sound_track(document.sound, lengths, document.meta.fps),
    )


def _check_length(data: bytes) -> None:
    """A short scene has a short manifest: parsing takes ten times the memory of its text."""
    gops = data.count(GOP_MARK)
    most = limits.MANIFEST_BYTES + gops * limits.MANIFEST_BYTES_PER_GOP
    require(len(data) <= most, "the document", f"at most {most} bytes long for {gops} GOPs")


def _check_version(data: bytes) -> int:
    header = decode_json(data, schema.AnyHeader, MANIFEST_NAME)
    if header.format != FORMAT:
        raise NotAScene(f"{MANIFEST_NAME} is not the manifest of a StreamSTGS scene.")
    version = decode_json(data, schema.Header, MANIFEST_NAME).version
    if version not in VERSIONS:
        raise UnsupportedVersion(
            f"{MANIFEST_NAME} is of format version {version}; this program reads versions "
            f"1 to {VERSIONS[-1]}: update it, or encode the scene again."
        )
    return version


def _check_pages(pages: schema.Pages, document: schema.Document, qualities: int) -> None:
    """Check what `pages` says of the GOPs; whether the index says the same is checked there."""
    require(
        sum(count for _, count in pages.times) == pages.count,
        "pages.times",
        f"of {pages.count} GOPs",
    )
    last = pages.first + len(document.gops)
    inside = pages.available <= pages.first and last <= pages.count
    require(inside, "pages.first", f"of GOPs {pages.available} to {pages.count}")
    whole = len(document.gops) == pages.count - pages.available
    require(whole or pages.index is not None, "pages.index", "a file, as GOPs are left out")
    totals = pages.totals
    for name in ("keyframes", "features", "quality_db"):
        values = getattr(totals, name)
        require(len(values) == qualities, f"pages.totals.{name}", f"a list of {qualities}")
    check_times(document.gops, GopTimes(pages.times), pages.first)


def _paged(
    pages: schema.Pages,
    inline: tuple[GopEntry, ...],
    tiles: TileLayout,
    rows: tuple[int, ...],
    read: ReadFile | None,
    before: Manifest | None,
) -> PagedGops:
    index = None if pages.index is None else read_file(pages.index)
    times = GopTimes(pages.times)
    page_set = PageSet(times, pages.available, pages.first, pages.totals, index)
    former = before.gops if before is not None else None
    kept = former if isinstance(former, PagedGops) else None
    return PagedGops(page_set, inline, tiles, rows, read or _cannot_read, kept)


def _cannot_read(file: FileEntry, cancel: CancelToken) -> bytes:
    raise CorruptSegment(f"{file.name} is not at hand: only {MANIFEST_NAME} was read.")


def _check_filmed(views: tuple[schema.FilmedView, ...]) -> None:
    for k, view in enumerate(views):
        forward, up = view.forward, view.up
        lengths = [math.hypot(*forward), math.hypot(*up)]
        good = all(abs(length - 1.0) <= UNIT_TOLERANCE for length in lengths)
        across = sum(f * u for f, u in zip(forward, up, strict=True))
        good = good and abs(across) <= UNIT_TOLERANCE
        require(good, f"meta.filmed[{k}]", "of unit vectors at a right angle")


def _check_times(gops: tuple[schema.Gop, ...]) -> None:
    expected = 0
    for k, gop in enumerate(gops):
        where = f"gops[{k}].start_frame"
        require(gop.start_frame == expected, where, f"{expected}, without a gap in time")
        expected += gop.frames


def _check_tiles(tiles: TileLayout) -> None:
    width, height = tiles.video_width, tiles.video_height
    small = max(width, height) <= limits.VIDEO_SIDE_PX and width * height <= limits.VIDEO_PIXELS
    require(small, "features", f"of pictures smaller than {width} x {height}")
    require(tiles.columns <= tiles.features, "features.columns", f"at most {tiles.features}")


def _meta_object(meta: SceneMeta) -> dict[str, Any]:
    """The description of the scene; what it does not tell is left out."""
    content = asdict(meta)
    if not meta.filmed:
        del content["filmed"]
    if meta.isolated is None:
        del content["isolated"]
    if meta.has_background:
        del content["has_background"]
    return content
