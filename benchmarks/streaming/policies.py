"""The real policy, and the plain ones it has to beat. All share the start and the buffer bound."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from streamstgs.codec.streaming.adaptive.choice import AdaptiveSettings, decide, next_static
from streamstgs.codec.streaming.adaptive.decision import (
    FetchLayer,
    FetchSegment,
    InFlight,
    NextStep,
    Revision,
    Situation,
    Wait,
)
from streamstgs.codec.streaming.adaptive.in_flight import reconsider
from streamstgs.codec.streaming.adaptive.ladder import Ladder


@dataclass
class Adaptive:
    """The policy of the product."""

    settings: AdaptiveSettings = field(default_factory=AdaptiveSettings)
    name: str = "adaptive"

    def decide(self, ladder: Ladder, seen: Situation) -> NextStep:
        return decide(ladder, seen, self.settings)

    def reconsider(self, ladder: Ladder, seen: Situation, flight: InFlight) -> Revision | None:
        return reconsider(ladder, seen, flight, self.settings)


@dataclass
class Plain:
    """A policy that is only a choice of rung.

    A plain player has one axis. Static layers are to it what initialisation segments are: behind
    the first GOP it fetches all of them at once, and goes on when they are there.
    """

    settings: AdaptiveSettings = field(default_factory=AdaptiveSettings)
    name: str = "plain"

    def rung(self, ladder: Ladder, seen: Situation) -> int | None:
        """Of the next GOP; None to wait a little."""
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
        rung: int | None = ladder.lowest if seen.next_gop == 0 else self.rung(ladder, seen)
        if wait_s > 1e-9 or rung is None:
            return Wait(max(wait_s, 0.25), self.name)
        return FetchSegment(seen.next_gop, rung, self.name)

    def reconsider(self, ladder: Ladder, seen: Situation, flight: InFlight) -> Revision | None:
        """Nothing is given up or paused."""
        return None


@dataclass
class Fixed(Plain):
    """Always the same rung; negative ones count from the lowest."""

    fixed: int = -1

    def rung(self, ladder: Ladder, seen: Situation) -> int | None:
        return range(len(ladder.rungs))[self.fixed]


@dataclass
class OurLayers(Fixed):
    """Always the same rung, with static layers by the rule of the real policy."""

    def static(self, ladder: Ladder, seen: Situation) -> FetchLayer | None:
        return next_static(ladder, seen, self.settings)

    def reconsider(self, ladder: Ladder, seen: Situation, flight: InFlight) -> Revision | None:
        if flight.static_layer < 0:
            return None
        return reconsider(ladder, seen, flight, self.settings)


@dataclass
class ThroughputOnly(Plain):
    """The best rung whose bit rate is below 0.9 of the estimate, as in dash.js."""

    name: str = "throughput"
    share: float = 0.9

    def rung(self, ladder: Ladder, seen: Situation) -> int | None:
        bps = self.share * seen.throughput.bps if seen.throughput else 0.0
        fitting = [r for r in range(len(ladder.rungs)) if ladder.bandwidth_bps(r) <= bps]
        return fitting[0] if fitting else ladder.lowest


@dataclass
class BolaOnly(Plain):
    """BOLA-BASIC with logarithmic utility and the parameters that dash.js derives."""

    name: str = "bola"
    low_buffer_s: float = 10.0

    def rung(self, ladder: Ladder, seen: Situation) -> int | None:
        rates = [ladder.bandwidth_bps(rung) for rung in range(len(ladder.rungs))]
        utilities = [math.log(rate / rates[-1]) + 1 for rate in rates]
        gp = (max(utilities) - 1) / (self.settings.most_buffer_s / self.low_buffer_s - 1)
        v = self.low_buffer_s / gp
        scores = [
            (v * (utility - 1 + gp) - seen.buffer_s) / rate
            for utility, rate in zip(utilities, rates, strict=True)
        ]
        return max(range(len(rates)), key=scores.__getitem__)


def plain_policies(ladder: Ladder, settings: AdaptiveSettings) -> list[Plain]:
    """Lowest, middle, highest rung; throughput only; BOLA only; the lowest with our layers."""
    return [
        Fixed(settings, "lowest", ladder.lowest),
        Fixed(settings, "middle", len(ladder.rungs) // 2),
        Fixed(settings, "highest", 0),
        ThroughputOnly(settings),
        BolaOnly(settings),
        OurLayers(settings, "lowest, our layers", ladder.lowest),
    ]
