"""The real client over recorded networks, in real time, from a server in another process."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import groupby, pairwise
from pathlib import Path

import pytest
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.app.player.status import PlaybackFrame, PlaybackState
from streamstgs.codec.scene import OpenSettings, open_scene
from streamstgs.codec.streaming.adaptive import FetchSegment
from streamstgs.codec.streaming.disk_cache import CacheSettings

from benchmarks.streaming.serving import BUNDLED, server, unpack

DATA = Path(os.environ.get("STGS_DATA", Path(__file__).parents[1] / "../shared/data"))
STRETCH_S = 21.0
WATCHED_S = 20.0  # twice round: what came low at first is better by then
PATIENCE_S = 90.0  # a busy machine gives the player less than the network would
GOP_FRAMES = 60  # of the bundled scene
STRETCHES = [  # recording, where the stretch begins, s
    ("3g/report.2010-09-29_1823CEST", 0.0),
    ("3g/report.2011-02-01_1639CET", 156.0),
    ("4g/report_foot_0004", 132.0),
]
Enough = Callable[[list[PlaybackFrame]], bool]
SETTINGS = PlaybackSettings(opening=OpenSettings(cache=CacheSettings(max_bytes=0)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("served")
    unpack(BUNDLED, root / "scene")
    return root


@pytest.fixture(scope="module")
def static_count() -> int:
    with open_scene(BUNDLED) as scene:
        return scene.static_count


def stretch(recording: str, start_s: float) -> list[dict[str, float]]:
    """Part of a recorded network."""
    path = DATA / "traces" / f"{recording}.json"
    if not path.is_file():
        pytest.skip(f"the recorded network {recording} is not at hand")
    rows, passed_s, part = json.loads(path.read_text()), 0.0, []
    for row in rows:
        if start_s <= passed_s < start_s + STRETCH_S:
            part.append(row)
        passed_s += row["duration_ms"] / 1e3
    return part


@pytest.fixture(autouse=True)
def threads_end() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


@pytest.fixture
def network(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A file with a stretch of a recorded network that carries the lowest quality at all times."""
    rows = stretch(*request.param)
    with open_scene(BUNDLED) as scene:
        ladder = scene.ladder()
    slowest_bps = 1e3 * min(row["bandwidth_kbps"] for row in rows)
    assert slowest_bps > 1.2 * ladder.bandwidth_bps(ladder.lowest)  # so a stall is a mistake
    trace = tmp_path / "trace.json"
    trace.write_text(json.dumps(rows))
    return trace


@pytest.mark.parametrize("network", STRETCHES[:1], indirect=True)
def test_playback_over_recorded_network_becomes_whole_and_better(
    folder: Path, static_count: int, network: Path
) -> None:
    with server(folder, network) as url:
        frames, _, whole = watch(f"{url}/scene", PATIENCE_S, static_count)
    assert whole, "it did not become whole and better than at first"
    assert frames[0].gop.frames == 1, "the first picture was no still"


@pytest.mark.slow  # and it needs a machine with nothing else to do
@pytest.mark.parametrize("network", STRETCHES, indirect=True)
def test_playback_over_recorded_network_never_stalls(
    folder: Path, static_count: int, network: Path
) -> None:
    with server(folder, network) as url:
        _, starved, whole = watch(f"{url}/scene", WATCHED_S, static_count)
    assert not starved, "the network had room for the lowest quality"
    assert whole, "it did not become whole and better than at first"


def test_buffered_loop_improves_while_it_plays(folder: Path, tmp_path: Path) -> None:
    """All parts come at QP 32 first, then better: what is not yet shown, and what is shown once,
    if enough of it is left."""
    trace = tmp_path / "trace.json"
    trace.write_text(json.dumps([{"duration_ms": 1000, "bandwidth_kbps": 8000, "latency_ms": 40}]))
    with server(folder, trace) as url:
        playback = Playback(f"{url}/scene", replace(SETTINGS, qp=32))
        try:
            pipeline = playback._pipeline
            assert pipeline.wait(lambda: len(pipeline.ready_gops()) == 4, PATIENCE_S)
            playback.set_quality(None)
            begun_gop = playback.status().frame // GOP_FRAMES
            later = range(begun_gop + 1, 4)
            shown = lambda seen: all(qualities_of(seen, gop) for gop in later)  # noqa: E731
            enough = lambda seen: has_wrapped(seen) and shown(seen)  # noqa: E731
            frames, _ = watch_for(playback, PATIENCE_S, enough)
            upgraded = pipeline.counters().segment_step
        finally:
            playback.close()
    qualities = {gop: qualities_of(frames, gop) for gop in later}
    assert {min(each) for each in qualities.values()} & {16, 20}, qualities
    for each in qualities.values():
        assert len(each) <= 2, "changed more than once while shown"
        assert each == sorted(each, reverse=True), "became worse while shown"
    assert upgraded is not None
    assert isinstance(upgraded, FetchSegment)
    assert upgraded.again


def qualities_of(frames: list[PlaybackFrame], gop: int) -> list[int]:
    """At which qualities a GOP was shown, in their order."""
    moving = [frame for frame in frames if frame.gop.frames > 1]
    shown = [frame.quality.qp for frame in moving if frame.index // GOP_FRAMES == gop]
    return [quality for quality, _ in groupby(shown)]


def has_wrapped(frames: list[PlaybackFrame]) -> bool:
    """Whether the scene was shown to its end."""
    return any(after.index < before.index for before, after in pairwise(frames))


def is_whole(frames: list[PlaybackFrame], static_count: int) -> bool:
    """Whether the scene was shown to its end, better than at first, and all of it is there."""
    qualities = [frame.quality.qp for frame in frames if frame.gop.frames > 1]
    better = bool(qualities) and min(qualities) < qualities[0]
    return better and len(frames[-1].gop.static) == static_count and has_wrapped(frames)


def watch(
    url: str, seconds: float, static_count: int
) -> tuple[list[PlaybackFrame], list[float], bool]:
    """The frames until they are whole, when playback starved meanwhile, and whether they are."""
    playback = Playback(url, SETTINGS)
    whole = lambda seen: is_whole(seen, static_count)  # noqa: E731
    try:
        frames, starved = watch_for(playback, seconds, whole)
        assert playback.take_events() == []
    finally:
        playback.close()
    return frames, starved, whole(frames)


def watch_for(
    playback: Playback, seconds: float, enough: Enough
) -> tuple[list[PlaybackFrame], list[float]]:
    """The frames that were new, until they are enough, and when playback starved meanwhile."""
    frames: list[PlaybackFrame] = []
    starved: list[float] = []
    begun_s, moving = time.monotonic(), False
    while (now_s := time.monotonic() - begun_s) < seconds:
        frame = playback.tick()
        if frame is not None and (not frames or frames[-1] is not frame):
            frames.append(frame)
            if enough(frames):
                break
        moving = moving or playback.state is PlaybackState.PLAYING
        status = playback.status()
        if moving and status.state is PlaybackState.BUFFERING and status.ahead_s == 0.0:
            starved.append(now_s)
        time.sleep(0.01)
    return frames, starved
