"""What to fetch next, for a scene on this machine and for one on a server.

Everything it judges by is in a `FetchView`, but for what lies on disk, which it asks for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

from streamstgs.app.player.pipeline.shared_state import PlayTarget
from streamstgs.app.player.scene_info import OpenedScene
from streamstgs.codec.streaming.adaptive import (
    Abort,
    AdaptiveSettings,
    FetchLayer,
    FetchSegment,
    Held,
    InFlight,
    NextStep,
    Revision,
    Situation,
    Throughput,
    ThroughputSettings,
    Wait,
    arrival_s,
    decide,
    give_up_features,
    reconsider,
)
from streamstgs.codec.streaming.adaptive.shown_gop import (
    ShownSettings,
    better_while_shown,
    give_up_shown,
)


@dataclass(frozen=True)
class FetchSettings:
    """What is fetched when; bounds in seconds.

    Args:
        adaptive: the adaptive bitrate; its `most_buffer_s` is how far ahead is fetched.
        metering: how throughput is averaged.
        watch_s: how often a transfer in progress is looked at.
        soon_s: after a seek the best rung is taken that comes within this.
        refine_s: while paused the best rung is taken that comes within this; none does: the best.
        shown: when a GOP that is being shown is made better.
        local_gops: GOPs that are read ahead from a disk.
    """

    adaptive: AdaptiveSettings = field(default_factory=AdaptiveSettings)
    metering: ThroughputSettings = field(default_factory=ThroughputSettings)
    watch_s: float = 0.5
    soon_s: float = 0.3
    refine_s: float = 3.0
    shown: ShownSettings = field(default_factory=ShownSettings)
    local_gops: int = 2


@dataclass(frozen=True)
class FetchView:
    """What is known when the source is free. Rungs are counted from 0, the best.

    Args:
        position_s: content time.
        there: GOP -> the best rung of those that it could be played at.
        fetched: GOP -> rung as it is kept undecoded; it may be decoded at another one.
        sizes: GOP -> bytes of what is kept as it was fetched and not decoded.
        most_bytes: of `sizes` together.
        stored: GOPs of which the keyframe is kept, so that only features need to come again.
        static_layers: how many are there.
        static_part_bytes: what came of the next one before it was paused.
        sought: nothing came yet of the place that was sought last.
        broken: (GOP, rung) that cannot be had.
        throughput: estimate, None before the first transfer.
        best_rung: better ones are not drawn in time.
        decode_s: from the arrival of a GOP until it can be shown.
    """

    opened: OpenedScene
    target: PlayTarget
    position_s: float
    there: dict[int, int]
    sizes: dict[int, int]
    most_bytes: int
    static_layers: int
    broken: frozenset[tuple[int, int]]
    throughput: Throughput | None = None
    best_rung: int = 0
    decode_s: float = 0.0
    stored: frozenset[int] = frozenset()
    static_part_bytes: int = 0
    sought: bool = False
    fetched: dict[int, int] = field(default_factory=dict)

    @cached_property
    def order(self) -> list[int]:
        """GOPs as they will be played, those that cannot be had at any rung left out."""
        timeline = self.opened.timeline
        ahead = timeline.ahead(self.target.gop, timeline.gop_count, self.target.loop)
        return [gop for gop in ahead if self.usable(gop, 0) is not None]

    def usable(self, gop: int, rung: int) -> int | None:
        """The rung nearest to the wanted one that is not broken; rather a lower quality."""
        rungs = len(self.opened.rungs)
        for candidate in (*range(rung, rungs), *range(rung - 1, -1, -1)):
            if (gop, candidate) not in self.broken:
                return candidate
        return None

    @property
    def manual(self) -> int | None:
        """The rung chosen by hand."""
        rung = self.target.rung
        return None if rung is None else self.opened.rungs.index(rung)

    def has(self, gop: int) -> bool:
        """Whether a GOP need not be fetched: it is there, at the rung that was chosen by hand."""
        if gop not in self.there or self.manual is None:
            return gop in self.there
        shown = gop == self.target.gop and self.target.playing
        return shown or self.holds(gop, self.usable(gop, self.manual))

    def holds(self, gop: int, rung: int | None) -> bool:
        """Whether a GOP is there at a rung, decoded or to be decoded when it is wanted."""
        return rung in (self.there.get(gop), self.fetched.get(gop))

    def missing(self) -> int | None:
        """The GOP that is lacking first."""
        return next((gop for gop in self.order if not self.has(gop)), None)

    def near_missing(self, most_s: float) -> int | None:
        """The GOP nearest to the position that is not there at any rung and can be had.

        Args:
            most_s: one farther away does not count.
        """
        timeline = self.opened.timeline
        frame = timeline.nearest_in(self.target.gop, timeline.frame_at(self.position_s))
        for gop in timeline.by_distance(frame, range(timeline.gop_count)):
            if gop not in self.there and self.usable(gop, 0) is not None:
                away = abs(timeline.nearest_in(gop, frame) - frame)
                return gop if away <= most_s * timeline.fps else None
        return None

    def lead_s(self, until: int | None) -> float:
        """Content seconds that can be played without a gap, at most up to the start of a GOP."""
        lead_s = 0.0
        for gop in self.order:
            if gop == until or gop not in self.there:
                break
            lead_s += self.rest_s(gop)
        return max(lead_s, 0.0)

    def rest_s(self, gop: int) -> float:
        """Content seconds of a GOP that are still to be shown."""
        timeline = self.opened.timeline
        past_s = self.position_s - timeline.start_s(gop) if gop == self.target.gop else 0.0
        return timeline.gop_frames[gop] / timeline.fps - max(past_s, 0.0)

    def held(self) -> tuple[Held, ...]:
        """What is there without a gap, the GOP that is being shown included."""
        held: list[Held] = []
        lead_s = self.rest_s(self.order[0]) if len(self.order) == 1 else 0.0  # shown for ever
        for gop in self.order:
            if gop not in self.there:
                break
            ready_s = lead_s - self.decode_s * self.target.speed
            held.append(Held(gop, self.there[gop], ready_s, self.better_rungs(gop)))
            lead_s += self.rest_s(gop)
        return tuple(held)

    def better_rungs(self, gop: int) -> tuple[int, ...]:
        """Rungs that a GOP could be fetched again at; none where one was chosen by hand."""
        if self.manual is not None or gop not in self.stored:
            return ()
        entry = self.opened.ladder.gops[gop]
        others = sum(size for other, size in self.sizes.items() if other != gop)
        return tuple(  # the old features are kept until the new ones are decoded
            rung
            for rung in range(self.best_rung, self.there[gop])
            if (gop, rung) not in self.broken
            and others + entry.bytes_at(rung) + entry.feature_bytes[self.there[gop]]
            <= self.most_bytes
        )

    def has_room(self, gop: int, size_bytes: int) -> bool:
        """Whether a GOP can be kept without giving up one that is played before it."""
        if gop == self.target.gop:
            return True
        sooner = self.order[: self.order.index(gop)]
        return size_bytes + sum(self.sizes.get(g, 0) for g in sooner) <= self.most_bytes


class Fetching(Protocol):
    """Decides for the source thread."""

    def next(self, view: FetchView) -> NextStep: ...

    def reconsider(self, view: FetchView, flight: InFlight) -> Revision | None:
        """Another quality for the GOP in flight, or an end of the transfer; None to go on."""
        ...


class LocalFetching:
    """From a disk: everything at the best quality, a few GOPs ahead."""

    def __init__(self, settings: FetchSettings) -> None:
        self._settings = settings

    def next(self, view: FetchView) -> NextStep:
        if view.static_layers < view.opened.static_layers:
            return FetchLayer(view.static_layers, "local file")
        wish, why = 0, "local file, best quality"
        if view.manual is not None:
            wish, why = view.manual, "chosen by hand"
        for gop in view.order[: self._settings.local_gops + 1]:
            rung = view.usable(gop, wish)
            shown = gop == view.target.gop and view.target.playing and gop in view.there
            if rung is not None and not view.holds(gop, rung) and not shown:
                return FetchSegment(gop, rung, why)
        return Wait(math.inf, "everything is there")

    def reconsider(self, view: FetchView, flight: InFlight) -> Revision | None:
        return None


class NetworkFetching:
    """From a server, as `codec.streaming.adaptive` decides; a rung chosen by hand overrules it.

    What is added here: dragging, pictures that stand still, what is on disk already, and rungs that
    cannot be had. Everything is judged in content time: at double speed
    the network is half as fast.

    Args:
        kept_rungs: GOP -> the rungs that can be had without a network.
        is_static_kept: the same for layers.
    """

    def __init__(
        self,
        opened: OpenedScene,
        settings: FetchSettings,
        kept_rungs: Callable[[int], tuple[int, ...]],
        is_static_kept: Callable[[int], bool],
    ) -> None:
        self._settings = settings
        self._ladder = opened.ladder
        self._kept_rungs = kept_rungs
        self._is_static_kept = is_static_kept

    def next(self, view: FetchView) -> NextStep:
        missing = view.missing()
        if view.target.scrubbing:
            return self._while_dragging(view)
        if missing != view.target.gop and self._static_costs_nothing(view):
            return FetchLayer(view.static_layers, "kept from before")
        if not view.target.playing and missing != view.target.gop:
            better = self._for_the_eye(view)
            if better is not None:
                return better
        seen = self._situation(view, missing)
        decision = decide(self._ladder, seen, self._settings.adaptive)
        all_static = view.static_layers == view.opened.static_layers
        if view.target.playing and all_static and missing != view.target.gop:
            decision = self._better_while_shown(view, seen) or decision
        if isinstance(decision, FetchSegment) and not decision.again:
            return self._rung_for(view, seen, decision)
        return decision

    def reconsider(self, view: FetchView, flight: InFlight) -> Revision | None:
        """Nobody waits for what is ahead of a picture that stands still."""
        if view.target.scrubbing:
            return self._reconsider_dragged(view, flight)
        if flight.static_layer >= 0:
            return self._reconsider_static(view, flight)
        here = flight.gop == view.target.gop
        if view.manual is not None or not (view.target.playing or here):
            return None
        if flight.gop in view.there:
            return self._reconsider_upgrade(view, flight)
        seen = self._situation(view, flight.gop)
        fixed = here or self._best_kept(view, flight.gop) == flight.rung
        look_again = give_up_features if fixed else reconsider
        instead = look_again(self._ladder, seen, flight, self._settings.adaptive)
        if isinstance(instead, FetchSegment):
            is_usable = view.usable(flight.gop, instead.quality) == instead.quality
            return instead if is_usable else None
        return instead

    def _reconsider_dragged(self, view: FetchView, flight: InFlight) -> FetchSegment | None:
        """Features of a better rung that would come later than those of the lowest."""
        if flight.static_layer >= 0 or flight.gop in view.there:
            return None
        entry, lowest = self._ladder.gops[flight.gop], view.usable(flight.gop, self._ladder.lowest)
        if lowest is None or lowest <= flight.rung:
            return None
        left = entry.bytes_at(flight.rung) - flight.received_bytes
        if left <= entry.bytes_at(lowest) - min(flight.received_bytes, entry.shared_bytes):
            return None
        return FetchSegment(flight.gop, lowest, f"{self._qp(lowest)} while the timeline is dragged")

    def _reconsider_upgrade(self, view: FetchView, flight: InFlight) -> Revision | None:
        if not view.target.playing:
            return None
        seen, again = self._situation(view, view.missing()), replace(flight, upgrade=True)
        if flight.gop == view.target.gop:
            return self._reconsider_shown(view, seen, flight)
        return reconsider(self._ladder, seen, again, self._settings.adaptive)

    def _reconsider_shown(self, view: FetchView, seen: Situation, flight: InFlight) -> Abort | None:
        settings, left_s = self._settings, self._left_of_shown_s(view)
        upgrades = settings.adaptive.upgrades
        return give_up_shown(self._ladder, seen, flight, left_s, settings.shown, upgrades)

    def _better_while_shown(self, view: FetchView, seen: Situation) -> FetchSegment | None:
        settings, left_s = self._settings, self._left_of_shown_s(view)
        upgrades = settings.adaptive.upgrades
        return better_while_shown(self._ladder, seen, left_s, settings.shown, upgrades)

    def _left_of_shown_s(self, view: FetchView) -> float:
        return view.rest_s(view.target.gop) - view.decode_s * view.target.speed

    def _reconsider_static(self, view: FetchView, flight: InFlight) -> Revision | None:
        if not view.target.playing:
            return None
        seen = self._situation(view, view.missing())
        return reconsider(self._ladder, seen, flight, self._settings.adaptive)

    # --- what is there without a network ---------------------------------------------------------

    def _static_costs_nothing(self, view: FetchView) -> bool:
        layer = view.static_layers
        return layer < view.opened.static_layers and self._is_static_kept(layer)

    def _best_kept(self, view: FetchView, gop: int) -> int | None:
        rungs = view.opened.rungs
        kept = [rungs.index(qp) for qp in self._kept_rungs(gop)]
        return min((k for k in kept if (gop, k) not in view.broken), default=None)

    # --- rules -----------------------------------------------------------------------------------

    def _situation(self, view: FetchView, missing: int | None) -> Situation:
        throughput = view.throughput
        if throughput is not None and view.target.speed != 1.0:
            throughput = _in_content_time(throughput, view.target.speed)
        last = None
        if missing is not None and not view.sought:
            last = view.there.get((missing - 1) % len(self._ladder.gops))
        return Situation(
            buffer_s=max(view.lead_s(missing) - view.decode_s * view.target.speed, 0.0),
            next_gop=len(self._ladder.gops) if missing is None else missing,
            last_rung=last,
            static_layers=view.static_layers,
            static_part_bytes=view.static_part_bytes,
            playing=view.target.playing,
            throughput=throughput,
            best_rung=view.best_rung,
            held=view.held(),
        )

    def _while_dragging(self, view: FetchView) -> NextStep:
        """Pictures of wherever the hand is, then around it, as small as can be; nothing else."""
        if view.static_layers == 0 < view.opened.static_layers:
            return FetchLayer(view.static_layers, "the first static layer gives a picture")
        gop = view.near_missing(self._settings.adaptive.most_buffer_s)
        if gop is None:
            return Wait(math.inf, "the timeline is being dragged")
        kept = self._best_kept(view, gop)
        rung = view.usable(gop, self._ladder.lowest) if kept is None else kept
        assert rung is not None
        size_bytes = self._ladder.gops[gop].bytes_at(rung)
        if gop != view.target.gop and sum(view.sizes.values()) + size_bytes > view.most_bytes:
            return Wait(math.inf, "the memory for what is fetched ahead is full")
        return FetchSegment(gop, rung, f"{self._qp(rung)} while the timeline is dragged")

    def _rung_for(self, view: FetchView, seen: Situation, decision: FetchSegment) -> NextStep:
        """The decision for a GOP, by hand, by what is kept, by what is soon there."""
        gop, rung = decision.gop, decision.quality
        kept = self._best_kept(view, gop)
        if view.manual is not None:
            decision = replace(decision, quality=view.manual, reason="chosen by hand")
        elif kept is not None and (kept <= rung or seen.throughput is None):
            decision = replace(decision, quality=kept, reason=f"{self._qp(kept)} kept from before")
        elif gop == view.target.gop and seen.throughput is not None:
            soon = self._best_within(seen, gop, self._settings.soon_s)
            if soon is not None and soon < rung:
                why = f"{self._qp(soon)} comes at once"
                decision = replace(decision, quality=soon, reason=why)
        usable = view.usable(gop, decision.quality)
        assert usable is not None  # what is wholly broken is not in the order
        if usable != decision.quality:
            why = f"{self._qp(usable)}, as {self._qp(decision.quality)} cannot be had"
            decision = replace(decision, quality=usable, reason=why)
        if not view.has_room(gop, self._ladder.gops[gop].bytes_at(usable)):
            return Wait(math.inf, "the memory for what is fetched ahead is full")
        return decision

    def _for_the_eye(self, view: FetchView) -> NextStep | None:
        """While a picture stands still: the rest of it, then its best rung."""
        if view.throughput is None:
            return None
        if 0 < view.static_layers < view.opened.static_layers:
            return FetchLayer(view.static_layers, "while the picture stands")
        gop = view.target.gop
        if view.manual is not None or gop not in view.there:
            return None
        seen, here = self._situation(view, None), view.there[gop]
        rung = self._best_within(seen, gop, self._settings.refine_s, features_only=True)
        rung = view.usable(gop, 0 if rung is None or rung >= here else rung)
        if rung is None or rung >= here:
            return None
        return FetchSegment(gop, rung, f"{self._qp(rung)} while the picture stands")

    def _best_within(
        self, seen: Situation, gop: int, seconds: float, features_only: bool = False
    ) -> int | None:
        """The best rung that is expected within some time."""
        entry = self._ladder.gops[gop]
        shared = 0 if features_only else entry.shared_bytes
        for rung in range(min(seen.best_rung, self._ladder.lowest), len(entry.feature_bytes)):
            if arrival_s(shared + entry.feature_bytes[rung], seen) <= seconds:
                return rung
        return None

    def _qp(self, rung: int) -> str:
        return f"QP {self._ladder.rungs[rung]}"


def _in_content_time(throughput: Throughput, speed: float) -> Throughput:
    return replace(
        throughput,
        bps=throughput.bps / speed,
        fast_bps=throughput.fast_bps / speed,
        slow_bps=throughput.slow_bps / speed,
        long_bps=throughput.long_bps / speed,
        latency_s=throughput.latency_s * speed,
    )
