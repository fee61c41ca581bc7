"""The simulated viewer, the offline optimum, and the adaptive policy on made-up networks."""

from __future__ import annotations

import itertools
import math
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamstgs.codec.streaming.adaptive import (
    AdaptiveSettings,
    FetchLayer,
    FetchSegment,
    InFlight,
    Ladder,
    NextStep,
    Revision,
    Situation,
    Throughput,
    Wait,
)

from benchmarks.streaming.optimum import OptimumSettings, find_optimum
from benchmarks.streaming.policies import Adaptive, DashDynamic, Fixed, plain_policies
from benchmarks.streaming.session import Outcome, Playback, play, quality_of_experience_db
from benchmarks.streaming.trace import Trace
from tests.test_abr_logic import made_up_ladder

DATA = Path(os.environ.get("STGS_DATA", Path(__file__).parents[1] / "../shared/data"))
SETTINGS = AdaptiveSettings()


def constant(bps: float, latency_s: float = 0.05) -> Trace:
    return Trace(np.array([10.0]), np.array([bps]), np.array([latency_s]))


def mobile(seed: int, mean_bps: float, stretches: int = 300) -> Trace:
    """A made-up mobile network: throughput wanders, and sometimes nothing arrives for a while."""
    random = np.random.default_rng(seed)
    wander = np.zeros(stretches)
    for k in range(1, stretches):
        wander[k] = 0.9 * wander[k - 1] + 0.25 * random.normal()
    bps = mean_bps * np.exp(wander)
    for start in random.integers(20, stretches, 3):
        bps[start : start + random.integers(1, 5)] = 0.0
    return Trace(np.ones(stretches), bps, np.full(stretches, 0.05))


def adaptive(ladder: Ladder, trace: Trace) -> Outcome:
    return play(Adaptive(SETTINGS), ladder, trace)


def test_transfer_takes_its_bits_over_the_bandwidth() -> None:
    trace = Trace(np.array([1.0, 2.0, 1.0]), np.array([8e6, 0.0, 4e6]), np.full(3, 0.1))
    assert trace.arrival_s(0.0, 4e6) == pytest.approx(0.5)
    assert trace.arrival_s(0.5, 6e6) == pytest.approx(3.5)
    assert trace.arrival_s(0.0, 12e6 + 8e6) == pytest.approx(5.0)
    assert trace.changed(start_s=3.0).arrival_s(0.0, 8e6) == pytest.approx(1.5)
    assert trace.changed(factor=2.0).arrival_s(0.0, 4e6) == pytest.approx(0.25)


def test_dead_network_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        Trace(np.ones(3), np.zeros(3), np.zeros(3))


def test_stall_is_the_time_without_content() -> None:
    playback = Playback(resume_s=0.0, content_s=10.0)
    playback.advance(1.0)
    playback.arrive(2.5)
    playback.advance(5.0)  # 1.5 s without content
    playback.arrive(2.5)
    playback.advance(6.0)
    assert playback.started_s == 1.0
    assert (playback.stalls, playback.stall_s) == (1, pytest.approx(1.5))
    assert playback.buffer_s == pytest.approx(1.5)


def test_quality_of_experience_formula() -> None:
    assert quality_of_experience_db([40, 42, 40, 42], 0.0, 60.0) == pytest.approx(41 - 0.5 * 2)
    assert quality_of_experience_db([40, 40], 2.0, 120.0) == pytest.approx(40 - 4.3)


def test_fixed_quality_stalls_by_the_missing_throughput() -> None:
    ladder = replace(made_up_ladder(gops=20), static_bytes=(), static_quality_db=(100.0,))
    bits = 8 * ladder.gops[0].bytes_at(ladder.lowest)
    trace = constant(bits / 3.0, latency_s=0.0)  # 3 s per GOP of 2.5 s
    outcome = play(Fixed(SETTINGS, "lowest", fixed=0), ladder, trace)
    assert outcome.stall_s == pytest.approx(19 * 0.5, abs=0.01)


def test_rich_network_stays_at_the_best_quality() -> None:
    outcome = adaptive(made_up_ladder(gops=24), constant(40e6))
    assert outcome.stalls == 0
    assert outcome.qualities[-20:] == [4] * 20


@pytest.mark.parametrize("seed", range(4))
def test_no_stall_where_the_lowest_quality_fits_well(seed: int) -> None:
    ladder = made_up_ladder(gops=60)
    trace = mobile(seed, 2.5 * ladder.bandwidth_bps(ladder.lowest))
    lowest = play(Fixed(SETTINGS, "lowest", fixed=ladder.lowest), ladder, trace)
    outcome = adaptive(ladder, trace)
    assert outcome.stall_s <= lowest.stall_s + 0.5
    assert outcome.qoe_db >= lowest.qoe_db


def test_drop_in_mid_segment_is_survived_by_abandoning() -> None:
    ladder = made_up_ladder(gops=30)
    trace = Trace(np.array([20.0, 60.0]), np.array([12e6, 1.4e6]), np.full(2, 0.05))
    outcome = adaptive(ladder, trace)
    highest = play(Fixed(SETTINGS, "highest", fixed=ladder.best), ladder, trace)
    assert outcome.stall_s < 0.2 * highest.stall_s


def test_optimum_equals_exhaustive_search() -> None:
    ladder = made_up_ladder(gops=5, lowest_bytes=400_000)
    ladder = Ladder(ladder.qps, ladder.gops)  # without static layers
    trace = Trace(np.array([4.0, 2.0]), np.array([6e6, 1.5e6]), np.full(2, 0.05))
    best = max(
        play(_Scripted(SETTINGS, qualities=qualities), ladder, trace).qoe_db
        for qualities in itertools.product(range(5), repeat=4)
    )
    search = OptimumSettings(bin_s=0.01, stall_allowances_s=(0.0, 0.5, 1.0, 2.0, 4.0))
    assert find_optimum(ladder, trace, search).qoe_db == pytest.approx(best, abs=1e-6)


def test_optimum_postpones_large_layers() -> None:
    ladder = made_up_ladder(gops=60)
    ladder = replace(ladder, static_bytes=(100_000, 2_000_000))
    trace = constant(1.25 * ladder.bandwidth_bps(ladder.lowest))
    early = find_optimum(ladder, trace, OptimumSettings(static_gops=12))
    late = find_optimum(ladder, trace, OptimumSettings(static_gops=48))
    assert late.stall_s < early.stall_s
    assert late.qoe_db > early.qoe_db + 0.5


def test_optimum_with_layers_equals_exhaustive_search() -> None:
    """Each layer before each GOP, at all qualities; also GOPs that wait in the buffer get sharp."""
    ladder = made_up_ladder(gops=5, lowest_bytes=300_000)
    ladder = replace(
        ladder, qps=(32, 16), static_bytes=(100_000, 300_000, 200_000),
        static_quality_db=(12.0, 25.0, 40.0, 100.0),
        gops=tuple(
            replace(g, feature_bytes=g.feature_bytes[::4], quality_db=g.quality_db[::4])
            for g in ladder.gops
        ),
    )  # fmt: skip
    trace = Trace(np.array([4.0, 2.0]), np.array([6e6, 1.5e6]), np.full(2, 0.05))
    best = max(
        play(_Timed(SETTINGS, qualities, before), ladder, trace).qoe_db
        for qualities in itertools.product(range(2), repeat=4)
        for before in itertools.combinations_with_replacement(range(1, 6), 2)
    )
    search = OptimumSettings(bin_s=0.01, wider=1, stall_allowances_s=(0.0, 0.5, 1.0, 2.0, 4.0))
    assert find_optimum(ladder, trace, search).qoe_db == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_paused_layer_wastes_nothing(seed: int) -> None:
    ladder = made_up_ladder(gops=80)
    ladder = replace(ladder, static_bytes=(100_000, 3_000_000))
    trace = mobile(seed, 1.3 * ladder.bandwidth_bps(ladder.lowest))
    outcome = adaptive(ladder, trace)
    shown = sum(ladder.static_bytes) + sum(
        gop.bytes_at(quality) for gop, quality in zip(ladder.gops, outcome.qualities, strict=True)
    )
    assert outcome.fetched_bytes == shown + outcome.wasted_bytes
    assert max(outcome.quality_db) > 45.0


def test_large_layer_is_paused_on_an_unstable_network() -> None:
    ladder = made_up_ladder(gops=80)
    ladder = replace(ladder, static_bytes=(100_000, 3_000_000))
    mean_bps = 1.6 * ladder.bandwidth_bps(ladder.lowest)
    assert sum(adaptive(ladder, mobile(seed, mean_bps)).pauses for seed in range(6)) > 0


def test_plain_player_fetches_all_layers_behind_the_first_segment() -> None:
    """A buffer that layers would empty; the product waits there, and `our layers` with it."""
    estimate = Throughput(3e6, 3e6, 0.05)
    seen = Situation(0.5, 1, 4, 1, estimate)
    ladder = made_up_ladder()
    steps = {p.name: type(p.decide(ladder, seen)) for p in plain_policies(ladder, SETTINGS)}
    assert steps.pop("lowest, our layers") is FetchSegment
    assert set(steps.values()) == {FetchLayer}
    assert isinstance(Adaptive(SETTINGS).decide(ladder, seen), FetchSegment)
    first = replace(seen, next_gop=0, last_quality=None)
    assert isinstance(plain_policies(ladder, SETTINGS)[0].decide(ladder, first), FetchSegment)


def layered(gops: int = 240) -> Ladder:
    """Three cheap static layers, and one that is dear and brings 2.1 dB at the lowest quality."""
    return replace(
        made_up_ladder(gops=gops),
        static_bytes=(100_000, 100_000, 200_000, 6_000_000),
        static_quality_db=(12.0, 20.0, 32.0, 48.0, 100.0),
    )


def test_starved_network_gets_the_cheap_layers_early_and_never_the_dear() -> None:
    """At 0.8 of the lowest bitrate 300 kB are 2.3 s of stall, or 1.0 dB in 10 minutes, for 24 dB;
    6 MB are 47 s, or 20 dB, for 2.1 dB."""
    ladder = layered()
    outcome = adaptive(ladder, constant(0.8 * ladder.bandwidth_bps(ladder.lowest)))
    assert min(outcome.quality_db[12:]) > 43.0
    assert max(outcome.quality_db) < 45.0


def test_slow_start_pays_for_cheap_layers_only() -> None:
    """20 s at half the lowest bit rate, then twice that rate. The cheap layers take 2.3 s at 0.8 of
    it and repay that soon; the dear one, 60 s, waits for the buffer."""
    ladder = layered()
    low_bps = ladder.bandwidth_bps(ladder.lowest)
    trace = Trace(np.array([20.0, 1e4]), np.array([0.5, 2.0]) * low_bps, np.full(2, 0.05))
    blurred = replace(ladder, static_bytes=(100_000,), static_quality_db=(12.0, 20.0))
    least = play(Fixed(SETTINGS, "lowest", fixed=0), blurred, trace).stall_s
    assert adaptive(ladder, trace).stall_s <= least + 2.5


def test_rich_network_gets_all_layers_without_a_stall() -> None:
    ladder = layered()
    outcome = adaptive(ladder, constant(6.0 * ladder.bandwidth_bps(ladder.lowest)))
    assert outcome.stall_s == 0.0
    assert min(outcome.quality_db[10:]) > 45.0


class _Timed(Fixed):
    """The given qualities from the second GOP on, static layers before given GOPs."""

    def __init__(
        self, settings: AdaptiveSettings, qualities: tuple[int, ...], before: tuple[int, ...]
    ) -> None:
        super().__init__(settings, "timed", fixed=0)
        self._qualities, self._before = qualities, (0, *before)

    def quality(self, ladder: Ladder, seen: object) -> int:
        return self._qualities[seen.next_gop - 1]  # type: ignore[attr-defined]

    def decide(self, ladder: Ladder, seen: Situation) -> NextStep:
        layer = seen.static_layers
        if layer < len(self._before) and seen.next_gop >= self._before[layer]:
            return FetchLayer(layer, "timed")
        if seen.next_gop >= len(ladder.gops):
            return Wait(math.inf, "timed")
        quality = ladder.lowest if seen.next_gop == 0 else self.quality(ladder, seen)
        return FetchSegment(seen.next_gop, quality, "timed")

    def reconsider(self, ladder: Ladder, seen: Situation, flight: InFlight) -> Revision | None:
        return None


class _Scripted(Fixed):
    """The given qualities from the second GOP on."""

    def __init__(self, settings: AdaptiveSettings, qualities: tuple[int, ...]) -> None:
        super().__init__(settings, "scripted", fixed=0)
        self._qualities = qualities

    def quality(self, ladder: Ladder, seen: object) -> int:
        return self._qualities[seen.next_gop - 1]  # type: ignore[attr-defined]


@pytest.mark.parametrize("seed", range(2))
def test_no_policy_beats_the_optimum(seed: int) -> None:
    ladder = made_up_ladder(gops=40)
    trace = mobile(seed, ladder.bandwidth_bps(2))
    best = find_optimum(ladder, trace, OptimumSettings()).qoe_db
    for policy in (Adaptive(SETTINGS), *plain_policies(ladder, SETTINGS)):
        assert play(policy, ladder, trace).qoe_db <= best + 0.05


@pytest.mark.parametrize("room", [0.5, 0.8, 1.05])
def test_optimum_is_never_below_the_lowest_with_layers_at_once(room: float) -> None:
    """Also on starved networks, where a second of stall is worth more than all qualities."""
    ladder = layered(gops=60)
    trace = mobile(3, room * ladder.bandwidth_bps(ladder.lowest))
    best = find_optimum(ladder, trace, OptimumSettings()).qoe_db
    for count in range(1, 5):
        lowest = Fixed(SETTINGS, "lowest", fixed=ladder.lowest, layers=count)
        assert play(lowest, ladder, trace).qoe_db <= best + 1e-9


def test_dynamic_switches_between_throughput_and_buffer() -> None:
    ladder = made_up_ladder()
    rule = DashDynamic(SETTINGS)
    carried = Throughput(1.2 * ladder.bandwidth_bps(1), 1.2 * ladder.bandwidth_bps(1), 0.05)
    seen = Situation(8.0, 4, 1, 2, carried)
    assert rule.quality(ladder, seen) == 1  # by throughput
    assert not rule.uses_bola
    assert rule.quality(ladder, replace(seen, buffer_s=19.0)) == 1  # BOLA, held by throughput
    assert rule.uses_bola
    rule.quality(ladder, replace(seen, buffer_s=7.0))
    assert rule.uses_bola
    assert rule.quality(ladder, replace(seen, buffer_s=1.0)) == ladder.lowest  # insufficient
    assert not rule.uses_bola


def test_hour_of_loops_holds_no_more_than_the_buffer() -> None:
    ladder = made_up_ladder(gops=4).looped(3600)
    policy = Adaptive(SETTINGS)
    outcome = play(policy, ladder, mobile(7, 6e6))
    assert outcome.content_s == pytest.approx(3600)
    assert outcome.most_buffer_s <= SETTINGS.most_buffer_s + 1e-6
    most_bytes = max(gop.bytes_at(0) for gop in ladder.gops)
    held = outcome.most_buffer_s / 2.5 * most_bytes + sum(ladder.static_bytes)
    assert held < 20e6


@pytest.mark.skipif(not (DATA / "traces").is_dir(), reason="recorded traces are not at hand")
def test_policy_beats_the_lowest_on_recorded_networks() -> None:
    """A quick part of what benchmarks.streaming.compare does on all traces."""
    ladder = made_up_ladder(gops=48)
    for path in sorted((DATA / "traces").glob("*/*.json"))[::5]:
        trace = Trace.load(path)
        fitted = ladder.scaled(trace.mean_bps / ladder.bandwidth_bps(2))
        lowest = play(Fixed(SETTINGS, "lowest", fixed=fitted.lowest), fitted, trace)
        assert adaptive(fitted, trace).qoe_db >= lowest.qoe_db - 0.5, trace.name
