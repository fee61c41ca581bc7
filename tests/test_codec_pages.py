"""Scenes with pages: what they hold, what opening reads of them, and what is refused."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from streamstgs.codec.encoder.config import EncoderConfig, PosterSettings, QualitySettings
from streamstgs.codec.encoder.encode import encode_scene
from streamstgs.codec.errors import CodecError, CorruptSegment, NotAScene
from streamstgs.codec.info import describe
from streamstgs.codec.limits import Limits
from streamstgs.codec.package.archive_writer import pack
from streamstgs.codec.package.file_entry import FileEntry
from streamstgs.codec.package.gop_times import GopTimes
from streamstgs.codec.package.manifest_json import read_manifest, write_manifest
from streamstgs.codec.package.page_index import PageIndex, PageRow, check_coverage, write_index
from streamstgs.codec.package.page_writer import PageSettings, Period, write_scene_json
from streamstgs.codec.scene import open_scene
from streamstgs.codec.scene_totals import totals_of
from streamstgs.codec.streaming.locate import open_container

from benchmarks.long_scenes.make import repeated
from tests.golden.make_golden import golden_scene
from tests.synthetic import SyntheticSource

GOPS = 7
QUICK = EncoderConfig(
    qps=(32,),
    sort=False,
    preset="ultrafast",
    poster=PosterSettings(width_px=0),
    quality=QualitySettings(cameras=0),
    paged_from=5,
)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The golden scene, seven GOPs long: its two GOPs again and again."""
    root = tmp_path_factory.mktemp("plain")
    with zipfile.ZipFile(golden_scene("h264")) as archive:
        archive.extractall(root)
    manifest = read_manifest((root / "scene.json").read_bytes())
    gops = repeated(manifest.gops, GOPS)
    (root / "scene.json").write_bytes(write_manifest(replace(manifest, gops=gops)))
    return root


@pytest.fixture
def paged(plain: Path, tmp_path: Path) -> Path:
    """The same scene with an inline page of two GOPs and pages of two."""
    return with_pages(plain, tmp_path / "paged")


def with_pages(plain: Path, out: Path, periods: tuple[Period, ...] = ()) -> Path:
    files = {
        p.relative_to(plain).as_posix(): p.read_bytes() for p in plain.rglob("*") if p.is_file()
    }
    manifest = read_manifest(files["scene.json"])

    def write(name: str, data: bytes) -> FileEntry:
        files[name] = data
        return FileEntry.of(name, data)

    files["scene.json"] = write_scene_json(
        manifest, write, totals_of(manifest), PageSettings(1, 2, 2), periods
    )
    for name, data in files.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(data)
    return out


def frames(path: Path) -> Iterator[torch.Tensor]:
    with open_scene(path) as scene:
        for gop in range(scene.gop_count):
            yield scene.decode_gop(gop, scene.qualities[0]).gaussians_at(0).means


def test_pages_hold_the_same_scene(plain: Path, paged: Path) -> None:
    assert all(map(torch.equal, frames(plain), frames(paged)))
    with open_scene(plain) as one, open_scene(paged) as other:
        assert (one.manifest.version, other.manifest.version) == (1, 4)
        assert tuple(one.gop_times) == tuple(other.gop_times) == (4, 3, 4, 3, 4, 3, 4)
        assert one.qualities[0].psnr_db == other.qualities[0].psnr_db
        assert tuple(one.ladder().gops) == tuple(other.ladder().gops)


def test_opening_reads_neither_index_nor_pages(paged: Path) -> None:
    for file in (paged / "pages").iterdir():
        file.rename(file.with_suffix(".away"))
    with open_scene(paged) as scene:
        assert [scene.is_listed(gop) for gop in range(3)] == [True, True, False]
        scene.decode_gop(1, scene.qualities[0])
        with pytest.raises(CodecError):
            scene.decode_gop(2, scene.qualities[0])


def test_info_reads_no_page(paged: Path) -> None:
    for file in (paged / "pages").iterdir():
        file.unlink()
    with open_scene(paged) as scene:
        facts = describe(scene)
    assert facts["gops"] == [4, 3, 4, 3, 4, 3, 4]
    assert (len(facts["gaussians"]["dynamic"]), facts["first_listed_gop"]) == (2, 0)


def test_a_broken_page_breaks_its_own_segments_only(paged: Path) -> None:
    page = paged / "pages/000002.page"
    page.write_bytes(page.read_bytes().replace(b"8", b"9", 1))
    with open_scene(paged) as scene:
        with pytest.raises(CorruptSegment, match=r"pages/000002\.page"):
            scene.fetch_page(3)
        assert scene.page_span(3) == range(2, 4)
        scene.decode_gop(4, scene.qualities[0])


def test_encoder_pages_long_scenes(tmp_path: Path) -> None:
    long, short = (SyntheticSource(8, 8, (2,) * count, fps=10.0) for count in (5, 4))
    report = encode_scene(long, tmp_path / "long", QUICK)
    encode_scene(short, tmp_path / "short", QUICK)
    with open_scene(tmp_path / "long") as scene, open_scene(tmp_path / "short") as other:
        assert (scene.manifest.version, other.manifest.version) == (4, 1)
        assert len(scene.manifest.gops[4].segments) == 1
    pages = sum(path.stat().st_size for path in (tmp_path / "long/pages").iterdir())
    assert report.part_bytes["manifest"] > pages > 0


# --- archives -------------------------------------------------------------------------------------


@pytest.fixture
def archive(paged: Path, tmp_path: Path) -> Path:
    """An archive with a directory that is too long to be read on opening."""
    for k in range(900):
        (paged / f"unused-file-of-a-long-archive-{k:05d}").write_bytes(b"")
    pack(paged, tmp_path / "long.stgs")
    return tmp_path / "long.stgs"


def test_archive_is_played_without_its_directory(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the directory was read")

    monkeypatch.setattr("streamstgs.codec.streaming.archive.list_entries", refuse)
    assert len(list(frames(archive))) == GOPS


def test_archive_packed_anew_by_other_tools_still_plays(archive: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.stgs"
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(other, "w") as new:
        for name in sorted(old.namelist(), reverse=True):
            new.writestr(name, old.read(name))
    assert all(map(torch.equal, frames(archive), frames(other)))


def test_places_that_lie_lead_to_the_directory(archive: Path) -> None:
    data = bytearray(archive.read_bytes())
    container = open_container(archive, Limits())
    size = len(container.read("static/0.planes", 1 << 20))
    for at in (0, 7, len(data) - 3, len(data) + 9, 1 << 49):
        assert len(container.read("static/0.planes", 1 << 20, at=at)) == size
    container.close()


# --- periods --------------------------------------------------------------------------------------


def test_periods_have_static_layers_of_their_own(plain: Path, tmp_path: Path) -> None:
    manifest = read_manifest((plain / "scene.json").read_bytes())
    less = Period(3, manifest.static[:0])
    path = with_pages(plain, tmp_path / "periods", (less, Period(5, manifest.static)))
    with open_scene(path) as scene:
        counts = [len(scene.decode_gop(k, scene.qualities[0]).static.means) for k in range(7)]
    assert counts == [300, 300, 300, 0, 0, 300, 300]


# --- what is refused ------------------------------------------------------------------------------


def row(first: int, count: int, size: int = 9) -> PageRow:
    return PageRow(first, count, FileEntry.of(f"pages/{first:06d}.page", b"x" * size))


@pytest.mark.parametrize(
    "rows", [[row(0, 4), row(3, 2)], [row(4, 2), row(0, 4)], [row(0, 0)], [row(0, 999)],
             [row(0, 2, 5 << 20)], [row(3_999_999, 2)]]
)  # fmt: skip
def test_index_of_impossible_pages_is_refused(rows: list[PageRow]) -> None:
    with pytest.raises(NotAScene):
        PageIndex(write_index(rows), "pages/1.index")


@pytest.mark.parametrize("data", [b"", b"STGSIDX1x", b"STGSIDX2" + bytes(56)])
def test_what_is_no_index_is_refused(data: bytes) -> None:
    with pytest.raises(NotAScene):
        PageIndex(data, "pages/1.index")


@pytest.mark.parametrize(
    ("rows", "inline"),
    [
        ([row(2, 2)], range(2)),  # GOPs 4 and 5 are missing
        ([row(1, 5)], range(2)),  # GOP 1 is listed twice
        ([row(3, 3)], range(2)),
        ([row(2, 5)], range(2)),
    ],
)
def test_gaps_and_overlaps_are_refused(rows: list[PageRow], inline: range) -> None:
    with pytest.raises(NotAScene):
        check_coverage(rows, inline, range(6), "pages/1.index")
    check_coverage([row(0, 2), row(4, 2)], range(2, 4), range(6), "pages/1.index")


Edit = Callable[[dict[str, Any]], object]
ROOT_LIES: list[Edit] = [
    lambda d: d["pages"].update(count=8),
    lambda d: d["pages"].update(count=10**9),
    lambda d: d["pages"].update(first=1),
    lambda d: d["pages"].update(available=1),
    lambda d: d["pages"].update(times=[[2, 10**9]]),
    lambda d: d["pages"].update(times=[[4, 7]]),
    lambda d: d["pages"].update(times=[]),
    lambda d: d["pages"].pop("index"),
    lambda d: d["pages"]["index"].update(name="../index"),
    lambda d: d["pages"]["totals"].update(features=[]),
    lambda d: d["gops"].append(d["gops"][0]),
    lambda d: d.update(gops=[]),
    lambda d: d.pop("pages"),
]


@pytest.mark.parametrize("lie", ROOT_LIES)
def test_lies_of_the_manifest_are_refused(paged: Path, lie: Edit) -> None:
    document = json.loads((paged / "scene.json").read_bytes())
    lie(document)
    (paged / "scene.json").write_text(json.dumps(document))
    with pytest.raises(CodecError), open_scene(paged) as scene:
        scene.decode_gop(scene.gop_count - 1, scene.qualities[0])


PAGE_LIES: list[Edit] = [
    lambda d: d["gops"].pop(),
    lambda d: d["gops"].reverse(),
    lambda d: d["gops"][0].update(start_frame=0),
    lambda d: d["gops"][0].update(frames=9),
    lambda d: d["gops"][0].update(segments=[]),
    lambda d: d["gops"][0]["field"].update(name="../../secret"),
    lambda d: d.update(static=[d["gops"][0]["layers"][0]] * 2),
]


@pytest.mark.parametrize("lie", PAGE_LIES)
def test_lies_of_a_page_are_refused(paged: Path, lie: Edit) -> None:
    """Also where the checksums are those of the lie."""
    document = json.loads((paged / "pages/000002.page").read_bytes())
    lie(document)
    root = json.loads((paged / "scene.json").read_bytes())
    index = paged / root["pages"]["index"]["name"]
    rows = list(PageIndex(index.read_bytes(), "index"))
    page = json.dumps(document).encode()
    rows[0] = replace(rows[0], file=FileEntry.of(rows[0].file.name, page))
    entry = FileEntry.of(root["pages"]["index"]["name"], write_index(rows))
    root["pages"]["index"] = {k: v for k, v in vars(entry).items() if v is not None}
    (paged / rows[0].file.name).write_bytes(page)
    index.write_bytes(write_index(rows))
    (paged / "scene.json").write_text(json.dumps(root))
    with open_scene(paged) as scene, pytest.raises(CorruptSegment, match=r"pages/000002\.page"):
        scene.fetch_page(2)


def test_index_rows_are_as_the_format_says(paged: Path) -> None:
    root = json.loads((paged / "scene.json").read_bytes())
    data = (paged / root["pages"]["index"]["name"]).read_bytes()
    first, count, size, _, at, _ = struct.unpack_from("<IIIIQ32s", data, 8)
    assert (first, count, at) == (2, 2, (1 << 64) - 1)
    assert size == (paged / "pages/000002.page").stat().st_size


@given(lengths=st.lists(st.integers(1, 5), min_size=1, max_size=30))
def test_times_are_those_of_the_lengths(lengths: list[int]) -> None:
    times = GopTimes.of(lengths)
    assert list(times) == [times[k] for k in range(len(times))] == lengths
    assert [times.start(k) for k in range(len(lengths) + 1)] == [
        sum(lengths[:k]) for k in range(len(lengths) + 1)
    ]
    inside = [(gop, frame) for gop, count in enumerate(lengths) for frame in range(count)]
    assert [times.locate(frame) for frame in range(times.frames)] == inside
    assert GopTimes.of(lengths[:3]).extended(lengths[3:]) == times
