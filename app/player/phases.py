"""The states of a playback and of its pipeline, each with a table of the events that change it."""

from __future__ import annotations

from enum import Enum, auto

from streamstgs.app.player.state_machine import Transitions
from streamstgs.app.player.status import PlaybackState


class PlaybackPhase(Enum):
    """A `PlaybackState` together with whether the scene plays as soon as it can."""

    OPENING = (PlaybackState.OPENING, True)
    OPENING_PAUSED = (PlaybackState.OPENING, False)
    BUFFERING = (PlaybackState.BUFFERING, True)
    BUFFERING_PAUSED = (PlaybackState.BUFFERING, False)
    PLAYING = (PlaybackState.PLAYING, True)
    PAUSED = (PlaybackState.PAUSED, False)
    ENDED = (PlaybackState.ENDED, False)
    FAILED = (PlaybackState.FAILED, True)
    FAILED_PAUSED = (PlaybackState.FAILED, False)

    @property
    def state(self) -> PlaybackState:
        return self.value[0]

    @property
    def wants_play(self) -> bool:
        return self.value[1]


class PlaybackEvent(Enum):
    """What can happen to a playback."""

    OPENED = auto()  # the scene is open
    PLAY = auto()
    PAUSE = auto()
    SEEK = auto()
    MISSING = auto()  # the frame at the position is not decoded
    READY = auto()  # it is; while buffering, enough content is ahead as well
    END = auto()  # the clock reached the end
    FAIL = auto()  # the scene cannot be played


_P, _E = PlaybackPhase, PlaybackEvent

# An event that a phase does not list changes nothing. `Playback.play` seeks to the start first
# where the end was reached, so ENDED has no PLAY.
PLAYBACK_TRANSITIONS: Transitions[PlaybackPhase, PlaybackEvent] = {
    _P.OPENING: {
        _E.OPENED: _P.BUFFERING,
        _E.PAUSE: _P.OPENING_PAUSED,
        _E.FAIL: _P.FAILED,
    },
    _P.OPENING_PAUSED: {
        _E.OPENED: _P.BUFFERING_PAUSED,
        _E.PLAY: _P.OPENING,
        _E.FAIL: _P.FAILED_PAUSED,
    },
    _P.BUFFERING: {
        _E.PAUSE: _P.BUFFERING_PAUSED,
        _E.READY: _P.PLAYING,
        _E.END: _P.ENDED,
        _E.FAIL: _P.FAILED,
    },
    _P.BUFFERING_PAUSED: {
        _E.PLAY: _P.BUFFERING,
        _E.READY: _P.PAUSED,
        _E.END: _P.ENDED,
        _E.FAIL: _P.FAILED_PAUSED,
    },
    _P.PLAYING: {
        _E.PAUSE: _P.PAUSED,
        _E.MISSING: _P.BUFFERING,
        _E.END: _P.ENDED,
        _E.FAIL: _P.FAILED,
    },
    _P.PAUSED: {
        _E.PLAY: _P.PLAYING,
        _E.MISSING: _P.BUFFERING_PAUSED,
        _E.END: _P.ENDED,
        _E.FAIL: _P.FAILED_PAUSED,
    },
    _P.ENDED: {
        _E.SEEK: _P.PAUSED,
        _E.FAIL: _P.FAILED_PAUSED,
    },
    _P.FAILED: {_E.PAUSE: _P.FAILED_PAUSED},
    _P.FAILED_PAUSED: {_E.PLAY: _P.FAILED},
}


class PipelinePhase(Enum):
    """What the threads of a pipeline are doing with their scene."""

    OPENING = auto()
    OPEN = auto()
    REOPENING = auto()  # another scene replaced the open one, at the same location
    FAILED = auto()  # the threads end
    CLOSED = auto()  # the threads end


class PipelineEvent(Enum):
    """What can happen to the scene of a pipeline."""

    OPENED = auto()
    REPLACED = auto()
    FAIL = auto()
    CLOSE = auto()


_Q, _F = PipelinePhase, PipelineEvent

# An event that a phase does not list changes nothing.
PIPELINE_TRANSITIONS: Transitions[PipelinePhase, PipelineEvent] = {
    _Q.OPENING: {_F.OPENED: _Q.OPEN, _F.FAIL: _Q.FAILED, _F.CLOSE: _Q.CLOSED},
    _Q.OPEN: {_F.REPLACED: _Q.REOPENING, _F.FAIL: _Q.FAILED, _F.CLOSE: _Q.CLOSED},
    _Q.REOPENING: {_F.OPENED: _Q.OPEN, _F.FAIL: _Q.FAILED, _F.CLOSE: _Q.CLOSED},
    _Q.FAILED: {},
    _Q.CLOSED: {},
}
