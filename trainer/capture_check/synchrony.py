"""Offsets of cameras in time, by the correlation of their motion energies.

Each pair of cameras gives an offset and how clear it is: by how much the best correlation exceeds
the second best. The offset of a camera is the weighted median over its pairs. It counts only where
most pairs agree and where both halves of the recording say the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from streamstgs.trainer.capture_check.motion_energy import rhythm

SEARCHED_S = 3.0  # offsets up to this are found
SEARCHED_SHARE = 0.3  # of the recording, at most
FEWEST_FRAMES = 24
AGREES = 0.6  # frames
OFF = 0.75  # frames; cameras that are not triggered together are up to half a frame apart
LEAST_SUPPORT = 0.8  # share of the weight of pairs that agree
CLEAR = 0.1  # mean weight of pairs below which nothing can be said
BESIDE = 2  # frames around the best correlation that are no second best
ROUNDS = 50


@dataclass(frozen=True)
class CameraSync:
    """When a camera shows what the others show.

    Args:
        offset: frames by which it shows each moment later than most cameras; None where its motion
            says nothing.
        support: share of the evidence that agrees, 0..1.
    """

    offset: float | None
    support: float

    @property
    def frames(self) -> int:
        """The offset in whole frames; 0 where it is not known, or not clearly one."""
        known = self.offset is not None and abs(self.offset) > OFF
        return round(self.offset or 0.0) if known else 0


def camera_offsets(energies: np.ndarray, fps: float) -> list[CameraSync]:
    """The offset of each camera from most of them.

    Args:
        energies: [C, T] motion energy, one row a camera.
        fps: frames per second.
    """
    signals = rhythm(energies)
    count, length = signals.shape
    most = int(min(SEARCHED_S * fps, SEARCHED_SHARE * length))
    if length < FEWEST_FRAMES or most < 1 or count < 2:
        return [CameraSync(None, 0.0)] * count
    lags, weights = pair_lags(signals, most)
    offsets = _consensus(lags, weights)
    halves = [signals[:, : length // 2], signals[:, length // 2 :]]
    by_half = [_consensus(*pair_lags(half, min(most, length // 4))) for half in halves]
    found = []
    for camera, offset in enumerate(offsets):
        agree = np.abs(lags[camera] - (offset - offsets)) <= AGREES
        weight = weights[camera].sum()
        support = float((agree * weights[camera]).sum() / weight) if weight else 0.0
        same = abs(by_half[0][camera] - by_half[1][camera]) <= 2 * AGREES
        is_known = support >= LEAST_SUPPORT and weight / (count - 1) >= CLEAR and same
        found.append(CameraSync(float(offset) if is_known else None, support))
    return found


def pair_lags(signals: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Of each pair, by how many frames the first is later, and how clear that is.

    Args:
        signals: [C, T].
        most: largest lag that is tried, frames.

    Returns:
        [C, C] float64 lags with fractions of frames; [C, C] weights, 0 where nothing is known.
    """
    count = len(signals)
    lags, weights = np.zeros((count, count)), np.zeros((count, count))
    for a in range(count):
        for b in range(a + 1, count):
            lag, weight = _best_lag(correlations(signals[a], signals[b], most), most)
            lags[a, b], lags[b, a] = lag, -lag
            weights[a, b] = weights[b, a] = weight
    return lags, weights


def correlations(first: np.ndarray, second: np.ndarray, most: int) -> np.ndarray:
    """[2 most + 1] correlation of first[t + lag] with second[t], lags from -most to most."""
    found = []
    for lag in range(-most, most + 1):
        x = first[max(0, lag) : len(first) + min(0, lag)]
        y = second[max(0, -lag) : len(second) + min(0, -lag)]
        x, y = x - x.mean(), y - y.mean()
        found.append(float((x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum() + 1e-12)))
    return np.array(found)


def _best_lag(values: np.ndarray, most: int) -> tuple[float, float]:
    best = int(values.argmax())
    others = values.copy()
    others[max(0, best - BESIDE) : best + BESIDE + 1] = -1
    part = 0.0
    if 0 < best < len(values) - 1:
        left, middle, right = values[best - 1 : best + 2]
        bend = left - 2 * middle + right
        part = float((left - right) / (2 * bend)) if bend < 0 else 0.0
    return best - most + part, max(0.0, float(values[best] - max(others.max(), 0.0)))


def _consensus(lags: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """[C] offsets that most of the lags agree with; most cameras are at 0."""
    offsets = np.zeros(len(lags))
    for _ in range(ROUNDS):
        before = offsets.copy()
        for camera in range(len(lags)):
            offsets[camera] = _weighted_median(lags[camera] + offsets, weights[camera])
        offsets -= np.median(offsets)
        if np.abs(offsets - before).max() < 1e-6:
            break
    return offsets


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    if total[-1] <= 0:
        return 0.0
    return float(values[order[np.searchsorted(total, total[-1] / 2)]])
