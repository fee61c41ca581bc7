"""What the adaptive logic sees and what it answers. Plain values, so that it can be tested."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from streamstgs.codec.streaming.adaptive.throughput import Throughput


@dataclass(frozen=True)
class Held:
    """A GOP that is there.

    Args:
        gop, rung: which.
        lead_s: content seconds until it is shown; 0 or less when it is being shown.
        better: rungs that it could be fetched again at.
    """

    gop: int
    rung: int
    lead_s: float
    better: tuple[int, ...] = ()


@dataclass(frozen=True)
class Situation:
    """What is known when the connection is free.

    Args:
        buffer_s: content seconds ahead of the position that can be played without a gap.
        next_gop: the first GOP that is not there; the number of GOPs when all are.
        last_rung: rung of the GOP before it, None at the start and after a seek.
        static_layers: how many layers of static Gaussians are there.
        static_part_bytes: what came of the next one before it was paused.
        playing: whether the position moves, or would if the buffer were not empty.
        throughput: estimate, None before the first transfer.
        best_rung: better ones (lower numbers) are not to be fetched, as drawing them misses
            deadlines.
        held: GOPs that are there without a gap, in the order in which they are shown, the one
            being shown included.
    """

    buffer_s: float
    next_gop: int
    last_rung: int | None
    static_layers: int
    playing: bool
    throughput: Throughput | None
    best_rung: int = 0
    static_part_bytes: int = 0
    held: tuple[Held, ...] = ()


@dataclass(frozen=True)
class InFlight:
    """What is being fetched: a GOP, keyframe and field first, then the features of one rung; or a
    static layer.

    Args:
        gop, rung: which; -1 for a static layer.
        received_bytes: of all its parts, what was there already included.
        elapsed_s: since it was asked for.
        upgrade: whether it is there already at a lower rung.
        static_layer: which; -1 for a GOP.
    """

    gop: int
    rung: int
    received_bytes: int
    elapsed_s: float
    upgrade: bool = False
    static_layer: int = -1


class Step(Enum):
    """What to do next."""

    FETCH_GOP = "fetch GOP"
    UPGRADE_GOP = "fetch GOP again"
    FETCH_STATIC = "fetch static layer"
    PAUSE_STATIC = "pause static layer"
    WAIT = "wait"
    ABANDON = "abandon"


@dataclass(frozen=True)
class Decision:
    """What to do next and why.

    Args:
        gop, rung: for FETCH_GOP and UPGRADE_GOP; for ABANDON the rung to fetch instead, -1 to keep
            what is there. -1 otherwise.
        static_layer: for FETCH_STATIC and PAUSE_STATIC, else -1.
        wait_s: for WAIT, when to ask again at the latest; infinite when all is there.
        throughput_bps, buffer_s: what the decision rests on; 0 without an estimate.
        reason: one sentence for a person.
    """

    step: Step
    reason: str
    throughput_bps: float
    buffer_s: float
    gop: int = -1
    rung: int = -1
    static_layer: int = -1
    wait_s: float = 0.0
