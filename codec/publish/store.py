"""Files of a published scene on a disk or in an object store, through fsspec."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import fsspec
from streamstgs.codec.errors import WriteError
from streamstgs.codec.streaming.address import redact_credentials

PARTIAL = ".partial"
RENAMING = frozenset({"file", "sftp", "ssh"})  # protocols whose `mv` replaces a file at once


class Store:
    """Writes, reads and deletes whole files below a location.

    A file is replaced at once: on a disk, or over SSH, it is renamed into its place; object stores
    do so anyhow. Other stores, such as FTP, may show half of a file while it is written.

    Args:
        location: a path, or an address that fsspec knows, such as s3://bucket/event.
    """

    def __init__(self, location: str) -> None:
        """
        Raises:
            WriteError: the location is no address that fsspec knows.
        """
        self.location = redact_credentials(location)
        try:
            self._files, root = fsspec.core.url_to_fs(location)
        except (ValueError, ImportError, OSError) as error:
            raise WriteError(f"{self.location} cannot be written: {error}.") from error
        self._root = root.rstrip("/")
        protocol = self._files.protocol
        names = protocol if isinstance(protocol, tuple) else (protocol,)
        self._renames = not RENAMING.isdisjoint(names)

    def write(self, name: str, data: bytes) -> None:
        """Write a file, or replace it. Raises WriteError."""
        path = f"{self._root}/{name}"
        with self._errors(name):
            self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
            self._files.pipe_file(path + PARTIAL if self._renames else path, data)
            if self._renames:
                self._files.mv(path + PARTIAL, path)

    def read(self, name: str) -> bytes | None:
        """Return the content of a file, None if there is no such file. Raises WriteError."""
        with self._errors(name):
            try:
                return bytes(self._files.cat_file(f"{self._root}/{name}"))
            except FileNotFoundError:
                return None

    def list(self, folder: str) -> list[str]:
        """Return the names of the files in a folder, which ends with a slash. Raises WriteError."""
        with self._errors(folder):
            try:
                paths = self._files.ls(f"{self._root}/{folder}".rstrip("/"), detail=False)
            except FileNotFoundError:
                return []
            names = (str(path).rpartition("/")[2] for path in paths)
            return [folder + name for name in names if name and not name.endswith(PARTIAL)]

    def delete(self, name: str) -> None:
        """Delete a file; does nothing where there is none. Raises WriteError."""
        with self._errors(name), contextlib.suppress(FileNotFoundError):
            self._files.rm_file(f"{self._root}/{name}")

    @contextlib.contextmanager
    def _errors(self, name: str) -> Iterator[None]:
        try:
            yield
        except WriteError:
            raise
        except Exception as error:  # each store has errors of its own
            raise WriteError(f"{name} of {self.location} failed: {error}.") from error
