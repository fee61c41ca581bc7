"""scene.mpd says the same as scene.json, in words that any DASH player knows."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ElementTree
import zipfile
from dataclasses import replace

import av
import pytest
from mpegdash.parser import MPEGDASHParser
from streamstgs.codec.package.dash import FIELD_MIME, IMAGES_MIME, start_ticks, write_dash
from streamstgs.codec.scene import open_scene

from tests.golden.make_golden import CODECS, golden_scene

NAMESPACE = {"m": "urn:mpeg:dash:schema:mpd:2011"}


def golden_mpd(codec: str) -> str:
    with zipfile.ZipFile(golden_scene(codec)) as archive:
        return archive.read("scene.mpd").decode()


def named_files(root: ElementTree.Element) -> list[str]:
    """What a player of this manifest would fetch, by lists and by templates."""
    named = [str(e.get("sourceURL")) for e in root.iterfind(".//m:Initialization", NAMESPACE)]
    named += [str(e.get("media")) for e in root.iterfind(".//m:SegmentURL", NAMESPACE)]
    for template in root.iterfind(".//m:SegmentTemplate", NAMESPACE):
        named += [str(template.get("initialization"))] * ("initialization" in template.attrib)
        match = re.fullmatch(r"(.*)\$Number%0(\d+)d\$(.*)", str(template.get("media")))
        assert match is not None
        first = int(str(template.get("startNumber")))
        for k in range(len(template.findall(".//m:S", NAMESPACE))):
            named.append(f"{match[1]}{first + k:0{int(match[2])}}{match[3]}")
    return named


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("new", [False, True], ids=["as it was written", "as it is written"])
def test_dash_manifest_names_every_file_once(codec: str, new: bool) -> None:
    with open_scene(golden_scene(codec)) as scene:
        mpd = write_dash(scene.manifest) if new else golden_mpd(codec)
    root = ElementTree.fromstring(mpd)
    named = named_files(root)
    with zipfile.ZipFile(golden_scene(codec)) as archive:
        files = set(archive.namelist()) - {"scene.json", "scene.mpd"}
    assert sorted(named) == sorted(files)


def test_files_with_gaps_in_numbers_are_listed() -> None:
    with open_scene(golden_scene("hevc")) as scene:
        gops = list(scene.manifest.gops)
        gops[1] = replace(gops[1], field=replace(gops[1].field, name="fields/7.safetensors"))
        root = ElementTree.fromstring(write_dash(replace(scene.manifest, gops=tuple(gops))))
    named = named_files(root)
    assert {"fields/0000.safetensors", "fields/7.safetensors"} <= set(named)
    assert len(named) == len(set(named))


def test_manifest_reads_back_with_mpegdash() -> None:
    mpd = MPEGDASHParser.parse(golden_mpd("hevc"))
    assert mpd.type == "static"
    sets = mpd.periods[0].adaptation_sets
    mimes = [chosen.mime_type for chosen in sets]
    assert mimes == ["video/mp4", *[IMAGES_MIME] * 4, FIELD_MIME]
    video = sets[0].representations
    assert [one.id for one in video] == ["features-qp20", "features-qp32"]
    assert all(one.codecs.startswith("hvc1.") for one in video)
    assert video[0].bandwidth > video[1].bandwidth > 0


@pytest.mark.parametrize("codec", CODECS)
def test_bandwidth_is_that_of_the_largest_segment(codec: str) -> None:
    with open_scene(golden_scene(codec)) as scene:
        root = ElementTree.fromstring(golden_mpd(codec))
        fps = scene.meta.fps
        for k, qp in enumerate(entry.qp for entry in scene.manifest.representations):
            worst = max(
                g.segments[k].file.size_bytes * 8 * fps / g.frames for g in scene.manifest.gops
            )
            one = root.find(f".//m:Representation[@id='features-qp{qp}']", NAMESPACE)
            assert one is not None
            assert int(str(one.get("bandwidth"))) == pytest.approx(worst, rel=1e-3)


def test_timeline_has_no_gaps_and_follows_content_time() -> None:
    with open_scene(golden_scene("hevc")) as scene:
        edges = [start_ticks(g.start_frame, scene.meta.fps) for g in scene.manifest.gops]
        end = start_ticks(scene.frame_count, scene.meta.fps)
        root = ElementTree.fromstring(write_dash(scene.manifest))
    for timeline in root.iterfind(".//m:SegmentTimeline", NAMESPACE):
        spans = [(int(str(s.get("t"))), int(str(s.get("d")))) for s in timeline]
        assert spans[0][0] == 0
        assert spans[-1][0] + spans[-1][1] == end
        assert [t for t, _ in spans] in (edges, [0])  # static layers span everything


@pytest.mark.parametrize("fps", [24.0, 30000 / 1001, 29.97, 60.0, 12.5])
def test_content_time_does_not_drift(fps: float) -> None:
    assert abs(start_ticks(100_000, fps) / 90_000 - 100_000 / fps) < 1e-5


@pytest.mark.parametrize("codec", CODECS)
def test_ffmpeg_opens_any_segment_after_its_header(codec: str) -> None:
    with open_scene(golden_scene(codec)) as scene, zipfile.ZipFile(golden_scene(codec)) as archive:
        for k, entry in enumerate(scene.manifest.representations):
            for gop in scene.manifest.gops:
                movie = archive.read(entry.init.name) + archive.read(gop.segments[k].file.name)
                with av.open(io.BytesIO(movie)) as container:
                    pictures = list(container.decode(video=0))
                assert len(pictures) == gop.feature_frames
                assert all(not p.is_corrupt for p in pictures)
