"""The real client over recorded networks, in real time, from a server in another process."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.player.playback import Playback, PlaybackSettings
from app.player.playback_types import PlaybackFrame, PlaybackState
from benchmarks.streaming.serving import BUNDLED, server, unpack
from codec.scene import OpenSettings, open_scene
from codec.streaming.disk_cache import CacheSettings

DATA = Path(os.environ.get("STGS_DATA", Path(__file__).parents[1] / "../shared/data"))
WATCHED_S = 11.0
STRETCHES = [  # recording, where the stretch begins, s
    ("3g/report.2010-09-29_1823CEST", 0.0),
    ("3g/report.2011-02-01_1639CET", 156.0),
    ("4g/report_foot_0004", 132.0),
]
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
        if start_s <= passed_s < start_s + WATCHED_S + 5.0:
            part.append(row)
        passed_s += row["duration_ms"] / 1e3
    return part


@pytest.fixture(autouse=True)
def threads_end() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize(("recording", "start_s"), STRETCHES)
def test_it_plays_without_a_stall_and_rises(
    folder: Path, tmp_path: Path, recording: str, start_s: float
) -> None:
    network = stretch(recording, start_s)
    with open_scene(BUNDLED) as scene:
        ladder = scene.ladder()
    slowest_bps = 1e3 * min(row["bandwidth_kbps"] for row in network)
    assert slowest_bps > 1.2 * ladder.bandwidth_bps(ladder.lowest)  # so a stall is a mistake
    trace = tmp_path / "trace.json"
    trace.write_text(json.dumps(network))
    with server(folder, trace) as url:
        frames, starved = watch(f"{url}/scene")
    rungs = [frame.rung for frame in frames if frame.gop.frames > 1]
    assert not starved, "the network had room for the lowest rung"
    assert min(rungs) < rungs[0], "never better than the first rung"
    assert [frame.gop.frames for frame in frames][:1] == [1], "the first picture was no still"
    assert len(frames[-1].gop.static) == 60_000


def watch(url: str) -> tuple[list[PlaybackFrame], list[float]]:
    """The frames that were new, and when playback starved after it had begun."""
    playback = Playback(url, SETTINGS)
    frames: list[PlaybackFrame] = []
    starved: list[float] = []
    begun_s, moving = time.monotonic(), False
    try:
        while (now_s := time.monotonic() - begun_s) < WATCHED_S:
            frame = playback.tick()
            if frame is not None and (not frames or frames[-1] is not frame):
                frames.append(frame)
            moving = moving or playback.state is PlaybackState.PLAYING
            status = playback.status()
            if moving and status.state is PlaybackState.BUFFERING and status.ahead_s == 0.0:
                starved.append(now_s)
            time.sleep(0.01)
        assert playback.take_events() == []
    finally:
        playback.close()
    return frames, starved
