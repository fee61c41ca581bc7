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
        unrest_half_life_s: the same for how much the network wavers.
        long_half_life_s: the same for the throughput in the long run.
    """

    fast_half_life_s: float = 1.0
    slow_half_life_s: float = 6.0
    unrest_half_life_s: float = 120.0
    long_half_life_s: float = 120.0


USUAL_UNREST = 0.35  # of recorded mobile networks, rounded


@dataclass(frozen=True)
class Throughput:
    """An estimate.

    Args:
        bps: bits per second of body data, the careful one of the two averages.
        fast_bps, slow_bps: the averages.
        latency_s: from a request to its first byte.
        unrest: how far half a second of transfer strays from the average before it; mean absolute
            natural logarithm of the ratio.
        long_bps: the average over minutes. known_s: seconds of transfer that it rests on.
    """

    bps: float
    fast_bps: float
    slow_bps: float
    latency_s: float
    unrest: float = USUAL_UNREST
    long_bps: float = 1.0
    known_s: float = 0.0


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
    def seconds(self) -> float:
        return self._seconds

    @property
    def bps(self) -> float:
        return max(self._bits / self._seconds, 1.0) if self._seconds else 1.0


class _Unrest:
    """Mean distance of short looks at the line from what it usually brought."""

    look_s = 0.5
    floor = 0.05  # share of the usual that is added to both, as nothing has no logarithm
    prior_s = 20.0  # so many seconds of usual unrest are assumed before the first look

    def __init__(self, half_life_s: float) -> None:
        self._half_life_s = half_life_s
        self._distance = self._seconds = 0.0
        self._look_bits = self._look_s = self._usual_bps = 0.0

    def add(self, bits: float, seconds: float, usual_bps: float) -> None:
        if not self._look_s:
            self._usual_bps = usual_bps
        self._look_bits += bits
        self._look_s += seconds
        if self._look_s < self.look_s - 1e-9:
            return
        ratio = self._look_bits / self._look_s / self._usual_bps
        distance = abs(math.log((ratio + self.floor) / (1.0 + self.floor)))
        kept = math.exp2(-self._look_s / self._half_life_s)
        self._distance = self._distance * kept + distance * self._look_s
        self._seconds = self._seconds * kept + self._look_s
        self._look_bits = self._look_s = 0.0

    @property
    def mean(self) -> float:
        distance = self._distance + self.prior_s * USUAL_UNREST
        return distance / (self._seconds + self.prior_s)


class ThroughputMeter:
    """Averages transfers weighted by the time they took; its memory does not grow.

    The averages are bits over seconds, that is harmonic: what matters is how long bytes take.
    Belongs to one thread.
    """

    def __init__(self, settings: ThroughputSettings = ThroughputSettings()) -> None:
        self._fast = _FadingMean(settings.fast_half_life_s)
        self._slow = _FadingMean(settings.slow_half_life_s)
        self._long = _FadingMean(settings.long_half_life_s)
        self._unrest = _Unrest(settings.unrest_half_life_s)
        self._latency_s: float | None = None
        self._anything = False

    def add(self, size_bytes: int, seconds: float) -> None:
        """Body bytes that arrived within `seconds`; pieces of a transfer in progress count too."""
        if seconds <= 0 or size_bytes < 0:
            return
        if self._anything:
            self._unrest.add(8.0 * size_bytes, seconds, self._slow.bps)
        for mean in (self._fast, self._slow, self._long):
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
        latency_s = self._latency_s or 0.0
        long = self._long
        return Throughput(
            min(fast, slow), fast, slow, latency_s, self._unrest.mean, long.bps, long.seconds
        )
