"""What content in the buffer is worth: dynamic programming over a model of mobile networks.

BOLA (Spiteri et al., INFOCOM 2016) weighs the utility of a rung against the buffer that it uses up
with a fixed formula; model predictive control (Yin et al., SIGCOMM 2015) looks a few segments ahead
with one forecast. Here both are computed at once, as in the MDP of that second paper: the state is
buffer, throughput estimate and last rung, the network may turn out faster or slower than estimated
with measured odds, and value iteration gives for each state what the rest of the session is worth
if one goes on playing well. Done once per scene, on the scene's average GOP.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codec.streaming.adaptive.ladder import Ladder

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PlanSettings:
    """What a viewer minds, and how mobile networks behave.

    Args:
        stall_db_min: dB of mean quality that one stalled second per minute of content costs.
        step_weight: dB that a change of quality by one dB between two GOPs costs.
        surprises: (what a transfer's throughput is, as a power of `RATE_STEP` times the estimate;
            how often).
        outages: (seconds in which nothing arrives, share of the GOPs that meet one).
        believed: how much of a surprise goes into the next estimate, 0..1.
        reversion: how far throughput tends back to what is usual within a GOP, 0..1.
        patience: what the next GOP's quality counts, relative to this one's; below 1.
        buffer_step_s: resolution of the buffer.
        sweeps: of value iteration.
    """

    stall_db_min: float = 4.3
    step_weight: float = 0.5
    surprises: tuple[tuple[int, float], ...] = (
        (-4, 0.005),
        (-2, 0.08),
        (0, 0.55),
        (2, 0.26),
        (4, 0.06),
        (6, 0.02),
    )
    outages: tuple[tuple[float, float], ...] = ((12.0, 0.01),)
    believed: float = 0.1
    reversion: float = 0.15
    patience: float = 0.98
    buffer_step_s: float = 0.5
    sweeps: int = 60


RATE_STEP = 1.25  # unit of surprises
GRID_STEP = 1.5  # between neighbouring throughputs of the model
USUAL_STEP = 2.0  # between the usual throughputs for which plans are made


class Plan:
    """The solved model of one ladder on a network of some usual throughput; immutable.

    Args:
        most_buffer_s: content ahead that is never exceeded.
        latency_s: of a request.
        usual_bps: where throughput tends to.
    """

    def __init__(
        self,
        ladder: Ladder,
        most_buffer_s: float,
        latency_s: float,
        usual_bps: float,
        settings: PlanSettings,
    ) -> None:
        self._settings = settings
        self._most_buffer_s = most_buffer_s
        self._latency_s = latency_s
        self._usual_bps = usual_bps
        rungs = range(len(ladder.rungs))
        self._gop_s = ladder.duration_s / len(ladder.gops)
        self._quality_db = np.array(
            [np.mean([gop.quality_db[rung] for gop in ladder.gops]) for rung in rungs]
        )
        bits = np.array([ladder.bandwidth_bps(rung) for rung in rungs]) * self._gop_s
        self._slowest_bps = bits[-1] / self._gop_s / 16.0
        span = math.log(16.0 * 8.0 * bits[0] / bits[-1]) / math.log(GRID_STEP)
        self._rates_bps = self._slowest_bps * GRID_STEP ** np.arange(math.ceil(span) + 1)
        self._buffers_s = np.linspace(
            0, most_buffer_s, max(2, round(most_buffer_s / settings.buffer_step_s) + 1)
        )
        pauses = settings.outages
        self._shifts = np.array([shift for shift, _ in settings.surprises] + [0.0] * len(pauses))
        self._pauses_s = np.array([0.0] * len(settings.surprises) + [pause for pause, _ in pauses])
        odds = np.array([share for _, share in (*settings.surprises, *pauses)])
        self._odds = odds / odds.sum()
        self._value = self._solve(bits)

    def worth_db(
        self, bits: Sequence[float], quality_db: Sequence[float], buffer_s: float, bps: float
    ) -> list[float]:
        """Of each rung of the next GOP: its quality, less expected stalls, plus what follows.

        Args:
            bits, quality_db: of the next GOP at each rung. bps: throughput estimate.
        """
        buffers, rates = np.array([buffer_s]), np.array([max(bps, 1.0)])
        return [
            float(self._after(buffers, rates, size).worth(self._value[rung])[0, 0]) + quality
            for rung, (size, quality) in enumerate(zip(bits, quality_db, strict=True))
        ]

    def _solve(self, bits: Array) -> Array:
        """[rungs, buffers, rates] value of having just fetched a GOP at each rung."""
        quality = self._quality_db
        after = [self._after(self._buffers_s, self._rates_bps, size) for size in bits]
        value = np.zeros((len(quality), len(self._buffers_s), len(self._rates_bps)))
        step = self._settings.step_weight * np.abs(quality[:, None] - quality[None, :])
        for _ in range(self._settings.sweeps):
            going = np.stack(
                [a.worth(v) + q for a, v, q in zip(after, value, quality, strict=True)]
            )
            value = (going[None] - step[:, :, None, None]).max(axis=1)
            value -= value.max()
        return value

    def _after(self, buffers_s: Array, rates_bps: Array, bits: float) -> _After:
        """Where a transfer leads, from each buffer and throughput estimate."""
        drawn = self._settings.reversion
        expected = rates_bps ** (1 - drawn) * self._usual_bps**drawn
        actual = expected[:, None] * RATE_STEP**self._shifts  # [rates, surprises]
        seconds = self._latency_s + self._pauses_s + bits / actual
        over_s = seconds[None] - buffers_s[:, None, None]
        left_s = np.maximum(-over_s, 0.0) + self._gop_s
        believed = self._settings.believed
        rates = rates_bps[:, None] ** (1 - believed) * actual**believed
        b = np.minimum(left_s, self._most_buffer_s) / self._buffers_s[1]
        r = np.log(rates / self._slowest_bps) / math.log(GRID_STEP)
        r = np.broadcast_to(np.clip(r, 0, len(self._rates_bps) - 1.001), b.shape)
        low_b = np.minimum(b.astype(np.int64), len(self._buffers_s) - 2)
        low_r = r.astype(np.int64)
        corner = low_b * len(self._rates_bps) + low_r
        row = len(self._rates_bps)
        share_b, share_r = b - low_b, r - low_r
        odds = self._odds * self._settings.patience
        return _After(
            np.stack([corner, corner + 1, corner + row, corner + row + 1]),
            np.stack(
                [
                    odds * (1 - share_b) * (1 - share_r),
                    odds * (1 - share_b) * share_r,
                    odds * share_b * (1 - share_r),
                    odds * share_b * share_r,
                ]
            ),
            stall_db(self._gop_s, self._settings) * np.maximum(over_s, 0.0) @ self._odds,
        )


@dataclass(frozen=True)
class _After:
    """Where a transfer leads: neighbouring states, their weights, and the stalls on the way.

    Args:
        states, weights: [4, buffers, rates, surprises]. stalls_db: [buffers, rates].
    """

    states: NDArray[np.int64]
    weights: Array
    stalls_db: Array

    def worth(self, value: Array) -> Array:
        """[buffers, rates] expected value of what follows, less the stalls."""
        later = np.einsum("kbrs,kbrs->br", value.ravel()[self.states], self.weights)
        return np.asarray(later - self.stalls_db)


def stall_db(gop_s: float, settings: PlanSettings) -> float:
    """What a stalled second costs, in dB of one GOP."""
    return settings.stall_db_min * 60.0 / gop_s


class PlanBook:
    """Plans of one ladder for networks of any usual throughput, each solved when first needed.

    Belongs to one thread. At most 13 plans exist, as they are made for steps of throughput.
    """

    def __init__(
        self, ladder: Ladder, most_buffer_s: float, latency_s: float, settings: PlanSettings
    ) -> None:
        self._ladder = ladder
        self._most_buffer_s = most_buffer_s
        self._latency_s = latency_s
        self._settings = settings
        self._plans: dict[int, Plan] = {}

    def __len__(self) -> int:
        """How many plans have been solved."""
        return len(self._plans)

    def worth_db(
        self,
        bits: Sequence[float],
        quality_db: Sequence[float],
        buffer_s: float,
        bps: float,
        usual_bps: float,
    ) -> list[float]:
        """As `Plan.worth_db`, between the plans for the usual throughputs below and above."""
        lowest = self._ladder.bandwidth_bps(self._ladder.lowest)
        place = math.log(max(usual_bps, 1.0) / lowest) / math.log(USUAL_STEP)
        place = min(max(place, -5.0), 7.0)
        share = place - math.floor(place)
        below, above = (
            self._plan(step).worth_db(bits, quality_db, buffer_s, bps)
            for step in (math.floor(place), math.ceil(place))
        )
        return [(1 - share) * a + share * b for a, b in zip(below, above, strict=True)]

    def _plan(self, step: int) -> Plan:
        if step not in self._plans:
            usual_bps = self._ladder.bandwidth_bps(self._ladder.lowest) * USUAL_STEP**step
            self._plans[step] = Plan(
                self._ladder, self._most_buffer_s, self._latency_s, usual_bps, self._settings
            )
        return self._plans[step]
