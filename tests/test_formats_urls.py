"""Splat files and sequences on web servers: what is fetched, kept, refused and told."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.app.player.status import PlaybackState
from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.errors import Cancelled, NotAScene, SceneUnreachable
from streamstgs.codec.formats.reader import SceneReader
from streamstgs.codec.formats.registry import find_format, open_reader
from streamstgs.codec.formats.stgs import StgsFormat
from streamstgs.codec.scene import OpenSettings
from streamstgs.codec.streaming.disk_cache import CacheSettings
from streamstgs.codec.streaming.http.settings import HttpSettings

from tests.fault_server import FaultServer
from tests.splat_samples import dynamic_arrays, made_up, npz, packed, splat_file

IMPATIENT = HttpSettings(connect_s=2.0, stall_s=2.0, deadline_s=5.0, tries=1, backoff_s=0.001)
BALL = made_up(200, degree=1)
FRAMES = 11
GOLDEN = Path(__file__).parent / "golden" / "synthetic-v1-hevc.stgs"


def frame_file(frame: int) -> bytes:
    return splat_file(made_up(40, degree=1, seed=frame), "ply")


def zipped(files: dict[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as entries:
        for name, content in files.items():
            entries.writestr(name, content)
    return archive.getvalue()


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    sog = packed(BALL, "sog")
    with zipfile.ZipFile(io.BytesIO(sog)) as archive:
        unpacked = {f"/unpacked/{name}": archive.read(name) for name in archive.namelist()}
    clip = {f"frame_{frame:03d}.ply": frame_file(frame) for frame in range(1, FRAMES + 1)}
    padding = {"padding": np.random.default_rng(0).bytes(200_000)}
    return {
        **{f"/a.{kind}": splat_file(BALL, kind) for kind in ("ply", "splat", "spz", "ksplat")},
        "/a.sog": sog,
        "/params.npz": npz(dynamic_arrays(3, 5)),
        "/my%20clip.zip": zipped(padding | clip),
        **unpacked,
        **{f"/clip/{name}": content for name, content in clip.items()},
        "/page.ply": b"<!doctype html><title>Not found</title>",
    }


@pytest.fixture
def server(files: dict[str, bytes]) -> Iterator[FaultServer]:
    server = FaultServer(files)
    yield server
    server.stop()


@pytest.fixture
def settings(tmp_path: Path) -> OpenSettings:
    return OpenSettings(http=IMPATIENT, cache=CacheSettings(directory=tmp_path / "cache"))


def count(reader: SceneReader) -> int:
    return len(reader.segment(0).gaussians_at(0.0))


@pytest.mark.parametrize(
    "path", ["a.ply", "a.splat", "a.spz", "a.ksplat", "a.sog", "unpacked/meta.json"]
)
@pytest.mark.parametrize("ranges", [True, False])
def test_file_is_opened(
    path: str, ranges: bool, server: FaultServer, settings: OpenSettings
) -> None:
    server.ranges = ranges
    with open_reader(f"{server.url}/{path}", settings=settings) as reader:
        assert count(reader) == 200
        assert reader.info.frame_count == 1


def test_research_file_is_opened(server: FaultServer, settings: OpenSettings) -> None:
    with open_reader(f"{server.url}/params.npz?token=secret", settings=settings) as reader:
        assert reader.info.frame_count == 3
        assert reader.info.meta.title == "params"
        assert "secret" not in reader.info.location


def test_file_is_fetched_once(server: FaultServer, settings: OpenSettings) -> None:
    url = f"{server.url}/a.ply"
    for _ in range(2):
        with open_reader(url, settings=settings) as reader:
            assert count(reader) == 200
    whole = [headers for path, headers in server.requests if "range" not in headers]
    assert len(whole) == 1
    server.files["/a.ply"] = splat_file(made_up(77, degree=1), "ply")
    with open_reader(url, settings=settings) as reader:
        assert count(reader) == 77  # another version: the kept one is not used


def test_archive_is_read_by_ranges(server: FaultServer, settings: OpenSettings) -> None:
    url = f"{server.url}/my%20clip.zip"
    with open_reader(url, fps=10.0, settings=settings) as reader:
        assert reader.info.meta.title == "my clip"
        assert reader.info.frame_count == FRAMES
        means = reader.segment(7).gaussians_at(0.7).means.numpy()
    np.testing.assert_array_equal(means, made_up(40, degree=1, seed=8).means)
    assert all("range" in headers for _, headers in server.requests)
    asked = len(server.requests)
    with open_reader(url, settings=settings) as reader:
        reader.segment(7)
    assert len(server.requests) - asked <= 1 + 4  # the directory; frames beyond 7, read ahead


@pytest.mark.parametrize("ranges", [True, False])
def test_package_named_zip_is_a_scene(
    ranges: bool, server: FaultServer, settings: OpenSettings
) -> None:
    server.files["/scene.zip"] = GOLDEN.read_bytes()
    server.ranges = ranges
    url = f"{server.url}/scene.zip"
    if not ranges:
        with pytest.raises(SceneUnreachable, match="range"):
            open_reader(url, settings=settings)
        return
    with open_reader(url, settings=settings) as reader, open_reader(GOLDEN) as golden:
        assert (reader.info.format, reader.info.frame_count) == ("stgs", golden.info.frame_count)
        one, other = (r.segment(1).gaussians_at(0.0) for r in (reader, golden))
        assert one.means.equal(other.means)
    with pytest.raises(NotAScene, match="own frame rate"):
        open_reader(url, fps=10.0, settings=settings)


def test_package_named_zip_plays(server: FaultServer, settings: OpenSettings) -> None:
    server.files["/scene.zip"] = GOLDEN.read_bytes()
    quiet = PlaybackSettings(autoplay=False, opening=settings)
    playback = Playback(f"{server.url}/scene.zip", quiet)
    try:
        assert playback.settle(30.0)
        playback.seek(0.3)
        assert playback.settle(30.0)
        frame = playback.tick()
        assert frame is not None
        assert len(frame.gop.gaussians_at(frame.frame)) > 0
    finally:
        playback.close()


def test_numbered_files_are_a_sequence(server: FaultServer, settings: OpenSettings) -> None:
    with open_reader(f"{server.url}/clip/frame_%03d.ply?key=1", settings=settings) as reader:
        assert reader.info.frame_count == FRAMES
        for frame in (0, 1, 10):
            means = reader.segment(frame).gaussians_at(0.0).means.numpy()
            np.testing.assert_array_equal(means, made_up(40, degree=1, seed=frame + 1).means)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("clip/frame_*.ply", "does not list"),
        ("clip/none_%d.ply", "neither none_0.ply nor none_1.ply"),
        ("missing.spz", "HTTP 404"),
        ("page.ply", "web page"),
        ("missing.zip", "not a scene"),
    ],
)
def test_wrong_urls_are_refused_with_the_reason(
    path: str, why: str, server: FaultServer, settings: OpenSettings
) -> None:
    with pytest.raises(NotAScene, match=why) as caught:
        open_reader(f"{server.url}/{path}?token=secret", settings=settings)
    assert "secret" not in str(caught.value)


def test_silent_server_and_cancelling(server: FaultServer, settings: OpenSettings) -> None:
    url, cancel = f"{server.url}/a.ply", CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        open_reader(url, cancel, settings=settings)
    server.vanish()
    with pytest.raises(SceneUnreachable):
        open_reader(url, settings=settings)


def test_names_decide_what_a_server_is_asked_for() -> None:
    for ours in ("https://example.org/scene/", "https://example.org/a.stgs?x=1"):
        assert isinstance(find_format(ours), StgsFormat)
    for theirs in (
        "https://example.org/a.PLY?x=1",
        "http://h/clip/f_%04d.spz",
        "http://h/meta.json",
    ):
        assert not isinstance(find_format(theirs), StgsFormat)


def test_sequence_goes_on_after_an_outage(server: FaultServer, settings: OpenSettings) -> None:
    quiet = OpenSettings(http=IMPATIENT, cache=CacheSettings(max_bytes=0))
    url = f"{server.url}/clip/frame_%03d.ply"
    playback = Playback(url, PlaybackSettings(autoplay=False, opening=quiet, fps=2.0))
    try:
        assert playback.settle(30.0)
        server.vanish()
        playback.seek(4.0)
        assert not playback.settle(0.5)
        server.come_back()
        assert playback.settle(30.0)
        frame = playback.tick()
        assert frame is None or frame.frame == 0
        assert playback.state is not PlaybackState.FAILED
        assert any("Waiting for the server" in event.message for event in playback.take_events())
    finally:
        playback.close()
