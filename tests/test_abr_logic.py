"""Properties of the adaptive policy that hold for any ladder and any network."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streamstgs.codec.streaming.adaptive import (
    Abort,
    AdaptiveSettings,
    FetchLayer,
    FetchSegment,
    GopLadder,
    Ladder,
    LayerInFlight,
    SegmentInFlight,
    Situation,
    Throughput,
    ThroughputMeter,
    Wait,
    arrival_s,
    decide,
    reconsider,
)

SETTINGS = AdaptiveSettings()


def made_up_ladder(gops: int = 12, lowest_bytes: int = 150_000) -> Ladder:
    """Five qualities, each 1.5 times the next, 2.5 s per GOP, two static layers."""
    features = tuple(round(lowest_bytes * 1.5**k) for k in (0, 1, 2, 3, 4))
    gop = GopLadder(2.5, 200_000, 50_000, features, (46.0, 50.0, 54.0, 58.0, 62.0))
    return Ladder((32, 28, 24, 20, 16), (gop,) * gops, (100_000, 400_000), (12.0, 25.0, 100.0))


LADDER = made_up_ladder()

LONG = LADDER.looped(200.0)


def estimate(bps: float, latency_s: float = 0.05, measured_s: float = 60.0) -> Throughput:
    return Throughput(bps, bps, latency_s, measured_s)


def situation(**changed: object) -> Situation:
    usual = Situation(
        buffer_s=10.0,
        next_gop=4,
        last_quality=2,
        static_layers=2,
        throughput=estimate(3e6),
    )
    return replace(usual, **changed)  # type: ignore[arg-type]


situations = st.builds(
    Situation,
    buffer_s=st.floats(0, 30),
    next_gop=st.integers(0, len(LADDER.gops)),
    last_quality=st.none() | st.integers(0, 4),
    static_layers=st.integers(0, 2),
    throughput=st.none() | st.builds(estimate, st.floats(1e3, 1e9), st.floats(0, 2)),
    best_quality=st.integers(0, 4),
)


@settings(max_examples=300, deadline=None)
@given(situations)
def test_decision_is_valid_in_every_situation(seen: Situation) -> None:
    decision = decide(LADDER, seen, SETTINGS)
    assert decision.reason
    if isinstance(decision, FetchSegment):
        assert decision.gop == seen.next_gop < len(LADDER.gops)
        assert LADDER.lowest <= decision.quality_index <= seen.best_quality
        assert seen.buffer_s + 2.5 <= SETTINGS.most_buffer_s + 1e-6
    elif isinstance(decision, FetchLayer):
        assert decision.layer == seen.static_layers < len(LADDER.static_bytes)
    else:
        assert isinstance(decision, Wait)
        assert decision.wait_s > 0


@settings(max_examples=200, deadline=None)
@given(situations)
def test_decision_is_deterministic(seen: Situation) -> None:
    assert decide(LADDER, seen, SETTINGS) == decide(LADDER, seen, SETTINGS)


@settings(max_examples=200, deadline=None)
@given(st.floats(0, 12), st.floats(2e5, 5e7), st.integers(0, 4))
def test_quality_above_the_lowest_arrives_before_the_buffer_ends(
    buffer_s: float, bps: float, last: int
) -> None:
    seen = situation(buffer_s=buffer_s, throughput=estimate(bps), last_quality=last)
    decision = decide(LADDER, seen, SETTINGS)
    if isinstance(decision, FetchSegment) and decision.quality_index > LADDER.lowest:
        assert arrival_s(LADDER.gops[4].bytes_at(decision.quality_index), seen) <= buffer_s


@settings(max_examples=200, deadline=None)
@given(st.floats(0, 18), st.floats(1e5, 5e7), st.integers(0, 4), st.integers(0, 30_000_000))
def test_transfer_is_abandoned_only_to_save_a_stall(
    buffer_s: float, bps: float, quality: int, received: int
) -> None:
    gop = LADDER.gops[4]
    received = min(max(received, gop.shared_bytes + 1), gop.bytes_at(quality))  # features come
    seen = situation(buffer_s=buffer_s, throughput=estimate(bps))
    instead = reconsider(LADDER, seen, SegmentInFlight(4, quality, received, 3.0), SETTINGS)
    if instead is None:
        return
    rest_s = 8 * (LADDER.gops[4].bytes_at(quality) - received) / bps
    assert isinstance(instead, FetchSegment)
    assert instead.quality_index < quality
    assert rest_s > buffer_s


@settings(max_examples=200, deadline=None)
@given(st.floats(0, 17.5), st.floats(1e5, 5e7), st.integers(0, 4), st.integers(0, 4))
def test_quality_is_open_while_the_shared_part_is_in_flight(
    buffer_s: float, bps: float, last: int, quality: int
) -> None:
    seen = situation(buffer_s=buffer_s, throughput=estimate(bps, latency_s=0.0), last_quality=last)
    wanted = decide(LADDER, seen, SETTINGS).quality_index
    instead = reconsider(LADDER, seen, SegmentInFlight(4, quality, 0, 0.0), SETTINGS)
    assert (quality if instead is None else instead.quality_index) == wanted


def test_quality_in_flight_follows_the_network() -> None:
    flight = SegmentInFlight(4, 2, 100_000, 0.5)
    fast = reconsider(LADDER, situation(throughput=estimate(50e6)), flight, SETTINGS)
    slow = reconsider(LADDER, situation(throughput=estimate(0.6e6)), flight, SETTINGS)
    assert fast is not None
    assert slow is not None
    assert (fast.quality_index, slow.quality_index) == (LADDER.best, LADDER.lowest)
    assert "now QP 16" in fast.reason


def test_start_fetches_the_first_layer_then_one_segment() -> None:
    start = situation(buffer_s=0.0, next_gop=0, last_quality=None, static_layers=0, throughput=None)
    first = decide(LADDER, start, SETTINGS)
    assert isinstance(first, FetchLayer)
    assert first.layer == 0
    second = decide(LADDER, replace(start, static_layers=1), SETTINGS)
    assert isinstance(second, FetchSegment)
    assert (second.gop, second.quality_index) == (0, LADDER.lowest)


@settings(max_examples=200, deadline=None)
@given(st.floats(0, 20), st.floats(0, 20))
def test_budget_grows_with_the_buffer(one_s: float, other_s: float) -> None:
    less_s, more_s = sorted((one_s, other_s))
    budgets = [SETTINGS.budget.budget_s(b, 2.5, 20.0) for b in (less_s, more_s)]
    assert 0 < budgets[0] <= budgets[1]
    wanted_s = 17.5
    assert all(b <= 2.5 for b, at in zip(budgets, (less_s, more_s), strict=True) if at <= wanted_s)
    assert all(b <= 2.5 + at for b, at in zip(budgets, (less_s, more_s), strict=True))


@settings(max_examples=200, deadline=None)
@given(st.floats(0, 17.5), st.floats(0, 17.5), st.floats(2e5, 5e7), st.integers(0, 4))
def test_fuller_buffer_never_lowers_the_quality(
    one_s: float, other_s: float, bps: float, last: int
) -> None:
    seen = situation(throughput=estimate(bps), last_quality=last)
    qualities = [
        decide(LADDER, replace(seen, buffer_s=b), SETTINGS).quality_index
        for b in sorted((one_s, other_s))
    ]
    assert qualities[1] >= qualities[0]


def test_cheapest_of_equal_qualities_is_fetched() -> None:
    gops = tuple(replace(g, quality_db=(46.0, 50.0, 54.0, 54.0, 54.0)) for g in LADDER.gops)
    rich = situation(throughput=estimate(100e6), buffer_s=15.0)
    assert decide(replace(LADDER, gops=gops), rich, SETTINGS).quality_index == 2


def test_layers_are_fetched_while_playing() -> None:
    seen = situation(static_layers=1, throughput=estimate(20e6))
    assert isinstance(decide(LADDER, seen, SETTINGS), FetchLayer)


def test_layers_are_fetched_while_no_segment_is_needed() -> None:
    slow = situation(static_layers=1, buffer_s=0.5, next_gop=12, throughput=estimate(3e6))
    full = situation(static_layers=1, buffer_s=19.0, throughput=estimate(0.1e6))
    for seen in (slow, full):
        assert isinstance(decide(LADDER, seen, SETTINGS), FetchLayer)


def test_layers_wait_while_the_buffer_grows() -> None:
    seen = situation(static_layers=1, buffer_s=0.5, throughput=estimate(3e6))
    decision = decide(LADDER, seen, SETTINGS)
    assert isinstance(decision, FetchSegment)
    assert decision.quality_index == LADDER.lowest


def test_layers_do_not_wait_if_the_buffer_never_grows() -> None:
    poor = situation(static_layers=1, buffer_s=0.5, throughput=estimate(0.5e6))
    assert isinstance(decide(LONG, poor, SETTINGS), FetchLayer)


def test_slow_network_pays_for_large_layers_only_after_it_has_lasted() -> None:
    """Wherever in the scene that is, as long as enough of it is left."""
    heavy = replace(LADDER.looped(900.0), static_bytes=(100_000, 2_600_000))
    slow_bps = 1.05 * LADDER.bandwidth_bps(LADDER.lowest)
    for gop in (4, 50):
        seen = situation(static_layers=1, next_gop=gop, buffer_s=1.0)
        begun = replace(seen, throughput=estimate(slow_bps, measured_s=2.0))
        assert isinstance(decide(heavy, begun, SETTINGS), FetchSegment)
        later = replace(seen, throughput=estimate(slow_bps, measured_s=300.0))
        assert isinstance(decide(heavy, later, SETTINGS), FetchLayer)


@settings(max_examples=200, deadline=None)
@given(st.floats(0.3, 0.8), st.integers(2, 400), st.integers(50_000, 20_000_000), st.floats(0, 600))
def test_starved_network_fetches_a_layer_that_repays_its_stall_within_the_horizon(
    room: float, gops: int, layer_bytes: int, measured_s: float
) -> None:
    """25 dB more in each GOP within the horizon, against 103 dB of one GOP per stalled second."""
    scene = replace(LADDER.looped(2.5 * gops), static_bytes=(100_000, layer_bytes))
    bps = room * LADDER.bandwidth_bps(LADDER.lowest)
    starved = estimate(bps, latency_s=0.0, measured_s=measured_s)
    seen = situation(next_gop=1, static_layers=1, buffer_s=0.0, throughput=starved)
    gain_db = scene.shown_db(0, scene.lowest, 2) - scene.shown_db(0, scene.lowest, 1)
    horizon = (SETTINGS.layers.horizon_s + SETTINGS.layers.persistence * measured_s) / 2.5
    worth_s = min(horizon, len(scene.gops) - 1) * gain_db / (4.3 * 60 / 2.5)
    price_s = 8 * layer_bytes / starved.bps
    if price_s < worth_s - 0.01:
        assert isinstance(decide(scene, seen, SETTINGS), FetchLayer)
    if price_s > worth_s + 0.01:
        assert isinstance(decide(scene, seen, SETTINGS), FetchSegment)


@settings(max_examples=200, deadline=None)
@given(st.floats(0, 17), st.floats(0, 17), st.floats(2e5, 2e7))
def test_fuller_buffer_never_postpones_a_layer(one_s: float, other_s: float, bps: float) -> None:
    seen = situation(static_layers=1, throughput=estimate(bps))
    less, more = (
        isinstance(decide(LADDER, replace(seen, buffer_s=each_s), SETTINGS), FetchLayer)
        for each_s in sorted((one_s, other_s))
    )
    assert more or not less


def test_rich_network_gets_the_best_and_poor_the_lowest() -> None:
    rich = situation(throughput=estimate(100e6), buffer_s=15.0)
    poor = situation(throughput=estimate(0.5e6), buffer_s=3.0)
    assert decide(LADDER, rich, SETTINGS).quality_index == LADDER.best
    assert decide(LADDER, poor, SETTINGS).quality_index == LADDER.lowest


def test_dropped_frames_cap_the_quality() -> None:
    rich = situation(throughput=estimate(100e6), buffer_s=15.0, best_quality=1)
    assert decide(LADDER, rich, SETTINGS).quality_index == 1


def test_full_buffer_waits_until_the_next_segment_fits() -> None:
    decision = decide(LADDER, situation(buffer_s=SETTINGS.most_buffer_s), SETTINGS)
    assert isinstance(decision, Wait)
    assert decision.wait_s == pytest.approx(2.5)


def test_complete_buffer_waits_for_ever() -> None:
    decision = decide(LADDER, situation(next_gop=12), SETTINGS)
    assert isinstance(decision, Wait)
    assert math.isinf(decision.wait_s)


def test_small_changes_of_throughput_do_not_switch_quality() -> None:
    for bps in (1.8e6, 2.5e6, 3.5e6):
        seen, qualities = situation(last_quality=None, buffer_s=14.0), []
        for k in range(12):
            wobble = estimate(bps * (1.03 if k % 2 else 0.97))
            quality = decide(LADDER, replace(seen, throughput=wobble), SETTINGS).quality_index
            qualities.append(quality)
            seen = replace(seen, last_quality=quality)
        assert len(set(qualities[2:])) == 1


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(1, 10**7), st.floats(0.01, 30)), min_size=1, max_size=50))
def test_estimate_lies_between_slowest_and_fastest_transfer(
    transfers: list[tuple[int, float]],
) -> None:
    meter = ThroughputMeter()
    for size, seconds in transfers:
        meter.add(size, seconds)
    seen = meter.estimate()
    rates = [8 * size / seconds for size, seconds in transfers]
    assert seen is not None
    assert min(*rates, 1.0) * 0.999 <= seen.bps <= max(max(rates), 1.0) * 1.001
    assert seen.bps <= seen.fast_bps


def test_known_host_has_an_estimate_that_measurements_replace() -> None:
    meter = ThroughputMeter(prior_bps=8e6)
    first = meter.estimate()
    assert first is not None
    assert (first.bps, first.measured_s) == (pytest.approx(8e6), 0.0)
    assert meter.session == (0.0, 0.0)
    for _ in range(40):
        meter.add(125_000, 0.5)
    later = meter.estimate()
    assert later is not None
    assert later.bps == pytest.approx(2e6, rel=0.1)
    assert meter.session == (pytest.approx(2e6), pytest.approx(20.0))


def test_estimate_drops_at_once_and_rises_slowly() -> None:
    meter = ThroughputMeter()
    for _ in range(20):
        meter.add(1_000_000, 1.0)
    meter.add(100_000, 3.0)
    dropped = meter.estimate()
    meter.add(10_000_000, 1.0)
    risen = meter.estimate()
    assert dropped is not None
    assert risen is not None
    assert dropped.bps < 6e6
    assert risen.bps < 40e6


def test_no_estimate_before_the_first_byte() -> None:
    meter = ThroughputMeter()
    meter.add(0, 1.0)
    assert meter.estimate() is None


def test_layer_is_fetched_if_the_buffer_covers_it() -> None:
    """400 kB at 2 Mbit/s take 1.65 s, the next GOP after it 1.1 s and more."""
    seen = situation(
        next_gop=4, last_quality=0, static_layers=1, buffer_s=2.0, throughput=estimate(2e6)
    )
    assert isinstance(decide(LADDER, seen, SETTINGS), FetchSegment)
    assert isinstance(decide(LADDER, replace(seen, buffer_s=12.0), SETTINGS), FetchLayer)


def test_seek_fetches_a_segment_before_layers() -> None:
    """Also where the network is so poor that a layer would be fetched at once else."""
    poor = situation(static_layers=1, buffer_s=0.0, throughput=estimate(0.5e6))
    assert isinstance(decide(LONG, poor, SETTINGS), FetchLayer)
    assert isinstance(decide(LONG, replace(poor, last_quality=None), SETTINGS), FetchSegment)


def static_flight(received: int, elapsed_s: float = 3.0) -> LayerInFlight:
    return LayerInFlight(1, received, elapsed_s)


def test_layer_in_flight_is_paused_when_the_network_drops() -> None:
    heavy = replace(LADDER.looped(200.0), static_bytes=(100_000, 2_000_000))
    usual = estimate(4e6)
    seen = situation(static_layers=1, buffer_s=14.0, throughput=usual)
    assert isinstance(decide(heavy, seen, SETTINGS), FetchLayer)
    assert reconsider(heavy, seen, static_flight(500_000), SETTINGS) is None
    drop = replace(usual, bps=1.5e6, fast_bps=1.5e6)
    worse = replace(seen, buffer_s=5.0, throughput=drop)
    paused = reconsider(heavy, worse, static_flight(500_000), SETTINGS)
    assert paused is not None
    assert isinstance(paused, Abort)
    assert "segment comes first" in paused.reason
    nearly_there = static_flight(1_990_000)
    assert reconsider(heavy, worse, nearly_there, SETTINGS) is None


@settings(max_examples=300, deadline=None)
@given(situations, st.integers(0, 400_000), st.floats(0, 60))
def test_paused_layer_is_not_resumed_at_once(
    seen: Situation, received: int, elapsed_s: float
) -> None:
    """Else the layer and its pause would take turns."""
    seen = replace(seen, static_layers=1)
    paused = reconsider(LADDER, seen, static_flight(received, elapsed_s), SETTINGS)
    if paused is None:
        return
    assert isinstance(paused, Abort)
    assert elapsed_s >= SETTINGS.abandon.after_s
    again = decide(LADDER, replace(seen, static_part_bytes=received), SETTINGS)
    full = seen.buffer_s + 2.5 > SETTINGS.most_buffer_s
    assert isinstance(again, FetchSegment) or full


@settings(max_examples=200, deadline=None)
@given(st.floats(0, 17), st.floats(2e5, 2e7), st.integers(0, 399_000), st.integers(0, 399_000))
def test_received_bytes_of_a_layer_favour_it(
    buffer_s: float, bps: float, one: int, other: int
) -> None:
    seen = situation(static_layers=1, buffer_s=buffer_s, throughput=estimate(bps))
    less, more = (
        isinstance(decide(LADDER, replace(seen, static_part_bytes=part), SETTINGS), FetchLayer)
        for part in sorted((one, other))
    )
    assert more or not less


def test_layers_of_most_gain_per_byte_are_fetched() -> None:
    """The small layer that brings much is not held back by a large one that brings little."""
    small_first = replace(
        LADDER, static_bytes=(100_000, 50_000, 4_000_000), static_quality_db=(12, 25, 44, 100)
    )
    seen = situation(static_layers=1, buffer_s=9.0, throughput=estimate(1.6e6))
    assert isinstance(decide(small_first, seen, SETTINGS), FetchLayer)
    assert isinstance(decide(small_first, replace(seen, static_layers=2), SETTINGS), FetchSegment)


def test_full_buffer_fetches_layers_on_any_network() -> None:
    seen = situation(static_layers=1, buffer_s=19.0, throughput=estimate(2e6, measured_s=0.5))
    assert isinstance(decide(LADDER, seen, SETTINGS), FetchLayer)


def test_reserve_is_kept_only_where_the_buffer_grows() -> None:
    """400 kB at 3 Mbit/s take 1.1 s: the buffer bears them, but not an outage after them."""
    eager = replace(SETTINGS, layers=replace(SETTINGS.layers, reserve_s=0.0))
    seen = situation(static_layers=1, buffer_s=4.5, throughput=estimate(3e6))
    assert isinstance(decide(LADDER, seen, eager), FetchLayer)
    assert isinstance(decide(LADDER, seen, SETTINGS), FetchSegment)
    starved = replace(seen, buffer_s=0.5, throughput=estimate(0.5e6))
    assert isinstance(decide(LONG, starved, SETTINGS), FetchLayer)


def test_layers_do_not_delay_the_last_segment() -> None:
    seen = situation(
        next_gop=11, last_quality=0, static_layers=1, buffer_s=2.0, throughput=estimate(2e6)
    )
    assert isinstance(decide(LADDER, seen, SETTINGS), FetchSegment)
    assert isinstance(decide(LADDER, replace(seen, next_gop=12), SETTINGS), FetchLayer)
