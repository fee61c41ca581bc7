"""When static layers are fetched: each makes every picture sharper, and delays the next segment."""

from __future__ import annotations

import math
from dataclasses import dataclass

from streamstgs.codec.streaming.adaptive.decision import Situation
from streamstgs.codec.streaming.adaptive.ladder import Ladder
from streamstgs.codec.streaming.adaptive.rule import parameter


@dataclass(frozen=True)
class LayerRule:
    """Fetch static layers if the buffer covers them, or if waiting costs more than a stall.

    Without the layers each segment that is shown loses `gain_db`. To fetch them now makes the
    buffer `short_s` too short, and a stalled second costs `price_db`. To wait for one segment saves
    no more stall than the buffer grows by, `growth_s`. A stall that waiting does not avoid is worth
    it if the layers repay it within a horizon. So layers are fetched if `short_s <= 0` or

        gain_db >= price_db * max(growth_s, short_s / segments within the horizon)

    It is unknown how long a network stays slow. The longer it was measured, the longer the horizon:
    `horizon_s` and `persistence` times the measured time. So a network that only starts slowly does
    not pay for all layers at once, and one that stays slow gets them one after the other.
    """

    stall_db_min: float = parameter(
        4.3, "dB per stalled second per minute", "mean quality that a stall costs"
    )
    reserve_s: float = parameter(7.0, "s", "buffer that is left when the layers have arrived")
    horizon_s: float = parameter(
        100.0, "s", "time within which a layer repays its stall, at the start of a session"
    )
    persistence: float = parameter(
        1.3, "s per measured s", "by how much the horizon grows, as slow networks stay slow"
    )

    def is_due(self, ladder: Ladder, seen: Situation) -> bool:
        """Whether the next layers are fetched before the next segment."""
        assert seen.throughput is not None
        count, gain_db = best_layers(ladder, seen)
        size_bytes = sum(ladder.static_bytes[seen.static_layers : count]) - seen.static_part_bytes
        bps, latency_s = seen.throughput.bps, seen.throughput.latency_s
        layers_s = (count - seen.static_layers) * latency_s + 8.0 * size_bytes / bps
        short_s = min(layers_s + self.reserve_s - seen.buffer_s, layers_s)
        if short_s <= 0:
            return True
        gop = ladder.gops[seen.next_gop]
        growth_s = gop.duration_s - latency_s - 8.0 * gop.bytes_at(ladder.lowest) / bps
        price_db = self.stall_db_min * 60.0 / gop.duration_s  # of one segment
        horizon_s = self.horizon_s + self.persistence * seen.throughput.measured_s
        segments = min(horizon_s / gop.duration_s, len(ladder.gops) - seen.next_gop)
        return gain_db >= price_db * max(growth_s, short_s / segments)


def best_layers(ladder: Ladder, seen: Situation) -> tuple[int, float]:
    """Up to which static layer the gain per byte is highest, and dB that a segment gains by it."""
    gop = min(seen.next_gop, len(ladder.gops) - 1)
    here_db = ladder.shown_db(gop, ladder.lowest, seen.static_layers)
    best, best_db, best_worth = seen.static_layers, 0.0, -math.inf
    size_bytes = -seen.static_part_bytes
    for layer in range(seen.static_layers, len(ladder.static_bytes)):
        size_bytes += ladder.static_bytes[layer]
        gain_db = ladder.shown_db(gop, ladder.lowest, layer + 1) - here_db
        worth = gain_db / max(size_bytes, 1)
        if worth > best_worth:
            best, best_db, best_worth = layer + 1, gain_db, worth
    return best, best_db
