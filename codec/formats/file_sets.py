"""Files that belong together: those of a folder or of a ZIP archive, read by name with a bound."""

from __future__ import annotations

import stat
import zipfile
import zlib
from pathlib import Path
from typing import Protocol

from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import CorruptSegment, MissingSegment, NotAScene
from streamstgs.codec.limits import Limits
from streamstgs.codec.streaming.archive import (
    ENCRYPTED,
    LOCAL_HEADER,
    ByteRanges,
    FileRanges,
    content_offset,
    list_entries,
)

NAME_ALLOWANCE_BYTES = 4_096  # of a local header beyond its fixed part
READABLE = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class FileSet(Protocol):
    """Named files. Owner: one thread at a time."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the files, in no particular order."""
        ...

    def read(self, name: str, most_bytes: int, cancel: CancelToken = NEVER) -> bytes:
        """The content of a file.

        Raises:
            MissingSegment: there is none, or it cannot be read.
            CorruptSegment: it is longer than `most_bytes`, or damaged.
            SceneUnreachable: the server does not answer; Cancelled: through `cancel`.
        """
        ...

    def close(self) -> None:
        """Close files; safe to call twice."""
        ...


class FolderFiles:
    """The files of one folder, without those below it.

    Args:
        folder: its path.
        most_files: more are refused.

    Raises:
        NotAScene: the folder cannot be listed, or has too many files.
    """

    def __init__(self, folder: Path, most_files: int) -> None:
        self._folder = folder
        try:
            found = []
            for path in folder.iterdir():
                if path.is_file():
                    found.append(path.name)
                if len(found) > most_files:
                    raise NotAScene(f"{folder} holds more than {most_files} files.")
        except OSError as error:
            raise NotAScene(f"{folder} cannot be read: {error.strerror}.") from error
        self.names = tuple(found)

    def read(self, name: str, most_bytes: int, cancel: CancelToken = NEVER) -> bytes:
        """As of `FileSet`."""
        if name not in self.names:
            raise MissingSegment(f"{name} is missing in {self._folder}.")
        return read_file(self._folder / name, most_bytes)

    def close(self) -> None:
        """Nothing is open."""


class PathsBeside:
    """Implements `FileSet` for the files that a file on disk names: those of its folder and below.

    Args:
        path: of the file that names others; its folder is not listed.
    """

    names: tuple[str, ...] = ()

    def __init__(self, path: Path) -> None:
        self._folder = path.resolve().parent

    def read(self, name: str, most_bytes: int, cancel: CancelToken = NEVER) -> bytes:
        """As of `FileSet`; links that lead out of the folder are refused."""
        try:
            path = (self._folder / name).resolve()
        except (OSError, RuntimeError, ValueError) as error:  # a loop of links, or a zero byte
            raise CorruptSegment(f"{name[:100]!r} names no file.") from error
        if self._folder not in path.parents:
            raise CorruptSegment(f"{name[:100]} leads out of {self._folder}.")
        return read_file(path, most_bytes)

    def close(self) -> None:
        """Nothing is open."""


class ArchiveFiles:
    """The files of a ZIP archive, stored or deflated; nothing is extracted to the disk.

    Args:
        ranges: of the archive; closed with this.
        most_files: more entries are refused.

    Raises:
        NotAScene: it is no ZIP archive, or has too many entries.
    """

    def __init__(self, ranges: ByteRanges, most_files: int) -> None:
        self._ranges = ranges
        try:
            entries = list_entries(ranges, Limits(archive_entries=most_files))
        except BaseException:
            ranges.close()
            raise
        self._entries = {entry.filename: entry for entry in entries if not entry.is_dir()}
        self.names = tuple(self._entries)

    @staticmethod
    def of_path(path: Path, most_files: int) -> ArchiveFiles:
        """The files of an archive on disk; raises NotAScene."""
        try:
            return ArchiveFiles(FileRanges(path), most_files)
        except OSError as error:
            raise NotAScene(f"{path} cannot be read: {error.strerror}.") from error

    @staticmethod
    def of_bytes(data: bytes, name: str, most_files: int) -> ArchiveFiles:
        """The files of an archive in memory; raises NotAScene."""
        return ArchiveFiles(_MemoryRanges(data, name), most_files)

    def read(self, name: str, most_bytes: int, cancel: CancelToken = NEVER) -> bytes:
        """As of `FileSet`."""
        entry = self._entries.get(name)
        if entry is None:
            raise MissingSegment(f"{name} is missing in {self._ranges.location}.")
        if entry.compress_type not in READABLE or entry.flag_bits & ENCRYPTED:
            raise CorruptSegment(f"{name} is encrypted, or compressed by an unknown method.")
        if max(entry.file_size, entry.compress_size) > most_bytes:
            raise CorruptSegment(f"{name} is longer than {most_bytes} bytes.")
        if not 0 <= entry.header_offset <= self._ranges.size_bytes - entry.compress_size:
            raise CorruptSegment(f"{name} lies beyond the end of {self._ranges.location}.")
        room = LOCAL_HEADER.size + NAME_ALLOWANCE_BYTES  # and all of it, in one request
        data = self._ranges.read(entry.header_offset, room + entry.compress_size, cancel)
        start = content_offset(data, name)
        packed = memoryview(data)[start : start + entry.compress_size]
        if len(packed) != entry.compress_size:
            raise CorruptSegment(f"{name} is cut off.")
        return _unpacked(packed, entry, name)

    def checksum(self, name: str) -> tuple[int, int]:
        """Length and CRC-32 that the archive declares for a file; raises MissingSegment."""
        entry = self._entries.get(name)
        if entry is None:
            raise MissingSegment(f"{name} is missing in {self._ranges.location}.")
        return entry.file_size, entry.CRC

    def close(self) -> None:
        """Close the archive."""
        self._ranges.close()


class _MemoryRanges:
    """Ranges of bytes in memory; implements `ByteRanges`."""

    def __init__(self, data: bytes, name: str) -> None:
        self.location = name
        self.size_bytes = len(data)
        self._data = data

    def read(self, start: int, length: int, cancel: CancelToken = NEVER) -> bytes:
        return self._data[start : start + length]

    def close(self) -> None:
        self._data = b""


def _unpacked(packed: memoryview, entry: zipfile.ZipInfo, name: str) -> bytes:
    content: bytes | memoryview = packed
    if entry.compress_type == zipfile.ZIP_DEFLATED:
        try:  # one byte more than declared is enough to see that it is too long
            content = zlib.decompressobj(-15).decompress(packed, entry.file_size + 1)
        except zlib.error as error:
            raise CorruptSegment(f"{name} is damaged: {error}.") from error
    if len(content) != entry.file_size or zlib.crc32(content) != entry.CRC:
        raise CorruptSegment(f"{name} is damaged: its length or checksum is not what the ZIP says.")
    return bytes(content)


def read_file(path: Path, most_bytes: int) -> bytes:
    """The content of a file; raises as `FileSet.read`."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # reading a pipe or a device may never end
            raise CorruptSegment(f"{path} is no regular file.")
        size_bytes = status.st_size
        if size_bytes > most_bytes:
            raise CorruptSegment(f"{path} is longer than {most_bytes} bytes.")
        with path.open("rb") as file:
            return file.read(size_bytes)  # a buffer of `most_bytes` would be made first
    except OSError as error:
        raise MissingSegment(f"{path} cannot be read: {error.strerror}.") from error
