"""The tables of phases: each pair of phase and event is a transition or refused."""

from __future__ import annotations

import pytest
from streamstgs.app.player.phases import (
    PIPELINE_TRANSITIONS,
    PLAYBACK_TRANSITIONS,
    PipelineEvent,
    PipelinePhase,
    PlaybackEvent,
    PlaybackPhase,
)
from streamstgs.app.player.state_machine import StateMachine
from streamstgs.app.player.status import PlaybackState

# What a phase becomes; a dash refuses the event.
EVENTS = "OPENED PLAY PAUSE SEEK MISSING READY END FAIL"
TABLE = """
OPENING           BUFFERING         -         OPENING_PAUSED    -       -                 -        -      FAILED
OPENING_PAUSED    BUFFERING_PAUSED  OPENING   -                 -       -                 -        -      FAILED_PAUSED
BUFFERING         -                 -         BUFFERING_PAUSED  -       -                 PLAYING  ENDED  FAILED
BUFFERING_PAUSED  -                 BUFFERING -                 -       -                 PAUSED   ENDED  FAILED_PAUSED
PLAYING           -                 -         PAUSED            -       BUFFERING         -        ENDED  FAILED
PAUSED            -                 PLAYING   -                 -       BUFFERING_PAUSED  -        ENDED  FAILED_PAUSED
ENDED             -                 -         -                 PAUSED  -                 -        -      FAILED_PAUSED
FAILED            -                 -         FAILED_PAUSED     -       -                 -        -      -
FAILED_PAUSED     -                 FAILED    -                 -       -                 -        -      -
"""  # noqa: E501

PAIRS = [
    (row.split()[0], event, following)
    for row in TABLE.strip().splitlines()
    for event, following in zip(EVENTS.split(), row.split()[1:], strict=True)
]


@pytest.mark.parametrize(("phase", "event", "following"), PAIRS)
def test_pair_is_a_transition_or_refused(phase: str, event: str, following: str) -> None:
    machine = StateMachine(PlaybackPhase[phase], PLAYBACK_TRANSITIONS)
    accepted = machine.handle(PlaybackEvent[event])
    assert accepted == (following != "-")
    assert machine.state is PlaybackPhase[phase if following == "-" else following]


def test_table_names_every_phase_and_event() -> None:
    assert {phase for phase, _, _ in PAIRS} == {phase.name for phase in PlaybackPhase}
    assert {event for _, event, _ in PAIRS} == {event.name for event in PlaybackEvent}


def test_play_and_pause_keep_the_state_they_are_pressed_in() -> None:
    """A scene that opens, buffers or failed does so whether it shall play or not."""
    for phase in PlaybackPhase:
        for event in (PlaybackEvent.PLAY, PlaybackEvent.PAUSE):
            machine = StateMachine(phase, PLAYBACK_TRANSITIONS)
            if machine.handle(event) and phase.state is not PlaybackState.PAUSED:
                kept = (phase.state, machine.state.state)
                assert kept[0] is kept[1] or kept == (PlaybackState.PLAYING, PlaybackState.PAUSED)
                assert machine.state.wants_play == (event is PlaybackEvent.PLAY)


def test_every_phase_is_reachable() -> None:
    reached = {PlaybackPhase.OPENING}
    for _ in PlaybackPhase:
        reached |= {n for p in reached for n in PLAYBACK_TRANSITIONS[p].values()}
    assert reached == set(PlaybackPhase)


PIPELINE_EVENTS = "OPENED REPLACED FAIL CLOSE"
PIPELINE_TABLE = """
OPENING    OPEN  -          FAILED  CLOSED
OPEN       -     REOPENING  FAILED  CLOSED
REOPENING  OPEN  -          FAILED  CLOSED
FAILED     -     -          -       -
CLOSED     -     -          -       -
"""


@pytest.mark.parametrize("row", PIPELINE_TABLE.strip().splitlines())
def test_pipeline_pair_is_a_transition_or_refused(row: str) -> None:
    phase, *following = row.split()
    for event, name in zip(PIPELINE_EVENTS.split(), following, strict=True):
        machine = StateMachine(PipelinePhase[phase], PIPELINE_TRANSITIONS)
        assert machine.handle(PipelineEvent[event]) == (name != "-")
        assert machine.state is PipelinePhase[phase if name == "-" else name]


def test_pipeline_table_names_every_phase() -> None:
    rows = [row.split()[0] for row in PIPELINE_TABLE.strip().splitlines()]
    assert rows == [phase.name for phase in PipelinePhase]
