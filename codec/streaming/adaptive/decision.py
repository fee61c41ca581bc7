"""What the adaptive policy sees, and what it answers: plain values, so that it can be tested."""

from __future__ import annotations

from dataclasses import dataclass

from streamstgs.codec.streaming.adaptive.throughput import Throughput


@dataclass(frozen=True)
class BufferedSegment:
    """A GOP in the buffer.

    Args:
        gop, quality_index: which GOP, at which quality.
        lead_s: content seconds until it is shown; 0 or less while it is shown.
        better: indices of the qualities that it could be fetched again at, best first.
    """

    gop: int
    quality_index: int
    lead_s: float
    better: tuple[int, ...] = ()


@dataclass(frozen=True)
class Situation:
    """What is known while the connection is free. Times are content time.

    Args:
        buffer_s: content ahead of the position that can be played without a gap.
        next_gop: the first GOP that is not buffered; the number of GOPs if all are.
        last_quality: index of the quality of the GOP before it; None at the start and after a seek.
        static_layers: how many static layers have arrived.
        throughput: estimate; None before the first transfer with an unknown host.
        best_quality: better qualities than this index are not fetched, as they drop frames; None
            for no such bound.
        static_part_bytes: bytes of the next static layer that arrived before it was paused.
        buffered: the buffered GOPs without a gap, in the order of playing, the one on the screen
            included.
        shown_left_s: seconds of the GOP on the screen that remain after decoding; 0 if it must not
            be improved.
    """

    buffer_s: float
    next_gop: int
    last_quality: int | None
    static_layers: int
    throughput: Throughput | None
    best_quality: int | None = None
    static_part_bytes: int = 0
    buffered: tuple[BufferedSegment, ...] = ()
    shown_left_s: float = 0.0


@dataclass(frozen=True)
class SegmentInFlight:
    """The transfer of a segment: keyframe and field of a GOP, then its features.

    Args:
        gop, quality_index: which GOP at which quality.
        received_bytes: of all its parts, those included that were buffered before.
        elapsed_s: seconds since the request.
        upgrade: whether the GOP is buffered already, at a lower quality.
    """

    gop: int
    quality_index: int
    received_bytes: int
    elapsed_s: float
    upgrade: bool = False


@dataclass(frozen=True)
class LayerInFlight:
    """The transfer of a static layer.

    Args:
        layer: its number, 0 the most important.
        received_bytes: those included that arrived before a pause.
        elapsed_s: seconds since the request.
    """

    layer: int
    received_bytes: int
    elapsed_s: float


InFlight = SegmentInFlight | LayerInFlight


@dataclass(frozen=True)
class FetchSegment:
    """Fetch a GOP, or go on fetching it at another quality.

    Args:
        gop, quality_index: which GOP, at which quality.
        reason: one sentence for a person.
        again: whether the GOP is buffered already, at a lower quality.
    """

    gop: int
    quality_index: int
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
