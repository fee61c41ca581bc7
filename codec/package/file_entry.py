"""A file as scene.json declares it. Importing this module loads no large library."""

from __future__ import annotations

import base64
import hashlib
import zlib
from dataclasses import dataclass, replace

MANIFEST_NAME = "scene.json"
DASH_NAME = "scene.mpd"


@dataclass(frozen=True)
class FileEntry:
    """A file of the scene: path below its root, length, and checksums of its content.

    Args:
        crc32: as of `zlib.crc32`; finds damage.
        sha256: base64 for URLs without padding; finds forgeries. None in older packages.
    """

    name: str
    size_bytes: int
    crc32: int
    sha256: str | None = None

    @staticmethod
    def of(name: str, data: bytes) -> FileEntry:
        """Return the entry of a file with this content."""
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
        return FileEntry(name, len(data), zlib.crc32(data), digest)

    def describes(self, data: bytes) -> bool:
        """Whether this entry is one of a file with this content."""
        found = FileEntry.of(self.name, data)
        return replace(found, sha256=self.sha256 and found.sha256) == self
