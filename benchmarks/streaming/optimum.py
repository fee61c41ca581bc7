"""The best that any schedule can do on a network that is known beforehand."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
from streamstgs.codec.streaming.adaptive.ladder import Ladder
from streamstgs.codec.streaming.adaptive.policy import AdaptiveSettings

from benchmarks.streaming.policies import Fixed
from benchmarks.streaming.session import STALL_DB, STEP_WEIGHT, play
from benchmarks.streaming.trace import Trace

PART_WORTH = 1e-9  # of a bit of a static layer, so that more of it wins a tie
LATE_STEP_S = 0.5  # between the stalls of which it is known how they end
SECOND_WORTH = 3.0  # dB of one GOP, of arriving earlier within a bin


@dataclass(frozen=True)
class OptimumSettings:
    """Resolution of the search.

    Args:
        bin_s: of schedules with the same last quality and static layers whose last GOP arrives
            within the same bin, only the one of the highest score is kept.
        stall_allowances_s: total stall allowed beyond the least possible; the best one counts.
        allowance_step_s: the allowances are refined around the best one down to this distance.
        buffer_s: most content ahead of the position.
        static_gops: static layers are fetched before this GOP or not at all; more than a scene has,
            as the optimum may do without some of them for long.
        parts: of a static layer: schedules that have the same part of it compete.
        wider: times wider bins while static layers are missing.
    """

    bin_s: float = 0.04
    stall_allowances_s: tuple[float, ...] = (0.0, 0.3, 1.0, 3.0, 10.0, 20.0, 40.0)
    allowance_step_s: float = 0.25
    buffer_s: float = 20.0
    static_gops: int = 10_000
    parts: int = 3
    wider: int = 5


@dataclass(frozen=True)
class Best:
    """The best schedule that was found: the quality of each GOP, and how many static layers there
    were when it was asked for."""

    qoe_db: float
    stall_s: float
    qualities: tuple[int, ...] = ()
    layers: tuple[int, ...] = ()


@dataclass
class _Labels:
    """Schedules up to a GOP, one per entry; arrays are [L], those of recent GOPs [L, R]."""

    now_s: np.ndarray  # arrival of the last GOP
    late_s: np.ndarray  # stalled so far: the most that any GOP came after its time
    score: np.ndarray  # sum of quality less steps
    layers: np.ndarray  # static layers that are complete
    part_bits: np.ndarray  # what came of the next one
    qualities: np.ndarray  # of the last R GOPs
    seen_layers: np.ndarray  # with how many static layers the last R GOPs are shown
    origin: np.ndarray  # which schedule up to the GOP before was continued

    def take(self, index: np.ndarray) -> _Labels:
        return _Labels(*(values[index] for values in vars(self).values()))

    @staticmethod
    def join(parts: list[_Labels]) -> _Labels:
        names = vars(parts[0])
        return _Labels(*(np.concatenate([vars(p)[name] for p in parts]) for name in names))


def find_optimum(ladder: Ladder, trace: Trace, settings: OptimumSettings) -> Best:
    """The schedule of the best quality of experience.

    Dynamic programming over GOPs. The total stall of a schedule is the most that one of its GOPs
    comes late, so for a given allowance of stall the state is: time of arrival, last quality,
    static layers and received bytes of the next one. Times are exact; only the choice of survivors
    is quantised, hence the result is reached by a real schedule and lies below the true optimum by
    what the merging of bins loses. All schedules start like the policies: first static layer,
    first GOP at the lowest quality.

    A static layer may be interrupted. Pieces of it are fetched while the buffer is full, the rest
    in one piece: pieces between GOPs could as well come just before the layer is complete, and
    the GOPs would come earlier.

    Always the lowest quality, with the first k static layers at once, is a schedule that competes,
    for every k. So no such player is ever above the optimum.
    """
    anything = np.full(len(ladder.gops), np.inf)
    first = _Search(ladder, trace, settings, anything, least_stall=True)
    least_s = float(first.run().late_s.min())
    plain = _best_plain(ladder, trace, settings)
    known = sorted({*settings.stall_allowances_s, max(plain.stall_s - least_s, 0.0)})
    late_s, ends_s = _latest(ladder, trace, first.due_s, settings.buffer_s, least_s + known[-1])

    def within(allowance_s: float) -> Best:
        most_s = least_s + allowance_s + 1e-6
        bearable_s = np.where(ends_s <= most_s, late_s, 0.0).max(axis=1) + LATE_STEP_S
        return _Search(ladder, trace, settings, np.minimum(bearable_s, most_s)).best()

    found = {allowance_s: within(allowance_s) for allowance_s in known}
    while (fresh := _refined(found, settings.allowance_step_s)) is not None:
        found[fresh] = within(fresh)
    return max(plain, *found.values(), key=lambda each: each.qoe_db)


def _refined(found: dict[float, Best], step_s: float) -> float | None:
    """An allowance between the best one so far and its wider neighbour; None if both are near."""
    order = sorted(found)
    at = max(range(len(order)), key=lambda k: found[order[k]].qoe_db)
    gaps = [(order[k], order[k + 1]) for k in (at - 1, at) if 0 <= k < len(order) - 1]
    low_s, high_s = max(gaps, key=lambda gap: gap[1] - gap[0], default=(0.0, 0.0))
    return (low_s + high_s) / 2 if high_s - low_s > step_s else None


def _best_plain(ladder: Ladder, trace: Trace, settings: OptimumSettings) -> Best:
    """The best of: always the lowest quality, with the first k static layers at once."""
    limits = replace(AdaptiveSettings(), most_buffer_s=settings.buffer_s)
    best = Best(-np.inf, np.inf)
    for count in range(min(1, len(ladder.static_bytes)), len(ladder.static_bytes) + 1):
        policy = Fixed(limits, f"lowest, {count} layers", fixed=ladder.lowest, layers=count)
        outcome = play(policy, ladder, trace)
        layers = (min(count, 1), *[count] * (len(ladder.gops) - 1))
        plain = Best(outcome.qoe_db, outcome.stall_s, tuple(outcome.qualities), layers)
        best = max(best, plain, key=lambda each: each.qoe_db)
    return best


def _latest(
    ladder: Ladder, trace: Trace, due_s: np.ndarray, buffer_s: float, most_s: float
) -> tuple[np.ndarray, np.ndarray]:
    """Stalls of which GOP end with what total, even with a full buffer and the lowest quality.

    Returns:
        [1, K] stall so far, [GOP, K] total stall.
    """
    late_s = np.arange(0.0, most_s + 2 * LATE_STEP_S, LATE_STEP_S)[None]
    ends_s = np.repeat(late_s, len(due_s), axis=0)
    now_s = np.zeros_like(ends_s)
    for gop, entry in enumerate(ladder.gops):
        room_s = due_s[gop] - buffer_s + entry.duration_s
        asked_s = np.maximum(now_s[:gop], room_s + ends_s[:gop])
        data_s = asked_s + trace.latency_s(asked_s)
        now_s[:gop] = trace.arrival_s(data_s, 8.0 * entry.bytes_at(ladder.lowest))
        ends_s[:gop] = np.maximum(ends_s[:gop], now_s[:gop] - due_s[gop])
        now_s[gop] = room_s + ends_s[gop]
    return late_s, ends_s


@dataclass
class _Search:
    """One run over all GOPs.

    Args:
        most_late_s: [GOP]; schedules that stall longer until then are given up.
        least_stall: at the lowest quality; of each bin the one that stalled least is kept.
    """

    ladder: Ladder
    trace: Trace
    settings: OptimumSettings
    most_late_s: np.ndarray
    least_stall: bool = False
    steps: list[tuple[np.ndarray, ...]] = field(default_factory=list)  # quality, layers, origin

    def __post_init__(self) -> None:
        gops, layers = self.ladder.gops, range(len(self.ladder.static_bytes) + 1)
        qualities = range(len(self.ladder.qps))
        self.tried = [self.ladder.lowest] if self.least_stall else list(qualities)
        self.complete = len(self.ladder.static_bytes)
        self.static_bits = 8.0 * np.array([*self.ladder.static_bytes, 1])
        self.parts = self.settings.parts
        self.weight = STEP_WEIGHT * len(gops) / max(len(gops) - 1, 1)
        shown = [
            [[self.ladder.shown_db(g, r, k) for k in layers] for r in qualities]
            for g in range(len(gops))
        ]
        self.shown_db = np.array(shown)  # [GOP, quality, layers]
        shortest_s = min(gop.duration_s for gop in gops)
        self.recent = math.ceil(self.settings.buffer_s / shortest_s) + 2
        self.due_s = np.zeros(len(gops))

    def run(self) -> _Labels:
        labels = self._first_gop()
        durations_s = np.array([gop.duration_s for gop in self.ladder.gops])
        self.due_s = labels.now_s[0] + np.concatenate([[0.0], np.cumsum(durations_s[:-1])])
        for gop in range(1, len(durations_s)):
            self._remember(labels)
            room_s = self.due_s[gop] - self.settings.buffer_s + durations_s[gop]
            if gop <= self.settings.static_gops:
                labels = self._in_idle_time(self._with_static(labels, gop), gop, room_s)
            elif gop == self.settings.static_gops + 1:
                labels = self._complete(labels)
            labels = self._survivors(self._with_gop(labels, gop, room_s), gop)
            if not len(labels.score):
                break
        self._remember(labels)
        return labels

    def best(self) -> Best:
        """The best of all schedules that end within the allowance."""
        ends = self.run()
        if not len(ends.score):
            return Best(-np.inf, np.inf)
        stall_db = STALL_DB * ends.late_s / (self.ladder.duration_s / 60)
        qoe_db = ends.score / len(self.ladder.gops) - stall_db
        top = int(qoe_db.argmax())
        return Best(float(qoe_db[top]), float(ends.late_s[top]), *self._path(top))

    def _remember(self, labels: _Labels) -> None:
        self.steps.append((labels.qualities[:, -1], labels.layers, labels.origin))
        labels.origin = np.arange(len(labels.score))

    def _path(self, place: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        qualities, layers = [], []
        for quality, there, origin in reversed(self.steps):
            qualities.append(int(quality[place]))
            layers.append(int(there[place]))
            place = int(origin[place])
        return tuple(reversed(qualities)), tuple(reversed(layers))

    # --- GOPs ------------------------------------------------------------------------------------

    def _first_gop(self) -> _Labels:
        ladder, trace = self.ladder, self.trace
        now_s, layers = np.zeros(1), min(1, self.complete)
        if layers:
            now_s = trace.arrival_s(now_s + trace.latency_s(now_s), self.static_bits[0])
        bits = 8.0 * ladder.gops[0].bytes_at(ladder.lowest)
        now_s = trace.arrival_s(now_s + trace.latency_s(now_s), bits)
        qualities = np.full((1, self.recent), ladder.lowest, np.int8)
        seen = np.full((1, self.recent), layers, np.int8)
        score = self.shown_db[0, ladder.lowest, [layers]]
        nothing = np.zeros(1)
        return _Labels(
            now_s, nothing, score, np.array([layers]), nothing, qualities, seen, np.zeros(1, int)
        )

    def _with_gop(self, labels: _Labels, gop: int, room_s: float) -> _Labels:
        """Each schedule continued by a GOP at each quality, once there is room for it."""
        asked_s = np.maximum(labels.now_s, room_s + labels.late_s)
        data_s = asked_s + self.trace.latency_s(asked_s)
        return _Labels.join(
            [self._at_quality(labels, data_s, gop, quality) for quality in self.tried]
        )

    def _at_quality(self, labels: _Labels, data_s: np.ndarray, gop: int, quality: int) -> _Labels:
        bits = 8.0 * self.ladder.gops[gop].bytes_at(quality)
        now_s = self.trace.arrival_s(data_s, bits)
        late_s = np.maximum(labels.late_s, now_s - self.due_s[gop])
        before = self.shown_db[gop - 1, labels.qualities[:, -1], labels.seen_layers[:, -1]]
        shown = self.shown_db[gop, quality, labels.layers]
        score = labels.score + shown - self.weight * np.abs(shown - before)
        return _Labels(
            now_s,
            late_s,
            -late_s if self.least_stall else score,
            labels.layers,
            labels.part_bits,
            _shifted(labels.qualities, np.full(len(now_s), quality)),
            _shifted(labels.seen_layers, labels.layers),
            labels.origin,
        )

    def _survivors(self, labels: _Labels, gop: int) -> _Labels:
        """In time, of each bin the one of the highest score, less those that others beat."""
        labels = labels.take(np.flatnonzero(labels.late_s <= self.most_late_s[gop]))
        if not len(labels.score):
            return labels
        worth = labels.score + PART_WORTH * labels.part_bits
        table, cell = self._table(labels, worth)
        progress, quality, at = cell
        beaten = np.zeros(len(labels.score), bool)
        for each in np.unique(progress):
            for other in {each, self.parts * self.complete}:
                for last in range(len(self.ladder.qps)):
                    mine = np.flatnonzero((progress == each) & (quality == last))
                    if len(mine):
                        best = self._best_before(table[other], gop, other, (each, last))
                        beaten[mine] |= worth[mine] <= best[at[mine]]
        kept = np.flatnonzero(~beaten)
        kept = kept[np.argsort(SECOND_WORTH * labels.now_s[kept] - worth[kept], kind="stable")]
        _, first = np.unique(np.ravel_multi_index(cell, table.shape)[kept], return_index=True)
        return labels.take(kept[first])

    def _table(
        self, labels: _Labels, worth: np.ndarray
    ) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
        """Best score [static progress, quality, bin of time], and the cell of each schedule."""
        part_bits = self.static_bits[labels.layers] / self.parts
        part = np.minimum(labels.part_bits // part_bits, self.parts - 1).astype(np.int64)
        progress = self.parts * labels.layers + part
        wider = np.where(labels.layers < self.complete, self.settings.wider, 1)
        bins = np.floor(labels.now_s / (self.settings.bin_s * wider)).astype(np.int64) * wider
        bins -= bins.min()
        cell = (progress, labels.qualities[:, -1].astype(np.int64), bins)
        shape = (self.parts * self.complete + 1, len(self.ladder.qps), int(bins.max()) + 1)
        table = np.full(shape, -np.inf)
        np.maximum.at(table, cell, worth)
        return table, cell

    def _best_before(
        self, scores: np.ndarray, gop: int, progress: int, than: tuple[int, int]
    ) -> np.ndarray:
        """Of all that arrived in an earlier bin, the best score less the step that would be
        needed to go on like a schedule of another quality and progress.

        Args:
            scores: [quality, bin] of schedules with some progress of static layers.
            than: progress and quality of the other.
        """
        shown = self.shown_db[gop, :, progress // self.parts]
        other_db = self.shown_db[gop, than[1], than[0] // self.parts]
        least = (scores - self.weight * np.abs(shown - other_db)[:, None]).max(axis=0)
        earlier = np.maximum.accumulate(least)
        return np.concatenate([[-np.inf], earlier[:-1]])

    # --- static layers ---------------------------------------------------------------------------

    def _with_static(self, labels: _Labels, gop: int) -> _Labels:
        """Each schedule as it is, and with one and more further static layers fetched now."""
        parts, waiting = [labels], labels
        for _ in range(self.complete):
            waiting = waiting.take(np.flatnonzero(waiting.layers < self.complete))
            if not len(waiting.score):
                break
            done_s = self._done_s(waiting)
            waiting = self._with_layer(waiting, gop, done_s)
            parts.append(waiting)
        return _Labels.join(parts)

    def _in_idle_time(self, labels: _Labels, gop: int, room_s: float) -> _Labels:
        """Bytes of static layers that arrive while the buffer is full, at no cost."""
        ready = []
        for _ in range(self.complete):
            until_s = room_s + labels.late_s
            idle = (labels.now_s < until_s) & (labels.layers < self.complete)
            ready.append(labels.take(np.flatnonzero(~idle)))
            labels = labels.take(np.flatnonzero(idle))
            if not len(labels.score):
                return _Labels.join(ready)
            until_s, done_s = room_s + labels.late_s, self._done_s(labels)
            cut = labels.take(np.flatnonzero(done_s > until_s))
            cut_s, data_s = room_s + cut.late_s, cut.now_s + self.trace.latency_s(cut.now_s)
            bits = self.trace.bits_until(cut_s) - self.trace.bits_until(data_s)
            cut.part_bits, cut.now_s = cut.part_bits + np.maximum(bits, 0.0), cut_s
            ready.append(cut)
            whole = np.flatnonzero(done_s <= until_s)
            labels = self._with_layer(labels.take(whole), gop, done_s[whole])
        return _Labels.join([*ready, labels])

    def _done_s(self, labels: _Labels) -> np.ndarray:
        """When the next static layer is complete, if it is fetched from now on."""
        data_s = labels.now_s + self.trace.latency_s(labels.now_s)
        return self.trace.arrival_s(data_s, self.static_bits[labels.layers] - labels.part_bits)

    def _with_layer(self, labels: _Labels, gop: int, now_s: np.ndarray) -> _Labels:
        """One static layer more: GOPs that are there and not yet shown have it, too."""
        numbers = np.arange(gop - self.recent, gop)
        gops = np.maximum(numbers, 0)
        seen = np.where(
            (numbers >= 0) & (self.due_s[gops] + labels.late_s[:, None] >= now_s[:, None] - 1e-9),
            labels.layers[:, None] + 1,
            labels.seen_layers,
        ).astype(np.int8)
        old, new = (
            self.shown_db[gops, labels.qualities, each] for each in (labels.seen_layers, seen)
        )
        less_steps = np.abs(np.diff(old, axis=1)) - np.abs(np.diff(new, axis=1))
        less_steps[:, numbers[1:] < 1] = 0.0
        gain = (new - old).sum(axis=1) + self.weight * less_steps.sum(axis=1)
        return _Labels(
            now_s,
            labels.late_s,
            labels.score + gain,
            labels.layers + 1,
            np.zeros(len(now_s)),
            labels.qualities,
            seen,
            labels.origin,
        )

    def _complete(self, labels: _Labels) -> _Labels:
        """Those with all static layers, if there are any."""
        complete = np.flatnonzero(labels.layers == self.complete)
        return labels.take(complete) if len(complete) else labels


def _shifted(recent: np.ndarray, newest: np.ndarray) -> np.ndarray:
    """[L, R] of the last R GOPs, one GOP later."""
    return np.concatenate([recent[:, 1:], newest[:, None].astype(recent.dtype)], axis=1)
