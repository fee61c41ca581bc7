"""Long scenes made from a short one: its GOPs again and again, its files only once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from streamstgs.codec.package.archive_writer import pack
from streamstgs.codec.package.file_entry import MANIFEST_NAME, FileEntry
from streamstgs.codec.package.manifest import GopEntry
from streamstgs.codec.package.manifest_json import read_manifest, write_manifest
from streamstgs.codec.package.page_writer import write_scene_json
from streamstgs.codec.scene_totals import totals_of


def repeated(gops: Sequence[GopEntry], count: int) -> tuple[GopEntry, ...]:
    """Return `count` GOPs, in time one after the other."""
    found: list[GopEntry] = []
    start = 0
    for number in range(count):
        gop = gops[number % len(gops)]
        found.append(replace(gop, start_frame=start))
        start += gop.frames
    return tuple(found)


def make_long(source: Path, out: Path, count: int, paged: bool = True, alike: bool = False) -> None:
    """Write the scene of a directory to another one, `count` GOPs long.

    Args:
        alike: whether only its first GOP is repeated, so that all have the same length.
        paged: whether GOPs are listed in pages; otherwise all are in scene.json.
    """
    manifest = read_manifest((source / MANIFEST_NAME).read_bytes())
    for path in source.rglob("*"):
        name = path.relative_to(source)
        if path.is_file() and path.suffix not in (".json", ".mpd"):
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            os.link(path, out / name)

    def write(name: str, data: bytes) -> FileEntry:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(data)
        return FileEntry.of(name, data)

    long = replace(manifest, gops=repeated(manifest.gops[: 1 if alike else None], count))
    write(
        MANIFEST_NAME,
        write_scene_json(long, write, totals_of(long)) if paged else write_manifest(long),
    )


def make_long_archive(source: Path, work: Path, out: Path, count: int) -> None:
    """Write an archive in which each GOP has files of its own, as an encoder makes them.

    Args:
        work: an empty folder for these files.
    """
    make_distinct(source, work, count)
    pack(work, out)


def make_distinct(source: Path, work: Path, count: int) -> None:
    """Write the scene of a directory to another one, each of whose GOPs has files of its own."""
    manifest = read_manifest((source / MANIFEST_NAME).read_bytes())

    def copied(file: FileEntry, number: int) -> FileEntry:
        folder, _, suffix = file.name.partition("/")[0], "", Path(file.name).suffix
        name = f"{folder}/{number:06d}-{file.crc32:08x}{suffix}"
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        os.link(source / file.name, work / name)
        return replace(file, name=name)

    gops = []
    for number, gop in enumerate(repeated(manifest.gops, count)):
        layers = tuple(replace(e, file=copied(e.file, number)) for e in gop.layers)
        segments = tuple(replace(e, file=copied(e.file, number)) for e in gop.segments)
        field = copied(gop.field, number)
        gops.append(replace(gop, layers=layers, segments=segments, field=field))

    def write(name: str, data: bytes) -> FileEntry:
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_bytes(data)
        return FileEntry.of(name, data)

    kept = [layer.file.name for layer in manifest.static]
    for name in [*kept, *(entry.init.name for entry in manifest.representations)]:
        write(name, (source / name).read_bytes())
    long = replace(manifest, gops=tuple(gops), poster=None)
    write(MANIFEST_NAME, write_scene_json(long, write, totals_of(long)))
