"""The adaptive-bitrate logic: what must hold for any ladder and any network."""

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
    InFlight,
    Ladder,
    Situation,
    Throughput,
    ThroughputMeter,
    Wait,
    arrival_s,
    decide,
    reconsider,
)
from streamstgs.codec.streaming.adaptive.budget import budget_s

SETTINGS = AdaptiveSettings()


def made_up_ladder(gops: int = 12, lowest_bytes: int = 150_000) -> Ladder:
    """Five rungs, each 1.5 times the next, 2.5 s per GOP, two static layers."""
    features = tuple(round(lowest_bytes * 1.5**k) for k in (4, 3, 2, 1, 0))
    gop = GopLadder(2.5, 200_000, 50_000, features, (62.0, 58.0, 54.0, 50.0, 46.0))
    return Ladder((16, 20, 24, 28, 32), (gop,) * gops, (100_000, 400_000), (12.0, 25.0, 100.0))


LADDER = made_up_ladder()

LONG = LADDER.looped(200.0)


def estimate(bps: float, latency_s: float = 0.05, known_s: float = 1e6) -> Throughput:
    return Throughput(bps, bps, bps, latency_s, long_bps=bps, known_s=known_s)


def situation(**changed: object) -> Situation:
    usual = Situation(
        buffer_s=10.0,
        next_gop=4,
        last_rung=2,
        static_layers=2,
        playing=True,
        throughput=estimate(3e6),
    )
    return replace(usual, **changed)  # type: ignore[arg-type]


situations = st.builds(
    Situation,
    buffer_s=st.floats(0, 30),
    next_gop=st.integers(0, len(LADDER.gops)),
    last_rung=st.none() | st.integers(0, 4),
    static_layers=st.integers(0, 2),
    playing=st.booleans(),
    throughput=st.none() | st.builds(estimate, st.floats(1e3, 1e9), st.floats(0, 2)),
    best_rung=st.integers(0, 4),
)


@settings(max_examples=300, deadline=None)
@given(situations)
def test_every_situation_gets_a_decision_that_can_be_followed(seen: Situation) -> None:
    decision = decide(LADDER, seen, SETTINGS)
    assert decision.reason
    if isinstance(decision, FetchSegment):
        assert decision.gop == seen.next_gop < len(LADDER.gops)
        assert seen.best_rung <= decision.quality <= LADDER.lowest
        assert seen.buffer_s + 2.5 <= SETTINGS.most_buffer_s + 1e-6
    elif isinstance(decision, FetchLayer):
        assert decision.layer == seen.static_layers < len(LADDER.static_bytes)
    else:
        assert isinstance(decision, Wait)
        assert decision.wait_s > 0


@settings(max_examples=200, deadline=None)
@given(situations)
def test_the_same_situation_gets_the_same_decision(seen: Situation) -> None:
    assert decide(LADDER, seen, SETTINGS) == decide(LADDER, seen, SETTINGS)


@settings(max_examples=200, deadline=None)
@given(st.floats(0, 12), st.floats(2e5, 5e7), st.integers(0, 4))
def test_a_rung_above_the_lowest_is_expected_before_the_buffer_ends(
    buffer_s: float, bps: float, last: int
) -> None:
    seen = situation(buffer_s=buffer_s, throughput=estimate(bps), last_rung=last)
    decision = decide(LADDER, seen, SETTINGS)
    if isinstance(decision, FetchSegment) and decision.quality < LADDER.lowest:
        assert arrival_s(LADDER.gops[4].bytes_at(decision.quality), seen) <= buffer_s


@settings(max_examples=200, deadline=None)
@given(st.floats(0, 18), st.floats(1e5, 5e7), st.integers(0, 4), st.integers(0, 30_000_000))
def test_a_transfer_is_only_abandoned_for_less_stall(
    buffer_s: float, bps: float, rung: int, received: int
) -> None:
    gop = LADDER.gops[4]
    received = min(max(received, gop.shared_bytes + 1), gop.bytes_at(rung))  # features come
    seen = situation(buffer_s=buffer_s, throughput=estimate(bps))
    instead = reconsider(LADDER, seen, InFlight(4, rung, received, 3.0), SETTINGS)
    if instead is None:
        return
    rest_s = 8 * (LADDER.gops[4].bytes_at(rung) - received) / bps
    assert isinstance(instead, FetchSegment)
    assert instead.quality > rung
    assert rest_s > buffer_s


@settings(max_examples=200, deadline=None)
@given(st.floats(0, 17.5), st.floats(1e5, 5e7), st.integers(0, 4), st.integers(0, 4))
def test_the_rung_stays_open_while_what_all_rungs_share_comes(
    buffer_s: float, bps: float, last: int, rung: int
) -> None:
    seen = situation(buffer_s=buffer_s, throughput=estimate(bps, latency_s=0.0), last_rung=last)
    wanted = decide(LADDER, seen, SETTINGS).quality
    instead = reconsider(LADDER, seen, InFlight(4, rung, 0, 0.0), SETTINGS)
    assert (rung if instead is None else instead.quality) == wanted


def test_a_network_that_turns_fast_or_slow_changes_the_rung_on_the_way() -> None:
    flight = InFlight(4, 2, 100_000, 0.5)
    fast = reconsider(LADDER, situation(throughput=estimate(50e6)), flight, SETTINGS)
    slow = reconsider(LADDER, situation(throughput=estimate(0.6e6)), flight, SETTINGS)
    assert fast is not None
    assert slow is not None
    assert (fast.quality, slow.quality) == (0, LADDER.lowest)
    assert "now QP 16" in fast.reason


def test_a_first_picture_comes_before_anything_else() -> None:
    start = situation(buffer_s=0.0, next_gop=0, last_rung=None, static_layers=0, throughput=None)
    first = decide(LADDER, start, SETTINGS)
    assert isinstance(first, FetchLayer)
    assert first.layer == 0
    second = decide(LADDER, replace(start, static_layers=1), SETTINGS)
    assert isinstance(second, FetchSegment)
    assert (second.gop, second.quality) == (0, LADDER.lowest)


@settings(max_examples=200, deadline=None)
@given(st.floats(0, 20), st.floats(0, 20))
def test_the_budget_grows_with_the_buffer_and_spends_no_more_than_it(
    one_s: float, other_s: float
) -> None:
    less_s, more_s = sorted((one_s, other_s))
    budgets = [budget_s(b, 2.5, 20.0, SETTINGS.budget) for b in (less_s, more_s)]
    assert 0 < budgets[0] <= budgets[1]
    wanted_s = 17.5
    assert all(b <= 2.5 for b, at in zip(budgets, (less_s, more_s), strict=True) if at <= wanted_s)
    assert all(b <= 2.5 + at for b, at in zip(budgets, (less_s, more_s), strict=True))


@settings(max_examples=200, deadline=None)
@given(st.floats(0, 17.5), st.floats(0, 17.5), st.floats(2e5, 5e7), st.integers(0, 4))
def test_a_fuller_buffer_never_lowers_the_rung(
    one_s: float, other_s: float, bps: float, last: int
) -> None:
    seen = situation(throughput=estimate(bps), last_rung=last)
    rungs = [
        decide(LADDER, replace(seen, buffer_s=b), SETTINGS).quality
        for b in sorted((one_s, other_s))
    ]
    assert rungs[1] <= rungs[0]


@settings(max_examples=200, deadline=None)
@given(st.floats(0, 17.5), st.floats(2e5, 5e7), st.floats(0.05, 1.0))
def test_less_is_dared_where_quality_gains_little(
    buffer_s: float, bps: float, share: float
) -> None:
    seen = situation(throughput=estimate(bps), buffer_s=buffer_s)
    flat = tuple(46.0 + share * (q - 46.0) for q in LADDER.gops[0].quality_db)
    flatter = replace(LADDER, gops=tuple(replace(g, quality_db=flat) for g in LADDER.gops))
    assert decide(flatter, seen, SETTINGS).quality >= decide(LADDER, seen, SETTINGS).quality


def test_more_is_saved_on_a_network_that_wavers() -> None:
    budgets = [budget_s(12.0, 2.5, 20.0, SETTINGS.budget, unrest) for unrest in (0.1, 0.35, 1.0)]
    assert budgets[0] > budgets[1] > budgets[2] > 0
    assert budgets[1] == budget_s(12.0, 2.5, 20.0, SETTINGS.budget)


def test_unrest_is_how_far_the_network_strays() -> None:
    calm, wild = ThroughputMeter(), ThroughputMeter()
    for k in range(400):
        calm.add(50_000, 0.5)
        wild.add(10_000 if k % 2 else 90_000, 0.5)
    steady, wavering = calm.estimate(), wild.estimate()
    assert steady is not None
    assert wavering is not None
    assert steady.unrest < 0.1 < 0.5 < wavering.unrest


def test_how_often_the_line_is_looked_at_changes_no_estimate_of_unrest() -> None:
    rough, fine = ThroughputMeter(), ThroughputMeter()
    for k in range(100):
        size = 20_000 if k // 10 % 2 else 60_000
        rough.add(size, 0.5)
        for _ in range(5):
            fine.add(size // 5, 0.1)
    seen = [meter.estimate() for meter in (rough, fine)]
    assert seen[0] is not None
    assert seen[1] is not None
    assert seen[0].unrest == pytest.approx(seen[1].unrest, rel=0.1)


def test_a_rung_of_no_more_quality_is_not_paid_for() -> None:
    gops = tuple(replace(g, quality_db=(54.0, 54.0, 54.0, 50.0, 46.0)) for g in LADDER.gops)
    rich = situation(throughput=estimate(100e6), buffer_s=15.0)
    assert decide(replace(LADDER, gops=gops), rich, SETTINGS).quality == 2


def test_static_layers_follow_while_playing() -> None:
    seen = situation(static_layers=1, throughput=estimate(20e6))
    assert isinstance(decide(LADDER, seen, SETTINGS), FetchLayer)


def test_static_layers_are_fetched_when_no_gop_is_wanted() -> None:
    slow = situation(static_layers=1, buffer_s=0.5, next_gop=12, throughput=estimate(3e6))
    full = situation(static_layers=1, buffer_s=19.0, throughput=estimate(0.1e6))
    for seen in (slow, full):
        assert isinstance(decide(LADDER, seen, SETTINGS), FetchLayer)


def test_static_layers_wait_for_a_buffer_that_will_grow() -> None:
    seen = situation(static_layers=1, buffer_s=0.5, throughput=estimate(3e6))
    decision = decide(LADDER, seen, SETTINGS)
    assert isinstance(decision, FetchSegment)
    assert decision.quality == LADDER.lowest


def test_static_layers_do_not_wait_for_a_buffer_that_never_grows() -> None:
    poor = situation(static_layers=1, buffer_s=0.5, throughput=estimate(0.5e6))
    assert isinstance(decide(LONG, poor, SETTINGS), FetchLayer)


def test_a_slow_start_is_expected_to_recover_until_it_has_lasted() -> None:
    """Large layers: begun on what the first GOPs found, they would stall for seconds. It does not
    matter where in the scene that is, as long as enough of it is left to be worth the stall."""
    heavy = replace(LADDER.looped(600.0), static_bytes=(100_000, 2_000_000))
    slow_bps = 1.05 * LADDER.bandwidth_bps(LADDER.lowest)
    for gop in (4, 50):
        seen = situation(static_layers=1, next_gop=gop, buffer_s=4.0)
        begun = replace(seen, throughput=estimate(slow_bps, known_s=2.0))
        assert isinstance(decide(heavy, begun, SETTINGS), FetchSegment)
        later = replace(seen, throughput=estimate(slow_bps, known_s=3600.0))
        assert isinstance(decide(heavy, later, SETTINGS), FetchLayer)


@settings(max_examples=200, deadline=None)
@given(st.floats(0.3, 0.8), st.integers(30, 400), st.integers(50_000, 20_000_000))
def test_a_starved_network_buys_a_layer_at_once_if_it_is_worth_its_stall_and_else_never(
    room: float, gops: int, layer_bytes: int
) -> None:
    """Of a long starved scene: 25 dB more in each GOP that is left, against 103 dB of one GOP for
    each second that the layer takes. What is missing of the reserve weighs 4.2 s at most."""
    scene = replace(LADDER.looped(2.5 * gops), static_bytes=(100_000, layer_bytes))
    starved = estimate(room * LADDER.bandwidth_bps(LADDER.lowest), latency_s=0.0)
    seen = situation(next_gop=1, static_layers=1, buffer_s=0.0, throughput=starved)
    gain_db = scene.shown_db(0, scene.lowest, 2) - scene.shown_db(0, scene.lowest, 1)
    worth_s = (len(scene.gops) - 1) * gain_db / (4.3 * 60 / 2.5)
    price_s = 8 * layer_bytes / starved.bps
    if price_s < worth_s - 4.3:
        assert isinstance(decide(scene, seen, SETTINGS), FetchLayer)
    if price_s > worth_s:
        assert isinstance(decide(scene, seen, SETTINGS), FetchSegment)


def test_plenty_gets_the_best_and_little_the_lowest() -> None:
    rich = situation(throughput=estimate(100e6), buffer_s=15.0)
    poor = situation(throughput=estimate(0.5e6), buffer_s=3.0)
    assert decide(LADDER, rich, SETTINGS).quality == 0
    assert decide(LADDER, poor, SETTINGS).quality == LADDER.lowest


def test_missed_deadlines_of_drawing_cap_the_rung() -> None:
    rich = situation(throughput=estimate(100e6), buffer_s=15.0, best_rung=3)
    assert decide(LADDER, rich, SETTINGS).quality == 3


def test_a_full_buffer_waits_until_the_next_gop_fits() -> None:
    decision = decide(LADDER, situation(buffer_s=SETTINGS.most_buffer_s), SETTINGS)
    assert isinstance(decision, Wait)
    assert decision.wait_s == pytest.approx(2.5)


def test_all_there_waits_for_ever() -> None:
    decision = decide(LADDER, situation(next_gop=12), SETTINGS)
    assert isinstance(decision, Wait)
    assert math.isinf(decision.wait_s)


def test_small_differences_of_the_estimate_do_not_flap_the_rung() -> None:
    for bps in (1.8e6, 2.5e6, 3.5e6):
        seen, rungs = situation(last_rung=None, buffer_s=14.0), []
        for k in range(12):
            wobble = estimate(bps * (1.03 if k % 2 else 0.97))
            rung = decide(LADDER, replace(seen, throughput=wobble), SETTINGS).quality
            rungs.append(rung)
            seen = replace(seen, last_rung=rung)
        assert len(set(rungs[2:])) == 1


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(1, 10**7), st.floats(0.01, 30)), min_size=1, max_size=50))
def test_the_estimate_lies_between_the_slowest_and_the_fastest_transfer(
    transfers: list[tuple[int, float]],
) -> None:
    meter = ThroughputMeter()
    for size, seconds in transfers:
        meter.add(size, seconds)
    seen = meter.estimate()
    rates = [8 * size / seconds for size, seconds in transfers]
    assert seen is not None
    assert min(*rates, 1.0) * 0.999 <= seen.bps <= max(max(rates), 1.0) * 1.001
    assert seen.bps == min(seen.fast_bps, seen.slow_bps)


def test_a_drop_is_believed_at_once_and_a_rise_slowly() -> None:
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


def test_a_static_layer_is_begun_when_the_buffer_outlasts_it() -> None:
    """400 kB at 2 Mbit/s take 1.65 s, the next GOP after it 1.1 s and more."""
    seen = situation(
        next_gop=4, last_rung=4, static_layers=1, buffer_s=2.0, throughput=estimate(2e6)
    )
    assert isinstance(decide(LADDER, seen, SETTINGS), FetchSegment)
    assert isinstance(decide(LADDER, replace(seen, buffer_s=12.0), SETTINGS), FetchLayer)


def test_after_a_seek_a_gop_comes_before_static_layers() -> None:
    """Also where the network is so poor that a layer would be fetched at once else."""
    poor = situation(static_layers=1, buffer_s=0.0, throughput=estimate(0.5e6))
    assert isinstance(decide(LONG, poor, SETTINGS), FetchLayer)
    assert isinstance(decide(LONG, replace(poor, last_rung=None), SETTINGS), FetchSegment)


def static_flight(received: int, elapsed_s: float = 3.0) -> InFlight:
    return InFlight(-1, -1, received, elapsed_s, static_layer=1)


def test_a_static_layer_lets_a_gop_pass_when_the_network_drops() -> None:
    heavy = replace(LADDER.looped(200.0), static_bytes=(100_000, 2_000_000))
    usual = Throughput(4e6, 4e6, 4e6, 0.05, long_bps=4e6, known_s=600.0)
    seen = situation(static_layers=1, buffer_s=14.0, throughput=usual)
    assert isinstance(decide(heavy, seen, SETTINGS), FetchLayer)
    assert reconsider(heavy, seen, static_flight(500_000), SETTINGS) is None
    drop = replace(usual, bps=1.5e6, fast_bps=1.5e6)
    worse = replace(seen, buffer_s=5.0, throughput=drop)
    paused = reconsider(heavy, worse, static_flight(500_000), SETTINGS)
    assert paused is not None
    assert isinstance(paused, Abort)
    assert "GOP goes first" in paused.reason
    nearly_there = static_flight(1_990_000)
    assert reconsider(heavy, worse, nearly_there, SETTINGS) is None


@settings(max_examples=300, deadline=None)
@given(situations, st.integers(0, 400_000), st.floats(0, 60))
def test_what_is_paused_would_not_be_begun_again_at_once(
    seen: Situation, received: int, elapsed_s: float
) -> None:
    """Else the layer and its pause would take turns."""
    seen = replace(seen, static_layers=1)
    paused = reconsider(LADDER, seen, static_flight(received, elapsed_s), SETTINGS)
    if paused is None:
        return
    assert isinstance(paused, Abort)
    assert elapsed_s >= SETTINGS.abandon_after_s
    again = decide(LADDER, replace(seen, static_part_bytes=received), SETTINGS)
    full = seen.buffer_s + 2.5 > SETTINGS.most_buffer_s
    assert isinstance(again, FetchSegment) or full


@settings(max_examples=200, deadline=None)
@given(st.floats(0, 17), st.floats(2e5, 2e7), st.integers(0, 399_000), st.integers(0, 399_000))
def test_the_more_there_is_of_a_layer_the_rather_it_goes_on(
    buffer_s: float, bps: float, one: int, other: int
) -> None:
    seen = situation(static_layers=1, buffer_s=buffer_s, throughput=estimate(bps))
    less, more = (
        isinstance(decide(LADDER, replace(seen, static_part_bytes=part), SETTINGS), FetchLayer)
        for part in sorted((one, other))
    )
    assert more or not less


def test_of_the_layers_those_that_gain_most_per_byte_are_bought() -> None:
    """The small layer that brings much is not held back by a large one that brings little."""
    small_first = replace(
        LADDER, static_bytes=(100_000, 50_000, 4_000_000), static_quality_db=(12, 25, 44, 100)
    )
    seen = situation(static_layers=1, buffer_s=9.0, throughput=estimate(1.6e6))
    assert isinstance(decide(small_first, seen, SETTINGS), FetchLayer)
    assert isinstance(decide(small_first, replace(seen, static_layers=2), SETTINGS), FetchSegment)


def test_an_idle_line_fetches_static_layers_with_any_network() -> None:
    seen = situation(static_layers=1, buffer_s=19.0, throughput=estimate(2e6, known_s=0.5))
    assert isinstance(decide(LADDER, seen, SETTINGS), FetchLayer)


def test_a_reserve_is_left_when_a_layer_has_come_only_where_the_buffer_grows() -> None:
    """400 kB at 3 Mbit/s take 1.1 s: the buffer bears them, but not an outage after them."""
    eager = replace(SETTINGS, static=replace(SETTINGS.static, reserve_s=0.0))
    seen = situation(static_layers=1, buffer_s=4.5, throughput=estimate(3e6))
    assert isinstance(decide(LADDER, seen, eager), FetchLayer)
    assert isinstance(decide(LADDER, seen, SETTINGS), FetchSegment)
    starved = replace(seen, buffer_s=0.5, throughput=estimate(0.5e6))
    assert isinstance(decide(LONG, starved, SETTINGS), FetchLayer)


def test_before_the_last_gop_of_a_short_scene_static_layers_empty_no_buffer() -> None:
    seen = situation(
        next_gop=11, last_rung=4, static_layers=1, buffer_s=2.0, throughput=estimate(2e6)
    )
    assert isinstance(decide(LADDER, seen, SETTINGS), FetchSegment)
    assert isinstance(decide(LADDER, replace(seen, next_gop=12), SETTINGS), FetchLayer)
