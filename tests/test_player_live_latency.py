"""The distance to the live edge, in simulated time: when the speed may differ from 1."""

from __future__ import annotations

from statistics import mean, median

import pytest
from streamstgs.app.player.live.follower import LiveFollower, LiveSettings
from streamstgs.app.player.live.live_window import LiveWindow
from streamstgs.app.player.position.clock import PlaybackClock
from streamstgs.app.player.position.playhead import Playhead

from benchmarks.live_simulated import GOP_S, Conditions, Now, opened_scene, watch

SEEDS = range(4)


@pytest.mark.parametrize("late_s", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("seed", SEEDS)
def test_speed_is_never_changed_for_segments_that_are_a_little_late(
    late_s: float, seed: int
) -> None:
    seen = watch(Conditions(late_s), seed)
    assert seen.rates.keys() == {1.0}
    assert seen.stalls_s == []
    assert seen.jumps == 0
    assert 4.0 < median(seen.behind_s) < 4.0 + GOP_S


@pytest.mark.parametrize(
    ("conditions", "least"),
    [
        (Conditions(late_s=0.5), 0.95),
        (Conditions(late_s=0.5, away_s=8.0), 0.6),
        (Conditions(late_s=0.5, lost=0.015), 0.5),
        (Conditions(late_s=1.0), 0.5),
    ],
)
def test_most_of_a_disturbed_event_plays_at_normal_speed(
    conditions: Conditions, least: float
) -> None:
    seen = [watch(conditions, seed) for seed in SEEDS]
    assert mean(one.at_normal_speed for one in seen) > least
    assert mean(one.changes for one in seen) < 20  # hysteresis: no to and fro
    assert all(one.jumps == 0 for one in seen)


def test_latency_is_reached_again_after_the_publisher_was_away() -> None:
    settings = LiveSettings()
    seen = watch(Conditions(away_s=8.0), 0)
    last = seen.behind_s[-20 * 20 :]
    assert min(last) > settings.latency_s - settings.dead_band_s
    assert max(last) < settings.latency_s + GOP_S + settings.dead_band_s + 1.0  # asks once a second
    assert set(seen.rates) == {1.0, 1.0 - settings.catch_up}


@pytest.mark.parametrize("latency_s", [1.5, 4.0, 10.0])
def test_chosen_latency_is_kept(latency_s: float) -> None:
    settings = LiveSettings(latency_s)
    seen = watch(Conditions(late_s=0.05), 3, settings)
    assert seen.stalls_s == []
    assert abs(min(seen.behind_s[-20 * 60 :]) - latency_s) <= settings.dead_band_s + 0.5
    assert seen.rates.keys() == {1.0} or latency_s < 4.0


def test_speed_changes_outside_the_dead_band_until_the_goal_is_reached() -> None:
    now, settings = Now(), LiveSettings(latency_s=4.0)
    follower = LiveFollower(settings, now)
    follower.note_edge(100.0, 2.0)
    goal_s, band_s = follower.goal_s(), settings.dead_band_s
    for inside_s in (-band_s, -0.1, 0.0, 0.1, band_s):
        assert follower.rate_at(goal_s + inside_s, 1.0) == 1.0
    assert follower.rate_at(goal_s - band_s - 0.01, 1.0) == 1.05
    assert follower.rate_at(goal_s - 0.01, 1.05) == 1.05
    assert follower.rate_at(goal_s, 1.05) == 1.0
    assert follower.rate_at(goal_s + band_s + 0.01, 1.0) == 0.95
    assert follower.rate_at(goal_s + 0.01, 0.95) == 0.95
    assert follower.rate_at(goal_s - 0.01, 0.95) == 1.0


def test_a_scene_that_takes_the_place_is_followed_from_its_own_edge() -> None:
    now = Now()
    playhead = Playhead(PlaybackClock(now))
    window = LiveWindow(playhead, LiveFollower(LiveSettings(), now))
    window.enter(opened_scene(1000))
    playhead.advance(opened_scene(1000).timeline)
    shorter = opened_scene(10)
    window.leave()
    playhead.stay()
    window.enter(shorter)
    playhead.advance(shorter.timeline)
    serial = playhead.serial
    playhead.clock.play()
    for _ in range(10):
        playhead.advance(shorter.timeline)
        window.keep_distance(shorter.timeline)
    assert playhead.serial == serial
    assert 0.0 < window.status().behind_s < 8.0
    assert window.status().edge_s == shorter.timeline.duration_s


def test_own_speed_ends_with_the_event() -> None:
    now = Now()
    playhead = Playhead(PlaybackClock(now))
    window = LiveWindow(playhead, LiveFollower(LiveSettings(tolerance_s=0.0), now))
    window.enter(opened_scene(10))
    playhead.advance(opened_scene(10).timeline)
    playhead.clock.play()
    now.s = 1.0
    window.grow(opened_scene(11))
    playhead.clock.move(17.0)
    window.keep_distance(opened_scene(11).timeline)
    assert playhead.clock.rate != 1.0
    window.leave()
    assert playhead.clock.rate == 1.0
