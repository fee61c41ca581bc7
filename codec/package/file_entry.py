"""A file as scene.json declares it. Importing this module loads no large library."""

from __future__ import annotations

import base64
import hashlib
import zlib
from dataclasses import dataclass

MANIFEST_NAME = "scene.json"
DASH_NAME = "scene.mpd"


@dataclass(frozen=True)
class FileEntry:
    """A file of the scene: path below its root, length, and checksums of its content.

    Args:
        crc32: as of `zlib.crc32`; finds damage.
        sha256: base64 for URLs without padding; finds forgeries. None in older packages.
        at: offset of its entry in an archive, so that the archive's directory need not be read;
            None where it is not told.
    """

    name: str
    size_bytes: int
    crc32: int
    sha256: str | None = None
    at: int | None = None

    @staticmethod
    def of(name: str, data: bytes) -> FileEntry:
        """Return the entry of a file with this content."""
        return FileEntry(name, len(data), zlib.crc32(data), _sha256(data))

    def describes(self, data: bytes) -> bool:
        """Whether a file with this content has the declared length and checksums."""
        if (self.size_bytes, self.crc32) != (len(data), zlib.crc32(data)):
            return False
        return self.sha256 is None or self.sha256 == _sha256(data)


def _sha256(data: bytes) -> str:
    """The digest as `FileEntry` holds it."""
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
