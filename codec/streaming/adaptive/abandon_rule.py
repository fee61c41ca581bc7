"""When a segment in flight is fetched at the lowest quality instead."""

from __future__ import annotations

from dataclasses import dataclass

from streamstgs.codec.streaming.adaptive.decision import FetchSegment, SegmentInFlight, Situation
from streamstgs.codec.streaming.adaptive.ladder import Ladder
from streamstgs.codec.streaming.adaptive.rule import parameter


@dataclass(frozen=True)
class AbandonRule:
    """Abandon features for those of the lowest quality where that saves a stall.

    Keyframe and field are kept if they have arrived. A transfer near its end goes on.
    """

    after_s: float = parameter(1.0, "s", "age of a transfer before it is given up")
    gain_s: float = parameter(0.3, "s", "stall that giving up must save")

    def lower(
        self, ladder: Ladder, seen: Situation, flight: SegmentInFlight
    ) -> FetchSegment | None:
        """The segment at the lowest quality, or None to go on."""
        if flight.quality_index == ladder.lowest or seen.throughput is None:
            return None
        if flight.elapsed_s < self.after_s:
            return None
        gop, bps = ladder.gops[flight.gop], seen.throughput.fast_bps
        rest_s = 8.0 * (gop.bytes_at(flight.quality_index) - flight.received_bytes) / bps
        kept_bytes = min(flight.received_bytes, gop.shared_bytes)
        lower_bytes = gop.bytes_at(ladder.lowest) - kept_bytes
        lower_s = seen.throughput.latency_s + 8.0 * lower_bytes / bps
        late_s = rest_s - seen.buffer_s
        saved_s = late_s - max(lower_s - seen.buffer_s, 0.0)
        if min(late_s, saved_s) <= self.gain_s:
            return None
        return FetchSegment(flight.gop, ladder.lowest, f"would come {late_s:.1f} s too late")
