"""Scene files made to exhaust or to hang a player: each is refused by one clear error, at once."""

from __future__ import annotations

import errno
import io
import struct
import tracemalloc
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamstgs.codec.errors import CorruptSegment, MissingSegment, NotAScene
from streamstgs.codec.limits import Limits
from streamstgs.codec.scene import OpenSettings, open_scene
from streamstgs.codec.streaming.archive import FileRanges
from streamstgs.codec.streaming.directory import DirectoryContainer
from streamstgs.codec.video.mp4_boxes import find
from streamstgs.codec.video.segment_check import check_boxes

from tests.golden.make_golden import golden_scene

MIB = 1 << 20


@pytest.fixture(scope="module")
def video() -> tuple[bytes, bytes, int]:
    """Initialisation segment, media segment, and number of its frames."""
    with open_scene(golden_scene("h264")) as scene:
        packet = scene.fetch_features(0, scene.qualities[0])
        return packet.init, packet.media, scene.manifest.gops[0].feature_frames


def with_number(data: bytes, path: tuple[str, ...], at: int, value: int) -> bytes:
    box = find(data, path)
    changed = bytearray(data)
    struct.pack_into(">I", changed, box.start + at, value)
    return bytes(changed)


def doubled(data: bytes, parents: tuple[str, ...], kind: str) -> bytes:
    """The data with a box given twice, the sizes of its parents corrected."""
    box = find(data, (*parents, kind))
    copy = data[box.begin : box.end]
    changed = bytearray(data[: box.end] + copy + data[box.end :])
    for depth in range(len(parents)):
        parent = find(data, parents[: depth + 1])
        struct.pack_into(">I", changed, parent.begin, parent.end - parent.begin + len(copy))
    return bytes(changed)


def test_valid_segments_are_accepted(video: tuple[bytes, bytes, int]) -> None:
    check_boxes(*video)


@pytest.mark.parametrize("count", [0, 1, 200_000_000, 0xFFFFFFFF])
def test_false_sample_tables_are_refused(video: tuple[bytes, bytes, int], count: int) -> None:
    init, media, frames = video
    bomb = with_number(media, ("moof", "traf", "trun"), 4, count)
    tracemalloc.start()
    with pytest.raises(ValueError, match="samples"):
        check_boxes(init, bomb, frames)
    assert tracemalloc.get_traced_memory()[1] < MIB
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("parents", "kind"),
    [((), "moof"), (("moof",), "traf"), (("moof", "traf"), "trun"), ((), "mdat")],
)
def test_second_fragments_and_tracks_are_refused(
    video: tuple[bytes, bytes, int], parents: tuple[str, ...], kind: str
) -> None:
    init, media, frames = video
    with pytest.raises(ValueError, match=kind):
        check_boxes(init, doubled(media, parents, kind), frames)


def test_second_track_of_the_movie_is_refused(video: tuple[bytes, bytes, int]) -> None:
    init, media, frames = video
    with pytest.raises(ValueError, match="trak"):
        check_boxes(doubled(init, ("moov",), "trak"), media, frames)


def test_samples_of_the_movie_itself_are_refused(video: tuple[bytes, bytes, int]) -> None:
    init, media, frames = video
    table = ("moov", "trak", "mdia", "minf", "stbl")
    for kind, at in (("stts", 4), ("stsz", 8)):
        with pytest.raises(ValueError, match=kind):
            check_boxes(with_number(init, (*table, kind), at, 1 << 30), media, frames)


def box_of(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def with_child(data: bytes, parents: tuple[str, ...], child: bytes) -> bytes:
    """The data with a box at the end of another one, the sizes of its parents corrected."""
    end = find(data, parents).end
    changed = bytearray(data[:end] + child + data[end:])
    for depth in range(len(parents)):
        parent = find(data, parents[: depth + 1])
        struct.pack_into(">I", changed, parent.begin, parent.end - parent.begin + len(child))
    return bytes(changed)


def compressed_movie(init: bytes) -> bytes:
    """A movie with a million samples in a box of a kilobyte, which FFmpeg unpacks and reads."""
    table = ("moov", "trak", "mdia", "minf", "stbl", "stsz")
    sizes = struct.pack(">III", 0, 0, 1_000_000) + bytes(4_000_000)
    box = find(init, table)
    grown = len(sizes) - (box.end - box.start)
    movie = bytearray(init[: box.start] + sizes + init[box.end :])
    for depth in range(len(table)):
        parent = find(init, table[: depth + 1])
        struct.pack_into(">I", movie, parent.begin, parent.end - parent.begin + grown)
    moov = bytes(movie[find(init, ("moov",)).begin :])
    packed = struct.pack(">I", len(moov)) + zlib.compress(moov, 9)
    return box_of(b"cmov", box_of(b"dcom", b"zlib") + box_of(b"cmvd", packed))


def test_compressed_movie_is_refused(video: tuple[bytes, bytes, int]) -> None:
    init, media, frames = video
    bomb = compressed_movie(init)
    assert len(bomb) < 6_000
    with pytest.raises(ValueError, match="cmov"):
        check_boxes(with_child(init, ("moov",), bomb), media, frames)


@pytest.mark.parametrize(
    ("parents", "kind", "is_init"),
    [
        (("moov",), b"cmov", True), (("moov", "trak"), b"senc", True), (("moov",), b"uuid", True),
        (("moov", "trak", "mdia", "minf", "stbl"), b"saiz", True), (("moov",), b"pssh", True),
        (("moof", "traf"), b"senc", False), (("moof", "traf"), b"saiz", False),
        (("moof", "traf"), b"uuid", False), (("moof",), b"pssh", False),
    ],
)  # fmt: skip
def test_boxes_that_no_segment_needs_are_refused(
    video: tuple[bytes, bytes, int], parents: tuple[str, ...], kind: bytes, is_init: bool
) -> None:
    init, media, frames = video
    child = box_of(kind, struct.pack(">BBI", 0, 1, 0xFFFFFFFF))
    changed = with_child(init if is_init else media, parents, child)
    with pytest.raises(ValueError, match=kind.decode()):
        check_boxes(*((changed, media) if is_init else (init, changed)), frames)


def test_long_description_of_a_movie_is_refused(video: tuple[bytes, bytes, int]) -> None:
    init, media, frames = video
    with pytest.raises(ValueError, match="long description"):
        check_boxes(with_child(init, ("moov",), box_of(b"meta", bytes(5000))), media, frames)


def test_samples_longer_than_the_segment_are_refused(video: tuple[bytes, bytes, int]) -> None:
    init, media, frames = video
    run = find(media, ("moof", "traf", "trun"))
    flags = struct.unpack_from(">I", media, run.start)[0]
    first_size = 8 + 4 * bool(flags & 1) + 4 * bool(flags & 4) + 4 * bool(flags & 0x100)
    with pytest.raises(ValueError, match="bytes in a segment"):
        check_boxes(init, with_number(media, ("moof", "traf", "trun"), first_size, 1 << 31), frames)


@pytest.mark.parametrize("entries", [0xFFFF, 671_078])
def test_number_of_entries_is_checked_before_they_are_read(tmp_path: Path, entries: int) -> None:
    """An archive whose end declares many entries; the directory itself is never parsed."""
    path = tmp_path / "x.stgs"
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("scene.json", b"{}")
    content = body.getvalue()
    if entries > 0xFFFF:
        record = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, entries, entries, 1, 0)
        content = content[:-22] + record + content[-22:]
    else:
        content = content[:-14] + struct.pack("<HH", entries, entries) + content[-10:]
    path.write_bytes(content)
    limits = Limits(archive_entries=60_000)
    with pytest.raises(NotAScene, match="too many entries"):
        open_scene(path, OpenSettings(limits=limits))


def test_link_to_itself_is_one_missing_file(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "good").write_bytes(b"1")
    container = DirectoryContainer(tmp_path)
    with pytest.raises(MissingSegment, match="loop"):
        container.read("loop", 10)
    assert container.read("good", 10) == b"1"


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE])
def test_read_error_is_one_missing_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"content")
    ranges = FileRanges(path)

    class Failing:
        def seek(self, *_: Any) -> int:
            return 0

        def read(self, *_: Any) -> bytes:
            raise OSError(number, "the disk is ill")

        def close(self) -> None:
            pass

    ranges.close()
    monkeypatch.setattr(ranges, "_file", Failing())
    with pytest.raises(MissingSegment, match="the disk is ill"):
        ranges.read(0, 3)


def test_poster_of_thousands_of_scans_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from streamstgs.codec.poster import read_poster
    from streamstgs.codec.streaming.locate import open_container
    from streamstgs.codec.streaming.scene_files import LocalFiles

    limits = Limits()
    path = golden_scene("h264").with_name("synthetic-v1-poster.stgs")
    files = LocalFiles(open_container(path, limits), limits.manifest_bytes)
    assert read_poster(files) is not None
    read = files.read
    monkeypatch.setattr(files, "read", lambda *a: read(*a) + b"\xff\xda" * 5000)
    assert read_poster(files) is None
    files.close()


def test_bomb_in_a_scene_is_a_broken_segment(video: tuple[bytes, bytes, int]) -> None:
    with open_scene(golden_scene("h264")) as scene:
        packet = scene.fetch_features(0, scene.qualities[0])
        bomb = with_number(packet.media, ("moof", "traf", "trun"), 4, 0xFFFFFFFF)
        with pytest.raises(CorruptSegment, match="samples"):
            scene.decoder.features(0, replace(packet, media=bomb))
