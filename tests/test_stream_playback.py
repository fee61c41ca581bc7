"""Playback from a server that fails: it reports, waits and recovers."""

from __future__ import annotations

import io
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from streamstgs.app.player.buffer.scene_buffer import SceneBufferSettings
from streamstgs.app.player.pipeline.pipeline import PipelineSettings
from streamstgs.app.player.pipeline.scheduler import FetchSettings
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.app.player.status import PlaybackFrame, PlaybackState
from streamstgs.codec.encoder.encode import encode_scene
from streamstgs.codec.scene import OpenSettings
from streamstgs.codec.streaming.adaptive import AdaptiveSettings
from streamstgs.codec.streaming.disk_cache import CacheSettings
from streamstgs.codec.streaming.http.settings import HttpSettings

from tests.fault_server import (
    Fault,
    FaultServer,
    corrupt,
    cut_to,
    drip,
    reset_after,
    silence,
    stall_after,
    status,
)
from tests.synthetic import SyntheticSource
from tests.test_codec_pages import QUICK

IMPATIENT = HttpSettings(
    connect_s=1.0, stall_s=0.2, stall_bytes=100, deadline_s=3.0, tries=2, backoff_s=0.005
)
SETTINGS = OpenSettings(http=IMPATIENT, cache=CacheSettings(max_bytes=0))
FORGETFUL = PipelineSettings(  # half of the scene at most, so that playing on needs the server
    SceneBufferSettings(max_gops=2, packet_bytes=30_000),
    FetchSettings(AdaptiveSettings(most_buffer_s=0.6)),
    prefetch_gops=1,
    retry_s=0.02,
)
PLAYBACK = PlaybackSettings(resume_s=0.05, speed=3.0, pipeline=FORGETFUL, opening=SETTINGS)
WAIT_S = 60.0


def encoded(tmp: Path, frames_per_gop: tuple[int, ...]) -> dict[str, bytes]:
    """URL path -> content of a scene at /scene and, as an archive, at /scene.stgs."""
    path = tmp / f"{len(frames_per_gop)}.stgs"
    source = SyntheticSource(60, 40, frames_per_gop, fps=24.0)
    encode_scene(source, path, replace(QUICK, qps=(20, 32), codec="h264"))
    with zipfile.ZipFile(path, "a") as archive:
        # The first request is for the end of the file: it must not bring all of it.
        archive.writestr("padding", bytes(100_000))
    content = path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {f"/scene/{name}": archive.read(name) for name in archive.namelist()}
    return {**files, "/scene.stgs": content}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return encoded(tmp_path_factory.mktemp("scene"), (6,) * 6)


@pytest.fixture(scope="module")
def shorter(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return encoded(tmp_path_factory.mktemp("shorter"), (6,) * 4)


@pytest.fixture
def server(files: dict[str, bytes]) -> Iterator[FaultServer]:
    threads = set(threading.enumerate())
    running = FaultServer(files)
    yield running
    running.stop()
    left = [thread.name for thread in threading.enumerate() if thread not in threads]
    assert left == [], "threads were leaked"


def gop_of(frame: PlaybackFrame) -> int:
    return frame.index // 6


class Viewer:
    """A viewer: ticks all the time and keeps the frames that it saw."""

    def __init__(self, url: str, settings: PlaybackSettings = PLAYBACK) -> None:
        self.playback = Playback(url, settings)
        self.frames: list[PlaybackFrame] = []
        self.states: list[PlaybackState] = []
        self.messages: list[str] = []
        self.fatal = False

    def look(self) -> None:
        frame = self.playback.tick()
        if frame is not None and (not self.frames or self.frames[-1] is not frame):
            self.frames.append(frame)
        state = self.playback.state
        if not self.states or self.states[-1] is not state:
            self.states.append(state)
        for event in self.playback.take_events():
            self.messages.append(event.message)
            self.fatal |= event.fatal

    def until(self, condition: Callable[[], bool]) -> None:
        end_s = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < end_s, (self.states, self.messages)
            self.look()
            time.sleep(0.004)

    def gops(self) -> set[int]:
        return {gop_of(frame) for frame in self.frames}

    @property
    def state(self) -> PlaybackState:
        return self.playback.state


@pytest.fixture
def watch(server: FaultServer) -> Iterator[Callable[..., Viewer]]:
    viewers: list[Viewer] = []

    def start(path: str = "/scene", settings: PlaybackSettings = PLAYBACK) -> Viewer:
        viewers.append(Viewer(server.url + path, settings))
        return viewers[-1]

    yield start
    for viewer in viewers:
        began_s = time.monotonic()
        viewer.playback.close()
        assert time.monotonic() - began_s < WAIT_S, "closing waited for the network"


@pytest.mark.parametrize("path", ["/scene", "/scene.stgs"])
def test_streamed_scene_plays_and_loops(watch: Callable[..., Viewer], path: str) -> None:
    viewer = watch(path)
    viewer.until(lambda: len(viewer.frames) > 40 and viewer.gops() == set(range(6)))
    assert viewer.messages == []


SEGMENT = "/scene/features/qp{}/0003.m4s"


def on_both_qualities(server: FaultServer, fault: Fault) -> None:
    for qp in (20, 32):
        server.always[SEGMENT.format(qp)] = fault


@pytest.mark.parametrize(
    "fault",
    [
        reset_after(200),
        stall_after(200),
        cut_to(200, declared=False),
        cut_to(200, declared=True),
        corrupt(),
        status(503),
        status(404),
        silence(),
    ],
    ids=["reset", "stall", "short", "wrong length", "corrupt", "503", "404", "silence"],
)
def test_passing_fault_skips_no_frame(
    server: FaultServer, watch: Callable[..., Viewer], fault: Fault
) -> None:
    for qp in (20, 32):
        server.faults[SEGMENT.format(qp)] = [fault]
    viewer = watch()
    viewer.until(lambda: viewer.gops() == set(range(6)))
    assert viewer.messages == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (status(404), "404"),
        (status(503), "503"),
        (corrupt(), "checksum"),
        (cut_to(200, declared=True), "bytes"),
        (stall_after(0), "silent"),
        (drip(0.05), "silent"),
    ],
    ids=["404", "503", "corrupt", "wrong length", "stall", "slow-loris"],
)
def test_lasting_fault_skips_one_gop(
    server: FaultServer, watch: Callable[..., Viewer], fault: Fault, words: str
) -> None:
    on_both_qualities(server, fault)
    viewer = watch()
    viewer.until(lambda: viewer.gops() == {0, 1, 2, 4, 5})
    assert not viewer.fatal
    assert any("Part 4 skipped" in text and words in text for text in viewer.messages)
    viewer.until(lambda: viewer.state is PlaybackState.PLAYING)


@pytest.mark.parametrize("path", ["/scene", "/scene.stgs"])
def test_playback_recovers_when_the_server_returns(
    server: FaultServer, watch: Callable[..., Viewer], path: str
) -> None:
    viewer = watch(path)
    viewer.until(lambda: viewer.state is PlaybackState.PLAYING)
    server.vanish()
    viewer.until(lambda: viewer.state is PlaybackState.BUFFERING)
    viewer.until(lambda: "Trying again" in viewer.playback.status().message)
    seen = len(viewer.frames)
    server.come_back()
    viewer.until(lambda: viewer.state is PlaybackState.PLAYING and len(viewer.frames) > seen + 5)
    viewer.until(lambda: viewer.playback.status().message == "")
    assert [("Trying again" in text) for text in viewer.messages] == [True]
    assert viewer.playback.status().corrupt_segments == 0


def test_silent_server_is_reported_before_the_timeout(
    server: FaultServer, watch: Callable[..., Viewer]
) -> None:
    patient = replace(SETTINGS, http=HttpSettings(stall_s=600.0, deadline_s=600.0))
    soon = replace(FORGETFUL, silent_s=0.1)
    viewer = watch("/scene", replace(PLAYBACK, opening=patient, pipeline=soon))
    viewer.until(lambda: viewer.state is PlaybackState.PLAYING)
    stalled = {path: stall_after(100) for path in server.files}
    server.always.update(stalled)
    viewer.until(lambda: viewer.state is PlaybackState.BUFFERING)
    viewer.until(lambda: "Nothing comes from 127.0.0.1" in viewer.playback.status().message)


@pytest.mark.parametrize("path", ["/scene", "/scene.stgs"])
def test_replaced_scene_is_opened_and_played(
    server: FaultServer, watch: Callable[..., Viewer], shorter: dict[str, bytes], path: str
) -> None:
    viewer = watch(path)
    viewer.until(lambda: 5 in viewer.gops())
    assert viewer.playback.status().frames == 36
    server.files.clear()
    server.files.update(shorter)
    viewer.until(lambda: viewer.playback.status().frames == 24)
    seen = len(viewer.frames)
    viewer.until(lambda: len(viewer.frames) > seen + 30)
    assert max(gop_of(frame) for frame in viewer.frames[seen + 1 :]) == 3
    assert any("replaced" in text for text in viewer.messages)
    assert not viewer.fatal


def test_playback_waits_for_a_scene_being_replaced(
    server: FaultServer, watch: Callable[..., Viewer], shorter: dict[str, bytes]
) -> None:
    """Half of its scene.json is there, then none, then all of it."""
    viewer = watch()
    viewer.until(lambda: 5 in viewer.gops())
    server.files.clear()
    half = shorter["/scene/scene.json"]
    server.files.update({**shorter, "/scene/scene.json": half[: len(half) // 2]})
    viewer.until(lambda: any("replaced" in text for text in viewer.messages))
    viewer.until(lambda: "not valid JSON" in viewer.playback.status().message)
    del server.files["/scene/scene.json"]
    viewer.until(lambda: "HTTP 404" in viewer.playback.status().message)
    server.files.update(shorter)
    viewer.until(lambda: viewer.playback.status().frames == 24)
    seen = len(viewer.frames)
    viewer.until(lambda: len(viewer.frames) > seen + 30)
    assert not viewer.fatal


def test_seek_shows_no_older_frame_over_http(
    server: FaultServer, watch: Callable[..., Viewer]
) -> None:
    viewer = watch()
    viewer.until(lambda: viewer.state is PlaybackState.PLAYING)
    for gop in (3, 4, 5):
        for qp in (20, 32):
            server.always[f"/scene/features/qp{qp}/000{gop}.m4s"] = stall_after(100)
    viewer.playback.seek(4.5 * 0.25)
    seen = len(viewer.frames)
    serial = viewer.frames[-1].serial
    viewer.until(lambda: viewer.state is PlaybackState.BUFFERING)
    viewer.until(lambda: any("0004.m4s" in path for path in server.paths()))
    server.always.clear()
    viewer.until(lambda: len(viewer.frames) > seen)
    first = viewer.frames[seen]
    assert gop_of(first) == 4
    assert first.serial > serial


def test_seek_aborts_a_stalled_segment(server: FaultServer, watch: Callable[..., Viewer]) -> None:
    """With a patience of minutes, only cancellation can bring the picture."""
    patience = HttpSettings(stall_s=600.0, deadline_s=600.0)
    patient = replace(PLAYBACK, opening=replace(SETTINGS, http=patience))
    on_both_qualities(server, stall_after(100))
    viewer = watch("/scene", patient)
    viewer.until(lambda: any("0003.m4s" in path for path in server.paths()))
    viewer.playback.seek(5.5 * 0.25)
    viewer.until(lambda: 5 in viewer.gops())
    viewer.playback.close()
    assert server.wait_for(lambda: server.open_connections == 0)


@pytest.mark.parametrize("path", ["/scene", "/scene.stgs"])
def test_second_viewing_needs_no_server(
    server: FaultServer, watch: Callable[..., Viewer], tmp_path: Path, path: str
) -> None:
    kept = replace(SETTINGS, cache=CacheSettings(directory=tmp_path))
    # One quality: two viewings in a row may choose differently.
    settings = PlaybackSettings(resume_s=0.05, speed=3.0, opening=kept, qp=20)
    first = watch(path, settings)
    first.until(lambda: first.gops() == set(range(6)))
    assert first.playback.settle(WAIT_S)
    first.until(lambda: len(first.frames[-1].gop.static) == 60)
    first.playback.close()
    server.vanish()
    second = watch(path, settings)
    second.until(lambda: second.gops() == set(range(6)))
    assert len(second.frames[-1].gop.static) == 60
    assert second.messages == []


def test_close_ends_opening_from_a_silent_server(server: FaultServer) -> None:
    """With a patience of minutes, only cancellation can end it."""
    server.always["/scene/scene.json"] = silence()
    patience = HttpSettings(stall_s=600.0, deadline_s=600.0)
    patient = replace(PLAYBACK, opening=replace(SETTINGS, http=patience))
    playback = Playback(f"{server.url}/scene", patient)
    assert server.wait_for(lambda: bool(server.requests))
    began_s = time.monotonic()
    playback.close()
    assert time.monotonic() - began_s < WAIT_S
    assert server.wait_for(lambda: server.open_connections == 0)


def test_unreachable_server_is_reported(server: FaultServer, watch: Callable[..., Viewer]) -> None:
    server.vanish()
    viewer = watch()
    viewer.until(lambda: viewer.fatal)
    assert viewer.state is PlaybackState.FAILED
    assert "Check the address" in viewer.messages[-1]
