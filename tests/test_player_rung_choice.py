"""The choice of the rung: best that keeps up, steady, explained."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from app.player.rung_choice import Observation, choose_rung, faster_than_real_time

RUNGS = (16, 20, 24, 28, 32)
SEEN = Observation(
    rungs=RUNGS,
    bytes_per_frame=(16_000.0, 8_000.0, 4_000.0, 2_000.0, 1_000.0),
    fps=25.0,
    speed=1.0,
    buffer_s=4.0,
    current=24,
    seconds_per_byte=1e-7,
    local=True,
)
COSTS = st.floats(1e-9, 1e-3)


def test_a_fast_local_file_plays_at_best_quality_and_says_so() -> None:
    choice = choose_rung(SEEN)
    assert choice.rung == 16
    assert choice.reason == "local file, decodes 25x faster than real time: best quality"


def test_a_machine_that_is_too_slow_is_told_by_how_much() -> None:
    seconds = 1 / (1_000.0 * 25)  # the smallest rung decodes in just real time
    slow = choose_rung(replace(SEEN, seconds_per_byte=2.5 * seconds))
    assert "decodes 2.5x slower than real time: smallest rung" in slow.reason
    even = choose_rung(replace(SEEN, seconds_per_byte=seconds))
    assert "decodes in just about real time: smallest rung" in even.reason


def test_the_first_rung_depends_on_where_the_scene_lies() -> None:
    new = replace(SEEN, current=None, seconds_per_byte=None)
    assert choose_rung(new).rung == 16
    assert choose_rung(replace(new, local=False)).rung == 32


def test_when_nothing_keeps_up_the_smallest_is_taken() -> None:
    choice = choose_rung(replace(SEEN, seconds_per_byte=1.0))
    assert choice.rung == 32
    assert "smallest" in choice.reason


def test_a_rung_is_kept_at_a_pace_that_would_not_suffice_to_take_it() -> None:
    # QP 20 arrives 1.6 times faster than it plays: enough to stay, not enough to go up to.
    pace = replace(SEEN, seconds_per_byte=1 / (8_000.0 * 25 * 1.6))
    assert choose_rung(replace(pace, current=20)).rung == 20
    assert choose_rung(replace(pace, current=24)).rung == 24
    assert choose_rung(replace(pace, current=20, buffer_s=0.2)).rung == 24  # hardly any buffer


def test_faster_playback_needs_a_faster_rung() -> None:
    at_speed = replace(SEEN, seconds_per_byte=1 / (16_000.0 * 25 * 4))
    assert choose_rung(replace(at_speed, current=16)).rung == 16
    assert choose_rung(replace(at_speed, current=16, speed=8.0)).rung > 16


@given(cost=COSTS, buffer_s=st.floats(0, 60), current=st.sampled_from(RUNGS))
def test_the_choice_is_a_fixed_point(cost: float, buffer_s: float, current: int) -> None:
    seen = replace(SEEN, seconds_per_byte=cost, buffer_s=buffer_s, current=current)
    first = choose_rung(seen).rung
    assert first in RUNGS
    assert choose_rung(replace(seen, current=first)).rung == first


@given(cost=COSTS, share=st.floats(0.1, 1.0), current=st.sampled_from(RUNGS))
def test_a_faster_machine_never_gets_a_worse_rung(cost: float, share: float, current: int) -> None:
    slow = replace(SEEN, seconds_per_byte=cost, current=current)
    fast = replace(slow, seconds_per_byte=cost * share)
    assert choose_rung(fast).rung <= choose_rung(slow).rung


def test_the_pace_counts_speed() -> None:
    assert faster_than_real_time(replace(SEEN, speed=2.0), 16) * 2 == faster_than_real_time(
        SEEN, 16
    )
