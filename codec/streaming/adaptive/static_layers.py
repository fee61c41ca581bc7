"""When to fetch the layers of static Gaussians that a first picture did without."""

from __future__ import annotations

import math
from dataclasses import dataclass

from codec.streaming.adaptive.decision import Situation
from codec.streaming.adaptive.ladder import Ladder

STALL_DB_MIN = 4.3  # dB of mean quality that one stalled second per minute of content costs


@dataclass(frozen=True)
class StaticSettings:
    """How far the choice looks ahead.

    Args:
        trust: times the estimated throughput, counted on for the layers.
        most_wait_gops: the layers come at the latest after so many more GOPs.
        foresight_gops: stalls are counted over so many GOPs.
        usual_room: throughput over the lowest rung's bit rate that later GOPs are expected to find
            as much as what was measured: a network that begins slowly mostly recovers, and a
            layer that is begun too early stalls for as long as it takes.
        reserve: times the expected arrival of a layer that the buffer has to last, if it can.
        growing_share: of a GOP's duration: the buffer grows where its lowest rung takes less.
        hope_gops: first GOPs of a scene for which that is expected; after them the estimate counts.
    """

    trust: float = 1.2
    most_wait_gops: int = 12
    foresight_gops: int = 24
    usual_room: float = 2.4
    reserve: float = 1.3
    growing_share: float = 0.85
    hope_gops: int = 28


def stall_db(gop_s: float) -> float:
    """What a stalled second costs, in dB of one GOP."""
    return STALL_DB_MIN * 60.0 / gop_s


def gops_to_wait(ladder: Ladder, seen: Situation, most_s: float, settings: StaticSettings) -> int:
    """How many GOPs to fetch before all the rest of the static layers.

    Every number is tried. Waiting costs the sharpness of the GOPs that are shown meanwhile, going
    ahead may cost a stall; on a network that stalls anyway it costs nothing, as those bytes have to
    come in the end.

    Args:
        most_s: content ahead that is never exceeded.
    """
    assert seen.throughput is not None
    rest = range(min(settings.foresight_gops, len(ladder.gops) - seen.next_gop))
    bps, latency_s = seen.throughput.bps, seen.throughput.latency_s
    layers = ladder.static_bytes[seen.static_layers :]
    static_s = sum(latency_s + 8.0 * size / bps for size in layers) / settings.trust
    gops = [ladder.gops[seen.next_gop + k] for k in rest]
    hopeful = seen.next_gop < settings.hope_gops
    steps = []
    for gop in gops:
        fetch_s = latency_s + 8.0 * gop.bytes_at(ladder.lowest) / bps
        usual_s = gop.duration_s / settings.usual_room
        steps.append((math.sqrt(fetch_s * usual_s) if hopeful else fetch_s, gop.duration_s))
    blurred_db = _lacking_db(ladder, seen)
    price_db = stall_db(ladder.gops[0].duration_s)

    def cost_db(wait: int) -> float:
        late_s = _stalled_s(steps, seen.buffer_s, most_s, (wait, static_s))
        return price_db * late_s + wait * blurred_db

    return min(range(min(settings.most_wait_gops + 1, len(gops))), key=cost_db, default=0)


def _lacking_db(ladder: Ladder, seen: Situation) -> float:
    """What a GOP loses as long as static layers are missing."""
    now, then = (
        ladder.shown_db(seen.next_gop, ladder.lowest, layers)
        for layers in (seen.static_layers, len(ladder.static_bytes))
    )
    return then - now


def _stalled_s(
    steps: list[tuple[float, float]], buffer_s: float, most_s: float, static: tuple[int, float]
) -> float:
    """Stall of fetching GOPs one by one, with an interruption.

    Args:
        steps: (seconds to fetch, seconds of content) of each GOP.
        static: (before which GOP, for how long) something else is fetched.
    """
    stalled_s = 0.0
    for k, (fetch_s, content_s) in enumerate(steps):
        left_s = buffer_s - fetch_s - (static[1] if k == static[0] else 0.0)
        stalled_s += max(-left_s, 0.0)
        buffer_s = min(max(left_s, 0.0) + content_s, most_s)
    return stalled_s
