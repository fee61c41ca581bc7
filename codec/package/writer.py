"""Writes the files of a scene, as a whole or not at all."""

from __future__ import annotations

import zipfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from streamstgs.codec.output import (
    beside,
    check_output,
    check_output_directory,
    output_directory,
    output_file,
)
from streamstgs.codec.package.file_entry import DASH_NAME, MANIFEST_NAME, FileEntry
from streamstgs.codec.package.poster_entry import POSTER_NAME

ARCHIVE_SUFFIX = ".stgs"
ARCHIVE_TIME = (1980, 1, 1, 0, 0, 0)  # the same scene gives the same bytes


def check_scene_output(out: Path) -> Path:
    """Where a scene will be written: an archive by its suffix, else a directory.

    Raises:
        WriteError: the target is there and is not a scene that may be replaced.
    """
    if _is_archive(out):
        return check_output(out)
    return check_output_directory(out, _is_scene)


class PackageWriter:
    """Collects the files of a scene; `commit` puts them into their place, whole or not at all.

    A context manager: without `commit` nothing is left behind. Until then the files are in the
    directory `root`.
    """

    def __init__(self, out: Path) -> None:
        """
        Raises:
            WriteError: `out` is there and is not a scene that may be replaced.
        """
        self._out = check_scene_output(out)
        self._resources = ExitStack()
        self.root = self._resources.enter_context(beside(self._out))
        self.root.mkdir()
        self._sizes: dict[str, int] = {}

    def __enter__(self) -> PackageWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._resources.__exit__(kind, error, trace)

    def write(self, name: str, data: bytes) -> FileEntry:
        """Add or replace a file; `name` is its path below the scene."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self._sizes[name] = len(data)
        return FileEntry.of(name, data)

    @property
    def total_bytes(self) -> int:
        """Size of all files so far, bytes."""
        return sum(self._sizes.values())

    def commit(self) -> None:
        """Put the scene in its place. Raises WriteError."""
        if _is_archive(self._out):
            with output_file(self._out) as packed:
                self._pack(packed)
        else:
            with output_directory(self._out, _is_scene) as directory:
                for path in self.root.iterdir():
                    path.rename(directory / path.name)

    def _pack(self, packed: Path) -> None:
        files = sorted(p for p in self.root.rglob("*") if p.is_file())
        files.sort(key=_reading_order)
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
            for path in files:
                entry = zipfile.ZipInfo(path.relative_to(self.root).as_posix(), ARCHIVE_TIME)
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, path.read_bytes())


def _is_archive(out: Path) -> bool:
    return out.suffix.lower() == ARCHIVE_SUFFIX


def _is_scene(directory: Path) -> bool:
    return (directory / MANIFEST_NAME).is_file()


def _reading_order(path: Path) -> int:
    """Sort key of a file: files that are read first are at the beginning of an archive."""
    first = (MANIFEST_NAME, DASH_NAME, POSTER_NAME)
    return first.index(path.name) if path.name in first else len(first)
