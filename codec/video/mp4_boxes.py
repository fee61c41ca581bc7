"""Reads and changes the few ISO-BMFF boxes (ISO/IEC 14496-12, -15) that the codec needs.

FFmpeg writes and reads the feature video; this module splits its output into the initialisation
and the media segment, sets the decode time of a segment and names the codec as RFC 6381 does.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

MOVIE_TO_SAMPLE_DESCRIPTION = ("moov", "trak", "mdia", "minf", "stbl", "stsd")
STSD_HEADER_BYTES = 8  # version, flags and entry count, before the first sample entry
TRUN_HEADER_FIELDS = (0x1, 0x4)  # flags of a track run: data offset, flags of the first sample
TRUN_SAMPLE_FIELDS = (0x100, 0x200, 0x400)  # duration, size, flags; before the composition offset
TRUN_COMPOSITION_OFFSETS = 0x800
TRACK_BRANDS = ("cmfc", "iso6")  # a CMAF track, with decode times in its fragments
SEGMENT_BRANDS = ("msdh", "cmfs", "cmff")  # of DASH, and of CMAF: one fragment is the segment
VISUAL_ENTRY_BYTES = 78  # fixed fields of a visual sample entry, before its own boxes


@dataclass(frozen=True)
class Box:
    """A box; its content is `data[start:end]`."""

    kind: str
    begin: int  # of the header
    start: int
    end: int


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """Yield the boxes in data[start:end].

    Raises:
        ValueError: a box is longer than what holds it, or of a 64-bit or open length.
    """
    end = len(data) if end is None else end
    while start < end:
        if end - start < 8:
            raise ValueError("a box is cut off")
        size, kind = struct.unpack_from(">I4s", data, start)
        if size < 8 or start + size > end:
            raise ValueError("a box does not fit in what holds it")
        yield Box(kind.decode("latin-1"), start, start + 8, start + size)
        start += size


def find(data: bytes, path: tuple[str, ...], start: int = 0, end: int | None = None) -> Box:
    """Return the first box along a path of nested kinds.

    Raises:
        ValueError: there is none.
    """
    for box in boxes(data, start, end):
        if box.kind == path[0]:
            return box if len(path) == 1 else find(data, path[1:], box.start, box.end)
    raise ValueError(f"no {path[0]} box")


def split_segments(movie: bytes) -> tuple[bytes, bytes]:
    """Split a fragmented MP4 into its initialisation segment (ftyp, moov) and its media segment.

    Both get the brands of CMAF (ISO/IEC 23000-19) in place of the muxer's.
    """
    moov = find(movie, ("moov",))
    init = _brands("ftyp", TRACK_BRANDS) + movie[moov.begin : moov.end]
    return init, _brands("styp", SEGMENT_BRANDS) + movie[moov.end :]


def _brands(kind: str, brands: tuple[str, ...]) -> bytes:
    """Return a box of brands; the first is the major brand."""
    names = "".join(brands).encode()
    return struct.pack(">I4s4sI", 16 + len(names), kind.encode(), names[:4], 0) + names


def with_times(media: bytes, ticks: int, shift: int = 0) -> bytes:
    """Return the media segment with its first sample decoded at `ticks` of the timescale.

    Args:
        shift: added to the composition offsets of all samples; they may become negative, so that
            the first picture is shown at `ticks` although others are decoded before they are due.

    Raises:
        ValueError: a box is not as FFmpeg writes it.
    """
    box = find(media, ("moof", "traf", "tfdt"))
    if media[box.start] != 1:
        raise ValueError("the decode time is not 64 bits wide")
    at = box.start + 4
    timed = media[:at] + struct.pack(">Q", ticks) + media[at + 8 :]
    return _with_shifted_composition(timed, shift) if shift else timed


def _with_shifted_composition(media: bytes, shift: int) -> bytes:
    run = find(media, ("moof", "traf", "trun"))
    flags = int.from_bytes(media[run.start + 1 : run.start + 4], "big")
    if not flags & TRUN_COMPOSITION_OFFSETS:
        raise ValueError("the samples have no composition offsets")
    (samples,) = struct.unpack_from(">I", media, run.start + 4)
    fields_before = sum(bool(flags & field) for field in TRUN_SAMPLE_FIELDS)
    first = run.start + 8 + 4 * sum(bool(flags & field) for field in TRUN_HEADER_FIELDS)
    result = bytearray(media)
    result[run.start] = 1  # the version whose offsets are signed
    for at in range(first + 4 * fields_before, run.end, (run.end - first) // samples):
        (offset,) = struct.unpack_from(">i", media, at)
        struct.pack_into(">i", result, at, offset + shift)
    return bytes(result)


@dataclass(frozen=True)
class SampleEntry:
    """The description of the video in an initialisation segment."""

    kind: str  # hvc1 or avc1
    width: int
    height: int
    configuration: bytes  # content of its hvcC or avcC box

    @property
    def codecs(self) -> str:
        """Name of the codec as RFC 6381 and DASH define it."""
        if self.kind == "avc1":
            return f"avc1.{self.configuration[1:4].hex().upper()}"
        return f"hvc1.{_hevc_name(self.configuration)}"


def sample_entry(init: bytes) -> SampleEntry:
    """Return the only video description of an initialisation segment.

    Raises:
        ValueError: there is none, or not of a known kind.
    """
    table = find(init, MOVIE_TO_SAMPLE_DESCRIPTION)
    entry = next(boxes(init, table.start + STSD_HEADER_BYTES, table.end), None)
    if entry is None or entry.kind not in ("hvc1", "avc1"):
        raise ValueError("no HEVC or H.264 sample entry")
    if entry.end - entry.start < VISUAL_ENTRY_BYTES:
        raise ValueError("the sample entry is cut off")
    width, height = struct.unpack_from(">HH", init, entry.start + 24)
    kind = "hvcC" if entry.kind == "hvc1" else "avcC"
    record = find(init, (kind,), entry.start + VISUAL_ENTRY_BYTES, entry.end)
    return SampleEntry(entry.kind, width, height, init[record.start : record.end])


def _hevc_name(record: bytes) -> str:
    """ISO/IEC 14496-15 Annex E: profile.compatibility.tier-level.constraints."""
    profile = record[1]
    space = ("", "A", "B", "C")[profile >> 6]
    tier = "H" if profile & 0x20 else "L"
    (compatibility,) = struct.unpack_from(">I", record, 2)
    reversed_bits = int(f"{compatibility:032b}"[::-1], 2)
    constraints = ".".join(f"{byte:X}" for byte in record[6:12].rstrip(b"\0"))
    name = f"{space}{profile & 0x1F}.{reversed_bits:X}.{tier}{record[12]}"
    return f"{name}.{constraints}" if constraints else name
