"""`.ksplat` files of GaussianSplats3D: sections of Gaussians, with one of three compressions.

A header of 4,096 bytes, then 1,024 bytes for each section, then the data. The fields that are
checked here: room for sections (uint32 at byte 4), sections (uint32 at byte 8), Gaussians (uint32
at byte 16), compression (uint16 at byte 20).
"""

from __future__ import annotations

import struct

from streamstgs.codec.errors import CorruptSegment
from streamstgs.codec.formats.counts import check_count

HEADER_BYTES, SECTION_BYTES = 4_096, 1_024
VERSION = b"\0\1"  # 0.1
SMALLEST = {0: 44, 1: 24, 2: 24}  # bytes of one Gaussian without harmonics, by compression
SECTIONS_MAX = 1_024


def is_ksplat(head: bytes, name: str) -> bool:
    """Whether a file is a .ksplat file: it has the suffix and a plausible header."""
    return name.lower().endswith(".ksplat") and head[:2] == VERSION


def ksplat_count(data: bytes, name: str) -> int:
    """How many Gaussians a file holds; raises CorruptSegment if they do not fit into it."""
    if len(data) < HEADER_BYTES or data[:2] != VERSION:
        raise CorruptSegment(f"{name} is no .ksplat file of version 0.1, or is cut off.")
    room, sections, count, compression = struct.unpack_from("<II4xIH", data, 4)
    check_count(count, name)
    if compression not in SMALLEST or max(room, sections) > SECTIONS_MAX:
        raise CorruptSegment(f"{name} has a damaged header.")
    if HEADER_BYTES + room * SECTION_BYTES + count * SMALLEST[compression] > len(data):
        raise CorruptSegment(f"{name} declares {count} Gaussians and is too short for them.")
    return count
