"""A recorded network, played in simulated time."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np


class Trace:
    """Throughput over time, repeated for ever.

    Args:
        durations_s, bandwidths_bps, latencies_s: of each stretch of the recording.
        start_s: where in the recording time 0 lies.

    Raises:
        ValueError: it is empty, or nothing ever gets through.
    """

    def __init__(
        self,
        durations_s: np.ndarray,
        bandwidths_bps: np.ndarray,
        latencies_s: np.ndarray,
        start_s: float = 0.0,
        name: str = "",
    ) -> None:
        self.name = name
        self._durations_s = np.asarray(durations_s, float)
        self._bandwidths_bps = np.asarray(bandwidths_bps, float)
        self._latencies_s = np.asarray(latencies_s, float)
        self._times_s = np.concatenate([[0.0], np.cumsum(self._durations_s)])
        bits = np.cumsum(self._durations_s * self._bandwidths_bps)
        self._bits = np.concatenate([[0.0], bits])
        if not len(bits) or self._bits[-1] <= 0:
            raise ValueError("nothing ever gets through this network")
        self._start_s = start_s % self.duration_s

    @staticmethod
    def load(path: Path) -> Trace:
        """A JSON list of {"duration_ms", "bandwidth_kbps", "latency_ms"}."""
        rows = json.loads(path.read_text(encoding="utf-8"))
        columns = np.array(
            [(row["duration_ms"], row["bandwidth_kbps"], row["latency_ms"]) for row in rows], float
        )
        return Trace(columns[:, 0] / 1e3, columns[:, 1] * 1e3, columns[:, 2] / 1e3, 0.0, path.stem)

    @property
    def duration_s(self) -> float:
        return float(self._times_s[-1])

    @property
    def mean_bps(self) -> float:
        return float(self._bits[-1] / self._times_s[-1])

    def changed(self, factor: float = 1.0, start_s: float = 0.0) -> Trace:
        """The same network, faster by `factor` and entered later."""
        return Trace(
            self._durations_s,
            self._bandwidths_bps * factor,
            self._latencies_s,
            self._start_s + start_s,
            self.name,
        )

    def latency_s(self, time_s: np.ndarray | float) -> np.ndarray:
        """Of a request that starts at `time_s`."""
        inside = (np.asarray(time_s, float) + self._start_s) % self.duration_s
        index = np.searchsorted(self._times_s, inside, side="right") - 1
        return self._latencies_s[np.clip(index, 0, len(self._latencies_s) - 1)]

    def bits_until(self, time_s: np.ndarray | float) -> np.ndarray:
        """What a transfer that always runs has brought by `time_s`."""
        rounds, inside = np.divmod(np.asarray(time_s, float) + self._start_s, self.duration_s)
        return rounds * self._bits[-1] + np.interp(inside, self._times_s, self._bits)

    def arrival_s(self, start_s: np.ndarray | float, bits: float) -> np.ndarray:
        """When the last bit of a transfer arrives whose first could come from `start_s` on."""
        target = self.bits_until(start_s) + bits
        rounds = np.ceil(target / self._bits[-1]) - 1
        rest = target - rounds * self._bits[-1]
        index = np.clip(np.searchsorted(self._bits, rest, side="left"), 1, len(self._bits) - 1)
        rate = np.maximum(self._bandwidths_bps[index - 1], 1e-9)
        inside = self._times_s[index - 1] + (rest - self._bits[index - 1]) / rate
        arrival = rounds * self.duration_s + inside - self._start_s
        return np.maximum(arrival, start_s)
