"""`.spz` files of Niantic, versions 1 to 4.

Versions 1 to 3 are one gzip stream: a header of 16 bytes, then the attributes one after the other.
Version 4 has a header of 32 bytes, a table of contents, and a zstd stream for each attribute. Their
axes are right, up, back; ours, as those of PLY files, are right, down, front.
"""

from __future__ import annotations

import struct
import zlib

from streamstgs.codec.errors import CorruptSegment
from streamstgs.codec.formats.counts import check_count

GZIP, NGSP = b"\x1f\x8b", b"NGSP"
HEADER = struct.Struct("<4sIIBBBB")  # magic, version, Gaussians, degree, fraction bits, flags, -
HEADER_4 = struct.Struct("<4sIIBBBBI12x")  # ..., streams, where the table of contents begins
TABLE_ROW = struct.Struct("<QQ")  # bytes compressed and not
HIGHER = {0: 0, 1: 3, 2: 8, 3: 15}  # coefficients of a colour beyond the first, by degree
EXTENSION_BYTES = 1 << 20  # after the attributes; ignored
STREAMS_MAX = 16


def is_spz(head: bytes) -> bool:
    """Whether a file is an .spz file, by its first bytes."""
    if head.startswith(NGSP):
        return True
    return head.startswith(GZIP) and _inflated(head, 4) == NGSP


def spz_count(data: bytes, name: str) -> int:
    """How many Gaussians a file holds.

    Raises:
        CorruptSegment: its header is damaged, or it holds more or less than it declares.
    """
    if data.startswith(NGSP):
        return _count_of_4(data, name)
    head = _inflated(data, HEADER.size)
    if len(head) < HEADER.size:
        raise CorruptSegment(f"{name} is cut off.")
    _, version, count, degree, _, _, _ = HEADER.unpack(head)
    _check_header(version, (1, 2, 3), count, degree, name)
    declared = HEADER.size + count * _row_bytes(version, degree)
    found = _inflated_bytes(data, declared + EXTENSION_BYTES, name)
    if found < declared:
        raise CorruptSegment(f"{name} declares {count} Gaussians and is too short for them.")
    return count


def _check_header(version: int, known: tuple[int, ...], count: int, degree: int, name: str) -> None:
    if version not in known:
        raise CorruptSegment(f"{name} is of version {version} of .spz; 1 to 4 are known.")
    if degree not in HIGHER:
        raise CorruptSegment(f"{name} has harmonics of degree {degree}; 0 to 3 are known.")
    check_count(count, name)


def _row_bytes(version: int, degree: int) -> int:
    """Bytes of one Gaussian: position, opacity, colour, scales, rotation, harmonics."""
    return (6 if version == 1 else 9) + 1 + 3 + 3 + (4 if version >= 3 else 3) + 3 * HIGHER[degree]


def _count_of_4(data: bytes, name: str) -> int:
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


def _inflated_bytes(data: bytes, most_bytes: int, name: str) -> int:
    """The length of a gzip stream; raises CorruptSegment beyond `most_bytes` or where damaged."""
    stream, length, chunk = zlib.decompressobj(31), 0, data
    try:
        while not stream.eof:
            length += len(stream.decompress(chunk, 1 << 20))
            if length > most_bytes:
                raise CorruptSegment(f"{name} holds more than it declares.")
            chunk = stream.unconsumed_tail
            if not chunk and not stream.eof:
                length += len(stream.flush())
                break
    except zlib.error as error:
        raise CorruptSegment(f"{name} is damaged: {error}.") from error
    return length
