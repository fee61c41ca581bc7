"""Writes the files of a scene so that a reader never sees half of one."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from pathlib import Path
from types import TracebackType

from streamstgs.codec.errors import EncodeError
from streamstgs.codec.file_entry import DASH_NAME, MANIFEST_NAME, FileEntry
from streamstgs.codec.poster import POSTER_NAME

ARCHIVE_SUFFIX = ".stgs"
ARCHIVE_TIME = (1980, 1, 1, 0, 0, 0)  # the same scene gives the same bytes


class PackageWriter:
    """Collects files in a directory beside `out`, which takes its place in `commit`.

    A context manager: without `commit` nothing is left behind. Until then the files are in the
    directory `root`.
    """

    def __init__(self, out: Path) -> None:
        """
        Raises:
            EncodeError: `out` is there and is not a scene that may be replaced.
        """
        self._out = out
        self._check_replaceable()
        out.parent.mkdir(parents=True, exist_ok=True)
        self.root = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
        self.root.chmod(0o755)
        self._sizes: dict[str, int] = {}

    def __enter__(self) -> PackageWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        shutil.rmtree(self.root, ignore_errors=True)

    def write(self, name: str, data: bytes) -> FileEntry:
        """Add or replace a file; `name` is its path below the scene."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self._sizes[name] = len(data)
        return FileEntry.of(name, data)

    @property
    def total_bytes(self) -> int:
        """Of all files so far."""
        return sum(self._sizes.values())

    def commit(self) -> None:
        """Put the scene in its place."""
        if self._out.suffix == ARCHIVE_SUFFIX:
            self._commit_archive()
        else:
            self._commit_directory()

    def _commit_archive(self) -> None:
        packed = self.root / "packed"
        files = sorted(p for p in self.root.rglob("*") if p.is_file())
        files.sort(key=_reading_order)
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
            for path in files:
                entry = zipfile.ZipInfo(path.relative_to(self.root).as_posix(), ARCHIVE_TIME)
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, path.read_bytes())
        os.replace(packed, self._out)

    def _commit_directory(self) -> None:
        old = self.root.with_name(self.root.name + ".old")
        if self._out.exists():
            self._out.rename(old)
        self.root.rename(self._out)
        shutil.rmtree(old, ignore_errors=True)

    def _check_replaceable(self) -> None:
        out = self._out
        wants_file = out.suffix == ARCHIVE_SUFFIX
        if wants_file and out.is_dir():
            raise EncodeError(f"{out} is a directory, not a file that may be replaced.")
        if not wants_file and out.is_file():
            raise EncodeError(f"{out} is a file; name a directory or a new {ARCHIVE_SUFFIX} file.")
        replaceable = not out.is_dir() or (out / MANIFEST_NAME).is_file() or not any(out.iterdir())
        if not wants_file and not replaceable:
            raise EncodeError(f"{out} holds other files than a scene; it is left as it is.")


def _reading_order(path: Path) -> int:
    """What is read first lies at the beginning of an archive."""
    first = (MANIFEST_NAME, DASH_NAME, POSTER_NAME)
    return first.index(path.name) if path.name in first else len(first)
