"""Whether a GOP becomes better while it is being shown, as after a seek to where nothing was.

The Gaussians stay the same and only their features change, so a swap between two frames is no more
to be seen than the motion between them.
"""

from __future__ import annotations

from dataclasses import dataclass

from streamstgs.codec.streaming.adaptive import (
    Abort,
    FetchSegment,
    InFlight,
    Ladder,
    Situation,
    Throughput,
    UpgradeSettings,
)


@dataclass(frozen=True)
class ShownSettings:
    """When it pays.

    Args:
        left_s: content seconds of the GOP that must be left when the better features are there.
        room: how many times the bit rate of the better rung the network must carry.
        hurry: the next GOP must be expected so many times sooner than it is needed.
    """

    left_s: float = 1.0
    room: float = 2.0
    hurry: float = 1.5


def better_while_shown(
    ladder: Ladder,
    seen: Situation,
    left_s: float,
    settings: ShownSettings,
    upgrades: UpgradeSettings,
) -> FetchSegment | None:
    """The best rung that the GOP on the screen is worth being fetched again at.

    None that is better than that of the next one: a step up that a step down follows is seen twice.

    Args:
        seen: the first of what is held is being shown.
        left_s: content seconds of it that are left once it would be decoded, were it there now.
    """
    if not seen.held or seen.throughput is None:
        return None
    shown, bps = seen.held[0], seen.throughput.bps * upgrades.trust
    entry = ladder.gops[shown.gop]
    best = seen.held[1].rung if len(seen.held) > 1 else 0
    for rung in (rung for rung in shown.better if rung >= best):
        size_bytes = entry.feature_bytes[rung]
        took_s = _arrival_s(size_bytes, bps, seen.throughput)
        gains = entry.quality_db[rung] > entry.quality_db[shown.rung]
        roomy = 8.0 * entry.bytes_at(rung) * settings.room <= bps * entry.duration_s
        in_time = took_s + settings.left_s <= left_s and not _hurries(
            ladder, seen, took_s, bps, settings
        )
        if gains and in_time and (roomy or _is_all_there(ladder, seen)):
            why = f"QP {ladder.rungs[rung]} while it is shown, {left_s - took_s:.1f} s of it left"
            return FetchSegment(shown.gop, rung, why, again=True)
    return None


def give_up_shown(
    ladder: Ladder,
    seen: Situation,
    flight: InFlight,
    left_s: float,
    settings: ShownSettings,
    upgrades: UpgradeSettings,
) -> Abort | None:
    """Whether better features of the GOP on the screen, on their way, are no longer worth it."""
    if seen.throughput is None:
        return None
    bps = seen.throughput.fast_bps
    missing_bytes = ladder.gops[flight.gop].bytes_at(flight.rung) - flight.received_bytes
    rest_s = 8.0 * max(missing_bytes, 0) / bps
    if rest_s + settings.left_s > left_s * upgrades.patience:
        return Abort("too little would be left of it")
    if _hurries(ladder, seen, rest_s, bps, settings):
        return Abort("the next GOP is in a hurry")
    return None


def _hurries(
    ladder: Ladder, seen: Situation, took_s: float, bps: float, settings: ShownSettings
) -> bool:
    """Whether the next GOP might come too late if something else came first."""
    if _is_all_there(ladder, seen):
        return False
    assert seen.throughput is not None
    next_bytes = ladder.gops[seen.next_gop].bytes_at(ladder.lowest)
    next_s = _arrival_s(next_bytes, bps, seen.throughput)
    return took_s + settings.hurry * next_s > seen.buffer_s


def _is_all_there(ladder: Ladder, seen: Situation) -> bool:
    return seen.next_gop >= len(ladder.gops)


def _arrival_s(size_bytes: int, bps: float, throughput: Throughput) -> float:
    return throughput.latency_s + 8.0 * size_bytes / bps
