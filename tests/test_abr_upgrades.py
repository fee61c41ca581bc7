"""What of the buffer is fetched again at a better rung: only what pays, only in time."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streamstgs.codec.streaming.adaptive import (
    Abort,
    Decision,
    FetchSegment,
    Held,
    InFlight,
    NextStep,
    Revision,
    Situation,
    Wait,
    decide,
    reconsider,
)

from benchmarks.streaming.policies import Adaptive, Fixed
from benchmarks.streaming.session import play
from benchmarks.streaming.trace import Trace
from tests.test_abr_logic import LADDER, SETTINGS, estimate, made_up_ladder, situation

UPGRADES = SETTINGS.upgrades
GOP = LADDER.gops[0]
FULL_S = SETTINGS.most_buffer_s


def buffer_of(rungs: list[int], first: int = 0, past_s: float = 0.0) -> tuple[Held, ...]:
    """GOPs in a row, the first of which is being shown since `past_s`."""
    return tuple(
        Held(first + k, rung, 2.5 * k - past_s, tuple(range(rung))) for k, rung in enumerate(rungs)
    )


def full(rungs: list[int], bps: float = 6e6, past_s: float = 0.0, **changed: object) -> Situation:
    """The buffer is full; GOP 0 is being shown."""
    seen = situation(
        buffer_s=FULL_S - past_s,
        next_gop=len(rungs),
        last_rung=rungs[-1],
        throughput=estimate(bps),
        held=buffer_of(rungs, past_s=past_s),
    )
    return replace(seen, **changed)  # type: ignore[arg-type]


def is_upgrade(decision: Decision) -> bool:
    return isinstance(decision, FetchSegment) and decision.again


rungs_held = st.lists(st.integers(0, 4), min_size=1, max_size=12)


@settings(max_examples=300, deadline=None)
@given(rungs_held, st.floats(0, 2.5), st.floats(0.1, 20), st.floats(1e4, 1e8), st.integers(0, 12))
def test_an_upgrade_is_better_comes_in_time_and_leaves_most_of_the_buffer(
    rungs: list[int], past_s: float, buffer_s: float, bps: float, next_gop: int
) -> None:
    seen = full(rungs, bps, past_s, buffer_s=buffer_s, next_gop=next_gop)
    decision = decide(LADDER, seen, SETTINGS)
    if not is_upgrade(decision):
        return
    (held,) = (h for h in seen.held if h.gop == decision.gop)
    assert decision.quality in held.better
    assert GOP.quality_db[decision.quality] > GOP.quality_db[held.rung]
    needed_s = 8 * GOP.feature_bytes[decision.quality] / bps
    assert needed_s < held.lead_s
    all_there = next_gop == len(LADDER.gops)
    idle_s = buffer_s + GOP.duration_s - SETTINGS.most_buffer_s
    assert all_there or needed_s <= UPGRADES.idle_times * idle_s
    assert "instead of" in decision.reason


@settings(max_examples=100, deadline=None)
@given(rungs_held, st.floats(0, 17.4), st.floats(1e4, 1e8))
def test_as_long_as_the_buffer_can_grow_it_grows(
    rungs: list[int], buffer_s: float, bps: float
) -> None:
    seen = full(rungs, bps, buffer_s=buffer_s, next_gop=min(len(rungs), 11))
    assert not is_upgrade(decide(LADDER, seen, SETTINGS))


def test_a_dip_is_filled() -> None:
    decision = decide(LADDER, full([1, 1, 1, 4, 1, 1, 1, 1]), SETTINGS)
    assert is_upgrade(decision)
    assert (decision.gop, decision.quality) == (3, 1)


def test_what_is_shown_is_left_alone() -> None:
    assert isinstance(decide(LADDER, full([4, 1, 1, 1, 1, 1, 1, 1], past_s=0.5), SETTINGS), Wait)


def test_a_level_buffer_is_not_fetched_twice() -> None:
    """Its bytes are better spent on GOPs that are not there yet."""
    strict = replace(SETTINGS, upgrades=replace(UPGRADES, worth=1.5))
    assert isinstance(decide(LADDER, full([2] * 8), strict), Wait)


def test_an_empty_line_of_errands_makes_everything_better() -> None:
    """Nothing else is to be fetched: the best that comes in time."""
    seen = full([1] * 8, next_gop=len(LADDER.gops))
    decision = decide(LADDER, seen, SETTINGS)
    assert is_upgrade(decision)
    assert decision.quality == 0
    best = decide(LADDER, full([0] * 8, next_gop=len(LADDER.gops)), SETTINGS)
    assert math.isinf(best.wait_s)


def test_without_an_estimate_nothing_is_fetched_again() -> None:
    seen = full([4] * 8, throughput=None, next_gop=len(LADDER.gops))
    assert isinstance(decide(LADDER, seen, SETTINGS), Wait)


def second_look(seen: Situation, elapsed_s: float = 2.0, features: int = 10_000) -> Revision | None:
    flight = InFlight(3, 1, GOP.shared_bytes + features, elapsed_s, upgrade=True)
    return reconsider(LADDER, seen, flight, SETTINGS)


@pytest.mark.parametrize(
    ("bps", "past_s", "buffer_s", "why"),
    [
        (3e6, 7.3, 12.5, "it is shown"),
        (0.5e6, 2.5, 17.5, "after it is shown"),
        (2.4e6, 2.5, 3.4, "in a hurry"),
    ],
)
def test_an_upgrade_is_given_up_for_what_is_there(
    bps: float, past_s: float, buffer_s: float, why: str
) -> None:
    seen = full([1, 1, 1, 4, 1, 1, 1, 1], bps, past_s, buffer_s=buffer_s)
    given_up = second_look(seen)
    assert given_up is not None
    assert isinstance(given_up, Abort)
    assert why in given_up.reason


def test_an_upgrade_that_is_on_its_way_is_left_alone() -> None:
    assert second_look(full([1, 1, 1, 4, 1, 1, 1, 1])) is None
    assert second_look(full([1, 1, 1, 4, 1, 1, 1, 1], bps=1e5), elapsed_s=0.4) is None


def falling(high_bps: float, low_bps: float) -> Trace:
    return Trace(np.array([30.0, 15.0]), np.array([high_bps, low_bps]), np.full(2, 0.05))


def test_a_viewer_sees_the_better_rung() -> None:
    ladder = made_up_ladder(gops=60)
    trace = falling(5e6, 1.2e6)
    eager = replace(SETTINGS, upgrades=replace(UPGRADES, worth=0.5))
    never = replace(SETTINGS, upgrades=replace(UPGRADES, worth=1e9))
    with_upgrades = play(Adaptive(eager), ladder, trace)
    without = play(Adaptive(never), ladder, trace)
    assert with_upgrades.upgrades > 3
    assert with_upgrades.wasted_bytes > 0
    assert with_upgrades.stall_s <= without.stall_s + 0.01
    assert with_upgrades.qoe_db > without.qoe_db


class _OneUpgrade(Fixed):
    """The lowest rung, and after GOP 3 one upgrade of a GOP, whatever comes of it."""

    def __init__(self, gop: int) -> None:
        super().__init__(SETTINGS, "one upgrade", -1)
        self._gop, self._done = gop, False

    def decide(self, ladder: object, seen: Situation) -> NextStep:
        if seen.next_gop == 4 and not self._done:
            self._done = True
            return FetchSegment(self._gop, 0, "a test", again=True)
        return super().decide(ladder, seen)  # type: ignore[arg-type]


@pytest.mark.parametrize(("gop", "counts"), [(3, True), (0, False)])
def test_an_upgrade_counts_only_if_it_comes_before_its_gop_is_shown(gop: int, counts: bool) -> None:
    ladder = replace(made_up_ladder(gops=12), static_bytes=(), static_quality_db=(100.0,))
    trace = Trace(np.array([10.0]), np.array([4e6]), np.array([0.05]))
    outcome = play(_OneUpgrade(gop), ladder, trace)
    assert outcome.upgrades == counts
    assert outcome.rungs[gop] == (0 if counts else 4)
    assert outcome.quality_db[gop] == pytest.approx(GOP.quality_db[0 if counts else 4])
    features = GOP.feature_bytes
    assert outcome.wasted_bytes == (features[4] if counts else features[0])
    assert outcome.fetched_bytes == 12 * GOP.bytes_at(4) + features[0]
