"""The decision: what to fetch next, or to wait, or to give up what is being fetched.

A pure function of ladder and situation; the order of the rules is the order of this page.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from codec.streaming.adaptive.budget import BudgetSettings, rungs_within_budget
from codec.streaming.adaptive.decision import Decision, InFlight, Situation, Step
from codec.streaming.adaptive.ladder import Ladder
from codec.streaming.adaptive.static_layers import StaticSettings, gops_to_wait


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
    """

    most_buffer_s: float = 20.0
    safe_share: float = 0.7
    abandon_after_s: float = 1.0
    abandon_gain_s: float = 0.2
    budget: BudgetSettings = field(default_factory=BudgetSettings)
    static: StaticSettings = field(default_factory=StaticSettings)


def decide(ladder: Ladder, seen: Situation, settings: AdaptiveSettings) -> Decision:
    """What to do next."""
    static = next_static(ladder, seen, settings)
    if static is not None:
        return static
    if seen.next_gop >= len(ladder.gops):
        return _wait(seen, math.inf, "everything is there")
    full_s = seen.buffer_s + ladder.gops[seen.next_gop].duration_s - settings.most_buffer_s
    if full_s > 1e-9 and seen.buffer_s > 0:
        return _wait(seen, min(full_s, seen.buffer_s), "the buffer is full")
    rung, why = choose_rung(ladder, seen, settings)
    return _fetch(seen, rung, f"{_sight(seen)}: QP {ladder.rungs[rung]} {why}")


def next_static(ladder: Ladder, seen: Situation, settings: AdaptiveSettings) -> Decision | None:
    """The next layer of static Gaussians, if it is to be fetched before the next GOP.

    The first comes before anything else: with it and one GOP there is a picture. The others
    come when waiting would cost more than the stall that they may cause.
    """
    layer = seen.static_layers
    if layer >= len(ladder.static_bytes):
        return None
    if layer == 0:
        return _static(seen, layer, "the first static layer gives a picture")
    if seen.next_gop == 0 or seen.throughput is None:
        return None
    seconds = arrival_s(ladder.static_bytes[layer], seen)
    if _nothing_better(ladder, seen, settings):
        return _static(seen, layer, f"a static layer in {seconds:.1f} s while there is time")
    if gops_to_wait(ladder, seen, settings.most_buffer_s, settings.static) == 0:
        return _static(seen, layer, f"a static layer in {seconds:.1f} s sharpens the picture")
    return None


def _nothing_better(ladder: Ladder, seen: Situation, settings: AdaptiveSettings) -> bool:
    """Whether no GOP could be asked for instead: all are there, or the buffer is full."""
    if seen.next_gop >= len(ladder.gops):
        return True
    next_s = ladder.gops[seen.next_gop].duration_s
    return seen.buffer_s > 0 and seen.buffer_s + next_s > settings.most_buffer_s + 1e-9


def choose_rung(ladder: Ladder, seen: Situation, settings: AdaptiveSettings) -> tuple[int, str]:
    """The rung of the next GOP and a sentence on why."""
    lowest = ladder.lowest
    if seen.throughput is None or (seen.last_rung is None and seen.next_gop == 0):
        return lowest, "for a quick picture"
    if seen.static_layers < len(ladder.static_bytes):
        return lowest, "until the buffer bears the rest of the static layers"
    gop = ladder.gops[seen.next_gop]
    allowed = [
        rung
        for rung in rungs_within_budget(ladder, seen, settings.most_buffer_s, settings.budget)
        if rung >= min(seen.best_rung, lowest)
        and arrival_s(gop.bytes_at(rung), seen) <= settings.safe_share * seen.buffer_s
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


def reconsider(
    ladder: Ladder, seen: Situation, flight: InFlight, settings: AdaptiveSettings
) -> Decision | None:
    """Whether to abandon a GOP in flight for a lower rung: only if that saves a stall.

    Keyframe and field are kept when they are there; a transfer near its end is never given up.
    """
    if flight.rung == ladder.lowest or seen.throughput is None:
        return None
    if flight.elapsed_s < settings.abandon_after_s or not seen.buffer_s < math.inf:
        return None
    gop = ladder.gops[flight.gop]
    bps = seen.throughput.fast_bps
    rest_s = 8.0 * (gop.bytes_at(flight.rung) - flight.received_bytes) / bps
    had = min(flight.received_bytes, gop.shared_bytes)
    late_s = rest_s - seen.buffer_s
    if late_s <= settings.abandon_gain_s:
        return None
    small_s = seen.throughput.latency_s + 8.0 * (gop.bytes_at(ladder.lowest) - had) / bps
    if late_s - max(small_s - seen.buffer_s, 0.0) <= settings.abandon_gain_s:
        return None
    return Decision(
        Step.ABANDON,
        f"would come {late_s:.1f} s too late",
        seen.throughput.bps,
        seen.buffer_s,
        flight.gop,
        ladder.lowest,
    )


def _fetch(seen: Situation, rung: int, reason: str) -> Decision:
    return Decision(Step.FETCH_GOP, reason, _bps(seen), seen.buffer_s, seen.next_gop, rung)


def _static(seen: Situation, layer: int, reason: str) -> Decision:
    return Decision(Step.FETCH_STATIC, reason, _bps(seen), seen.buffer_s, static_layer=layer)


def _wait(seen: Situation, wait_s: float, reason: str) -> Decision:
    return Decision(Step.WAIT, reason, _bps(seen), seen.buffer_s, wait_s=wait_s)


def _sight(seen: Situation) -> str:
    if seen.throughput is None:
        return "throughput not known yet"
    return f"{seen.throughput.bps / 1e6:.1f} Mbit/s, {seen.buffer_s:.1f} s ahead"


def _bps(seen: Situation) -> float:
    return seen.throughput.bps if seen.throughput is not None else 0.0
