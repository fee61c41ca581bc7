"""The decision: what to fetch next, or to wait.

A pure function of ladder and situation; the order of the rules is the order of this page.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from streamstgs.codec.streaming.adaptive.budget import BudgetSettings, rungs_within_budget
from streamstgs.codec.streaming.adaptive.decision import (
    FetchLayer,
    FetchSegment,
    InFlight,
    NextStep,
    Situation,
    Wait,
)
from streamstgs.codec.streaming.adaptive.ladder import GopLadder, Ladder
from streamstgs.codec.streaming.adaptive.static_layers import LayerScheduleSettings, gops_to_wait
from streamstgs.codec.streaming.adaptive.upgrades import UpgradeSettings, best_upgrade


@dataclass(frozen=True)
class AdaptiveSettings:
    """Bounds and cautions.

    Args:
        most_buffer_s: no GOP is asked for that would not fit below this.
        safe_share: the largest part of the buffer that a GOP may take to arrive.
        abandon_after_s: a transfer is left alone so long.
        abandon_gain_s: stall that giving up must save.
        budget: how long GOPs may take as the buffer fills.
        static: when the static layers come.
        upgrades: what of the buffer is fetched again.
    """

    most_buffer_s: float = 20.0
    safe_share: float = 0.95
    abandon_after_s: float = 1.0
    abandon_gain_s: float = 0.3
    budget: BudgetSettings = field(default_factory=BudgetSettings)
    static: LayerScheduleSettings = field(default_factory=LayerScheduleSettings)
    upgrades: UpgradeSettings = field(default_factory=UpgradeSettings)


def decide(ladder: Ladder, seen: Situation, settings: AdaptiveSettings) -> NextStep:
    """What to do next."""
    static = next_static(ladder, seen, settings)
    if static is not None:
        return static
    if _nothing_better(ladder, seen, settings):
        return upgrade(ladder, seen, settings) or _idle(ladder, seen, settings)
    rung, why = choose_rung(ladder, seen, settings)
    return FetchSegment(seen.next_gop, rung, f"{_sight(seen)}: QP {ladder.rungs[rung]} {why}")


def next_static(ladder: Ladder, seen: Situation, settings: AdaptiveSettings) -> FetchLayer | None:
    """The next layer of static Gaussians, if it is to be fetched before the next GOP.

    The first comes before anything else: with it and one GOP there is a picture. The others
    come when waiting would cost more than the stall that they may cause. After a seek a GOP comes
    first.
    """
    layer = seen.static_layers
    if layer >= len(ladder.static_bytes):
        return None
    if layer == 0:
        return FetchLayer(layer, "the first static layer gives a picture")
    if seen.last_rung is None and seen.next_gop < len(ladder.gops):
        return None
    if _nothing_better(ladder, seen, settings):
        return FetchLayer(layer, "a static layer while there is time")
    if seen.throughput is None:
        return None
    if gops_to_wait(ladder, seen, settings.most_buffer_s, settings.static) > 0:
        return None
    seconds = arrival_s(ladder.static_bytes[layer] - seen.static_part_bytes, seen)
    return FetchLayer(layer, f"a static layer in {seconds:.1f} s sharpens the picture")


def _nothing_better(ladder: Ladder, seen: Situation, settings: AdaptiveSettings) -> bool:
    """Whether no GOP could be asked for instead: all are there, or the buffer is full."""
    if seen.next_gop >= len(ladder.gops):
        return True
    next_s = ladder.gops[seen.next_gop].duration_s
    return seen.buffer_s > 0 and seen.buffer_s + next_s > settings.most_buffer_s + 1e-9


def upgrade(ladder: Ladder, seen: Situation, settings: AdaptiveSettings) -> FetchSegment | None:
    """A GOP of the buffer to fetch again, if one pays."""
    if seen.throughput is None:
        return None
    found = best_upgrade(ladder, seen, _idle_s(ladder, seen, settings), settings.upgrades)
    if found is None:
        return None
    old, new = (ladder.rungs[rung] for rung in (found.old_rung, found.rung))
    reason = f"{_sight(seen)}: QP {new} instead of {old} while nothing else is wanted"
    return FetchSegment(found.gop, found.rung, reason, again=True)


def _idle(ladder: Ladder, seen: Situation, settings: AdaptiveSettings) -> Wait:
    idle_s = _idle_s(ladder, seen, settings)
    if math.isinf(idle_s):
        return Wait(idle_s, "everything is there")
    return Wait(min(idle_s, seen.buffer_s), "the buffer is full")


def _idle_s(ladder: Ladder, seen: Situation, settings: AdaptiveSettings) -> float:
    """Until the next GOP fits into the buffer; infinite where everything is there."""
    if seen.next_gop >= len(ladder.gops):
        return math.inf
    return seen.buffer_s + ladder.gops[seen.next_gop].duration_s - settings.most_buffer_s


def choose_rung(
    ladder: Ladder, seen: Situation, settings: AdaptiveSettings, flight: InFlight | None = None
) -> tuple[int, str]:
    """The rung of the next GOP and a sentence on why.

    Args:
        flight: the same GOP while what all rungs share is on its way.
    """
    lowest = ladder.lowest
    if seen.throughput is None or (seen.last_rung is None and seen.next_gop == 0):
        return lowest, "for a quick picture"
    if seen.static_layers < len(ladder.static_bytes):
        return lowest, "until the buffer bears the rest of the static layers"
    gop = ladder.gops[seen.next_gop]
    allowed = [
        rung
        for rung in rungs_within_budget(
            ladder, seen, settings.most_buffer_s, settings.budget, flight
        )
        if rung >= min(seen.best_rung, lowest)
        and _rest_s(gop, rung, seen, flight) <= settings.safe_share * seen.buffer_s
    ]
    if not allowed:
        return lowest, "to fill the buffer, as better ones would take too long"
    best = max(allowed, key=lambda rung: (gop.quality_db[rung], rung))
    if best == seen.best_rung > 0:
        return best, "is the best that can be drawn in time"
    return best, "is the best" if best == 0 else "is the best that the buffer bears"


def arrival_s(size_bytes: int, seen: Situation) -> float:
    """How long a transfer is expected to take."""
    if seen.throughput is None:
        return math.inf
    return seen.throughput.latency_s + 8.0 * size_bytes / seen.throughput.bps


def _rest_s(gop: GopLadder, rung: int, seen: Situation, flight: InFlight | None) -> float:
    if flight is None or seen.throughput is None:
        return arrival_s(gop.bytes_at(rung), seen)
    return 8.0 * (gop.bytes_at(rung) - flight.received_bytes) / seen.throughput.bps


def _sight(seen: Situation) -> str:
    if seen.throughput is None:
        return "throughput not known yet"
    return f"{seen.throughput.bps / 1e6:.1f} Mbit/s, {seen.buffer_s:.1f} s ahead"
