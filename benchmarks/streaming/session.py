"""A viewer in simulated time: one connection, one buffer, the decisions of a policy."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Protocol

import numpy as np
from streamstgs.codec.streaming.adaptive.decision import (
    Abort,
    BufferedSegment,
    FetchLayer,
    FetchSegment,
    InFlight,
    LayerInFlight,
    NextStep,
    Revision,
    SegmentInFlight,
    Situation,
    Wait,
)
from streamstgs.codec.streaming.adaptive.ladder import Ladder
from streamstgs.codec.streaming.adaptive.throughput import (
    Throughput,
    ThroughputMeter,
    ThroughputSettings,
)

from benchmarks.streaming.trace import Trace

STALL_DB = 4.3  # per stalled second per minute of content
STEP_WEIGHT = 0.5


class Policy(Protocol):
    """Decides what a simulated viewer fetches; `Adaptive` is the product's policy."""

    name: str
    metering: ThroughputSettings

    def decide(self, ladder: Ladder, seen: Situation) -> NextStep: ...

    def reconsider(self, ladder: Ladder, seen: Situation, flight: InFlight) -> Revision | None: ...


@dataclass(frozen=True)
class SessionSettings:
    """Behaviour of the simulated player around the policy.

    Args:
        watch_s: seconds between two reviews of a transfer in flight.
        resume_s: content that is buffered before playback starts or resumes after a stall.
        foresight_s: over which the policy is told what the throughput will be, instead of an
            estimate; 0 for none. No player can have it: it bounds what better estimates can bring.
        decode_s: an upgrade that comes later than so long before its GOP is shown changes nothing.
        wall_s: simulated time after which a session that gets nowhere is given up.
    """

    watch_s: float = 0.5
    resume_s: float = 0.0
    foresight_s: float = 0.0
    decode_s: float = 0.3
    wall_s: float = 36_000.0


@dataclass
class Playback:
    """Position, buffer and stalls of a viewer over time."""

    resume_s: float
    content_s: float
    now_s: float = 0.0
    buffer_s: float = 0.0
    arrived_s: float = 0.0
    started_s: float | None = None
    stalled: bool = False
    stall_s: float = 0.0
    stalls: int = 0

    def advance(self, now_s: float) -> None:
        elapsed = max(now_s - self.now_s, 0.0)
        self.now_s = max(now_s, self.now_s)
        if self.started_s is None:
            return
        if self.arrived_s >= self.content_s - 1e-9:
            self.buffer_s = max(self.buffer_s - elapsed, 0.0)
            return
        if not self.stalled:
            if elapsed <= self.buffer_s + 1e-9:
                self.buffer_s = max(self.buffer_s - elapsed, 0.0)
                return
            elapsed -= self.buffer_s
            self.buffer_s, self.stalled, self.stalls = 0.0, True, self.stalls + 1
        self.stall_s += elapsed

    @property
    def position_s(self) -> float:
        return self.arrived_s - self.buffer_s

    def arrive(self, duration_s: float) -> None:
        self.buffer_s += duration_s
        self.arrived_s += duration_s
        enough = self.buffer_s >= min(self.resume_s, self.content_s)
        if enough or self.arrived_s >= self.content_s - 1e-9:
            self.stalled = False
            if self.started_s is None:
                self.started_s = self.now_s


@dataclass
class Outcome:
    """The result of a session.

    Args:
        qualities: index of each GOP's quality. quality_db: of each GOP as shown.
        upgrades: GOPs that were shown better than they came at first.
        pauses: of static layers on their way.
        wasted_bytes: aborted, replaced, or too late.
        requests: what was asked for, and when, simulated seconds.
    """

    policy: str
    trace: str
    qualities: list[int] = field(default_factory=list)
    quality_db: list[float] = field(default_factory=list)
    stall_s: float = 0.0
    stalls: int = 0
    startup_s: float = 0.0
    upgrades: int = 0
    pauses: int = 0
    wasted_bytes: int = 0
    fetched_bytes: int = 0
    content_s: float = 0.0
    most_buffer_s: float = 0.0
    requests: list[tuple[float, NextStep]] = field(default_factory=list)

    @property
    def mean_db(self) -> float:
        return float(np.mean(self.quality_db))

    @property
    def switches(self) -> int:
        return sum(a != b for a, b in zip(self.qualities, self.qualities[1:], strict=False))

    @property
    def qoe_db(self) -> float:
        return quality_of_experience_db(self.quality_db, self.stall_s, self.content_s)


def quality_of_experience_db(quality_db: list[float], stall_s: float, content_s: float) -> float:
    """Mean quality, less 4.3 dB per stalled second per minute, less half the mean step."""
    steps = np.abs(np.diff(quality_db)).mean() if len(quality_db) > 1 else 0.0
    return float(np.mean(quality_db) - STALL_DB * stall_s / (content_s / 60) - STEP_WEIGHT * steps)


def play(
    policy: Policy,
    ladder: Ladder,
    trace: Trace,
    settings: SessionSettings = SessionSettings(),
) -> Outcome:
    """Play the whole ladder over a network."""
    return _Session(policy, ladder, trace, settings, ThroughputMeter(policy.metering)).run()


@dataclass
class _Session:
    policy: Policy
    ladder: Ladder
    trace: Trace
    settings: SessionSettings
    meter: ThroughputMeter

    def __post_init__(self) -> None:
        self.playback = Playback(self.settings.resume_s, self.ladder.duration_s)
        self.outcome = Outcome(self.policy.name, self.trace.name, content_s=self.ladder.duration_s)
        durations_s = [gop.duration_s for gop in self.ladder.gops]
        self.begins_s = list(accumulate(durations_s, initial=0.0))[:-1]
        self.static_layers = self.static_part_bytes = 0
        self.static_arrivals: list[float] = []  # content time from which each layer is seen

    def run(self) -> Outcome:
        while self.playback.now_s <= self.settings.wall_s:
            decision = self.policy.decide(self.ladder, self._situation())
            if isinstance(decision, Wait) and math.isinf(decision.wait_s):
                break
            self._step(decision)
        self._finish()
        return self.outcome

    def _situation(self) -> Situation:
        qualities = self.outcome.qualities
        return Situation(
            buffer_s=self.playback.buffer_s,
            next_gop=len(qualities),
            last_quality=qualities[-1] if qualities else None,
            static_layers=self.static_layers,
            static_part_bytes=self.static_part_bytes,
            throughput=self._throughput(),
            buffered=self._buffered(),
        )

    def _buffered(self) -> tuple[BufferedSegment, ...]:
        """From the GOP that is being shown on."""
        qualities, position_s = self.outcome.qualities, self.playback.position_s
        shown = max(bisect_right(self.begins_s, position_s + 1e-9) - 1, 0)
        return tuple(
            BufferedSegment(
                gop,
                qualities[gop],
                self.begins_s[gop] - position_s,
                tuple(range(self.ladder.best, qualities[gop], -1)),
            )
            for gop in range(shown, len(qualities))
        )

    def _throughput(self) -> Throughput | None:
        known, ahead_s = self.meter.estimate(), self.settings.foresight_s
        if known is None or ahead_s <= 0:
            return known
        now_s = self.playback.now_s
        bits = float(self.trace.bits_until(now_s + ahead_s) - self.trace.bits_until(now_s))
        bps = max(bits / ahead_s, 1.0)
        return replace(known, bps=bps, fast_bps=bps)

    def _step(self, decision: NextStep) -> None:
        self.outcome.requests.append((self.playback.now_s, decision))
        if isinstance(decision, Wait):
            self.playback.advance(self.playback.now_s + max(decision.wait_s, 1e-3))
        elif isinstance(decision, FetchLayer):
            self._fetch_static(decision.layer)
        elif decision.again:
            self._upgrade(decision)
        else:
            self._fetch_gop(decision.quality_index)

    def _fetch_static(self, layer: int) -> None:
        """Fetch the missing bytes of a layer until it is complete or paused."""
        had = self.static_part_bytes
        missing = self.ladder.static_bytes[layer] - had
        flight, paused = self._fetch(missing, LayerInFlight(layer, had, 0.0))
        if paused is not None:
            self.static_part_bytes = flight.received_bytes
            self.outcome.pauses += 1
            return
        self.static_layers, self.static_part_bytes = layer + 1, 0
        self.static_arrivals.append(self.playback.position_s)

    def _fetch_gop(self, quality: int) -> None:
        index = len(self.outcome.qualities)
        gop = self.ladder.gops[index]
        flight = SegmentInFlight(index, quality, 0, 0.0)
        while True:
            missing = gop.bytes_at(flight.quality_index) - flight.received_bytes
            flight, instead = self._fetch(missing, flight)
            if instead is None:
                break
            kept = min(flight.received_bytes, gop.shared_bytes)
            self.outcome.wasted_bytes += flight.received_bytes - kept
            assert isinstance(instead, FetchSegment)
            flight = SegmentInFlight(index, instead.quality_index, kept, 0.0)
        self.outcome.qualities.append(flight.quality_index)
        self.playback.arrive(gop.duration_s)
        most = max(self.outcome.most_buffer_s, self.playback.buffer_s)
        self.outcome.most_buffer_s = most

    def _upgrade(self, decision: FetchSegment) -> None:
        """Fetch features of a buffered GOP; they count if they arrive before it is shown."""
        gop, old = self.ladder.gops[decision.gop], self.outcome.qualities[decision.gop]
        better = decision.quality_index
        missing = gop.upgrade_bytes(old, better)
        kept = gop.bytes_at(better) - missing
        flight = SegmentInFlight(decision.gop, better, kept, 0.0, upgrade=True)
        flight, instead = self._fetch(missing, flight)
        lead_s = self.begins_s[decision.gop] - self.playback.position_s
        if instead is not None or lead_s <= self.settings.decode_s:
            self.outcome.wasted_bytes += flight.received_bytes - kept
            return
        self.outcome.wasted_bytes += gop.bytes_at(old) - kept
        self.outcome.qualities[decision.gop] = better
        self.outcome.upgrades += 1

    def _fetch(self, size_bytes: int, flight: InFlight) -> tuple[InFlight, Revision | None]:
        """One transfer: how it ended, and why it was stopped, if it was."""
        asked_s = self.playback.now_s
        data_s = asked_s + float(self.trace.latency_s(asked_s))
        end_s = float(self.trace.arrival_s(data_s, 8.0 * size_bytes))
        had, seen = flight.received_bytes, 0
        self.meter.add_latency(data_s - asked_s)
        now_s, last_s = data_s, data_s
        while now_s < end_s:
            now_s = min(now_s + self.settings.watch_s, end_s)
            bits = float(self.trace.bits_until(now_s) - self.trace.bits_until(data_s))
            received = size_bytes if now_s >= end_s else min(int(bits / 8), size_bytes)
            self.meter.add(received - seen, now_s - last_s)
            self.outcome.fetched_bytes += received - seen
            seen, last_s = received, now_s
            self.playback.advance(now_s)
            flight = replace(flight, received_bytes=had + seen, elapsed_s=now_s - asked_s)
            instead = self._instead(flight) if now_s < end_s else None
            if instead is None:
                continue
            if isinstance(instead, Abort):
                return flight, instead
            assert isinstance(flight, SegmentInFlight)
            if not self._is_free(flight):
                return flight, instead
            flight = replace(flight, quality_index=instead.quality_index)
            size_bytes = self.ladder.gops[flight.gop].bytes_at(instead.quality_index) - had
            end_s = float(self.trace.arrival_s(data_s, 8.0 * size_bytes))
        return flight, None

    def _instead(self, flight: InFlight) -> Revision | None:
        return self.policy.reconsider(self.ladder, self._situation(), flight)

    def _is_free(self, flight: SegmentInFlight) -> bool:
        """Whether another quality costs nothing: what comes is the same for all of them."""
        shared_bytes = self.ladder.gops[flight.gop].shared_bytes
        return flight.received_bytes <= shared_bytes and not flight.upgrade

    def _finish(self) -> None:
        out, playback = self.outcome, self.playback
        out.stall_s, out.stalls = playback.stall_s, playback.stalls
        out.startup_s = playback.started_s if playback.started_s is not None else playback.now_s
        for gop, quality in enumerate(out.qualities):
            begins_s = self.begins_s[gop]
            layers = sum(seen_from <= begins_s + 1e-9 for seen_from in self.static_arrivals)
            out.quality_db.append(self.ladder.shown_db(gop, quality, layers))
