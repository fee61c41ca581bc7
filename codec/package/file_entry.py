"""A file as scene.json declares it. Light: what only opens a scene loads no tensors for it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

MANIFEST_NAME = "scene.json"
DASH_NAME = "scene.mpd"


@dataclass(frozen=True)
class FileEntry:
    """A file of the scene: path below its root, length, and zlib.crc32 of its content."""

    name: str
    size_bytes: int
    crc32: int

    @staticmethod
    def of(name: str, data: bytes) -> FileEntry:
        """The entry of a file with this content."""
        return FileEntry(name, len(data), zlib.crc32(data))
