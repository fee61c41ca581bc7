"""A file as scene.json declares it. Light: what only opens a scene loads no tensors for it."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

from streamstgs.codec.package.checked_json import Node

MANIFEST_NAME = "scene.json"
DASH_NAME = "scene.mpd"

# Relative, no empty, hidden or parent parts, nothing that a URL or a file system would interpret.
SAFE_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*(/[A-Za-z0-9_][A-Za-z0-9_.\-]*)*")
PATH_LENGTH = 200


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


def read_file_entry(node: Node, most_bytes: int) -> FileEntry:
    """Parse and check a file object.

    Raises:
        NotAScene: not one, a path that may lead out of the scene, or more than `most_bytes`.
    """
    name = node.at("name").text(PATH_LENGTH)
    if not SAFE_PATH.fullmatch(name):
        node.at("name").refuse("a plain path below the scene")
    return FileEntry(
        name=name,
        size_bytes=node.at("size_bytes").integer(1, most_bytes),
        crc32=node.at("crc32").integer(0, 0xFFFFFFFF),
    )
