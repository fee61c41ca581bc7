"""Two rate-distortion curves compared: BD-rate, and who dominates where they do not overlap.

BD-rate (Bjontegaard, VCEG-M33; piecewise cubic as in the later practice of JCT-VC) is the mean
difference of the logarithm of the rate at equal PSNR, in per cent: -50 means half of the bytes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class RatePoint:
    """Bytes per frame (> 0) and PSNR (dB) of one quality."""

    bytes_per_frame: float
    psnr: float


@dataclass(frozen=True)
class RateComparison:
    """A curve against another.

    Args:
        bd_rate_percent: mean change of the bytes at equal PSNR; None where the curves share no
            PSNR, with `reason` in words.
        overlap_db: the PSNRs that both reach, over which `bd_rate_percent` is the mean.
        bytes_percent_at_no_lower_psnr: for each point of the other curve, from its smallest, the
            bytes of our cheapest point of no lower PSNR; None where we have none.
    """

    bd_rate_percent: float | None
    overlap_db: tuple[float, float] | None
    reason: str
    bytes_percent_at_no_lower_psnr: tuple[float | None, ...]


def compare_curves(ours: Sequence[RatePoint], other: Sequence[RatePoint]) -> RateComparison:
    """What `ours` costs against `other`. Raises ValueError if one of them is empty."""
    if not ours or not other:
        raise ValueError("a curve without points cannot be compared")
    dominance = tuple(_percent_of(point, ours) for point in by_rate(other))
    a, b = efficient_points(ours), efficient_points(other)
    low, high = max(a[0].psnr, b[0].psnr), min(a[-1].psnr, b[-1].psnr)
    if not low < high:
        return RateComparison(None, None, _why_apart(a, b), dominance)
    return RateComparison(bd_rate(a, b), (low, high), "", dominance)


def bd_rate(ours: Sequence[RatePoint], other: Sequence[RatePoint]) -> float:
    """BD-rate in per cent over the PSNRs that both curves reach.

    Args:
        ours, other: at least two points each, both PSNR and bytes rising (`efficient_points`).

    Raises:
        ValueError: the curves share no range of PSNR.
    """
    low = max(ours[0].psnr, other[0].psnr)
    high = min(ours[-1].psnr, other[-1].psnr)
    if not low < high:
        raise ValueError("the curves share no range of PSNR")
    difference = _log_rate_area(ours, low, high) - _log_rate_area(other, low, high)
    return (math.exp(difference / (high - low)) - 1) * 100


def by_rate(points: Sequence[RatePoint]) -> list[RatePoint]:
    return sorted(points, key=lambda p: (p.bytes_per_frame, -p.psnr))


def efficient_points(points: Sequence[RatePoint]) -> list[RatePoint]:
    """From the smallest: only points that are better than all cheaper ones."""
    kept: list[RatePoint] = []
    for point in by_rate(points):
        if not kept or point.psnr > kept[-1].psnr:
            kept.append(point)
    return kept


def _percent_of(point: RatePoint, ours: Sequence[RatePoint]) -> float | None:
    enough = [p.bytes_per_frame for p in ours if p.psnr >= point.psnr]
    return 100 * min(enough) / point.bytes_per_frame if enough else None


def _why_apart(ours: list[RatePoint], other: list[RatePoint]) -> str:
    if len(ours) < 2 or len(other) < 2:
        return "a curve needs two qualities"
    above = ours[0].psnr >= other[-1].psnr
    return f"all of this curve lies {'above' if above else 'below'} the other in PSNR"


def _log_rate_area(points: Sequence[RatePoint], low: float, high: float) -> float:
    """Integral of ln(bytes) over PSNR; Simpson's rule is exact for each cubic piece."""
    psnr = np.array([p.psnr for p in points])
    log_rate = np.log([p.bytes_per_frame for p in points])
    slopes = monotone_slopes(psnr, log_rate)
    inner = psnr[(psnr > low) & (psnr < high)]
    edges = np.concatenate([[low], inner, [high]])
    left, right = edges[:-1], edges[1:]
    at = [hermite(x, psnr, log_rate, slopes) for x in (left, (left + right) / 2, right)]
    return float(((right - left) / 6 * (at[0] + 4 * at[1] + at[2])).sum())


def hermite(x: np.ndarray, knots: np.ndarray, values: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """The piecewise cubic with these values and slopes at the knots, at x within them."""
    k = np.clip(np.searchsorted(knots, x, side="right") - 1, 0, len(knots) - 2)
    width = knots[k + 1] - knots[k]
    t = (x - knots[k]) / width
    start = (1 + 2 * t) * (1 - t) ** 2 * values[k] + t * (1 - t) ** 2 * width * slopes[k]
    end = t**2 * (3 - 2 * t) * values[k + 1] + t**2 * (t - 1) * width * slopes[k + 1]
    return np.asarray(start + end)


def monotone_slopes(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Slopes at the knots that keep the cubic between its knots (Fritsch and Butland 1984)."""
    width = np.diff(x)
    chord = np.diff(y) / width
    slopes = np.empty(len(x))
    slopes[0], slopes[-1] = chord[0], chord[-1]
    w1, w2 = 2 * width[1:] + width[:-1], width[1:] + 2 * width[:-1]
    agree = chord[:-1] * chord[1:] > 0
    safe = np.where(agree, chord[:-1], 1.0), np.where(agree, chord[1:], 1.0)
    mean = (w1 + w2) / (w1 / safe[0] + w2 / safe[1])
    slopes[1:-1] = np.where(agree, mean, 0.0)
    return slopes


def curve_of(figures: dict[str, Any], split: str, measure: str = "psnr") -> list[RatePoint]:
    """The curve of a split ("test" or "train") in the figures of `evaluate`.

    Args:
        measure: "psnr", or "moving_psnr", of which some figures say nothing.
    """
    return [
        RatePoint(quality["bytes_per_frame"]["total"], quality[split][measure])
        for quality in figures["qualities"]
        if quality.get(split) and quality[split].get(measure) is not None
    ]


def compare_figures(figures: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Split -> `RateComparison` as a dictionary, for the splits that both were measured on."""
    return {
        split: asdict(compare_curves(curve_of(figures, split), curve_of(other, split)))
        for split in ("test", "train")
        if curve_of(figures, split) and curve_of(other, split)
    }
