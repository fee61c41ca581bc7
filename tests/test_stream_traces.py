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
GOP_FRAMES = 60  # of the bundled scene
STRETCHES = [  # recording, where the stretch begins, s
    ("3g/report.2010-09-29_1823CEST", 0.0),
    pytest.param("3g/report.2011-02-01_1639CET", 156.0, marks=pytest.mark.slow),
    pytest.param("4g/report_foot_0004", 132.0, marks=pytest.mark.slow),
]
Enough = Callable[[list[PlaybackFrame]], bool]
SETTINGS = PlaybackSettings(opening=OpenSettings(cache=CacheSettings(max_bytes=0)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("served")
    unpack(BUNDLED, root / "scene")
    return root


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


@pytest.mark.parametrize(("recording", "start_s"), STRETCHES)
def test_playback_over_recorded_network_rises_without_a_stall(
    folder: Path, tmp_path: Path, recording: str, start_s: float
) -> None:
    network = stretch(recording, start_s)
    with open_scene(BUNDLED) as scene:
        ladder, static_count = scene.ladder(), scene.static_count
    slowest_bps = 1e3 * min(row["bandwidth_kbps"] for row in network)
    assert slowest_bps > 1.2 * ladder.bandwidth_bps(ladder.lowest)  # so a stall is a mistake
    trace = tmp_path / "trace.json"
    trace.write_text(json.dumps(network))
    with server(folder, trace) as url:
        frames, starved = watch(f"{url}/scene", lambda seen: is_whole(seen, static_count))
    qualities = [frame.quality.qp for frame in frames if frame.gop.frames > 1]
    assert not starved, "the network had room for the lowest quality"
    assert min(qualities) < qualities[0], "never better than the first quality"
    assert [frame.gop.frames for frame in frames][:1] == [1], "the first picture was no still"
    assert len(frames[-1].gop.static) == static_count


def test_buffered_loop_improves_while_it_plays(folder: Path, tmp_path: Path) -> None:
    """All parts come at QP 32 first, then better, without a stall: what is not yet shown, and what
    is shown once, if enough of it is left."""
    trace = tmp_path / "trace.json"
    trace.write_text(json.dumps([{"duration_ms": 1000, "bandwidth_kbps": 8000, "latency_ms": 40}]))
    with server(folder, trace) as url:
        playback = Playback(f"{url}/scene", replace(SETTINGS, qp=32))
        try:
            assert playback._pipeline.wait(lambda: len(playback._pipeline.ready_gops()) == 4, 20.0)
            playback.set_quality(None)
            begun_gop = playback.status().frame // GOP_FRAMES
            later = range(begun_gop + 1, 4)
            shown = lambda seen: all(qualities_of(seen, gop) for gop in later)  # noqa: E731
            frames, starved = watch_for(playback, 8.0, lambda s: has_wrapped(s) and shown(s))
            upgraded = playback._pipeline.counters().segment_step
        finally:
            playback.close()
    qualities = {gop: qualities_of(frames, gop) for gop in later}
    assert {min(each) for each in qualities.values()} & {16, 20}, qualities
    for each in qualities.values():
        assert len(each) <= 2, "changed more than once while shown"
        assert each == sorted(each, reverse=True), "became worse while shown"
    assert not starved
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


def watch(url: str, enough: Enough) -> tuple[list[PlaybackFrame], list[float]]:
    playback = Playback(url, SETTINGS)
    try:
        seen = watch_for(playback, WATCHED_S, enough)
        assert playback.take_events() == []
    finally:
        playback.close()
    return seen


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
