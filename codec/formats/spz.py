"""`.spz` files of Niantic, versions 1 to 4.

Versions 1 to 3 are one gzip stream: a header of 16 bytes, then the attributes one after the other.
Version 4 has a header of 32 bytes, a table of contents, and a zstd stream for each attribute. Their
axes are right, up, back; ours, as those of PLY files, are right, down, front.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from streamstgs.codec.errors import CorruptSegment
from streamstgs.codec.formats.counts import check_count

GZIP, NGSP = b"\x1f\x8b", b"NGSP"
HEADER = struct.Struct("<4sIIBBBB")  # magic, version, Gaussians, degree, fraction bits, flags, -
HEADER_4 = struct.Struct("<4sIIBBBBI12x")  # ..., streams, where the table of contents begins
TABLE_ROW = struct.Struct("<QQ")  # bytes compressed and not
HIGHER = {0: 0, 1: 3, 2: 8, 3: 15}  # coefficients of a colour beyond the first, by degree
EXTENSION_BYTES = 1 << 20  # after the attributes; ignored
DEFLATE_RATIO = 1_040  # no stream is longer than that many times its packed length
NO_SPACE = "INSUFFICIENT_SPACE"  # of libdeflate
STREAMS_MAX = 16


def is_spz(head: bytes) -> bool:
    """Whether a file is an .spz file, by its first bytes."""
    if head.startswith(NGSP):
        return True
    return head.startswith(GZIP) and _inflated(head, 4) == NGSP


@dataclass(frozen=True)
class SpzStream:
    """An unpacked file of version 1 to 3.

    Args:
        version, count, degree: version, Gaussians, degree of the harmonics.
        bits: of a position, after the binary point.
        content: all of it, at least as long as its header declares.
    """

    version: int
    count: int
    degree: int
    bits: int
    content: bytes


def unpacked_spz(data: bytes, name: str) -> SpzStream | None:
    """The content of a file of versions 1 to 3; None for version 4.

    Raises:
        CorruptSegment: it is damaged, or holds more or less than it declares.
    """
    if data.startswith(NGSP):
        return None
    head = _inflated(data, HEADER.size)
    if len(head) < HEADER.size:
        raise CorruptSegment(f"{name} is cut off.")
    _, version, count, degree, bits, _, _ = HEADER.unpack(head)
    _check_header(version, (1, 2, 3), count, degree, name)
    content = _unpacked(data, HEADER.size + count * _row_bytes(version, degree), count, name)
    return SpzStream(version, count, degree, bits, content)


def _check_header(version: int, known: tuple[int, ...], count: int, degree: int, name: str) -> None:
    if version not in known:
        raise CorruptSegment(f"{name} is of version {version} of .spz; 1 to 4 are known.")
    if degree not in HIGHER:
        raise CorruptSegment(f"{name} has harmonics of degree {degree}; 0 to 3 are known.")
    check_count(count, name)


def _row_bytes(version: int, degree: int) -> int:
    """Bytes of one Gaussian: position, opacity, colour, scales, rotation, harmonics."""
    return (6 if version == 1 else 9) + 1 + 3 + 3 + (4 if version >= 3 else 3) + 3 * HIGHER[degree]


def spz_count(data: bytes, name: str) -> int:
    """How many Gaussians a file of version 4 holds; raises CorruptSegment."""
    if len(data) < HEADER_4.size:
        raise CorruptSegment(f"{name} is cut off.")
    _, version, count, degree, _, _, streams, table = HEADER_4.unpack_from(data)
    _check_header(version, (4,), count, degree, name)
    end = table + streams * TABLE_ROW.size
    if not 0 < streams <= STREAMS_MAX or not HEADER_4.size <= table <= end <= len(data):
        raise CorruptSegment(f"{name} has a damaged table of contents.")
    rows = [TABLE_ROW.unpack_from(data, table + k * TABLE_ROW.size) for k in range(streams)]
    if end + sum(packed for packed, _ in rows) > len(data):
        raise CorruptSegment(f"{name} is cut off.")
    if sum(size for _, size in rows) != count * _row_bytes(4, degree):
        raise CorruptSegment(f"{name}: its streams are not as long as its Gaussians need.")
    return count


def _inflated(data: bytes, most_bytes: int) -> bytes:
    """The first bytes of a gzip stream; fewer where it is damaged."""
    try:
        return zlib.decompressobj(31).decompress(data[: 1 << 16], most_bytes)
    except zlib.error:
        return b""


def _unpacked(data: bytes, declared: int, count: int, name: str) -> bytes:
    """The whole gzip stream; raises CorruptSegment unless it is as long as declared."""
    import imagecodecs  # twice as fast as zlib

    too_short = f"{name} declares {count} Gaussians and is too short for them."
    if declared > len(data) * DEFLATE_RATIO:
        raise CorruptSegment(too_short)
    try:
        content = bytes(imagecodecs.gzip_decode(data, out=declared + EXTENSION_BYTES))
    except imagecodecs.DeflateError as error:
        if NO_SPACE in str(error):
            raise CorruptSegment(f"{name} holds more than it declares.") from error
        raise CorruptSegment(f"{name} is damaged or cut off.") from error
    if len(content) < declared:
        raise CorruptSegment(too_short)
    return content
