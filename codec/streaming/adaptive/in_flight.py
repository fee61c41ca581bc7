"""A second look at what is on its way: another rung while that costs nothing, or giving it up."""

from __future__ import annotations

import math

from codec.streaming.adaptive.choice import AdaptiveSettings, choose_rung
from codec.streaming.adaptive.decision import Decision, InFlight, Situation, Step
from codec.streaming.adaptive.ladder import Ladder
from codec.streaming.adaptive.upgrades import why_give_up


def reconsider(
    ladder: Ladder, seen: Situation, flight: InFlight, settings: AdaptiveSettings
) -> Decision | None:
    """What to fetch instead of the GOP in flight, or None to go on."""
    if seen.throughput is None:
        return None
    if flight.upgrade:
        why = why_give_up(ladder, seen, flight, settings.upgrades)
        return None if why is None else _instead(seen, flight, -1, why)
    if flight.received_bytes <= ladder.gops[flight.gop].shared_bytes:
        rung, why = choose_rung(ladder, seen, settings, flight)
        if rung != flight.rung:
            return _instead(seen, flight, rung, f"now QP {ladder.rungs[rung]} {why}")
    return give_up_features(ladder, seen, flight, settings)


def give_up_features(
    ladder: Ladder, seen: Situation, flight: InFlight, settings: AdaptiveSettings
) -> Decision | None:
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
    return _instead(seen, flight, ladder.lowest, f"would come {late_s:.1f} s too late")


def _instead(seen: Situation, flight: InFlight, rung: int, reason: str) -> Decision:
    assert seen.throughput is not None
    return Decision(Step.ABANDON, reason, seen.throughput.bps, seen.buffer_s, flight.gop, rung)
