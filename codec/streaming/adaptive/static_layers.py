"""When to fetch the layers of static Gaussians that a first picture did without."""

from __future__ import annotations

import math
from dataclasses import dataclass

from streamstgs.codec.streaming.adaptive.decision import Situation
from streamstgs.codec.streaming.adaptive.ladder import Ladder
from streamstgs.codec.streaming.adaptive.throughput import Throughput

STALL_DB_MIN = 4.3  # dB of mean quality that one stalled second per minute of content costs


@dataclass(frozen=True)
class LayerScheduleSettings:
    """How far the choice looks ahead.

    Args:
        foresight_gops: so many GOPs are looked ahead, and waited for at most.
        usual_room: long-run throughput over the lowest rung's bit rate that is expected before
            anything is known.
        prior_s: what was measured for so long counts as much as that. Long enough that a network
            that only begins slowly is not taken for a starved one, short enough that a starved
            one gets its layers in the first minute.
        return_s: after so long a network is expected half-way back at its long-run throughput.
        reserve_s: content that shall be ahead when a layer has come.
        reserve_weight: a second that is missing of the reserve weighs so many stalled seconds.
            Where it is missing anyway it changes nothing of when layers come, only of whether.
    """

    foresight_gops: int = 24
    usual_room: float = 2.0
    prior_s: float = 10.0
    return_s: float = 10.0
    reserve_s: float = 6.0
    reserve_weight: float = 0.7


def stall_db(gop_s: float) -> float:
    """What a stalled second costs, in dB of one GOP."""
    return STALL_DB_MIN * 60.0 / gop_s


def gops_to_wait(
    ladder: Ladder, seen: Situation, most_s: float, settings: LayerScheduleSettings
) -> int:
    """How many GOPs to fetch before the next static layers, or before what is missing of one.

    Every number is tried, and to do without. Waiting costs the sharpness of the GOPs that are shown
    meanwhile, going ahead may cost a stall. On a network that stalls anyway that stall is the same
    at any time: what is worth it comes at once, what is not, only while the line is idle. To do
    without costs the sharpness of all the content that is left; behind its last GOP layers cost no
    stall.

    Args:
        most_s: content ahead that is never exceeded.
    """
    assert seen.throughput is not None
    layers, gain_db = _best_buy(ladder, seen)
    size_bytes = sum(ladder.static_bytes[seen.static_layers : layers]) - seen.static_part_bytes
    latency_s = seen.throughput.latency_s
    gops = ladder.gops[seen.next_gop : seen.next_gop + settings.foresight_gops]
    bps_now, bps_then = seen.throughput.bps, long_run_bps(ladder, seen.throughput, settings)
    steps, static_s, ahead_s = [], [], 0.0
    for gop in gops:
        bps = bps_then * (bps_now / bps_then) ** (0.5 ** (ahead_s / settings.return_s))
        fetch_s = latency_s + 8.0 * gop.bytes_at(ladder.lowest) / bps
        steps.append((fetch_s, gop.duration_s))
        static_s.append((layers - seen.static_layers) * latency_s + 8.0 * size_bytes / bps)
        ahead_s += max(gop.duration_s, fetch_s)
    price_db = stall_db(ladder.gops[0].duration_s)

    def cost_db(wait: int) -> float:
        never = wait == len(gops)
        layers_s = 0.0 if never else static_s[wait]
        late_s = _late_s(steps, seen.buffer_s, most_s, (wait, layers_s), settings)
        blurred_gops = len(ladder.gops) - seen.next_gop if never else wait
        return price_db * late_s + blurred_gops * gain_db

    return min(range(len(gops) + 1), key=cost_db)


def _best_buy(ladder: Ladder, seen: Situation) -> tuple[int, float]:
    """Up to how many static layers to go: those that gain most per byte; and what a GOP gains."""
    gop = min(seen.next_gop, len(ladder.gops) - 1)
    here_db = ladder.shown_db(gop, ladder.lowest, seen.static_layers)
    best, best_db, best_worth = seen.static_layers, 0.0, -math.inf
    size_bytes = -seen.static_part_bytes
    for layer in range(seen.static_layers, len(ladder.static_bytes)):
        size_bytes += ladder.static_bytes[layer]
        gain_db = ladder.shown_db(gop, ladder.lowest, layer + 1) - here_db
        if gain_db / max(size_bytes, 1) > best_worth:
            best, best_db, best_worth = layer + 1, gain_db, gain_db / max(size_bytes, 1)
    return best, best_db


def long_run_bps(ladder: Ladder, seen: Throughput, settings: LayerScheduleSettings) -> float:
    """What was measured over minutes; as long as that is little, rather what is usual."""
    usual_bps = settings.usual_room * ladder.bandwidth_bps(ladder.lowest)
    known = seen.known_s / (seen.known_s + settings.prior_s)
    return float(seen.long_bps**known * usual_bps ** (1.0 - known))


def _late_s(
    steps: list[tuple[float, float]],
    buffer_s: float,
    most_s: float,
    static: tuple[int, float],
    settings: LayerScheduleSettings,
) -> float:
    """Stall of fetching GOPs one by one, with an interruption, and what that leaves too little.

    Args:
        steps: (seconds to fetch, seconds of content) of each GOP.
        static: (before which GOP, for how long) something else is fetched.
    """
    before, static_s = static
    late_s = 0.0
    for k, (fetch_s, content_s) in enumerate(steps):
        left_s = buffer_s - fetch_s - (static_s if k == before else 0.0)
        late_s += max(-left_s, 0.0)
        left_s = max(left_s, 0.0)
        if k == before:
            late_s += settings.reserve_weight * max(settings.reserve_s - left_s, 0.0)
        buffer_s = min(left_s + content_s, most_s)
    return late_s
