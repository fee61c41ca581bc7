"""What to fetch next, or to wait; and whether a transfer in flight goes on.

Pure functions of ladder and situation. The order of the rules is the order of this page.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from streamstgs.codec.streaming.adaptive.abandon_rule import AbandonRule
from streamstgs.codec.streaming.adaptive.budget_rule import BudgetRule, arrival_s
from streamstgs.codec.streaming.adaptive.decision import (
    Abort,
    FetchLayer,
    FetchSegment,
    InFlight,
    LayerInFlight,
    NextStep,
    Revision,
    SegmentInFlight,
    Situation,
    Wait,
)
from streamstgs.codec.streaming.adaptive.ladder import Ladder
from streamstgs.codec.streaming.adaptive.layer_rule import LayerRule
from streamstgs.codec.streaming.adaptive.rule import parameter
from streamstgs.codec.streaming.adaptive.upgrade_rule import UpgradeRule, is_complete


@dataclass(frozen=True)
class AdaptiveSettings:
    """The rules and the bound that they share."""

    most_buffer_s: float = parameter(20.0, "s", "content that is buffered ahead at most")
    budget: BudgetRule = field(default_factory=BudgetRule)
    layers: LayerRule = field(default_factory=LayerRule)
    abandon: AbandonRule = field(default_factory=AbandonRule)
    upgrades: UpgradeRule = field(default_factory=UpgradeRule)


def decide(ladder: Ladder, seen: Situation, settings: AdaptiveSettings) -> NextStep:
    """What to fetch next while nothing is in flight, or how long to wait."""
    layer = next_layer(ladder, seen, settings)
    if layer is not None:
        return layer
    if seen.buffer_s > 0 or is_complete(ladder, seen):
        upgrade = settings.upgrades.choose(ladder, seen)
        if upgrade is not None:
            return upgrade
    if is_complete(ladder, seen):
        return Wait(math.inf, "everything is buffered")
    if is_full(ladder, seen, settings):
        room_s = seen.buffer_s + ladder.gops[seen.next_gop].duration_s - settings.most_buffer_s
        return Wait(min(room_s, seen.buffer_s), "the buffer is full")
    quality, why = choose_quality(ladder, seen, settings)
    return FetchSegment(seen.next_gop, quality, f"{_sight(seen)}: QP {ladder.qps[quality]} {why}")


def next_layer(ladder: Ladder, seen: Situation, settings: AdaptiveSettings) -> FetchLayer | None:
    """The next static layer, if it is fetched before the next segment.

    The first layer comes before everything else: with it and one segment there is a picture. After
    a seek a segment comes first.
    """
    layer = seen.static_layers
    if layer >= len(ladder.static_bytes):
        return None
    if layer == 0:
        return FetchLayer(layer, "the first static layer gives a picture")
    if is_complete(ladder, seen):
        return FetchLayer(layer, "a static layer, as every segment is buffered")
    if seen.last_quality is None:
        return None
    if is_full(ladder, seen, settings):
        return FetchLayer(layer, "a static layer, as the buffer is full")
    if seen.throughput is None or not settings.layers.is_due(ladder, seen):
        return None
    seconds = arrival_s(ladder.static_bytes[layer] - seen.static_part_bytes, seen)
    return FetchLayer(layer, f"a static layer in {seconds:.1f} s sharpens the picture")


def is_full(ladder: Ladder, seen: Situation, settings: AdaptiveSettings) -> bool:
    """Whether the next segment does not fit into the buffer yet."""
    next_s = ladder.gops[seen.next_gop].duration_s
    return seen.buffer_s > 0 and seen.buffer_s + next_s > settings.most_buffer_s + 1e-9


def choose_quality(
    ladder: Ladder,
    seen: Situation,
    settings: AdaptiveSettings,
    flight: SegmentInFlight | None = None,
) -> tuple[int, str]:
    """The quality of the next segment, and why.

    Args:
        flight: the same segment while its shared part is in flight.
    """
    if seen.throughput is None or (seen.last_quality is None and seen.next_gop == 0):
        return ladder.lowest, "for a quick picture"
    if seen.static_layers < len(ladder.static_bytes):
        return ladder.lowest, "until all static layers have arrived"
    best = settings.budget.choose(ladder, seen, settings.most_buffer_s, flight)
    if best is None:
        return ladder.lowest, "to fill the buffer, as better ones would take too long"
    if best == seen.best_quality != ladder.best:
        return best, "is the best that can be drawn in time"
    return best, "is the best" if best == ladder.best else "is the best that the buffer bears"


def reconsider(
    ladder: Ladder, seen: Situation, flight: InFlight, settings: AdaptiveSettings
) -> Revision | None:
    """What to do instead of going on with the transfer in flight, or None to go on."""
    if seen.throughput is None:
        return None
    if isinstance(flight, LayerInFlight):
        return pause(ladder, seen, flight, settings)
    if flight.upgrade:
        is_young = flight.elapsed_s < settings.abandon.after_s
        return None if is_young else settings.upgrades.abort(ladder, seen, flight)
    if flight.received_bytes <= ladder.gops[flight.gop].shared_bytes:
        quality, why = choose_quality(ladder, seen, settings, flight)
        if quality != flight.quality_index:
            return FetchSegment(flight.gop, quality, f"now QP {ladder.qps[quality]} {why}")
    return settings.abandon.lower(ladder, seen, flight)


def pause(
    ladder: Ladder, seen: Situation, flight: LayerInFlight, settings: AdaptiveSettings
) -> Abort | None:
    """Whether a static layer in flight lets a segment pass: if it would not be begun now.

    The bytes that have arrived are kept. The first layer is never paused, nor one that is nearly
    complete.
    """
    after_s = settings.abandon.after_s
    if flight.layer == 0 or flight.elapsed_s < after_s or is_complete(ladder, seen):
        return None
    now = replace(seen, static_part_bytes=flight.received_bytes)
    rest_s = arrival_s(ladder.static_bytes[flight.layer] - flight.received_bytes, now)
    if rest_s < after_s or settings.layers.is_due(ladder, now):
        return None
    return Abort(f"the next segment comes first, {rest_s:.1f} s of a static layer are missing")


def _sight(seen: Situation) -> str:
    if seen.throughput is None:
        return "throughput unknown"
    return f"{seen.throughput.bps / 1e6:.1f} Mbit/s, {seen.buffer_s:.1f} s ahead"
