"""Which GOP that is there to fetch again at a better rung, before it is shown.

As fast switching in dash.js and replacement in BOLA-FS (Spiteri et al., MMSys 2018), but only
features come again: keyframe and field are the same for all rungs. So a low rung is a cheap
insurance against outages, and its quality need not be the last word.
"""

from __future__ import annotations

from dataclasses import dataclass

from streamstgs.codec.streaming.adaptive.decision import Held, InFlight, Situation
from streamstgs.codec.streaming.adaptive.ladder import Ladder


@dataclass(frozen=True)
class UpgradeSettings:
    """When an upgrade pays.

    Args:
        trust: share of the estimated throughput that is counted on.
        idle_times: how many times the idle time it may take, that is until the next GOP may be
            asked for: what takes no longer costs no content.
        worth: least gain per byte, over what the ladder gives per byte from its lowest to its best
            rung. What is replaced was fetched in vain, so a new GOP is the better buy unless the
            upgrade fills a dip.
        after_s: a transfer is left alone so long, unless the GOP is shown.
        margin_s: it has to be there so long before the GOP is shown, as it is decoded first.
        patience: it is given up when the rest of it takes so many times what there is time for.
        step_weight: dB that a step of 1 dB between neighbours costs.
    """

    trust: float = 0.75
    idle_times: float = 2.0
    worth: float = 0.7
    after_s: float = 1.0
    margin_s: float = 0.3
    patience: float = 1.5
    step_weight: float = 0.5


@dataclass(frozen=True)
class Upgrade:
    """A GOP that is there, and what it could become."""

    gop: int
    old_rung: int
    rung: int
    gain_db: float
    size_bytes: int


def best_upgrade(
    ladder: Ladder, seen: Situation, idle_s: float, settings: UpgradeSettings
) -> Upgrade | None:
    """Of the upgrades that come in time and pay, that of the most gain per byte; or None.

    Bytes are free where nothing else is to be fetched: then it is that of the most gain.

    Args:
        idle_s: until the next GOP may be asked for; infinite where everything is there.
    """
    places = range(len(seen.held))
    found = [u for place in places for u in _in_time(ladder, seen, place, idle_s, settings)]
    if _is_all_there(ladder, seen):
        return max((u for u in found if u.gain_db > 0), key=lambda u: u.gain_db, default=None)
    paying = [u for u in found if u.gain_db / u.size_bytes > _price(ladder, u.gop, settings)]
    return max(paying, key=lambda u: u.gain_db / u.size_bytes, default=None)


def _in_time(
    ladder: Ladder, seen: Situation, place: int, idle_s: float, settings: UpgradeSettings
) -> list[Upgrade]:
    """The better rungs of a GOP that are expected before it is shown."""
    held = seen.held[place]
    assert seen.throughput is not None
    most_s = min(held.lead_s - settings.margin_s, settings.idle_times * idle_s)
    found = []
    for rung in held.better:
        size_bytes = ladder.gops[held.gop].feature_bytes[rung]
        seconds = 8.0 * size_bytes / (seen.throughput.bps * settings.trust)
        seconds += seen.throughput.latency_s
        if seconds <= most_s:
            gain_db = gain_of(ladder, seen.held, place, rung, settings.step_weight)
            found.append(Upgrade(held.gop, held.rung, rung, gain_db, size_bytes))
    return found


def gain_of(
    ladder: Ladder, held: tuple[Held, ...], place: int, rung: int, step_weight: float
) -> float:
    """dB that a better rung brings, smaller steps to its neighbours included."""

    def quality_db(k: int) -> float:
        return ladder.gops[held[k].gop].quality_db[held[k].rung]

    old_db = quality_db(place)
    new_db = ladder.gops[held[place].gop].quality_db[rung]
    beside = [quality_db(k) for k in (place - 1, place + 1) if 0 <= k < len(held)]
    less_steps = sum(abs(old_db - near) - abs(new_db - near) for near in beside)
    return new_db - old_db + step_weight * less_steps if new_db > old_db else 0.0


def _price(ladder: Ladder, index: int, settings: UpgradeSettings) -> float:
    """dB that a byte has to bring."""
    gop = ladder.gops[index]
    usual_bytes = max(gop.feature_bytes) - min(gop.feature_bytes)
    usual_db = max(gop.quality_db) - min(gop.quality_db)
    return settings.worth * usual_db / max(usual_bytes, 1)


def _is_all_there(ladder: Ladder, seen: Situation) -> bool:
    return seen.next_gop >= len(ladder.gops)


def why_give_up(
    ladder: Ladder, seen: Situation, flight: InFlight, settings: UpgradeSettings
) -> str | None:
    """Why an upgrade in flight is to be given up, or None: what is there is good enough to show."""
    assert seen.throughput is not None
    lead_s = next((h.lead_s for h in seen.held if h.gop == flight.gop), 0.0) - settings.margin_s
    if lead_s <= 0:
        return "too late, as it is shown"
    if flight.elapsed_s < settings.after_s:
        return None
    bps = seen.throughput.fast_bps
    rest_s = 8.0 * (ladder.gops[flight.gop].bytes_at(flight.rung) - flight.received_bytes) / bps
    if rest_s > settings.patience * lead_s:
        return f"would come {rest_s - lead_s:.1f} s after it is shown"
    if _is_all_there(ladder, seen):
        return None
    next_bytes = ladder.gops[seen.next_gop].bytes_at(ladder.lowest)
    next_s = seen.throughput.latency_s + 8.0 * next_bytes / bps
    if rest_s + settings.patience * next_s > seen.buffer_s:
        return "the next GOP is in a hurry"
    return None
