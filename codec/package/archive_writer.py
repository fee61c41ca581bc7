"""Writes the files of a scene to one archive: a ZIP with stored entries.

In the archive of a scene with pages every declared file tells its place, so that a reader needs
neither the archive's directory nor a search. scene.json comes first: its place is known.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from streamstgs.codec.limits import ARCHIVE_BYTES
from streamstgs.codec.package.file_entry import DASH_NAME, MANIFEST_NAME, FileEntry
from streamstgs.codec.package.gop_json import entry_object
from streamstgs.codec.package.page_index import PageIndex, write_index
from streamstgs.codec.package.page_writer import compact_json, declared_files
from streamstgs.codec.package.poster_entry import POSTER_NAME

ARCHIVE_TIME = (1980, 1, 1, 0, 0, 0)  # the same scene gives the same bytes
LOCAL_HEADER_BYTES = 30  # before the name of an entry


def pack(root: Path, packed: Path) -> None:
    """Write the scene in a directory to an archive."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    names = {path.relative_to(root).as_posix(): path for path in files}
    contents: dict[str, bytes | Path] = {**names}
    document = json.loads(names[MANIFEST_NAME].read_bytes()) if MANIFEST_NAME in names else {}
    order = sorted(names, key=_reading_order)
    if index := document.get("pages", {}).get("index"):
        order = _place_files(document, index["name"], names, contents)
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name in order:
            entry = zipfile.ZipInfo(name, ARCHIVE_TIME)
            entry.external_attr = 0o644 << 16
            content = contents[name]
            archive.writestr(entry, content.read_bytes() if isinstance(content, Path) else content)


def _place_files(
    document: dict[str, Any],
    index: str,
    names: dict[str, Path],
    contents: dict[str, bytes | Path],
) -> list[str]:
    """Tell each declared file its place; returns the order of the entries."""
    rows = list(PageIndex(names[index].read_bytes(), index))
    pages = [row.file.name for row in rows]
    last = {*pages, index, MANIFEST_NAME, DASH_NAME}
    order = [MANIFEST_NAME, *sorted(set(names) - last, key=_reading_order)]
    # A place has at most so many digits: the length of scene.json is known before the places.
    length = len(compact_json(_placed(document, dict.fromkeys(names, ARCHIVE_BYTES))))
    sizes = {name: path.stat().st_size for name, path in names.items()} | {MANIFEST_NAME: length}
    places: dict[str, int] = {}
    end = 0
    for name in order:
        places[name], end = end, _end(name, end, sizes[name])
    for k, row in enumerate(rows):
        name = row.file.name
        data = compact_json(_placed(json.loads(names[name].read_bytes()), places))
        rows[k] = replace(row, file=replace(FileEntry.of(name, data), at=end))
        contents[name], end = data, _end(name, end, len(data))
    listed = write_index(rows)
    document["pages"]["index"] = entry_object(FileEntry.of(index, listed))
    places[index], contents[index] = end, listed
    contents[MANIFEST_NAME] = compact_json(_placed(document, places)).ljust(length)
    return [*order, *pages, index, *(name for name in (DASH_NAME,) if name in names)]


def _placed(document: dict[str, Any], places: dict[str, int]) -> dict[str, Any]:
    for file in declared_files(document):
        file["at"] = places[file["name"]]
    return document


def _end(name: str, begin: int, size_bytes: int) -> int:
    """Where the next entry begins; entries have no extra field, as none is beyond 4 GB."""
    return begin + LOCAL_HEADER_BYTES + len(name.encode()) + size_bytes


def _reading_order(name: str) -> tuple[int, str]:
    """Sort key of a file: files that are read first are at the beginning of an archive."""
    first = (MANIFEST_NAME, DASH_NAME, POSTER_NAME)
    return (first.index(name) if name in first else len(first), name)
