"""Playback over a scripted network in simulated time: start, seeks, faults, an hour."""

from __future__ import annotations

import gc
import sys
import threading
import tracemalloc
from dataclasses import replace
from typing import Any

import pytest
from streamstgs.app.player.buffer.scene_buffer import SceneBufferSettings
from streamstgs.app.player.pipeline.pipeline import PipelineSettings
from streamstgs.app.player.pipeline.scheduler import FetchSettings
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.app.player.status import PlaybackState
from streamstgs.codec.errors import CorruptSegment, MissingSegment
from streamstgs.codec.streaming.adaptive import AdaptiveSettings

from tests.scripted_scene import ScriptedNetwork, ScriptedScene, decoded_gops, gop_of
from tests.scripted_session import WAIT_S, Start

pytest_plugins = ["tests.session_fixtures"]
LOOPING_S = 800.0


def test_first_static_layer_is_shown_and_others_are_added(start: Start) -> None:
    scene = ScriptedScene(open_gate=False, static_layers=3)
    session = start(scene)
    still = session.until(lambda: session.playback.tick() is not None)
    assert still is not None
    assert (len(still.gop.static), len(still.gop.canonical)) == (7, 0)
    assert session.playback.state is PlaybackState.BUFFERING
    assert still.gop.gaussians_at(0).means.shape == (7, 3)
    scene.open_the_gate()
    session.until(lambda: session.playback.status().static_layers == (3, 3))
    moving = session.settled()
    assert (len(moving.gop.static), len(moving.gop.canonical)) == (20, 10)
    assert session.playback.state is PlaybackState.PLAYING
    assert gop_of(moving) == 0
    assert scene.fetched[:3] == [(-1, -1), (0, -1), (0, 32)]


def test_scene_without_static_layers_starts_without_motion(start: Start) -> None:
    features_may_come = threading.Event()

    def hold(line: ScriptedNetwork, name: str) -> None:
        if name == "(0, 32)":
            features_may_come.wait(WAIT_S)

    session = start(ScriptedScene(static_layers=0), on_request=hold)
    still = session.until(lambda: session.playback.tick() is not None)
    assert still is not None
    assert len(still.gop.static) == 10
    assert still.gop.frames == 1
    features_may_come.set()
    assert len(session.settled().gop.canonical) == 10


def test_local_scene_is_shown_complete(start: Start) -> None:
    scene = ScriptedScene(open_gate=False, static_layers=3)
    playback = Playback("scripted.stgs", opener=lambda _: scene)
    scene.wait_for(lambda: bool(scene.started))
    assert playback.tick() is None
    scene.open_the_gate()
    assert playback.settle(WAIT_S)
    frame = playback.tick()
    assert frame is not None
    assert (len(frame.gop.static), frame.quality.qp) == (20, 20)
    playback.close()


def test_quality_rises_with_a_reason(start: Start) -> None:
    session = start()
    frames = session.play(12.0)
    qualities = [frame.quality.qp for frame in frames]
    assert qualities[0] == 32
    assert qualities[-1] == 20
    status = session.playback.status()
    assert status.throughput_bps == pytest.approx(10e6, rel=0.1)
    assert "QP 20" in status.quality_reason
    assert status.chosen_quality.qp == 20
    assert status.ahead_s > 1.0


def test_late_features_are_fetched_at_lower_quality(start: Start) -> None:
    scene = ScriptedScene()

    def collapse(line: ScriptedNetwork, name: str) -> None:
        if name.endswith(", 20)"):
            line.bps = 6000.0  # QP 32 takes 6.7 s now, QP 20 twenty

    session = start(scene, mbps=0.2, on_request=collapse)
    session.play(40.0)
    fetched = [part for part in scene.fetched if part[1] > 0]
    twice = [gop for gop, quality in fetched if quality == 32 and (gop, 20) in fetched]
    assert twice, fetched
    assert scene.fetched.count((twice[0], -1)) == 1  # the keyframe was kept


def test_drag_shows_lowest_quality_and_release_refines_it(start: Start) -> None:
    scene = ScriptedScene()
    session = start(scene, mbps=0.5, autoplay=False)
    session.settled()
    begun = len(scene.fetched)
    assert session.playback.status().quality.qp == 20  # refined while it stood
    missing = [gop for gop in range(5) if gop not in session.playback._pipeline.ready_gops()]
    for position_s in (1.2, 2.2, 3.2):
        session.playback.seek(position_s, scrubbing=True)
        frame = session.settled()
        assert frame.index == round(10 * position_s)
    dragged = [part for part in scene.fetched[begun:] if part[1] > 0]
    assert all(quality == 32 for gop, quality in dragged if gop in missing)
    session.playback.seek(3.2)
    assert session.settled().quality.qp == 20
    assert session.playback.status().frame == 32


def test_seek_shows_no_older_frame_over_a_network(start: Start) -> None:
    tight = FetchSettings(AdaptiveSettings(most_buffer_s=1.0))
    session = start(pipeline=PipelineSettings(fetching=tight), autoplay=False)
    session.settled()
    session.scene.open_gate = False
    session.playback.seek(3.5)
    assert session.playback.tick() is None
    assert session.playback.state is PlaybackState.BUFFERING
    session.scene.open_the_gate()
    frame = session.settled()
    assert (frame.index, frame.serial) == (35, session.playback._playhead.serial)


@pytest.mark.parametrize("error", [CorruptSegment("broken"), MissingSegment("404")])
def test_broken_quality_skips_no_frame(start: Start, error: Any) -> None:
    failures = {(gop, quality): error for gop in range(5) for quality in (20, 32)}
    session = start(ScriptedScene(failures=failures))
    frames = session.play(8.0)
    assert {gop_of(frame) for frame in frames} == set(range(5))
    assert {frame.quality.qp for frame in frames} == {28}
    assert session.playback.take_events() == []


def test_broken_keyframe_skips_its_gop(start: Start) -> None:
    scene = ScriptedScene(failures={(1, -1): MissingSegment("HTTP 404")})
    session = start(scene)
    frames = session.play(8.0)
    assert {gop_of(frame) for frame in frames} == {0, 2, 3, 4}
    (event,) = session.playback.take_events()
    assert "Part 2 skipped" in event.message
    assert scene.fetched.count((1, -1)) == 1


def test_broken_static_layer_is_left_out(start: Start) -> None:
    scene = ScriptedScene(static_layers=3, failures={(-2, -1): MissingSegment("HTTP 404")})
    session = start(scene)
    frames = session.play(5.0)
    assert len(frames[-1].gop.static) == 20 - 7
    (event,) = session.playback.take_events()
    assert "some detail is missing" in event.message


def test_late_rendering_lowers_the_quality_and_recovers(start: Start) -> None:
    settings = PlaybackSettings()
    session = start(deadlines=replace(settings.deadlines, recover_s=4.0))
    session.play(3.0)
    skipped = 0
    for _ in range(50):
        skipped += 3
        session.playback.note_skipped(skipped)
        session.play(0.1)
    assert session.playback._frames.dropped.excluded_qualities == 2
    session.play(25.0)
    assert session.playback._frames.dropped.excluded_qualities == 0


def test_qp_0_is_fetched_once(start: Start) -> None:
    """QP 0 is a quality like any other."""
    session = start(ScriptedScene(qps=(0, 28)), qp=0)
    session.play(12.0)
    features = [part for part in session.scene.fetched if part[1] >= 0]
    assert sorted(features) == [(gop, 0) for gop in range(5)]


def test_many_loops_stay_within_memory_bounds(start: Start) -> None:
    """About 170 rounds through a scene of which memory holds less than half."""
    bounds = SceneBufferSettings(max_gops=2, packet_bytes=50_000)
    session = start(pipeline=PipelineSettings(bounds, prefetch_gops=1), mbps=4.0, resume_s=0.1)
    tracemalloc.start()
    session.play(120.0, tick_s=0.5)
    gc.collect()
    before, blocks = tracemalloc.get_traced_memory()[0], sys.getallocatedblocks()
    most_packets = most_gops = fetched_gops = 0
    while session.clock() < 120.0 + LOOPING_S:
        session.play(20.0, tick_s=0.5)
        most_packets = max(most_packets, session.playback._pipeline.counters().packet_bytes)
        most_gops = max(most_gops, decoded_gops(session.playback))
        fetched_gops += sum(quality > 0 for _, quality in session.scene.fetched)
        session.scene.fetched.clear()
        session.scene.started.clear()
        session.scene.decoded.clear()
    gc.collect()
    grown, more = tracemalloc.get_traced_memory()[0] - before, sys.getallocatedblocks() - blocks
    tracemalloc.stop()
    assert most_packets <= 50_000
    assert most_gops <= 2
    assert fetched_gops < 1.5 * LOOPING_S / 0.9  # a GOP plays 0.9 s: hardly any is fetched in vain
    assert grown < 60_000  # no more than one GOP that happens to be there
    assert more < LOOPING_S / 5.0  # not an object in each round
    assert session.playback.state is PlaybackState.PLAYING
