"""Compressed PLY files of PlayCanvas: chunks of 256 Gaussians, 16 bytes each, and bytes for SH."""

from __future__ import annotations

from streamstgs.codec.errors import CorruptSegment
from streamstgs.codec.formats.counts import check_count
from streamstgs.codec.ply import PlyHeader

CHUNK = 256


def is_compressed_ply(header: PlyHeader) -> bool:
    """Whether a PLY is a compressed one."""
    vertex = header.element("vertex")
    return vertex is not None and "packed_position" in vertex.names


def compressed_ply_count(data: bytes, header: PlyHeader, name: str) -> int:
    """How many Gaussians a file holds.

    Raises:
        CorruptSegment: its elements do not fit to each other or into the file.
    """
    vertex, chunk, sh = (header.element(key) for key in ("vertex", "chunk", "sh"))
    if vertex is None or chunk is None or header.form == "ascii":
        raise CorruptSegment(f"{name} is a compressed PLY without chunks.")
    check_count(vertex.count, name)
    if chunk.count != -(-vertex.count // CHUNK) or (sh is not None and sh.count != vertex.count):
        raise CorruptSegment(f"{name}: its numbers of chunks and Gaussians do not fit.")
    size_bytes = header.size_bytes
    for element in header.elements:
        if element.layout is None:
            raise CorruptSegment(f"{name} is a compressed PLY with lists.")
        size_bytes += element.count * element.layout.itemsize
    if size_bytes > len(data):
        raise CorruptSegment(f"{name} is cut off.")
    return vertex.count
