"""Slow motion between frames, backwards, parts, ping-pong, and along the curve of a time track."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.app.player.position.clock import PlaybackClock
from streamstgs.app.player.position.time_mapping import FilmTimeMapping, SceneTimeMapping
from streamstgs.app.player.rendering.frame_renderer import FrameDeformer, RenderRequest
from streamstgs.app.player.rendering.render_thread import RenderThread
from streamstgs.app.player.status import PlaybackFrame, PlaybackState
from streamstgs.app.player.time_track import TimeCurve
from streamstgs.renderer import Camera, RenderSettings

from tests.scripted_scene import ManualClock, ScriptedScene

WAIT_S = 60.0


class Player:
    """A playback of the scripted scene (45 frames at 10 per second) with a clock of the test."""

    def __init__(self, **settings: object) -> None:
        self.clock = ManualClock()
        self.playback = Playback(
            "scripted.stgs",
            PlaybackSettings(**settings),  # type: ignore[arg-type]
            "cpu",
            self.clock,
            lambda _: ScriptedScene(),
        )
        self.shown()

    def shown(self) -> PlaybackFrame:
        assert self.playback.settle(WAIT_S)
        frame = self.playback.tick()
        assert frame is not None
        return frame

    def run(self, seconds: float, tick_s: float = 0.05) -> list[PlaybackFrame]:
        """The different frames that are shown in some time."""
        frames: list[PlaybackFrame] = []
        for _ in range(round(seconds / tick_s)):
            self.clock.advance(tick_s)
            frame = self.shown()
            if not frames or frames[-1] is not frame:
                frames.append(frame)
        return frames


@pytest.fixture
def player() -> Iterator[Player]:
    made = Player()
    yield made
    made.playback.close()


def indexes(frames: list[PlaybackFrame]) -> list[int]:
    found: list[int] = []
    for frame in frames:
        if not found or found[-1] != frame.index:
            found.append(frame.index)
    return found


def test_slow_motion_shows_a_new_moment_on_every_tick(player: Player) -> None:
    player.playback.set_speed(0.25)
    frames = player.run(3.0)
    assert len(frames) == 60  # 8 content frames, at 20 ticks a second
    inside = [frame.frame for frame in frames]
    assert inside == sorted(inside)
    steps = [after - before for before, after in pairwise(inside)]
    assert steps == pytest.approx([0.125] * 59, abs=1e-3)
    assert player.playback.status().late_frames == 0


def test_slow_motion_stays_within_a_segment(player: Player) -> None:
    player.playback.seek_frame(8)
    player.playback.set_speed(0.5)
    frames = player.run(1.0)
    assert max(frame.frame for frame in frames if frame.index < 10) == 9.0
    assert min(frame.frame for frame in frames if frame.index >= 10) < 0.5


def test_normal_speed_and_smoothness_off_show_whole_frames(player: Player) -> None:
    assert all(frame.frame == frame.index % 10 for frame in player.run(1.0))
    player.playback.set_speed(0.25)
    player.playback.set_smooth(False)
    frames = player.run(2.0)
    assert len(frames) == len(indexes(frames))
    assert all(frame.frame == frame.index % 10 for frame in frames)


def test_pause_keeps_the_moment_and_steps_are_whole_frames(player: Player) -> None:
    player.playback.set_speed(0.25)
    last = player.run(1.5)[-1]
    player.playback.pause()
    assert player.shown() is last
    player.playback.step(1)
    assert player.shown().frame == last.index + 1.0


def test_pausing_at_normal_speed_and_slowing_down_moves_nothing(player: Player) -> None:
    player.run(0.3)
    player.clock.advance(0.05)
    player.playback.pause()
    held = player.shown()
    player.playback.set_speed(0.25)
    assert player.shown() is held


def test_moments_in_between_are_those_of_the_renderer(player: Player) -> None:
    player.playback.set_speed(0.25)
    frame = player.run(0.6)[-1]
    assert frame.frame % 1.0 > 0.1
    moved = FrameDeformer()
    ours, _ = moved.gaussians(frame.gop, frame.frame)
    whole = frame.gop.gaussians_at(frame.frame)
    torch.testing.assert_close(ours.means, whole.means, atol=1e-5, rtol=1e-4)
    moved.close()


def test_backwards_shows_every_frame_and_wraps(player: Player) -> None:
    player.playback.set_speed(-1.0)
    seen = indexes(player.run(5.0))
    assert seen[:3] == [44, 43, 42]
    assert seen[:45] == list(range(44, -1, -1))
    assert seen[45] == 44
    assert player.playback.status().backwards
    assert player.playback.status().late_frames == 0


def test_backwards_reads_the_segments_before(player: Player) -> None:
    player.playback.seek_frame(35)
    player.playback.set_speed(-1.0)
    player.shown()
    target = player.playback._target(3)
    opened = player.playback.opened
    assert opened is not None
    assert target.ahead(opened.timeline, 2) == [3, 2, 1]


def test_backwards_without_loop_ends_at_the_start_and_plays_again_from_the_end() -> None:
    player = Player(loop=False)
    player.playback.seek_frame(5)
    player.playback.set_speed(-2.0)
    assert indexes(player.run(1.0))[-1] == 0
    assert player.playback.state is PlaybackState.ENDED
    assert player.playback.status().position_s == 0.0
    player.playback.play()
    assert player.run(0.2)[-1].index > 40
    player.playback.close()


def test_a_part_is_repeated(player: Player) -> None:
    player.playback.set_time_mapping(SceneTimeMapping((1.0, 2.0)))
    seen = indexes(player.run(2.4))
    assert set(seen) == set(range(10, 20))
    assert seen[:10] == list(range(10, 20))
    player.playback.set_speed(-1.0)
    assert set(indexes(player.run(2.0))) == set(range(10, 20))
    player.playback.pause()
    player.playback.seek_frame(30)
    assert player.shown().index == 30  # one may look elsewhere while paused
    player.playback.play()
    assert player.run(0.1)[-1].index in range(17, 20)


def test_ping_pong_turns_at_both_ends(player: Player) -> None:
    player.playback.set_time_mapping(SceneTimeMapping((0.5, 1.0), bounces=True))
    player.clock.advance(0.02)
    assert indexes(player.run(1.35)) == [5, 6, 7, 8, 9, 8, 7, 6, 5, 6, 7, 8]
    assert player.playback.state is PlaybackState.PLAYING


def test_film_follows_its_time_track_and_ends() -> None:
    curve = TimeCurve.of_speeds([(0.5, 1.0), (0.5, 0.0), (0.5, -1.0)], start_s=1.0)
    player = Player(loop=False)
    player.playback.set_time_mapping(FilmTimeMapping(curve.content_at, curve.duration_s), 0.0)
    seen = indexes(player.run(1.4))
    assert seen == [10, 11, 12, 13, 14, 15, 14, 13, 12, 11]
    player.run(0.3)
    assert player.playback.state is PlaybackState.ENDED
    assert player.playback.status().position_s == pytest.approx(1.0)
    player.playback.play()
    assert player.run(0.2)[-1].index in (11, 12)
    player.playback.close()


def test_content_rate_is_that_of_the_curve() -> None:
    curve = TimeCurve.of_speeds([(1.0, 1.0), (1.0, 0.0), (1.0, -2.0)], start_s=2.0)
    clock = PlaybackClock(ManualClock(), duration_s=10.0)
    for run_s, rate in ((0.5, 1.0), (1.5, 0.0), (2.5, -2.0)):
        clock.set_time_mapping(FilmTimeMapping(curve.content_at, curve.duration_s), run_s)
        assert clock.content_rate == pytest.approx(rate, abs=1e-6)
    clock.set_time_mapping(SceneTimeMapping((1.0, 3.0), bounces=True), 4.0)  # on the way back
    assert clock.content_rate == -1.0


@given(
    rate=st.floats(0.1, 8.0).flatmap(lambda rate: st.sampled_from([rate, -rate])),
    part=st.none() | st.tuples(st.floats(0.0, 4.0), st.floats(5.0, 10.0)),
    bounces=st.booleans(),
    waits=st.lists(st.floats(0.0, 3.0), min_size=1, max_size=8),
)
def test_positions_stay_in_the_repeated_part_and_never_jump(
    rate: float, part: tuple[float, float] | None, bounces: bool, waits: list[float]
) -> None:
    time = ManualClock()
    clock = PlaybackClock(time, duration_s=10.0, loop=True)
    clock.move(4.5)
    clock.set_time_mapping(SceneTimeMapping(part, bounces))
    clock.set_rate(rate)
    assert clock.position_s() == pytest.approx(4.5)
    clock.play()
    low, high = part or (0.0, 10.0)
    for wait_s in waits:
        time.advance(wait_s)
        before = clock.position_s()
        assert low - 1e-6 <= before <= high + 1e-6
        clock.pause()
        clock.play()
        assert clock.position_s() == pytest.approx(before, abs=1e-6)


def test_replaced_moments_are_no_skipped_frames(player: Player) -> None:
    player.playback.set_speed(0.25)
    frames = player.run(0.7)
    assert len({frame.index for frame in frames}) == 2

    class Slow:
        """Renders nothing before the test is done."""

        def render(self, request: RenderRequest) -> object:
            raise AssertionError("not started")

        def close(self) -> None:
            pass

    hold = threading.Event()

    def make() -> Slow:
        hold.wait(WAIT_S)
        raise RuntimeError("the test is over")

    thread = RenderThread(make)  # type: ignore[arg-type]
    camera = Camera(torch.eye(4), torch.eye(3), 8, 8)
    for frame in frames:
        thread.show(frame, camera, RenderSettings())
    assert thread.skipped_frames == 1
    hold.set()
    assert thread.close()
