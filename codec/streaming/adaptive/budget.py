"""How long the next GOP may take to arrive: what is spent, and what is saved, of the buffer.

As in buffer-based adaptation (Huang et al., SIGCOMM 2014) the buffer decides how much is dared; as
in throughput rules the estimate decides what that buys. The budget is a time, so that keyframe,
field and features count alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from streamstgs.codec.streaming.adaptive.decision import InFlight, Situation
from streamstgs.codec.streaming.adaptive.ladder import GopLadder, Ladder
from streamstgs.codec.streaming.adaptive.static_layers import stall_db
from streamstgs.codec.streaming.adaptive.throughput import USUAL_UNREST


@dataclass(frozen=True)
class BudgetSettings:
    """How much is saved and how much is dared.

    Args:
        least_share: of a GOP's duration, spent on it when the buffer is empty.
        bend: how long the budget stays near that least as the buffer fills; 1 is a straight line.
        spend_share: of what lies above the wanted buffer, spent on one GOP.
        trust: share of the estimated throughput that is counted on, on a ladder whose quality is
            worth `usual_gain` of the stall it may cost.
        caution: how far trust sinks where quality gains less than that; a power.
        usual_gain: dB gained from the lowest to the best rung, over the dB lost if all the time it
            takes were stall.
        up_share: of the time it takes: a better rung than the last must undercut the budget by so
            much. Against flapping.
        unrest_caution: how much more is saved on a network that wavers more than usual, and less
            on one that wavers less.
    """

    least_share: float = 0.38
    bend: float = 3.2
    spend_share: float = 0.4
    trust: float = 1.4
    caution: float = 0.1
    usual_gain: float = 0.06
    up_share: float = 0.12
    unrest_caution: float = 0.8


def budget_s(
    buffer_s: float,
    gop_s: float,
    most_buffer_s: float,
    settings: BudgetSettings,
    unrest: float = USUAL_UNREST,
) -> float:
    """Seconds that the next GOP may take; grows with the buffer.

    Args:
        gop_s: duration of the GOP.
        most_buffer_s: content ahead that is never exceeded.
        unrest: of the network.
    """
    wanted_s = max(most_buffer_s - gop_s, 0.0)
    if buffer_s >= wanted_s:
        return gop_s + settings.spend_share * (buffer_s - wanted_s)
    saving = math.exp(settings.unrest_caution * (unrest - USUAL_UNREST))
    filled = (buffer_s / wanted_s) ** (settings.bend * saving)
    least_share = min(settings.least_share / saving, 1.0)
    return gop_s * (least_share + (1.0 - least_share) * filled)


def trusted_bps(gop: GopLadder, bps: float, settings: BudgetSettings) -> float:
    """Throughput to count on: less where the ladder's quality is little against a stall."""
    gain_db = max(gop.quality_db) - min(gop.quality_db)
    most_s = 8.0 * (max(gop.feature_bytes) - min(gop.feature_bytes)) / bps
    if gain_db <= 0 or most_s <= 0:
        return bps * settings.trust
    gain = gain_db / (stall_db(gop.duration_s) * most_s)
    doubt = min(max(math.log(settings.usual_gain / gain), -2.0), 3.0)
    return bps * settings.trust * math.exp(-settings.caution * doubt)


def rungs_within_budget(
    ladder: Ladder,
    seen: Situation,
    most_buffer_s: float,
    settings: BudgetSettings,
    flight: InFlight | None = None,
) -> list[int]:
    """Rungs of the next GOP that may be dared; better ones than the last only with a margin.

    Args:
        flight: the same GOP while what all rungs share is on its way: what came of it need not
            come again, and the time that it took is spent.
    """
    assert seen.throughput is not None
    gop = ladder.gops[seen.next_gop]
    spent_s = flight.elapsed_s if flight else 0.0
    budget = budget_s(
        seen.buffer_s + spent_s,
        gop.duration_s,
        most_buffer_s,
        settings,
        seen.throughput.unrest,
    )
    bps = trusted_bps(gop, seen.throughput.bps, settings)
    last = -1 if seen.last_rung is None else seen.last_rung
    received = flight.received_bytes if flight else 0
    latency_s = 0.0 if flight else seen.throughput.latency_s
    needed_s = [
        latency_s + 8.0 * (gop.bytes_at(rung) - received) / bps for rung in range(len(ladder.rungs))
    ]
    margins = [1.0 + settings.up_share * (rung < last) for rung in range(len(ladder.rungs))]
    return [
        rung
        for rung, (seconds, margin) in enumerate(zip(needed_s, margins, strict=True))
        if seconds * margin <= budget - spent_s
    ]
