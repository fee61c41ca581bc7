"""Which quality the next segment is fetched at."""

from __future__ import annotations

from dataclasses import dataclass

from streamstgs.codec.streaming.adaptive.decision import SegmentInFlight, Situation
from streamstgs.codec.streaming.adaptive.ladder import Ladder
from streamstgs.codec.streaming.adaptive.rule import parameter


@dataclass(frozen=True)
class BudgetRule:
    """Fetch the best quality whose download fits a time budget that grows with the buffer.

    A low buffer saves: the budget is shorter than the segment's duration, and the buffer grows. A
    full buffer spends what arrives. As in buffer-based adaptation (Huang et al., SIGCOMM 2014) the
    buffer decides how much is dared; as in throughput rules the estimate decides what that buys.
    """

    least_share: float = parameter(
        0.38, "of a segment's duration", "download time that is allowed at an empty buffer"
    )
    exponent: float = parameter(
        2.7, "", "curve of the budget over the buffer: 1 is a line, more saves longer"
    )
    risk_factor: float = parameter(
        1.4, "", "multiplies the estimate, which is pessimistic, as it is the lower of two averages"
    )
    switch_margin: float = parameter(
        0.12, "of the download time", "what a step up must leave free of the budget"
    )

    def choose(
        self,
        ladder: Ladder,
        seen: Situation,
        most_buffer_s: float,
        flight: SegmentInFlight | None = None,
    ) -> int | None:
        """The best quality that fits the budget and arrives before the buffer ends; None: none.

        Args:
            flight: the same segment while its shared part is in flight. Bytes that have arrived
                are not fetched again, and the time that they took is spent.
        """
        assert seen.throughput is not None
        gop = ladder.gops[seen.next_gop]
        spent_s = flight.elapsed_s if flight else 0.0
        received = flight.received_bytes if flight else 0
        latency_s = 0.0 if flight else seen.throughput.latency_s
        left_s = self.budget_s(seen.buffer_s + spent_s, gop.duration_s, most_buffer_s) - spent_s
        fitting = []
        best = ladder.best if seen.best_quality is None else seen.best_quality
        for quality in range(best + 1):
            seconds = 8.0 * (gop.bytes_at(quality) - received) / seen.throughput.bps
            is_up = seen.last_quality is not None and quality > seen.last_quality
            margin = 1.0 + self.switch_margin * is_up
            fits = (latency_s + seconds / self.risk_factor) * margin <= left_s
            if fits and latency_s + seconds <= seen.buffer_s:
                fitting.append(quality)
        return max(fitting, key=lambda q: (gop.quality_db[q], -q), default=None)

    def budget_s(self, buffer_s: float, segment_s: float, most_buffer_s: float) -> float:
        """Seconds that the next segment may take to arrive; grows with the buffer.

        Args:
            segment_s: its duration.
        """
        target_s = max(most_buffer_s - segment_s, 0.0)
        if buffer_s >= target_s:
            return segment_s + buffer_s - target_s
        filled = (buffer_s / target_s) ** self.exponent
        return segment_s * (self.least_share + (1.0 - self.least_share) * filled)


def arrival_s(size_bytes: int, seen: Situation) -> float:
    """Seconds until a request of some bytes is expected to be complete."""
    if seen.throughput is None:
        return float("inf")
    return seen.throughput.latency_s + 8.0 * size_bytes / seen.throughput.bps
