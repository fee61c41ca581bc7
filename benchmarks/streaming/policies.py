"""The adaptive policy and its baselines. All share the start and the bound of the buffer."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from streamstgs.codec.streaming.adaptive.decision import (
    FetchLayer,
    FetchSegment,
    InFlight,
    LayerInFlight,
    NextStep,
    Revision,
    Situation,
    Wait,
)
from streamstgs.codec.streaming.adaptive.ladder import Ladder
from streamstgs.codec.streaming.adaptive.policy import (
    AdaptiveSettings,
    decide,
    next_layer,
    reconsider,
)
from streamstgs.codec.streaming.adaptive.throughput import ThroughputSettings

OUR_METERING = ThroughputSettings()
DASH_METERING = ThroughputSettings(fast_half_life_s=3.0, slow_half_life_s=8.0)


@dataclass
class Adaptive:
    """The policy of the product."""

    settings: AdaptiveSettings = field(default_factory=AdaptiveSettings)
    name: str = "adaptive"
    metering: ThroughputSettings = OUR_METERING

    def decide(self, ladder: Ladder, seen: Situation) -> NextStep:
        return decide(ladder, seen, self.settings)

    def reconsider(self, ladder: Ladder, seen: Situation, flight: InFlight) -> Revision | None:
        return reconsider(ladder, seen, flight, self.settings)


@dataclass
class Plain:
    """A policy that only chooses a quality.

    It fetches all static layers at once behind the first GOP, as plain players fetch
    initialisation segments.
    """

    settings: AdaptiveSettings = field(default_factory=AdaptiveSettings)
    name: str = "plain"
    metering: ThroughputSettings = OUR_METERING

    def quality(self, ladder: Ladder, seen: Situation) -> int | None:
        """Index of the next GOP's quality; None to wait a little."""
        return ladder.lowest

    def static(self, ladder: Ladder, seen: Situation) -> FetchLayer | None:
        """The next static layer, if it goes before the next GOP."""
        layer = seen.static_layers
        if layer >= len(ladder.static_bytes) or (layer > 0 and seen.next_gop == 0):
            return None
        return FetchLayer(layer, self.name)

    def decide(self, ladder: Ladder, seen: Situation) -> NextStep:
        static = self.static(ladder, seen)
        if static is not None:
            return static
        if seen.next_gop >= len(ladder.gops):
            return Wait(math.inf, self.name)
        wait_s = seen.buffer_s + ladder.gops[seen.next_gop].duration_s
        wait_s -= self.settings.most_buffer_s
        quality: int | None = ladder.lowest if seen.next_gop == 0 else self.quality(ladder, seen)
        if wait_s > 1e-9 or quality is None:
            return Wait(max(wait_s, 0.25), self.name)
        return FetchSegment(seen.next_gop, quality, self.name)

    def reconsider(self, ladder: Ladder, seen: Situation, flight: InFlight) -> Revision | None:
        """Nothing is given up or paused."""
        return None


@dataclass
class Fixed(Plain):
    """Always the same quality.

    Args:
        fixed: index of the quality.
        layers: so many static layers and no more; None for all.
    """

    fixed: int = 0
    layers: int | None = None

    def static(self, ladder: Ladder, seen: Situation) -> FetchLayer | None:
        is_enough = self.layers is not None and seen.static_layers >= self.layers
        return None if is_enough else super().static(ladder, seen)

    def quality(self, ladder: Ladder, seen: Situation) -> int | None:
        return self.fixed


@dataclass
class OurLayers(Fixed):
    """Always the same quality, with static layers by the rule of the real policy."""

    def static(self, ladder: Ladder, seen: Situation) -> FetchLayer | None:
        return next_layer(ladder, seen, self.settings)

    def reconsider(self, ladder: Ladder, seen: Situation, flight: InFlight) -> Revision | None:
        if not isinstance(flight, LayerInFlight):
            return None
        return reconsider(ladder, seen, flight, self.settings)


@dataclass
class DashThroughput(Plain):
    """The throughput rule of dash.js: the best quality whose bit rate is below a safe estimate.

    Args:
        safety: share of the estimate that counts.
    """

    name: str = "throughput"
    metering: ThroughputSettings = DASH_METERING
    safety: float = 0.9

    def quality(self, ladder: Ladder, seen: Situation) -> int | None:
        return self.by_throughput(ladder, seen)

    def by_throughput(self, ladder: Ladder, seen: Situation) -> int:
        bps = self.safety * seen.throughput.bps if seen.throughput else 0.0
        return best_below(ladder, bps)


@dataclass
class DashDynamic(DashThroughput):
    """What dash.js does by default (Spiteri et al., MMSys 2018): DYNAMIC, with its safety net.

    The throughput rule chooses until `stable_s` are buffered, then BOLA, until the buffer falls
    below half of that. BOLA never rises above both the last quality and what the throughput
    carries. The rule for insufficient buffers caps both: what is chosen has to arrive within the
    buffer. Left out are the virtual buffer of BOLA, which matters for live streams and seeks, and
    the abandoning of requests.

    Args:
        stable_s: buffer at which BOLA takes over.
        minimum_s, per_quality_s: buffer below which BOLA never delays, and above it per quality.
        insufficient_safety: share of the estimate that counts for the cap.
        ignored: segments at the start that are not capped.
    """

    name: str = "dynamic"
    stable_s: float = 12.0
    minimum_s: float = 10.0
    per_quality_s: float = 2.0
    insufficient_safety: float = 0.7
    ignored: int = 2
    uses_bola: bool = False

    def quality(self, ladder: Ladder, seen: Situation) -> int | None:
        threshold_s = self.stable_s / 2 if self.uses_bola else self.stable_s
        self.uses_bola = seen.buffer_s >= threshold_s
        rule = self.by_bola if self.uses_bola else self.by_throughput
        return min(rule(ladder, seen), self.by_insufficient_buffer(ladder, seen))

    def by_bola(self, ladder: Ladder, seen: Situation) -> int:
        rates = [ladder.bandwidth_bps(quality) for quality in range(len(ladder.qps))]
        utilities = [math.log(rate / rates[0]) + 1 for rate in rates]
        target_s = max(self.stable_s, self.minimum_s + self.per_quality_s * len(rates))
        gp = (max(utilities) - 1) / (target_s / self.minimum_s - 1)
        v = self.minimum_s / gp if gp > 0 else 0.0
        scores = [
            (v * (utility - 1 + gp) - seen.buffer_s) / rate
            for utility, rate in zip(utilities, rates, strict=True)
        ]
        chosen = max(range(len(rates)), key=scores.__getitem__)
        last = ladder.lowest if seen.last_quality is None else seen.last_quality
        carried = self.by_throughput(ladder, seen)
        return max(carried, last) if chosen > last and chosen > carried else chosen

    def by_insufficient_buffer(self, ladder: Ladder, seen: Situation) -> int:
        if seen.next_gop < self.ignored or seen.throughput is None:
            return ladder.best
        duration_s = ladder.gops[seen.next_gop].duration_s
        bps = self.insufficient_safety * seen.throughput.bps * seen.buffer_s / duration_s
        return best_below(ladder, bps)


def best_below(ladder: Ladder, bps: float) -> int:
    """The best quality whose bit rate is not above a throughput; else the lowest."""
    fitting = (q for q in range(len(ladder.qps)) if ladder.bandwidth_bps(q) <= bps)
    return max(fitting, default=ladder.lowest)


def plain_policies(ladder: Ladder, settings: AdaptiveSettings) -> list[Plain]:
    """Always the lowest; both rules of dash.js; the lowest with the layers of the product."""
    return [
        Fixed(settings, "lowest", fixed=ladder.lowest),
        DashThroughput(settings),
        DashDynamic(settings),
        OurLayers(settings, "lowest, our layers", fixed=ladder.lowest),
    ]
