"""Playback against a scripted scene and a clock that the test moves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

import pytest
import torch
from streamstgs.app.player.buffer.scene_buffer import SceneBufferSettings
from streamstgs.app.player.pipeline.pipeline import PipelineSettings
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.app.player.status import PlaybackFrame, PlaybackState
from streamstgs.codec.errors import (
    CodecError,
    CorruptSegment,
    NotAScene,
    SceneUnreachable,
    UnknownQuality,
)
from streamstgs.codec.quality import Quality

from tests.scripted_scene import ManualClock, ScriptedScene, decoded_gops, gop_of

Start = Callable[..., tuple[Playback, ScriptedScene, ManualClock]]
WAIT_S = 60.0


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts playbacks and checks at the end that each gave back its thread and its scene."""
    started: list[tuple[Playback, ScriptedScene]] = []
    before = set(threading.enumerate())

    def make(scene: ScriptedScene | None = None, **settings: Any) -> Any:
        scene, clock = scene or ScriptedScene(), ManualClock()
        options = PlaybackSettings(**settings)
        playback = Playback("scripted.stgs", options, "cpu", clock, lambda _: scene)
        started.append((playback, scene))
        return playback, scene, clock

    yield make
    for playback, scene in started:
        playback.close()
        assert scene.closed
    assert set(threading.enumerate()) <= before  # older threads may have ended meanwhile


def pipeline(**bounds: int) -> PipelineSettings:
    return PipelineSettings(SceneBufferSettings(**bounds), prefetch_gops=4)


def shown(playback: Playback) -> PlaybackFrame:
    """Wait for decoding, then the frame of this moment."""
    assert playback.settle(WAIT_S)
    frame = playback.tick()
    assert frame is not None
    return frame


def broken(gop: int, why: str = "broken") -> dict[tuple[int, int], CodecError]:
    """A GOP that cannot be decoded at any quality."""
    return {(gop, quality): CorruptSegment(why) for quality in (20, 28, 32)}


def run(playback: Playback, clock: ManualClock, seconds: float, tick_s: float = 0.05) -> list[int]:
    """Tick through some time with decoding never late; the indexes of the frames shown."""
    indexes = []
    for _ in range(round(seconds / tick_s)):
        clock.advance(tick_s)
        playback.settle(WAIT_S)
        frame = playback.tick()
        if frame and (not indexes or indexes[-1] != frame.index):
            indexes.append(frame.index)
    return indexes


def test_plays_every_frame_in_order_and_loops(start: Start) -> None:
    playback, _, clock = start()
    assert shown(playback).index == 0
    assert playback.state is PlaybackState.PLAYING
    assert run(playback, clock, 5.0) == [*list(range(45)), *list(range(6))]
    assert playback.status().late_frames == 0


def test_frame_and_gop_are_of_one_look_at_the_clock(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    playback, scene, clock = start()
    run(playback, clock, 2.0)  # all are decoded
    places = [scene.keyframe(g, scene.fetch_keyframe(g)).canonical.means for g in range(5)]

    def passing(clock: ManualClock) -> float:
        clock.advance(0.01)
        return clock.now_s

    monkeypatch.setattr(ManualClock, "__call__", passing)
    seen: set[int] = set()
    deadline_s = monotonic() + 60  # decoding takes real time where the machine is busy
    while len(seen) < 5 and monotonic() < deadline_s:
        frame = playback.tick()
        assert frame is not None
        seen.add(gop_of(frame))
        assert torch.equal(frame.gop.canonical.means, places[gop_of(frame)])
    assert seen == set(range(5))


def test_opening_shows_no_frame_then_the_first(start: Start) -> None:
    scene = ScriptedScene(open_gate=False)
    playback, _, _ = start(scene)
    assert playback.tick() is None
    assert playback.state in (PlaybackState.OPENING, PlaybackState.BUFFERING)
    scene.open_the_gate()
    assert gop_of(shown(playback)) == 0


def test_unchanged_frame_is_the_same_object(start: Start) -> None:
    playback, _, clock = start()
    first = shown(playback)
    clock.advance(0.03)
    assert playback.tick() is first
    clock.advance(0.1)
    assert playback.tick() is not first


def test_playback_without_loop_ends_and_restarts(start: Start) -> None:
    playback, _, clock = start(loop=False)
    shown(playback)
    assert run(playback, clock, 6.0) == list(range(45))
    status = playback.status()
    assert status.state is PlaybackState.ENDED
    assert status.position_s == status.duration_s == 4.5
    assert not status.wants_play
    playback.play()
    assert shown(playback).index == 0
    assert playback.state is PlaybackState.PLAYING


def test_time_stands_while_the_timeline_is_dragged(start: Start) -> None:
    playback, _, clock = start()
    assert shown(playback).index == 0
    playback.seek(3.2, scrubbing=True)
    assert shown(playback).index == 32
    assert run(playback, clock, 1.0) == [32]
    assert playback.status().wants_play
    playback.seek(3.3)
    assert shown(playback).index == 33
    assert run(playback, clock, 0.35)[-1] == 36


def test_pause_holds_and_step_moves_by_frames(start: Start) -> None:
    playback, _, clock = start(autoplay=False)
    frame = shown(playback)
    assert playback.state is PlaybackState.PAUSED
    clock.advance(3.0)
    assert playback.tick() is frame
    playback.step(1)
    assert shown(playback).index == 1
    playback.step(12)
    assert (gop_of(shown(playback)), shown(playback).frame) == (1, 3)
    playback.step(-14)
    assert shown(playback).index == 44  # looping wraps
    playback.set_loop(False)
    playback.step(1)
    assert shown(playback).index == 44


@pytest.mark.parametrize("frame", range(45))
def test_every_frame_can_be_sought_exactly(start: Start, frame: int) -> None:
    playback, _, _ = start(autoplay=False)
    playback.settle(WAIT_S)
    playback.seek_frame(frame)
    assert shown(playback).index == frame
    playback.seek(frame / 10.0)
    assert shown(playback).index == frame


def test_late_tick_does_not_skip_content(start: Start) -> None:
    playback, _, clock = start()
    before = shown(playback).index
    clock.advance(2.0)  # the window stood still
    assert shown(playback).index <= before + 1
    assert playback.status().late_frames == 0
    assert playback.lost_s == pytest.approx(2.0 - 0.1)
    clock.advance(0.1)
    assert shown(playback).index == before + 2


def test_skipped_frames_are_counted(start: Start) -> None:
    playback, _, clock = start(late_s=1.0)
    shown(playback)
    clock.advance(0.4)
    assert shown(playback).index == 4
    assert playback.status().late_frames == 3


def test_speed_changes_without_a_jump(start: Start) -> None:
    playback, _, clock = start()
    shown(playback)
    run(playback, clock, 1.0)
    before = playback.status().position_s
    playback.set_speed(4.0)
    assert playback.status().position_s == pytest.approx(before)
    run(playback, clock, 0.5)
    assert playback.status().position_s == pytest.approx(before + 2.0)
    playback.set_speed(100.0)
    assert playback.status().speed == 8.0
    playback.set_speed(-0.01)
    assert playback.status().speed == -0.1


def test_seeks_coalesce_and_older_frames_are_not_shown(start: Start) -> None:
    scene = ScriptedScene(open_gate=False)
    playback, _, _ = start(scene, autoplay=False)
    scene.release()
    playback._pipeline.wait(lambda: playback.opened is not None, WAIT_S)
    playback.tick()
    scene.wait_for(lambda: (1, 20) in scene.started)  # GOP 0 is there, GOP 1 is being decoded
    assert playback.tick() is not None
    for second in (1.5, 2.5, 3.5):
        playback.seek(second)
    assert playback.tick() is None  # the frame of the old serial must not come back
    assert playback.state is PlaybackState.BUFFERING
    scene.wait_for(lambda: (3, 20) in scene.started)
    assert scene.cancellations == [1]
    scene.open_the_gate()
    assert shown(playback).index == 35
    assert (2, 20) not in scene.started


def test_seek_to_a_decoded_gop_is_immediate(start: Start) -> None:
    playback, scene, _ = start(autoplay=False)
    shown(playback)
    decoded = len(scene.decoded)
    playback.seek(2.2)
    frame = playback.tick()
    assert frame is not None
    assert frame.index == 22
    assert frame.serial > 0
    assert playback.state is PlaybackState.PAUSED
    assert scene.decoded[:decoded] == [(0, 20), (1, 20), (2, 20)]


def test_seek_before_opening_is_executed_later(start: Start) -> None:
    playback, _, _ = start(autoplay=False)
    playback.seek(1.2)
    assert shown(playback).index == 12


def test_underrun_buffers_until_enough_is_ahead(start: Start) -> None:
    scene = ScriptedScene(open_gate=False)
    playback, _, clock = start(
        scene, qp=20, resume_s=1.0, pipeline=PipelineSettings(prefetch_gops=2)
    )
    scene.release()
    playback._pipeline.wait(lambda: playback.opened is not None, WAIT_S)
    playback.tick()
    scene.wait_for(lambda: (1, 20) in scene.started)
    assert playback.tick() is not None
    assert playback.state is PlaybackState.PLAYING  # one second is ahead
    for _ in range(11):
        clock.advance(0.1)
        last = playback.tick()
    assert playback.state is PlaybackState.BUFFERING
    assert last is not None
    assert last.index == 9  # the old picture stays
    clock.advance(5.0)
    playback.tick()
    scene.release()
    scene.wait_for(lambda: (2, 20) in scene.started)
    playback._pipeline.wait(lambda: playback._pipeline.get(1) is not None, WAIT_S)
    frame = playback.tick()
    assert frame is not None
    assert gop_of(frame) == 1
    assert frame.index <= 11  # the time of waiting was not played


def test_corrupt_gop_is_skipped(start: Start) -> None:
    scene = ScriptedScene(failures=broken(1, "features of GOP 1 are cut short"))
    playback, _, clock = start(scene)
    shown(playback)
    indexes = run(playback, clock, 4.0)
    assert indexes[:10] == list(range(10))
    assert indexes[10] == 20
    assert 0 in indexes[11:]  # and round the end
    events = playback.take_events()
    assert [event.fatal for event in events] == [False]
    assert "cut short" in events[0].message
    assert playback.status().corrupt_segments == 3  # one of each quality
    assert playback.take_events() == []


def test_corrupt_last_gop_ends_playback(start: Start) -> None:
    scene = ScriptedScene(failures=broken(4))
    playback, _, clock = start(scene, loop=False)
    shown(playback)
    assert run(playback, clock, 5.0) == list(range(40))
    assert playback.state is PlaybackState.ENDED


def test_seek_to_a_corrupt_end_shows_the_frame_before(start: Start) -> None:
    scene = ScriptedScene(failures=broken(4))
    playback, _, _ = start(scene, loop=False, autoplay=False)
    shown(playback)
    playback.seek(4.4)
    playback.settle(WAIT_S)
    assert shown(playback).index == 39


def test_scene_without_an_intact_gop_fails(start: Start) -> None:
    failures = {key: error for gop in range(5) for key, error in broken(gop).items()}
    playback, _, clock = start(ScriptedScene(failures=failures))
    run(playback, clock, 0.5)
    assert playback.state is PlaybackState.FAILED
    assert playback.take_events()[-1].fatal


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NotAScene("no scene.json"), "Open a .stgs"),
        (SceneUnreachable("no answer"), "network"),
        (FileNotFoundError("nothing there"), "Check the path"),
        (RuntimeError("a bug"), "fault in this program"),
    ],
)
def test_scene_that_does_not_open_gives_advice(error: Exception, words: str) -> None:
    def opener(_: str) -> Any:
        raise error

    playback = Playback("nowhere.stgs", opener=opener)
    playback.settle(WAIT_S)
    assert playback.tick() is None
    assert playback.state is PlaybackState.FAILED
    (event,) = playback.take_events()
    assert event.fatal
    assert words in event.message
    assert playback.status().message == event.message
    playback.play()
    playback.seek(1.0)
    playback.step(1)
    playback.close()
    playback.close()


def test_playback_recovers_after_an_outage(start: Start) -> None:
    scene = ScriptedScene(failures={(1, 20): SceneUnreachable("The server does not answer.")})
    playback, _, _ = start(scene, pipeline=PipelineSettings(retry_s=0.01))
    playback._pipeline.wait(lambda: playback.opened is not None, WAIT_S)
    playback.tick()
    scene.wait_for(lambda: scene.fetched.count((1, 20)) >= 3)
    assert "Trying again" in playback.status().message
    scene.failures.clear()
    assert playback.settle(WAIT_S)
    assert playback.status().message == ""
    assert [event.fatal for event in playback.take_events()] == [False]
    assert playback.status().corrupt_segments == 0


def test_quality_chosen_while_paused_replaces_the_frame(start: Start) -> None:
    scene = ScriptedScene()
    playback, _, _ = start(scene, autoplay=False)
    old = shown(playback)
    scene.open_gate = False
    playback.set_quality(playback.opened.quality(32))
    assert playback.tick() is old
    scene.wait_for(lambda: (0, 32) in scene.started)
    assert playback.tick() is old
    scene.open_the_gate()
    new = shown(playback)
    assert (new.index, new.quality.qp, new.serial) == (old.index, 32, old.serial)
    assert playback.status().quality_reason == "chosen by hand"


def test_quality_chosen_while_playing_applies_from_the_next_gop(start: Start) -> None:
    playback, scene, clock = start()
    shown(playback)
    playback.set_quality(playback.opened.quality(28))
    assert shown(playback).quality.qp == 20
    qualities = []
    for _ in range(11):
        run(playback, clock, 0.1)
        qualities.append(shown(playback).quality.qp)
    assert qualities == [20] * 9 + [28] * 2
    assert (0, 28) not in scene.decoded
    with pytest.raises(UnknownQuality, match="no quality of QP 99"):
        playback.set_quality(Quality(3, 99, 0.0))


def test_gop_cache_is_bounded_by_count_and_bytes(start: Start) -> None:
    scene = ScriptedScene()
    playback, _, clock = start(scene, pipeline=pipeline(max_gops=2))
    shown(playback)
    run(playback, clock, 2.0)
    assert decoded_gops(playback) <= 2
    tight, other, clock = start(pipeline=pipeline(max_bytes=1))
    assert shown(tight).index == 0
    assert run(tight, clock, 4.5)[:40] == list(range(40))  # it still plays, GOP by GOP
    assert decoded_gops(tight) == 1
    assert len(other.decoded) <= 6  # nothing is decoded only to be thrown away


def test_status_reports_ranges_and_gop_starts(start: Start) -> None:
    playback, _, _ = start(autoplay=False)
    shown(playback)
    status = playback.status()
    assert status.buffered_s == ((0.0, 3.0),)
    assert status.gop_starts_s == (0.0, 1.0, 2.0, 3.0, 4.0)
    assert (status.frames, status.duration_s, status.fps) == (45, 4.5, 10.0)
    assert status.quality.qp == 20
    assert status.auto
    assert "best quality" in status.quality_reason
    assert status.bitrate_bps == pytest.approx(2000 * 8 * 10)


def test_close_cancels_decoding() -> None:
    scene = ScriptedScene(open_gate=False)
    playback = Playback("scripted.stgs", opener=lambda _: scene)
    playback._pipeline.wait(lambda: playback.opened is not None, WAIT_S)
    playback.tick()
    scene.wait_for(lambda: bool(scene.started))
    assert playback._pipeline.close()
    assert scene.closed
    assert playback.take_events() == []


@pytest.mark.parametrize("part", ["static", "keyframe"])
def test_closing_cancels_a_decode(start: Start, part: str) -> None:
    """A decode that ends only when it is cancelled does not keep the program from closing."""
    scene, begun = ScriptedScene(), threading.Event()

    def stuck(*arguments: Any) -> None:
        token = arguments[-1]
        begun.set()
        assert token.wait(WAIT_S)
        token.raise_if_cancelled("decoding")

    setattr(scene, part, stuck)
    playback, _, _ = start(scene)
    assert begun.wait(WAIT_S)
    playback.close()
    assert scene.closed
