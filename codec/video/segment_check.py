"""What the boxes of a feature video declare, checked before a decoder believes them.

FFmpeg allocates an index entry for each sample that a fragment declares: 400 bytes of box can ask
for gigabytes. A segment of ours is one fragment of one track, with a sample for each feature frame.
"""

from __future__ import annotations

import struct

from streamstgs.codec.video.mp4_boxes import Box, boxes

INIT_KINDS = {"ftyp", "moov", "free", "skip"}
MEDIA_KINDS = {"styp", "sidx", "prft", "emsg", "moof", "mdat", "free", "skip"}
DESCRIPTION_MAX_BYTES = 4_096  # of names and tags of a movie or track
SAMPLE_TABLES = ("stts", "stsc", "stsz", "stz2", "stco", "co64", "ctts", "stss", "stdp", "sbgp")
# What the boxes that hold others may hold. FFmpeg also reads a whole movie from a compressed one
# (cmov), and tables of encryption (senc, saiz) of any declared length.
CHILDREN = {
    "moov": {"mvhd", "trak", "mvex", "udta", "meta", "free", "skip"},
    "mvex": {"mehd", "trex", "free", "skip"},
    "trak": {"tkhd", "edts", "mdia", "udta", "meta", "free", "skip"},
    "mdia": {"mdhd", "hdlr", "minf", "elng", "free", "skip"},
    "minf": {"vmhd", "smhd", "hdlr", "dinf", "stbl", "free", "skip"},
    "stbl": {"stsd", "sgpd", "cslg", "free", "skip", *SAMPLE_TABLES},
    "moof": {"mfhd", "traf", "free", "skip"},
    "traf": {"tfhd", "tfdt", "trun", "sdtp", "sbgp", "sgpd", "subs", "free", "skip"},
}
TABLE_COUNT_AT = {"stsz": 8, "stz2": 8}  # after version and flags; sample_size comes first there
TRUN_FIELDS = (0x100, 0x200, 0x400, 0x800)  # duration, size, flags, composition offset of a sample
TRUN_SIZES = 0x200
TRUN_DATA_OFFSET, TRUN_FIRST_FLAGS = 0x1, 0x4
TFHD_FIELDS = ((0x1, 8), (0x2, 4), (0x8, 4), (0x10, 4), (0x20, 4))  # flag, bytes
TFHD_DEFAULT_SIZE = 0x10


def check_boxes(init: bytes, media: bytes, frames: int) -> None:
    """Raise ValueError unless these are one track without samples, and one fragment of it.

    Args:
        init: initialisation segment.
        media: media segment.
        frames: how many samples the fragment must have.
    """
    _check_kinds(init, INIT_KINDS, {"moov": 1})
    _check_kinds(media, MEDIA_KINDS, {"moof": 1, "mdat": 1})
    movie = _only(init, "moov", 0, len(init))
    track = _only(init, "trak", movie.start, movie.end)
    _check_no_samples(init, track)
    fragment = _only(media, "moof", 0, len(media))
    track_fragment = _only(media, "traf", fragment.start, fragment.end)
    run = _only(media, "trun", track_fragment.start, track_fragment.end)
    header = _only(media, "tfhd", track_fragment.start, track_fragment.end)
    content = _only(media, "mdat", 0, len(media))
    _check_run(media, run, header, frames, content.end - content.start)


def _check_kinds(data: bytes, allowed: set[str], wanted: dict[str, int]) -> None:
    found = [box.kind for box in boxes(data)]
    for kind in found:
        if kind not in allowed:
            raise ValueError(f"a box of kind {kind!r}")
    for box in boxes(data):
        _check_children(data, box)
    for kind, count in wanted.items():
        if found.count(kind) != count:
            raise ValueError(f"{found.count(kind)} boxes of kind {kind}, not {count}")


def _check_children(data: bytes, parent: Box) -> None:
    """A box holds boxes of known kinds only, however deep."""
    allowed = CHILDREN.get(parent.kind)
    if allowed is None:
        return
    for box in boxes(data, parent.start, parent.end):
        if box.kind not in allowed:
            raise ValueError(f"a box of kind {box.kind!r} in {parent.kind}")
        if box.kind in ("udta", "meta") and box.end - box.start > DESCRIPTION_MAX_BYTES:
            raise ValueError(f"a long description ({box.kind})")
        _check_children(data, box)


def _only(data: bytes, kind: str, start: int, end: int) -> Box:
    """The one box of a kind in a range."""
    found = [box for box in boxes(data, start, end) if box.kind == kind]
    if len(found) != 1:
        raise ValueError(f"{len(found)} boxes of kind {kind}, not 1")
    return found[0]


def _check_no_samples(init: bytes, track: Box) -> None:
    """The movie itself holds no samples, and no edits but a few."""
    for box in boxes(init, track.start, track.end):
        if box.kind == "edts" and box.end - box.start > 256:
            raise ValueError("a long edit list")
    media = _only(init, "mdia", track.start, track.end)
    information = _only(init, "minf", media.start, media.end)
    table = _only(init, "stbl", information.start, information.end)
    for box in boxes(init, table.start, table.end):
        if box.kind in SAMPLE_TABLES:
            at = box.start + TABLE_COUNT_AT.get(box.kind, 4)
            if _number(init, at, box.end) != 0:
                raise ValueError(f"samples outside of fragments ({box.kind})")


def _check_run(media: bytes, run: Box, header: Box, frames: int, content_bytes: int) -> None:
    """The samples that a run declares are the frames, lie in it, and fill the content."""
    flags = _number(media, run.start, run.end) & 0xFFFFFF
    count = _number(media, run.start + 4, run.end)
    if count != frames:
        raise ValueError(f"{count} samples, declared are {frames} frames")
    begin = run.start + 8 + 4 * bool(flags & TRUN_DATA_OFFSET) + 4 * bool(flags & TRUN_FIRST_FLAGS)
    fields = [field for field in TRUN_FIELDS if flags & field]
    if begin + 4 * len(fields) * count != run.end:
        raise ValueError("a track run of another length than its samples need")
    if flags & TRUN_SIZES:
        at = begin + 4 * fields.index(TRUN_SIZES)
        sizes = [_number(media, at + 4 * len(fields) * k, run.end) for k in range(count)]
    else:
        sizes = [_default_size(media, header)] * count
    if sum(sizes) > content_bytes:
        raise ValueError(f"samples of {sum(sizes)} bytes in a segment of {content_bytes}")


def _default_size(media: bytes, header: Box) -> int:
    flags = _number(media, header.start, header.end) & 0xFFFFFF
    at = header.start + 8
    for field, length in TFHD_FIELDS:
        if field == TFHD_DEFAULT_SIZE:
            break
        at += length * bool(flags & field)
    if not flags & TFHD_DEFAULT_SIZE:
        raise ValueError("samples without sizes")
    return _number(media, at, header.end)


def _number(data: bytes, at: int, end: int) -> int:
    """The unsigned 32-bit number at a place before `end`."""
    if at + 4 > end:
        raise ValueError("a box is cut off")
    return int(struct.unpack_from(">I", data, at)[0])
