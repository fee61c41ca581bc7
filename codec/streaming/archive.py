"""Implements `Container` for a `.stgs` file: a ZIP with stored entries, read by byte ranges."""

from __future__ import annotations

import io
import struct
import threading
import zipfile
from pathlib import Path
from typing import Protocol

from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import CorruptSegment, MissingSegment, NotAScene
from streamstgs.codec.file_kind import HEAD_BYTES, describe_file
from streamstgs.codec.limits import Limits
from streamstgs.codec.package.file_entry import MANIFEST_NAME

LOCAL_HEADER = struct.Struct("<4s22xHH")  # signature, ..., length of the name, of the extra field
# signature, version, flags, method, ..., size, ..., length of the name, of the extra field
LOCAL_ENTRY = struct.Struct("<4s2xHH8x4xIHH")
UNKNOWN_SIZE = 0x9  # flags: encrypted, or sizes that come after the content
LOCAL_SIGNATURE = b"PK\x03\x04"
EXTRA_ALLOWANCE_BYTES = 64  # a local header may carry more than the directory says
DIRECTORY_ENTRY_MAX_BYTES = 1_024  # of an entry's record: names of scenes are short
END_MAX_BYTES = 65_536  # the end record with nearly any comment; one request for a remote file
END_SIGNATURE, END_COUNT = b"PK\x05\x06", struct.Struct("<10xH")
END_LENGTH = struct.Struct("<12xI")  # bytes of the directory; all ones where it is beyond 4 GB
LONG_DIRECTORY = 48 << 10  # bytes; a shorter one is in the end that is read anyhow
FIRST_READ = 16 << 10  # bytes: scene.json of a scene with pages is hardly longer
END64_SIGNATURE, END64_COUNT = b"PK\x06\x06", struct.Struct("<32xQ")
NOT_A_ZIP = "File is not a zip file"  # what zipfile says when the directory is missing
DIRECTORY_ERRORS = (  # what zipfile raises for a broken directory
    zipfile.BadZipFile, struct.error, ValueError, OverflowError, IndexError, NotImplementedError,
)  # fmt: skip
ENCRYPTED = 0x1
UNIX_TYPE_SHIFT, UNIX_TYPE_MASK, UNIX_LINK = 16, 0o170000, 0o120000


class ByteRanges(Protocol):
    """Random access to the bytes of a file. Thread-safe."""

    location: str
    size_bytes: int

    def read(self, start: int, length: int, cancel: CancelToken = NEVER) -> bytes:
        """Return the bytes from `start` to `start + length`; fewer only at the end of the file."""
        ...

    def close(self) -> None: ...


class FileRanges:
    """Implements `ByteRanges` for a file on disk."""

    def __init__(self, path: Path) -> None:
        self.location = str(path)
        self._file = path.open("rb")
        self._lock = threading.Lock()
        self.size_bytes = self._file.seek(0, io.SEEK_END)

    def read(self, start: int, length: int, cancel: CancelToken = NEVER) -> bytes:
        try:
            with self._lock:
                self._file.seek(start)
                return self._file.read(length)
        except OSError as error:  # the disk or a network drive fails: one file, not the scene
            raise MissingSegment(
                f"{self.location} cannot be read at byte {start}: {error.strerror}."
            ) from error

    def close(self) -> None:
        self._file.close()


class ArchiveContainer:
    """The entries of an archive.

    The ZIP directory is read and checked once, when the archive is opened. A long one is only read
    when it is needed: for a file whose place is not told, or that is not at that place.
    """

    def __init__(self, ranges: ByteRanges, limits: Limits, cancel: CancelToken = NEVER) -> None:
        """
        Raises:
            NotAScene: not a ZIP, or one with compressed, encrypted, linked or overlong entries.
            Cancelled: through `cancel`, while the directory is read.
        """
        self.location = ranges.location
        self._ranges, self._limits = ranges, limits
        self._entries: dict[str, zipfile.ZipInfo] | None = None
        if ranges.size_bytes < LONG_DIRECTORY or not has_long_directory(ranges, cancel):
            self._directory(cancel)

    def read(
        self, name: str, most_bytes: int, cancel: CancelToken = NEVER, at: int | None = None
    ) -> bytes:
        if self._entries is None and name == MANIFEST_NAME:
            at = 0
        if at is not None and self._entries is None:
            content = self._read_at(name, most_bytes, at, cancel)
            if content is not None:
                return content
        entry = self._directory(cancel).get(name)
        if entry is None:
            raise MissingSegment(f"{name} is missing in the scene {self.location}.")
        if entry.file_size > most_bytes:
            raise CorruptSegment(f"{name} is longer than the {most_bytes} bytes it should have.")
        guess = LOCAL_HEADER.size + len(entry.filename.encode()) + EXTRA_ALLOWANCE_BYTES
        data = self._ranges.read(entry.header_offset, guess + entry.file_size, cancel)
        begin = content_offset(data, name)
        if begin + entry.file_size > len(data):
            start = entry.header_offset + begin
            data, begin = self._ranges.read(start, entry.file_size, cancel), 0
        content = data[begin : begin + entry.file_size]
        if len(content) != entry.file_size:
            raise CorruptSegment(f"{name} is cut off in the scene {self.location}.")
        return content

    def close(self) -> None:
        self._ranges.close()

    def _directory(self, cancel: CancelToken) -> dict[str, zipfile.ZipInfo]:
        if self._entries is None:
            entries = _directory(self._ranges, self._limits, cancel)
            self._entries = {entry.filename: entry for entry in entries}
        return self._entries

    def _read_at(self, name: str, most_bytes: int, at: int, cancel: CancelToken) -> bytes | None:
        """Return the content of a stored entry at a place; None if no such entry begins there."""
        expected = name.encode()
        head = LOCAL_HEADER.size + len(expected)
        length = FIRST_READ if name == MANIFEST_NAME else head + most_bytes
        data = self._ranges.read(at, length, cancel)
        if len(data) < head or data[LOCAL_HEADER.size : head] != expected:
            return None
        signature, flags, method, size, name_length, extra = LOCAL_ENTRY.unpack_from(data)
        plain = (signature, flags & UNKNOWN_SIZE, method) == (LOCAL_SIGNATURE, 0, 0)
        if not plain or name_length != len(expected) or extra or size > most_bytes:
            return None
        missing = head + size - len(data)
        if missing > 0:
            data += self._ranges.read(at + len(data), missing, cancel)
        return data[head : head + size]


def has_long_directory(ranges: ByteRanges, cancel: CancelToken = NEVER) -> bool:
    """Whether the directory of an archive is much longer than what opening has to read."""
    length = min(ranges.size_bytes, END_MAX_BYTES)
    tail = ranges.read(ranges.size_bytes - length, length, cancel)
    at = tail.rfind(END_SIGNATURE)
    if at < 0 or at + END_LENGTH.size > len(tail):
        return False
    return bool(END_LENGTH.unpack_from(tail, at)[0] > LONG_DIRECTORY)


def content_offset(data: bytes, name: str) -> int:
    """Return the offset of the content after a local file header."""
    if len(data) < LOCAL_HEADER.size:
        raise CorruptSegment(f"{name} is cut off.")
    signature, name_length, extra_length = LOCAL_HEADER.unpack_from(data)
    if signature != LOCAL_SIGNATURE:
        raise CorruptSegment(f"{name} is not where the archive's directory says it is.")
    return LOCAL_HEADER.size + name_length + extra_length


def _declared_entries(ranges: ByteRanges, cancel: CancelToken) -> int:
    """How many entries the end of an archive declares; 0 where it has no such end.

    A ZIP64 archive says 0xFFFF there, and its own number in a record before: both are looked at,
    the larger counts.
    """
    length = min(ranges.size_bytes, END_MAX_BYTES)
    tail = ranges.read(ranges.size_bytes - length, length, cancel)
    found = 0
    for signature, layout in ((END_SIGNATURE, END_COUNT), (END64_SIGNATURE, END64_COUNT)):
        at = tail.rfind(signature)
        if at >= 0 and at + layout.size <= len(tail):
            found = max(found, layout.unpack_from(tail, at)[0])
    return found


def list_entries(
    ranges: ByteRanges, limits: Limits, cancel: CancelToken = NEVER
) -> list[zipfile.ZipInfo]:
    """The directory of a ZIP archive, as it declares itself; its length is bounded.

    Raises:
        NotAScene: not a ZIP, or one with too many entries.
    """
    declared = _declared_entries(ranges, cancel)
    if declared > limits.archive_entries:
        raise NotAScene(f"{ranges.location} has too many entries ({declared}).")
    try:
        most_bytes = max(declared, 1) * DIRECTORY_ENTRY_MAX_BYTES + END_MAX_BYTES
        file = _RangesFile(ranges, min(most_bytes, limits.manifest_bytes), cancel)
        with zipfile.ZipFile(file) as archive:
            entries = [entry for entry in archive.infolist() if entry.filename]
    except DIRECTORY_ERRORS as e:
        reason = f"its ZIP directory is broken: {e}"
        if str(e) == NOT_A_ZIP:
            reason = f"it is {describe_file(ranges.read(0, HEAD_BYTES, cancel))}"
        raise NotAScene(f"{ranges.location} is not a scene: {reason}.") from e
    if len(entries) > limits.archive_entries:
        raise NotAScene(f"{ranges.location} has too many entries ({len(entries)}).")
    return entries


def _directory(ranges: ByteRanges, limits: Limits, cancel: CancelToken) -> list[zipfile.ZipInfo]:
    entries = list_entries(ranges, limits, cancel)
    for entry in entries:
        _check_entry(entry, ranges)
    return [entry for entry in entries if not entry.is_dir()]


def _check_entry(entry: zipfile.ZipInfo, ranges: ByteRanges) -> None:
    """Raise NotAScene unless an entry is a stored file inside the archive."""
    where = f"{ranges.location}: its entry {entry.filename[:100]!r}"
    stored = entry.compress_type == zipfile.ZIP_STORED
    if not stored or entry.file_size != entry.compress_size:
        raise NotAScene(f"{where} is compressed; scenes store their entries (zip -0).")
    if entry.flag_bits & ENCRYPTED:
        raise NotAScene(f"{where} is encrypted.")
    if entry.external_attr >> UNIX_TYPE_SHIFT & UNIX_TYPE_MASK == UNIX_LINK:
        raise NotAScene(f"{where} is a link.")
    if ".." in entry.filename.split("/") or entry.filename.startswith("/"):
        raise NotAScene(f"{where} leads out of the scene.")
    if not 0 <= entry.header_offset <= ranges.size_bytes - entry.file_size:
        raise NotAScene(f"{where} lies beyond the end of the file.")


class _RangesFile(io.RawIOBase):
    """A read-only file over `ByteRanges`, as `zipfile` needs it to read the directory."""

    def __init__(self, ranges: ByteRanges, most_bytes: int, cancel: CancelToken) -> None:
        self._ranges = ranges
        self._most_bytes = most_bytes
        self._cancel = cancel
        self._position = 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._ranges.size_bytes}
        position = base[whence] + offset
        if position < 0:
            raise io.UnsupportedOperation("a seek before the beginning")  # OSError and ValueError
        self._position = position
        return position

    def tell(self) -> int:
        return self._position

    def read(self, size: int = -1) -> bytes:
        left = max(self._ranges.size_bytes - self._position, 0)
        length = left if size < 0 else min(size, left)
        if length > self._most_bytes:
            raise ValueError(f"a directory of {length} bytes")
        data = self._ranges.read(self._position, length, self._cancel)
        self._position += len(data)
        return data
