"""A second look at what is on its way: another rung while that costs nothing, giving it up, or a
pause of a static layer."""

from __future__ import annotations

import math
from dataclasses import replace

from streamstgs.codec.streaming.adaptive.choice import AdaptiveSettings, arrival_s, choose_rung
from streamstgs.codec.streaming.adaptive.decision import (
    Abort,
    FetchSegment,
    InFlight,
    Revision,
    Situation,
)
from streamstgs.codec.streaming.adaptive.ladder import Ladder
from streamstgs.codec.streaming.adaptive.static_layers import gops_to_wait
from streamstgs.codec.streaming.adaptive.upgrades import why_give_up


def reconsider(
    ladder: Ladder, seen: Situation, flight: InFlight, settings: AdaptiveSettings
) -> Revision | None:
    """What to do instead of going on with what is in flight, or None to go on."""
    if seen.throughput is None:
        return None
    if flight.static_layer >= 0:
        return pause(ladder, seen, flight, settings)
    if flight.upgrade:
        why = why_give_up(ladder, seen, flight, settings.upgrades)
        return None if why is None else Abort(why)
    if flight.received_bytes <= ladder.gops[flight.gop].shared_bytes:
        rung, why = choose_rung(ladder, seen, settings, flight)
        if rung != flight.rung:
            return FetchSegment(flight.gop, rung, f"now QP {ladder.rungs[rung]} {why}")
    return give_up_features(ladder, seen, flight, settings)


def pause(
    ladder: Ladder, seen: Situation, flight: InFlight, settings: AdaptiveSettings
) -> Abort | None:
    """Whether a static layer in flight lets a GOP pass: if it would not be begun now.

    What came of it is kept. The first layer is never paused, nor one that is nearly there.
    """
    if flight.static_layer == 0 or flight.elapsed_s < settings.abandon_after_s:
        return None
    now = replace(seen, static_part_bytes=flight.received_bytes)
    missing_bytes = ladder.static_bytes[flight.static_layer] - flight.received_bytes
    rest_s = arrival_s(missing_bytes, now)
    if rest_s < settings.abandon_after_s or seen.next_gop >= len(ladder.gops):
        return None
    if gops_to_wait(ladder, now, settings.most_buffer_s, settings.static) == 0:
        return None
    return Abort(f"the next GOP goes first, {rest_s:.1f} s of a static layer are missing")


def give_up_features(
    ladder: Ladder, seen: Situation, flight: InFlight, settings: AdaptiveSettings
) -> FetchSegment | None:
    """Whether to abandon features for those of the lowest rung: only if that saves a stall.

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
    return FetchSegment(flight.gop, ladder.lowest, f"would come {late_s:.1f} s too late")
