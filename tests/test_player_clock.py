"""The playback clock: positions are computed, never accumulated."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streamstgs.app.player.position.clock import PlaybackClock
from streamstgs.app.player.timeline import Timeline

from tests.scripted_scene import ManualClock

STEP_S = 1 / 24


def make(loop: bool = False, duration_s: float = 10.0) -> tuple[PlaybackClock, ManualClock]:
    time = ManualClock()
    return PlaybackClock(time, duration_s=duration_s, loop=loop), time


def test_paused_clock_stands_still() -> None:
    clock, time = make()
    time.advance(5.0)
    assert clock.position_s() == 0.0
    clock.play()
    assert clock.position_s() == 0.0
    time.advance(0.1)
    clock.pause()
    time.advance(5.0)
    assert clock.position_s() == pytest.approx(0.1)


def test_clock_ends_or_wraps() -> None:
    clock, time = make()
    clock.play()
    time.advance(12.0)
    assert clock.position_s() == 10.0
    assert clock.ended()
    clock.set_loop(True)
    assert not clock.ended()
    time.advance(3.0)
    assert clock.position_s() == pytest.approx(3.0)


def test_an_hour_of_looping_does_not_drift() -> None:
    clock, time = make(loop=True, duration_s=10.0)
    clock.play()
    for _ in range(36_000):
        time.advance(0.1)
        clock.look(STEP_S)
    assert (time.now_s - 100.0) % 10.0 == pytest.approx(clock.position_s() % 10.0, abs=1e-6)


@given(
    rates=st.lists(st.floats(0.1, 8.0), min_size=1, max_size=8),
    waits=st.lists(st.floats(0.0, 0.19), min_size=8, max_size=8),
)
def test_changing_the_rate_never_jumps(rates: list[float], waits: list[float]) -> None:
    clock, time = make(duration_s=1e6)
    clock.play()
    expected = 0.0
    rate = 1.0
    for new_rate, wait in zip(rates, waits, strict=False):
        time.advance(wait)
        expected += rate * wait
        clock.set_rate(new_rate)
        rate = new_rate
        assert clock.position_s() == pytest.approx(expected, abs=1e-6)


@given(gaps=st.lists(st.floats(0.0, 5.0), max_size=30), rate=st.floats(0.1, 8.0))
def test_late_look_moves_one_step(gaps: list[float], rate: float) -> None:
    clock, time = make(duration_s=1e6)
    clock.set_rate(rate)
    clock.play()
    before = clock.position_s()
    for gap in gaps:
        time.advance(gap)
        now = clock.look(STEP_S)
        assert -1e-6 <= now - before <= max(0.2 * rate, STEP_S) + 1e-6
        before = now


def test_move_is_clamped_to_the_content() -> None:
    clock, _ = make()
    clock.move(4.0)
    assert clock.position_s() == 4.0
    clock.move(99.0)
    assert clock.position_s() == 10.0


@settings(deadline=None)
@given(
    frames=st.lists(st.integers(1, 90), min_size=1, max_size=20),
    fps=st.sampled_from([10.0, 23.976, 24.0, 25.0, 29.97, 30.0, 59.94, 60.0, 120.0]),
)
def test_frame_at_inverts_frame_times(frames: list[int], fps: float) -> None:
    timeline = Timeline(fps, tuple(frames))
    seen = []
    for gop, count in enumerate(frames):
        assert timeline.start(gop) == sum(frames[:gop])
        assert timeline.frame_at(timeline.start_s(gop)) == timeline.start(gop)
        seen += [(gop, inside) for inside in range(count)]
    assert [timeline.locate(frame) for frame in range(timeline.frames)] == seen
    assert all(timeline.frame_at(frame / fps) == frame for frame in range(timeline.frames))
    assert timeline.frame_at(-1.0) == 0
    for frame in range(0, timeline.frames, 41):
        assert list(timeline.outward(frame)) == timeline.by_distance(frame, range(len(frames)))
    assert timeline.frame_at(timeline.duration_s) == timeline.frames - 1


def test_ahead_wraps_only_when_looping() -> None:
    timeline = Timeline(10.0, (10, 10, 10, 5))
    assert timeline.ahead(2, 3, loop=True) == [2, 3, 0, 1]
    assert timeline.ahead(2, 3, loop=False) == [2, 3]
    assert timeline.ahead(2, 99, loop=True) == [2, 3, 0, 1]
    assert timeline.ahead_s(0.4, {0, 1, 3}, loop=True) == pytest.approx(1.6)
    assert timeline.ahead_s(3.2, {0, 1, 3}, loop=True) == pytest.approx(2.3)
    assert timeline.ahead_s(3.2, {0, 1, 3}, loop=False) == pytest.approx(0.3)
    assert timeline.ahead_s(2.5, {0, 1, 3}, loop=True) == 0.0
    assert timeline.ranges_s({0, 1, 3}) == ((0.0, 2.0), (3.0, 3.5))
