"""Which buffered segments are fetched again: only where bytes are free, only in time."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streamstgs.codec.streaming.adaptive import (
    Abort,
    BufferedSegment,
    Decision,
    FetchSegment,
    NextStep,
    Revision,
    SegmentInFlight,
    Situation,
    Wait,
    decide,
    reconsider,
)

from benchmarks.streaming.policies import Fixed
from benchmarks.streaming.session import play
from benchmarks.streaming.trace import Trace
from tests.test_abr_logic import LADDER, SETTINGS, estimate, made_up_ladder, situation

GOP = LADDER.gops[0]
ALL = len(LADDER.gops)


def buffer_of(qualities: list[int], past_s: float = 0.0) -> tuple[BufferedSegment, ...]:
    """GOPs in a row, the first of which has been on the screen for `past_s`."""
    return tuple(
        BufferedSegment(k, quality, 2.5 * k - past_s, tuple(range(LADDER.best, quality, -1)))
        for k, quality in enumerate(qualities)
    )


def complete(
    qualities: list[int], bps: float = 6e6, past_s: float = 0.0, **more: object
) -> Situation:
    """Every segment is buffered; GOP 0 is on the screen."""
    seen = situation(
        buffer_s=2.5 * len(qualities) - past_s,
        next_gop=ALL,
        last_quality=qualities[-1],
        throughput=estimate(bps),
        buffered=buffer_of(qualities, past_s),
    )
    return replace(seen, **more)  # type: ignore[arg-type]


def is_upgrade(decision: Decision) -> bool:
    return isinstance(decision, FetchSegment) and decision.again


buffered_qualities = st.lists(st.integers(0, 4), min_size=1, max_size=12)


@settings(max_examples=300, deadline=None)
@given(buffered_qualities, st.floats(0, 2.5), st.floats(1e4, 1e8))
def test_upgrade_is_better_and_arrives_in_time(
    qualities: list[int], past_s: float, bps: float
) -> None:
    seen = complete(qualities, bps, past_s)
    decision = decide(LADDER, seen, SETTINGS)
    if not is_upgrade(decision):
        assert isinstance(decision, Wait)
        return
    assert isinstance(decision, FetchSegment)
    (segment,) = (each for each in seen.buffered if each.gop == decision.gop)
    assert decision.quality_index in segment.better
    assert GOP.quality_db[decision.quality_index] > GOP.quality_db[segment.quality_index]
    assert 8 * GOP.feature_bytes[decision.quality_index] / bps < segment.lead_s
    assert "instead of" in decision.reason


@settings(max_examples=100, deadline=None)
@given(buffered_qualities, st.floats(0, 20), st.floats(1e4, 1e8))
def test_nothing_is_upgraded_while_segments_are_missing(
    qualities: list[int], buffer_s: float, bps: float
) -> None:
    seen = complete(qualities, bps, buffer_s=buffer_s, next_gop=min(len(qualities), ALL - 1))
    assert not is_upgrade(decide(LADDER, seen, SETTINGS))


def test_segment_of_most_gain_comes_first() -> None:
    decision = decide(LADDER, complete([3, 3, 3, 0, 3, 3, 3, 3]), SETTINGS)
    assert isinstance(decision, FetchSegment)
    assert (decision.gop, decision.quality_index, decision.again) == (3, LADDER.best, True)
    best = decide(LADDER, complete([4] * 8), SETTINGS)
    assert isinstance(best, Wait)
    assert math.isinf(best.wait_s)


def test_shown_segment_is_upgraded_only_if_enough_is_left() -> None:
    seen = complete([0, 4, 4], past_s=0.5)
    assert isinstance(decide(LADDER, seen, SETTINGS), Wait)
    improved = decide(LADDER, replace(seen, shown_left_s=2.0), SETTINGS)
    assert isinstance(improved, FetchSegment)
    assert (improved.gop, improved.again) == (0, True)


def test_nothing_is_upgraded_without_an_estimate() -> None:
    assert isinstance(decide(LADDER, complete([0] * 8, throughput=None), SETTINGS), Wait)


def second_look(seen: Situation, elapsed_s: float = 2.0) -> Revision | None:
    flight = SegmentInFlight(3, 3, GOP.shared_bytes + 10_000, elapsed_s, upgrade=True)
    return reconsider(LADDER, seen, flight, SETTINGS)


@pytest.mark.parametrize(
    ("bps", "past_s", "missing", "why"),
    [(3e6, 7.3, False, "too late"), (0.5e6, 2.5, False, "too late"), (2.4e6, 2.5, True, "needed")],
)
def test_upgrade_in_flight_is_aborted(bps: float, past_s: float, missing: bool, why: str) -> None:
    seen = complete([3, 3, 3, 0, 3, 3, 3, 3], bps, past_s)
    if missing:
        seen = replace(seen, next_gop=8, buffer_s=3.0)
    aborted = second_look(seen)
    assert isinstance(aborted, Abort)
    assert why in aborted.reason


def test_upgrade_in_flight_goes_on() -> None:
    assert second_look(complete([3, 3, 3, 0, 3, 3, 3, 3])) is None
    assert second_look(complete([3, 3, 3, 0, 3, 3, 3, 3], bps=1e5), elapsed_s=0.4) is None


class _OneUpgrade(Fixed):
    """The lowest quality, and after GOP 3 one upgrade of a GOP, whatever comes of it."""

    def __init__(self, gop: int) -> None:
        super().__init__(SETTINGS, "one upgrade", fixed=0)
        self._gop, self._done = gop, False

    def decide(self, ladder: object, seen: Situation) -> NextStep:
        if seen.next_gop == 4 and not self._done:
            self._done = True
            return FetchSegment(self._gop, ladder.best, "a test", again=True)
        return super().decide(ladder, seen)  # type: ignore[arg-type]


@pytest.mark.parametrize(("gop", "counts"), [(3, True), (0, False)])
def test_simulated_upgrade_counts_only_if_it_arrives_in_time(gop: int, counts: bool) -> None:
    ladder = replace(made_up_ladder(gops=12), static_bytes=(), static_quality_db=(100.0,))
    trace = Trace(np.array([10.0]), np.array([4e6]), np.array([0.05]))
    outcome = play(_OneUpgrade(gop), ladder, trace)
    assert outcome.upgrades == counts
    assert outcome.qualities[gop] == (4 if counts else 0)
    assert outcome.quality_db[gop] == pytest.approx(GOP.quality_db[4 if counts else 0])
    features = GOP.feature_bytes
    assert outcome.wasted_bytes == (features[0] if counts else features[4])
    assert outcome.fetched_bytes == 12 * GOP.bytes_at(0) + features[4]
