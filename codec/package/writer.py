"""Writes the files of a scene, as a whole or not at all."""

from __future__ import annotations

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
from streamstgs.codec.package.archive_writer import pack
from streamstgs.codec.package.file_entry import MANIFEST_NAME, FileEntry

ARCHIVE_SUFFIX = ".stgs"


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

    def read(self, name: str) -> bytes:
        """Return the content of a file that was written."""
        return (self.root / name).read_bytes()

    def bytes_below(self, *prefixes: str) -> int:
        """Return the size of the files so far whose names begin with one of these, bytes."""
        return sum(size for name, size in self._sizes.items() if name.startswith(prefixes))

    @property
    def total_bytes(self) -> int:
        """Size of all files so far, bytes."""
        return sum(self._sizes.values())

    def commit(self) -> None:
        """Put the scene in its place. Raises WriteError."""
        if _is_archive(self._out):
            with output_file(self._out) as packed:
                pack(self.root, packed)
        else:
            with output_directory(self._out, _is_scene) as directory:
                for path in self.root.iterdir():
                    path.rename(directory / path.name)


def _is_archive(out: Path) -> bool:
    return out.suffix.lower() == ARCHIVE_SUFFIX


def _is_scene(directory: Path) -> bool:
    return (directory / MANIFEST_NAME).is_file()
