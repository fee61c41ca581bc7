"""What the adaptive logic sees and what it answers. Plain values, so that it can be tested."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True)
class FetchSegment:
    """Fetch a GOP, or go on fetching it at another quality.

    Args:
        gop, quality: which GOP, and the index of its quality in the ladder, 0 the best.
        reason: one sentence for a person.
        again: whether the GOP is buffered already, at a lower quality.
    """

    gop: int
    quality: int
    reason: str
    again: bool = False

    def __str__(self) -> str:
        return f"fetch segment {self.gop}{' again' if self.again else ''}"


@dataclass(frozen=True)
class FetchLayer:
    """Fetch a static layer, or what is missing of it.

    Args:
        layer: its number, 0 the most important.
        reason: one sentence for a person.
    """

    layer: int
    reason: str

    def __str__(self) -> str:
        return f"fetch static layer {self.layer}"


@dataclass(frozen=True)
class Wait:
    """Fetch nothing.

    Args:
        wait_s: seconds of content after which to decide again at the latest; infinite when
            everything is buffered.
        reason: one sentence for a person.
    """

    wait_s: float
    reason: str


@dataclass(frozen=True)
class Abort:
    """Stop the transfer in flight and decide again. Received bytes of a static layer are kept.

    Args:
        reason: one sentence for a person.
    """

    reason: str


NextStep = FetchSegment | FetchLayer | Wait  # while nothing is in flight
Revision = FetchSegment | Abort  # of a transfer in flight
Decision = FetchSegment | FetchLayer | Wait | Abort
