"""Readers of formats: which one opens a file, what it gives, and what a wrong file is called."""

from __future__ import annotations

import logging
import zipfile
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
import torch
from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import NotAScene, UnknownQuality, UnsupportedVersion
from streamstgs.codec.formats import registry
from streamstgs.codec.formats.reader import SceneFormat, SceneInfo, SceneReader, Segment
from streamstgs.codec.formats.registry import find_format, known_formats, open_reader
from streamstgs.codec.formats.stgs import StgsFormat, StgsReader, StgsSegment
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.codec.quality import Quality
from streamstgs.codec.scene import open_scene

GOLDEN = Path(__file__).parent / "golden" / "synthetic-v1-hevc.stgs"


@pytest.fixture(autouse=True)
def forget_formats() -> Iterator[None]:
    known_formats.cache_clear()
    yield
    known_formats.cache_clear()


def test_stgs_implements_the_protocols() -> None:
    with open_reader(GOLDEN) as reader:
        assert isinstance(reader, StgsReader)
        checked: SceneReader = reader
        segment: Segment = checked.segment(0)
        assert isinstance(segment, StgsSegment)
    scene_format: SceneFormat = StgsFormat()
    assert scene_format.name == "stgs"


def test_segments_give_the_frames_of_the_scene() -> None:
    with open_reader(GOLDEN) as reader, open_scene(GOLDEN) as scene:
        info, best = reader.info, scene.qualities[-1]
        assert (info.frame_count, info.duration_s) == (scene.frame_count, scene.duration_s)
        assert info.segment_frames == tuple(map(scene.gop_frames, range(scene.gop_count)))
        assert reader.qualities == scene.qualities
        for index, frames in enumerate(info.segment_frames):
            segment, gop = reader.segment(index), scene.decode_gop(index, best)
            for frame in range(frames):
                time_s = (info.segment_starts[index] + frame) / info.meta.fps
                assert info.segment_at(time_s) == index
                seen, expected = segment.gaussians_at(time_s), gop.gaussians_at(frame)
                assert torch.equal(seen.means, expected.means)


def test_times_outside_a_segment_are_moved_to_its_ends() -> None:
    with open_reader(GOLDEN) as reader:
        segment = reader.segment(1)
    first, last = segment.gaussians_at(-5.0), segment.gaussians_at(1e6)
    fps = reader.info.meta.fps
    assert torch.equal(first.means, segment.gaussians_at(segment.start_s).means)
    end_s = segment.start_s + segment.duration_s - 1 / fps
    assert torch.equal(last.means, segment.gaussians_at(end_s).means)
    assert reader.info.segment_at(-1.0) == 0
    assert reader.info.segment_at(1e6) == len(reader.info.segment_frames) - 1


def test_wrong_segment_and_quality_are_refused() -> None:
    with open_reader(GOLDEN) as reader:
        with pytest.raises(IndexError):
            reader.segment(99)
        with pytest.raises(UnknownQuality):
            reader.segment(0, Quality(7, 3, 0.0))


def test_a_scene_is_recognised_by_content_without_its_suffix(tmp_path: Path) -> None:
    renamed = tmp_path / "download"
    renamed.write_bytes(GOLDEN.read_bytes())
    with open_reader(renamed) as reader:
        assert reader.info.format == "stgs"


HTML = b"<!DOCTYPE html>\n<html><head><title>404</title></head></html>"


@pytest.mark.parametrize("suffix", ["", ".stgs"])
@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "an empty file"),
        (b"ply\nformat binary_little_endian 1.0\n", "a PLY point cloud"),
        (HTML, "a web page"),
        (b"\n  <html>\n", "a web page"),
        (GOLDEN.read_bytes()[:9000], "an incomplete download"),
        (bytes(5000), "an incomplete download"),
        (b"\0\0\0\x20ftypisom", "an MP4 video"),
        (b'{"asset": 1}', "a JSON document"),
        (b"abcdefgh", "a file of an unknown kind"),
    ],
)
def test_the_error_names_what_a_file_is(
    tmp_path: Path, content: bytes, kind: str, suffix: str
) -> None:
    path = tmp_path / f"file{suffix}"
    path.write_bytes(content)
    for opener in (open_reader, open_scene):
        with pytest.raises(NotAScene) as caught:
            opener(path)
        message = str(caught.value)
        assert message.startswith(f"{path} is not a scene: ")
        assert kind in message
        assert "\n" not in message


def test_a_zip_and_a_folder_without_manifest_are_named(tmp_path: Path) -> None:
    path = tmp_path / "photos.stgs"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(NotAScene, match=r"it is a ZIP archive with no scene.json"):
        open_reader(path)
    with pytest.raises(NotAScene, match=r"the folder has no scene.json"):
        open_reader(tmp_path)
    with pytest.raises(NotAScene, match="does not exist"):
        open_reader(tmp_path / "nothing.stgs")


@pytest.mark.parametrize("manifest_first", [True, False])
def test_a_package_named_zip_is_a_scene(tmp_path: Path, manifest_first: bool) -> None:
    path = tmp_path / "scene.zip"
    with zipfile.ZipFile(GOLDEN) as source, zipfile.ZipFile(path, "w") as archive:
        names = sorted(source.namelist(), key=lambda name: (name == "scene.json") != manifest_first)
        for name in names:
            archive.writestr(name, source.read(name))
    assert isinstance(find_format(str(path)), StgsFormat)
    with open_reader(path) as reader, open_reader(GOLDEN) as golden:
        assert reader.info.frame_count == golden.info.frame_count
        one, other = (r.segment(1).gaussians_at(0.0) for r in (reader, golden))
        assert torch.equal(one.means, other.means)


def test_zips_of_a_scene_that_cannot_be_read_are_explained(tmp_path: Path) -> None:
    path = tmp_path / "scene.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("scene.json", "{}" * 100)
    with pytest.raises(NotAScene, match=r"compressed; scenes store their entries \(zip -0\)"):
        open_reader(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("my/scene.json", "{}")
    with pytest.raises(NotAScene, match="a scene in its folder my; unpack it"):
        open_reader(path)


def test_a_web_page_in_place_of_the_manifest_is_named(tmp_path: Path) -> None:
    (tmp_path / "scene.json").write_bytes(HTML)
    with pytest.raises(NotAScene, match=r"scene.json is not valid JSON: it is a web page"):
        open_reader(tmp_path)


def test_a_newer_version_is_named(tmp_path: Path) -> None:
    (tmp_path / "scene.json").write_text('{"format": "streamstgs", "version": 99}')
    with pytest.raises(UnsupportedVersion, match="format version 99"):
        open_reader(tmp_path)


class OneSegment:
    """A format of another package, as small as can be."""

    name = "one"

    def __init__(self) -> None:
        meta = SceneMeta("one", 1.0, (0, 1, 0), (0, 0, 0), 1.0, (0, 0, 0), 16, 9)
        self.info = SceneInfo("", self.name, meta, (1,))
        self.qualities = (Quality(0, 0, 0.0),)
        self.opened: list[str] = []

    def can_open(self, head: bytes, name: str) -> bool:
        return name.endswith(".one") and head == b"1"

    def open(self, location: str, cancel: CancelToken = NEVER) -> Any:
        self.opened.append(location)
        return self


FORMAT = OneSegment()


def plug_in(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    found = [EntryPoint(name, value, registry.ENTRY_POINTS) for name, value in values.items()]
    monkeypatch.setattr(registry, "entry_points", lambda group: found)


def test_other_packages_add_formats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, one=f"{__name__}:FORMAT")
    path = tmp_path / "a.one"
    path.write_bytes(b"1")
    assert open_reader(path) is FORMAT
    assert FORMAT.opened == [str(path)]
    with open_reader(GOLDEN) as reader:
        assert reader.info.format == "stgs"


def test_a_broken_plug_in_is_reported_and_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(OneSegment, "can_open", lambda *_: 1 / 0)
    plug_in(
        monkeypatch, absent="no.such.module:X", empty=f"{__name__}:GOLDEN", one=f"{__name__}:FORMAT"
    )
    path = tmp_path / "file.pdf"
    path.write_bytes(b"%PDF")
    with caplog.at_level(logging.WARNING), pytest.raises(NotAScene, match="PDF"):
        open_reader(path)
    told = " ".join(record.getMessage() for record in caplog.records)
    assert "'absent' (no.such.module:X) cannot be loaded" in told
    assert "'empty'" in told
    assert "division by zero" in told
    with open_reader(GOLDEN) as reader:
        assert reader.info.format == "stgs"
