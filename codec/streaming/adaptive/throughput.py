"""How fast the network is, as far as the transfers so far tell."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class ThroughputSettings:
    """How quickly old transfers are forgotten.

    Args:
        fast_half_life_s, slow_half_life_s: seconds of transfer after which a sample weighs half;
            the lower of the two averages counts, so that a drop is believed faster than a rise.
    """

    fast_half_life_s: float = 1.3
    slow_half_life_s: float = 5.3


@dataclass(frozen=True)
class Throughput:
    """An estimate.

    Args:
        bps: bits per second of body data, the careful one of the two averages.
        fast_bps, slow_bps: the averages.
        latency_s: from a request to its first byte.
    """

    bps: float
    fast_bps: float
    slow_bps: float
    latency_s: float


class _FadingMean:
    """Bits over seconds, both fading with the transfer time that has passed since."""

    def __init__(self, half_life_s: float) -> None:
        self._half_life_s = half_life_s
        self._bits = self._seconds = 0.0

    def add(self, bits: float, seconds: float) -> None:
        kept = math.exp2(-seconds / self._half_life_s)
        self._bits = self._bits * kept + bits
        self._seconds = self._seconds * kept + seconds

    @property
    def bps(self) -> float:
        return max(self._bits / self._seconds, 1.0) if self._seconds else 1.0


class ThroughputMeter:
    """Averages transfers weighted by the time they took; its memory does not grow.

    The averages are bits over seconds, that is harmonic: what matters is how long bytes take.
    Belongs to one thread.
    """

    def __init__(self, settings: ThroughputSettings = ThroughputSettings()) -> None:
        self._fast = _FadingMean(settings.fast_half_life_s)
        self._slow = _FadingMean(settings.slow_half_life_s)
        self._latency_s: float | None = None
        self._anything = False

    def add(self, size_bytes: int, seconds: float) -> None:
        """Body bytes that arrived within `seconds`; pieces of a transfer in progress count too."""
        if seconds <= 0 or size_bytes < 0:
            return
        for mean in (self._fast, self._slow):
            mean.add(8.0 * size_bytes, seconds)
        self._anything = self._anything or size_bytes > 0

    def add_latency(self, seconds: float) -> None:
        """Time from a request to the first byte of its answer."""
        known = self._latency_s
        self._latency_s = seconds if known is None else 0.7 * known + 0.3 * seconds

    def estimate(self) -> Throughput | None:
        """None before the first byte."""
        if not self._anything:
            return None
        fast, slow = self._fast.bps, self._slow.bps
        return Throughput(min(fast, slow), fast, slow, self._latency_s or 0.0)
