"""The best that any schedule can do on a network that is known beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.streaming.session import STALL_DB, STEP_WEIGHT
from benchmarks.streaming.trace import Trace
from codec.streaming.adaptive.ladder import Ladder


@dataclass(frozen=True)
class OptimumSettings:
    """Resolution of the search.

    Args:
        bin_s: of schedules with the same last rung and static layers whose last GOP arrives within
            the same bin, only the one of the highest score is kept.
        stall_allowances_s: total stall allowed beyond the least possible; the best one counts.
        buffer_s: most content ahead of the position.
        static_gops: static layers are fetched before this GOP or not at all.
    """

    bin_s: float = 0.04
    stall_allowances_s: tuple[float, ...] = (0.0, 0.3, 1.0, 3.0, 10.0, 20.0)
    buffer_s: float = 20.0
    static_gops: int = 48


@dataclass(frozen=True)
class Best:
    """The best schedule that was found."""

    qoe_db: float
    stall_s: float


@dataclass
class _Labels:
    """Schedules up to a GOP, one per entry; all arrays are [L]."""

    now_s: np.ndarray  # arrival of the last GOP
    late_s: np.ndarray  # stalled so far: the most that any GOP came after its time
    score: np.ndarray  # sum of quality less steps
    rung: np.ndarray
    layers: np.ndarray
    shown: np.ndarray  # quality of the last GOP

    def take(self, index: np.ndarray) -> _Labels:
        return _Labels(*(values[index] for values in vars(self).values()))

    @staticmethod
    def join(parts: list[_Labels]) -> _Labels:
        names = vars(parts[0])
        return _Labels(*(np.concatenate([vars(p)[name] for p in parts]) for name in names))


def find_optimum(ladder: Ladder, trace: Trace, settings: OptimumSettings) -> Best:
    """The schedule of the best quality of experience.

    Dynamic programming over GOPs. The total stall of a schedule is the most that one of its GOPs
    comes late, so for a given allowance of stall the state is: time of arrival, last rung, static
    layers. Times are exact; only the choice of survivors is quantised, hence the result is reached
    by a real schedule and lies below the true optimum by what the merging of bins loses. All
    schedules start like the policies: first static layer, first GOP at the lowest rung.
    """
    first = _first_gop(ladder, trace)
    start_s = float(first.now_s[0])
    best = Best(-np.inf, np.inf)
    search = partial(_search, ladder, trace, settings, first, start_s)
    least_s = float(search(np.inf, least_stall=True).late_s.min())
    for allowance in settings.stall_allowances_s:
        found = _best_of(ladder, search(least_s + allowance + 1e-6))
        best = max(best, found, key=lambda each: each.qoe_db)
    return best


def _best_of(ladder: Ladder, ends: _Labels) -> Best:
    if not len(ends.score):
        return Best(-np.inf, np.inf)
    stall = STALL_DB * ends.late_s / (ladder.duration_s / 60)
    qoe_db = ends.score / len(ladder.gops) - stall
    top = int(qoe_db.argmax())
    return Best(float(qoe_db[top]), float(ends.late_s[top]))


def _first_gop(ladder: Ladder, trace: Trace) -> _Labels:
    now_s, layers = np.zeros(1), min(1, len(ladder.static_bytes))
    if layers:
        now_s = trace.arrival_s(now_s + trace.latency_s(now_s), 8 * ladder.static_bytes[0])
    now_s = trace.arrival_s(
        now_s + trace.latency_s(now_s), 8 * ladder.gops[0].bytes_at(ladder.lowest)
    )
    shown = np.array([ladder.shown_db(0, ladder.lowest, layers)])
    rung, held = np.array([ladder.lowest]), np.array([layers])
    return _Labels(now_s, np.zeros(1), shown, rung, held, shown)


def _search(
    ladder: Ladder,
    trace: Trace,
    settings: OptimumSettings,
    labels: _Labels,
    start_s: float,
    most_late_s: float,
    least_stall: bool = False,
) -> _Labels:
    """With `least_stall`: at the lowest rung, of each bin the one that stalled least."""
    rungs = [ladder.lowest] if least_stall else list(range(len(ladder.rungs)))
    due_s = start_s
    for gop in range(1, len(ladder.gops)):
        due_s += ladder.gops[gop - 1].duration_s
        room_s = due_s - settings.buffer_s + ladder.gops[gop].duration_s
        if gop <= settings.static_gops:
            labels = _with_static(ladder, trace, labels)
        elif gop == settings.static_gops + 1:
            labels = _complete(labels, len(ladder.static_bytes))
        asked_s = np.maximum(labels.now_s, room_s + labels.late_s)
        data_s = asked_s + trace.latency_s(asked_s)
        parts = [_at_rung(ladder, trace, labels, data_s, gop, rung, due_s) for rung in rungs]
        labels = _Labels.join(parts)
        if least_stall:
            labels.score = -labels.late_s
        labels = _survivors(labels, settings.bin_s, most_late_s)
        if not len(labels.score):
            break
    return labels


def _with_static(ladder: Ladder, trace: Trace, labels: _Labels) -> _Labels:
    """Each schedule as it is, and with one and with all further static layers fetched first."""
    parts = [labels]
    for layer, size in enumerate(ladder.static_bytes):
        for part in list(parts):
            waiting = part.take(np.flatnonzero(part.layers == layer))
            if len(waiting.now_s):
                data_s = waiting.now_s + trace.latency_s(waiting.now_s)
                waiting.now_s = trace.arrival_s(data_s, 8.0 * size)
                waiting.layers = waiting.layers + 1
                parts.append(waiting)
    return _Labels.join(parts)


def _complete(labels: _Labels, layers: int) -> _Labels:
    """Those with all static layers, if there are any."""
    complete = np.flatnonzero(labels.layers == layers)
    return labels.take(complete) if len(complete) else labels


def _at_rung(
    ladder: Ladder,
    trace: Trace,
    labels: _Labels,
    data_s: np.ndarray,
    gop: int,
    rung: int,
    due_s: float,
) -> _Labels:
    now_s = trace.arrival_s(data_s, 8.0 * ladder.gops[gop].bytes_at(rung))
    table = np.array([ladder.shown_db(gop, rung, k) for k in range(len(ladder.static_bytes) + 1)])
    shown = table[labels.layers]
    weight = STEP_WEIGHT * len(ladder.gops) / (len(ladder.gops) - 1)
    score = labels.score + shown - weight * np.abs(shown - labels.shown)
    late_s = np.maximum(labels.late_s, now_s - due_s)
    return _Labels(now_s, late_s, score, np.full(len(now_s), rung), labels.layers, shown)


def _survivors(labels: _Labels, bin_s: float, most_late_s: float) -> _Labels:
    """In time, and of each bin the one of the highest score, less those that others beat."""
    labels = labels.take(np.flatnonzero(labels.late_s <= most_late_s))
    if not len(labels.score):
        return labels
    group = labels.rung + 100 * labels.layers
    bins = np.floor(labels.now_s / bin_s).astype(np.int64)
    order = np.lexsort((-labels.score, bins, group))
    first = np.ones(len(order), bool)
    first[1:] = (np.diff(bins[order]) != 0) | (np.diff(group[order]) != 0)
    labels, group = labels.take(order[first]), group[order[first]]
    kept = np.ones(len(group), bool)
    for each in np.unique(group):
        inside = np.flatnonzero(group == each)  # in order of time
        best = np.maximum.accumulate(labels.score[inside])
        kept[inside[1:]] = labels.score[inside[1:]] > best[:-1]
    return labels.take(np.flatnonzero(kept))
