"""Decides what to fetch next, and what to do about a transfer in flight. No effects.

`LocalScheduler` serves scenes on this machine, `NetworkScheduler` those on a server.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from streamstgs.app.player.pipeline.fetch_view import FetchView
from streamstgs.app.player.scene_info import OpenedScene
from streamstgs.codec.quality import Quality
from streamstgs.codec.streaming.adaptive import (
    AdaptiveSettings,
    FetchLayer,
    FetchSegment,
    InFlight,
    LayerInFlight,
    NextStep,
    Revision,
    SegmentInFlight,
    Situation,
    ThroughputSettings,
    Wait,
    arrival_s,
    decide,
    reconsider,
)


@dataclass(frozen=True)
class FetchSettings:
    """What is fetched when.

    Args:
        adaptive: Settings of the adaptive policy; content is fetched `most_buffer_s` ahead.
        metering: How throughput is averaged.
        watch_s: Seconds between two reviews of a transfer in flight, and for which a dragged
            position has to rest before it interrupts a transfer.
        soon_s: After a seek the best quality that arrives within this is fetched.
        refine_s: While paused the best quality that arrives within this is fetched; if none does,
            the best one.
        local_gops: GOPs that are read ahead from a disk.
        first_s: Before the first frame is decoded, no more content than this is fetched ahead: it
            would only delay that frame.
    """

    adaptive: AdaptiveSettings = field(default_factory=AdaptiveSettings)
    metering: ThroughputSettings = field(default_factory=ThroughputSettings)
    watch_s: float = 0.5
    soon_s: float = 0.3
    refine_s: float = 3.0
    local_gops: int = 2
    first_s: float = 5.0


@dataclass(frozen=True)
class TransferInfo:
    """The transfer in flight, as the scheduler sees it.

    Args:
        gop: The GOP; None for a static layer.
        layer: The static layer; None for a GOP.
        quality: Quality of the GOP.
        serial: Number of the seek that it was decided for.
        is_new: Whether the GOP was not buffered at any quality when the transfer began.
    """

    gop: int | None = None
    layer: int | None = None
    quality: Quality | None = None
    serial: int = 0
    is_new: bool = True


def delays_frame(view: FetchView, transfer: TransferInfo) -> bool:
    """Whether a transfer delays the frame at the position, which is not buffered."""
    target = view.target
    if target.gop in view.ready or view.is_broken(target.gop):
        return False
    if transfer.gop is None:
        return view.static_layers > 0 and transfer.serial != target.serial
    chosen = target.quality
    other = chosen not in (None, transfer.quality) and not target.scrubbing
    tried = chosen is not None and (target.gop, chosen) in view.broken
    return transfer.gop != target.gop or (other and not tried)


def is_preempted(
    view: FetchView, transfer: TransferInfo, rests: bool, mostly_received: bool
) -> bool:
    """Whether the target ends a transfer, so that its own can begin.

    While the timeline is dragged, a new GOP is fetched to its end nevertheless: it is near the
    position, and if each move began another one, none would ever arrive. The exception is a
    position that rests while less than half of the GOP has arrived.

    Args:
        rests: Whether the dragged position has stayed in one GOP for a while.
        mostly_received: Whether at least half of the transfer has arrived.
    """
    if not delays_frame(view, transfer):
        return False
    finishes = view.target.scrubbing and transfer.gop is not None and transfer.is_new
    return not finishes or (rests and not mostly_received)


class Scheduler(Protocol):
    """Decides for the fetch thread."""

    def next(self, view: FetchView) -> NextStep:
        """What to fetch while nothing is in flight."""
        ...

    def reconsider(self, view: FetchView, flight: InFlight) -> Revision | None:
        """Another quality for the GOP in flight, or the end of the transfer; None to continue."""
        ...


class LocalScheduler:
    """Reads from a disk: everything at the best quality, a few GOPs ahead."""

    def __init__(self, settings: FetchSettings) -> None:
        self._settings = settings

    def next(self, view: FetchView) -> NextStep:
        if view.static_layers < view.opened.static_layers:
            return FetchLayer(view.static_layers, "local file")
        wish, why = view.opened.best, "local file, best quality"
        if view.target.quality is not None:
            wish, why = view.target.quality, "chosen by hand"
        for gop in itertools.islice(view.order(), self._settings.local_gops + 1):
            quality = view.usable(gop, wish)
            shown = gop == view.target.gop and view.target.playing and gop in view.ready
            if quality is not None and not view.holds(gop, quality) and not shown:
                return FetchSegment(gop, quality.index, why)
        return Wait(math.inf, "everything is buffered")

    def reconsider(self, view: FetchView, flight: InFlight) -> Revision | None:
        return None


class NetworkScheduler:
    """Fetches from a server as `codec.streaming.adaptive` decides.

    The rules added here are for dragging, for paused frames, for what the disk cache holds, for
    broken qualities and for a quality chosen by hand. Times are content time: at double speed the
    network is half as fast.

    Args:
        opened: The scene.
        settings: What is fetched when.
        cached_qualities: GOP -> the qualities that the disk cache holds.
        is_layer_cached: The same for static layers of scene.json.
    """

    def __init__(
        self,
        opened: OpenedScene,
        settings: FetchSettings,
        cached_qualities: Callable[[int], tuple[Quality, ...]],
        is_layer_cached: Callable[[int], bool],
    ) -> None:
        self._settings = settings
        self._opened = opened
        self._cached_qualities = cached_qualities
        self._is_layer_cached = is_layer_cached

    def next(self, view: FetchView) -> NextStep:
        missing, target = view.missing(), view.target
        if target.scrubbing:
            return self._while_dragging(view)
        if missing != target.gop and self._is_next_layer_cached(view):
            return FetchLayer(view.static_layers, "from the disk cache")
        if not target.playing and missing != target.gop:
            refined = self._while_paused(view)
            if refined is not None:
                return refined
        waits = missing != target.gop and not view.begun
        if waits and view.lead_s(missing) >= self._settings.first_s:
            return Wait(math.inf, "the first frame is not decoded yet")
        seen = self._situation(view, missing)
        step = decide(view.opened.ladder, seen, self._settings.adaptive)
        if isinstance(step, FetchSegment) and not step.again:
            return self._with_quality(view, seen, step)
        return step

    def reconsider(self, view: FetchView, flight: InFlight) -> Revision | None:
        target = view.target
        if target.scrubbing:
            return self._reconsider_dragged(view, flight)
        if isinstance(flight, LayerInFlight):
            if not target.playing:
                return None
            seen = self._situation(view, view.missing())
            return reconsider(view.opened.ladder, seen, flight, self._settings.adaptive)
        here = flight.gop == target.gop
        if target.quality is not None or not (target.playing or here):
            return None  # chosen by hand, or ahead of a paused frame
        if flight.gop in view.ready:
            return self._reconsider_again(view, flight)
        seen = self._situation(view, flight.gop)
        cached = self._best_cached(view, flight.gop)
        fixed = here or (cached is not None and cached.index == flight.quality_index)
        adaptive = self._settings.adaptive
        if fixed:
            revision: Revision | None = adaptive.abandon.lower(view.opened.ladder, seen, flight)
        else:
            revision = reconsider(view.opened.ladder, seen, flight, adaptive)
        if isinstance(revision, FetchSegment):
            quality = self._opened.qualities[revision.quality_index]
            return revision if view.usable(flight.gop, quality) == quality else None
        return revision

    # --- rules -----------------------------------------------------------------------------------

    def _while_dragging(self, view: FetchView) -> NextStep:
        """Only GOPs at and around the position, at the lowest quality."""
        if view.static_layers == 0 < view.opened.static_layers:
            return FetchLayer(view.static_layers, "the first layer makes the scene visible")
        gop = view.near_missing(self._settings.adaptive.most_buffer_s)
        if gop is None:
            return Wait(math.inf, "the timeline is being dragged")
        quality = self._best_cached(view, gop) or view.usable(gop, view.opened.lowest)
        assert quality is not None
        size_bytes = view.opened.ladder.gops[gop].bytes_at(quality.index)
        if gop != view.target.gop and sum(view.sizes.values()) + size_bytes > view.most_bytes:
            return Wait(math.inf, "the memory for segments ahead is full")
        return FetchSegment(gop, quality.index, f"{_qp(quality)} while the timeline is dragged")

    def _with_quality(self, view: FetchView, seen: Situation, step: FetchSegment) -> NextStep:
        """The step at the quality chosen by hand, of the disk cache, or that arrives soon."""
        gop, decided = step.gop, self._opened.qualities[step.quality_index]
        quality, reason = decided, step.reason
        cached = self._best_cached(view, gop)
        if view.target.quality is not None:
            quality, reason = view.target.quality, "chosen by hand"
        elif cached is not None and (cached >= decided or seen.throughput is None):
            quality, reason = cached, f"{_qp(cached)} from the disk cache"
        elif gop == view.target.gop and seen.throughput is not None:
            soon = self._best_within(seen, gop, self._settings.soon_s)
            if soon is not None and soon > decided:
                quality, reason = soon, f"{_qp(soon)} arrives soon"
        usable = view.usable(gop, quality)
        assert usable is not None  # GOPs that are broken at every quality are not in the order
        if usable != quality:
            reason = f"{_qp(usable)}, as {_qp(quality)} cannot be played"
        if not view.has_room(gop, view.opened.ladder.gops[gop].bytes_at(usable.index)):
            return Wait(math.inf, "the memory for segments ahead is full")
        return replace(step, quality_index=usable.index, reason=reason)

    def _while_paused(self, view: FetchView) -> NextStep | None:
        """The remaining static layers, then the shown GOP at a better quality."""
        if view.throughput is None:
            return None
        if 0 < view.static_layers < view.opened.static_layers:
            return FetchLayer(view.static_layers, "while paused")
        gop = view.target.gop
        if view.target.quality is not None or gop not in view.ready:
            return None
        seen, here = self._situation(view, None), view.ready[gop]
        soon = self._best_within(seen, gop, self._settings.refine_s, features_only=True)
        wish = view.opened.best if soon is None or soon <= here else soon
        quality = view.usable(gop, wish)
        if quality is None or quality <= here:
            return None
        return FetchSegment(gop, quality.index, f"{_qp(quality)} while paused")

    def _reconsider_dragged(self, view: FetchView, flight: InFlight) -> FetchSegment | None:
        """The lowest quality instead, if its features arrive sooner."""
        if isinstance(flight, LayerInFlight) or flight.gop in view.ready:
            return None
        entry = view.opened.ladder.gops[flight.gop]
        lowest = view.usable(flight.gop, self._opened.lowest)
        if lowest is None or lowest.index >= flight.quality_index:
            return None
        left = entry.bytes_at(flight.quality_index) - flight.received_bytes
        kept = min(flight.received_bytes, entry.shared_bytes)
        if left <= entry.bytes_at(lowest.index) - kept:
            return None
        why = f"{_qp(lowest)} while the timeline is dragged"
        return FetchSegment(flight.gop, lowest.index, why)

    def _reconsider_again(self, view: FetchView, flight: SegmentInFlight) -> Revision | None:
        """The end of the transfer of a buffered GOP, if its better features would be too late."""
        if not view.target.playing:
            return None
        seen, again = self._situation(view, view.missing()), replace(flight, upgrade=True)
        return reconsider(view.opened.ladder, seen, again, self._settings.adaptive)

    # --- what the rules ask ----------------------------------------------------------------------

    def _situation(self, view: FetchView, missing: int | None) -> Situation:
        throughput = view.throughput
        if throughput is not None:
            throughput = throughput.at_speed(view.target.speed)
        all_static = view.static_layers == view.opened.static_layers
        improves_shown = view.target.playing and all_static and missing != view.target.gop
        last = None
        if missing is not None and not view.sought:
            played = missing + (1 if view.target.backwards else -1)
            last = view.ready.get(played % len(view.opened.ladder.gops))
        return Situation(
            buffer_s=max(view.lead_s(missing) - view.decode_s * view.target.speed, 0.0),
            next_gop=len(view.opened.ladder.gops) if missing is None else missing,
            last_quality=None if last is None else last.index,
            static_layers=view.static_layers,
            static_part_bytes=view.static_part_bytes,
            throughput=throughput,
            best_quality=view.best.index,
            buffered=view.buffered(),
            shown_left_s=_left_of_shown_s(view) if improves_shown else 0.0,
        )

    def _is_next_layer_cached(self, view: FetchView) -> bool:
        layer = view.static_layers
        own = view.static_gop is not None
        return not own and layer < view.opened.static_layers and self._is_layer_cached(layer)

    def _best_cached(self, view: FetchView, gop: int) -> Quality | None:
        """The best intact quality of a GOP in the disk cache."""
        cached = self._cached_qualities(gop)
        return max((q for q in cached if (gop, q) not in view.broken), default=None)

    def _best_within(
        self, seen: Situation, gop: int, seconds: float, features_only: bool = False
    ) -> Quality | None:
        """The best quality that is expected to arrive within some time."""
        ladder = self._opened.ladder
        entry = ladder.gops[gop]
        shared = 0 if features_only else entry.shared_bytes
        best = ladder.best if seen.best_quality is None else seen.best_quality
        soon = (
            quality
            for quality in self._opened.qualities[: best + 1]
            if arrival_s(shared + entry.feature_bytes[quality.index], seen) <= seconds
        )
        return max(soon, default=None)


def _left_of_shown_s(view: FetchView) -> float:
    """Content seconds of the shown GOP that are left once better features would be decoded."""
    return view.rest_s(view.target.gop) - view.decode_s * view.target.speed


def _qp(quality: Quality) -> str:
    return f"QP {quality.qp}"
