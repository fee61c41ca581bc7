"""Which buffered segment is fetched again at a better quality."""

from __future__ import annotations

from dataclasses import dataclass

from streamstgs.codec.streaming.adaptive.decision import (
    Abort,
    BufferedSegment,
    FetchSegment,
    SegmentInFlight,
    Situation,
)
from streamstgs.codec.streaming.adaptive.ladder import Ladder
from streamstgs.codec.streaming.adaptive.rule import parameter


@dataclass(frozen=True)
class UpgradeRule:
    """Fetch a buffered segment again where bytes are free: in short loops and after seeks.

    Only features are fetched again, and the keyframe layers that the buffered quality lacks: the
    field and the other layers are the same. In a loop that is buffered as a whole, the segment that
    gains most comes first. After a seek the segment on the screen was fetched for speed; it
    improves while it is shown, as its Gaussians stay, others join them, and motion becomes finer.
    """

    margin_s: float = parameter(
        0.3, "s", "time between the arrival of better features and their first frame"
    )
    left_s: float = parameter(
        1.0, "s", "rest of the segment on the screen that is worth a better quality"
    )
    room: float = parameter(
        2.0, "of the bit rate", "throughput at which the segment on the screen is improved"
    )

    def choose(self, ladder: Ladder, seen: Situation) -> FetchSegment | None:
        """The segment to fetch again, or None."""
        if seen.throughput is None or not seen.buffered:
            return None
        shown = self._shown(ladder, seen) if seen.shown_left_s > 0 else None
        return shown or (self._ahead(ladder, seen) if is_complete(ladder, seen) else None)

    def abort(self, ladder: Ladder, seen: Situation, flight: SegmentInFlight) -> Abort | None:
        """Whether better features in flight arrive too late, or delay the next segment."""
        assert seen.throughput is not None
        held = next((each for each in seen.buffered if each.gop == flight.gop), None)
        bps = seen.throughput.fast_bps
        size_bytes = ladder.gops[flight.gop].bytes_at(flight.quality_index)
        missing_bytes = size_bytes - flight.received_bytes
        rest_s = 8.0 * max(missing_bytes, 0) / bps
        is_shown = held is None or held.lead_s <= self.margin_s
        time_s = seen.shown_left_s if held is None or is_shown else held.lead_s - self.margin_s
        if rest_s > time_s or time_s <= 0:
            return Abort("too late for the segment that is shown")
        if rest_s > self._spare_s(ladder, seen, bps):
            return Abort("the next segment is needed first")
        return None

    def _ahead(self, ladder: Ladder, seen: Situation) -> FetchSegment | None:
        """The upgrade of most gain among those that arrive in time."""
        best, best_db = None, 0.0
        for held in seen.buffered:
            quality_db = ladder.gops[held.gop].quality_db
            for better in held.better:
                gain_db = quality_db[better] - quality_db[held.quality_index]
                in_time = self._upgrade_s(ladder, seen, held, better) + self.margin_s
                if gain_db > best_db and in_time <= held.lead_s:
                    why = f"QP {ladder.qps[better]} instead of {ladder.qps[held.quality_index]}"
                    best = FetchSegment(held.gop, better, f"{why}, as all is buffered", again=True)
                    best_db = gain_db
        return best

    def _shown(self, ladder: Ladder, seen: Situation) -> FetchSegment | None:
        """The best quality for the segment on the screen, no better than that of the next one: a
        step up that a step down follows is seen twice."""
        assert seen.throughput is not None
        held, bps = seen.buffered[0], seen.throughput.bps
        gop = ladder.gops[held.gop]
        best = seen.buffered[1].quality_index if len(seen.buffered) > 1 else ladder.best
        for better in held.better:
            took_s = self._upgrade_s(ladder, seen, held, better)
            roomy = self.room * 8.0 * gop.bytes_at(better) <= bps * gop.duration_s
            if (
                better <= best
                and gop.quality_db[better] > gop.quality_db[held.quality_index]
                and took_s + self.left_s <= seen.shown_left_s
                and took_s <= self._spare_s(ladder, seen, bps)
                and (roomy or is_complete(ladder, seen))
            ):
                left_s = seen.shown_left_s - took_s
                why = f"QP {ladder.qps[better]} while it is shown, {left_s:.1f} s of it left"
                return FetchSegment(held.gop, better, why, again=True)
        return None

    def _upgrade_s(
        self, ladder: Ladder, seen: Situation, held: BufferedSegment, better: int
    ) -> float:
        assert seen.throughput is not None
        size_bytes = ladder.gops[held.gop].upgrade_bytes(held.quality_index, better)
        return seen.throughput.latency_s + 8.0 * size_bytes / seen.throughput.bps

    def _spare_s(self, ladder: Ladder, seen: Situation, bps: float) -> float:
        """Until the next segment has to be requested, at the lowest quality."""
        if is_complete(ladder, seen):
            return float("inf")
        assert seen.throughput is not None
        next_bytes = ladder.gops[seen.next_gop].bytes_at(ladder.lowest)
        return seen.buffer_s - seen.throughput.latency_s - 8.0 * next_bytes / bps


def is_complete(ladder: Ladder, seen: Situation) -> bool:
    """Whether every segment is buffered."""
    return seen.next_gop >= len(ladder.gops)
