"""How fast the network is, as far as the transfers so far tell."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from streamstgs.codec.streaming.adaptive.rule import parameter


@dataclass(frozen=True)
class ThroughputSettings:
    """Average bits over seconds twice; the lower average counts, so that a drop is believed at once
    and a rise slowly."""

    fast_half_life_s: float = parameter(1.0, "s", "transfer time after which a sample weighs half")
    slow_half_life_s: float = parameter(6.0, "s", "the same for the slower average")
    prior_s: float = parameter(
        2.0, "s", "weight of the throughput that is remembered from an earlier session"
    )


@dataclass(frozen=True)
class Throughput:
    """An estimate.

    Args:
        bps: bits per second of body data, the lower one of the two averages.
        fast_bps: the faster average.
        latency_s: from a request to its first byte.
        measured_s: transfer time since the start.
    """

    bps: float
    fast_bps: float
    latency_s: float
    measured_s: float = 0.0

    def at_speed(self, speed: float) -> Throughput:
        """In content time: at double speed the network is half as fast."""
        return replace(
            self,
            bps=self.bps / speed,
            fast_bps=self.fast_bps / speed,
            latency_s=self.latency_s * speed,
        )


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

    Args:
        prior_bps: throughput of an earlier session with the same host; None if unknown.
    """

    def __init__(
        self,
        settings: ThroughputSettings = ThroughputSettings(),
        prior_bps: float | None = None,
    ) -> None:
        self._fast = _FadingMean(settings.fast_half_life_s)
        self._slow = _FadingMean(settings.slow_half_life_s)
        self._latency_s: float | None = None
        self._bits = self._seconds = 0.0
        self._is_known = prior_bps is not None
        if prior_bps is not None:
            for mean in (self._fast, self._slow):
                mean.add(prior_bps * settings.prior_s, settings.prior_s)

    def add(self, size_bytes: int, seconds: float) -> None:
        """Body bytes that arrived within `seconds`; pieces of a transfer in progress count too."""
        if seconds <= 0 or size_bytes < 0:
            return
        for mean in (self._fast, self._slow):
            mean.add(8.0 * size_bytes, seconds)
        self._bits += 8.0 * size_bytes
        self._seconds += seconds
        self._is_known = self._is_known or size_bytes > 0

    def add_latency(self, seconds: float) -> None:
        """Time from a request to the first byte of its answer."""
        known = self._latency_s
        self._latency_s = seconds if known is None else (known + seconds) / 2

    def estimate(self) -> Throughput | None:
        """None before the first byte, unless the host was known."""
        if not self._is_known:
            return None
        fast, slow = self._fast.bps, self._slow.bps
        return Throughput(min(fast, slow), fast, self._latency_s or 0.0, self._seconds)

    @property
    def session(self) -> tuple[float, float]:
        """Mean bits per second since the start, the prior left out, and the seconds behind it."""
        return (self._bits / self._seconds if self._seconds else 0.0), self._seconds
