"""What the scheduler judges by: a snapshot of the buffer and of what playback asks for."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from streamstgs.app.player.buffer.scene_buffer import SceneBuffer
from streamstgs.app.player.buffer.static_stock import StaticStock
from streamstgs.app.player.scene_info import OpenedScene
from streamstgs.app.player.timeline import Timeline
from streamstgs.codec.quality import Quality
from streamstgs.codec.streaming.adaptive import BufferedSegment, Throughput


@dataclass(frozen=True)
class PlayTarget:
    """What a playback asks of its pipeline.

    Args:
        gop: The GOP at the position.
        serial: Number of the seek.
        quality: The quality chosen by hand, None to choose automatically.
        loop: Whether the first GOP follows the last.
        playing: Whether the position moves; while it stands, the shown GOP may be replaced.
        speed: Content seconds per second, above 0 also where content runs backwards.
        scrubbing: Whether the timeline is being dragged, so that the position will change soon.
        backwards: Whether content runs backwards.
    """

    gop: int
    serial: int
    quality: Quality | None
    loop: bool
    playing: bool
    speed: float
    scrubbing: bool = False
    backwards: bool = False

    def ahead(self, timeline: Timeline, count: int) -> list[int]:
        """The GOP at the position and up to `count` that are played after it; no repeats."""
        return timeline.ahead(self.gop, count, self.loop, self.backwards)

    def following(self, timeline: Timeline) -> Iterator[int]:
        """All GOPs in the order of playing, each found when it is asked for; no repeats."""
        return timeline.following(self.gop, self.loop, self.backwards)


@dataclass(frozen=True)
class FetchView:
    """A snapshot of the buffer and of the target.

    Args:
        opened: Facts about the scene.
        target: What playback asks for.
        position_s: Content time.
        best: The best quality that is rendered in time.
        ready: GOP -> the best quality at which it could be played without a network.
        stored: GOP -> quality of packets that are kept; the GOP may be decoded at another one.
        static_gop: A GOP that is shown with these layers; None for the layers of scene.json.
        begun: Whether some GOP was decoded.
        keyframes: GOPs whose keyframe is stored, so that only features need to be fetched.
        sizes: GOP -> bytes of packets that are not decoded yet.
        most_bytes: Bound of all `sizes` together.
        static_layers: How many layers are fetched of the period that is fetched now.
        static_part_bytes: Received bytes of the next layer, whose transfer was stopped.
        broken: (GOP, quality) pairs that cannot be played.
        sought: Whether nothing was fetched yet for the newest seek.
        throughput: Estimate, None before the first transfer.
        decode_s: Seconds from the arrival of a GOP until it can be shown.
    """

    opened: OpenedScene
    target: PlayTarget
    position_s: float
    best: Quality
    ready: dict[int, Quality]
    sizes: dict[int, int]
    most_bytes: int
    static_layers: int
    broken: frozenset[tuple[int, Quality]]
    throughput: Throughput | None = None
    decode_s: float = 0.0
    keyframes: frozenset[int] = frozenset()
    static_part_bytes: int = 0
    sought: bool = False
    stored: dict[int, Quality] = field(default_factory=dict)
    static_gop: int | None = None
    begun: bool = True

    @staticmethod
    def of(buffer: SceneBuffer, target: PlayTarget, position_s: float, best: Quality) -> FetchView:
        """A snapshot of a buffer, without an estimate of throughput.

        The static layers are those of the position, then those of the next GOP to fetch.
        """
        view = FetchView(
            opened=buffer.opened,
            target=target,
            position_s=position_s,
            best=best,
            ready=buffer.qualities(),
            stored=buffer.packets.qualities(),
            keyframes=buffer.packets.keyframes(),
            sizes=buffer.waiting_sizes(),
            most_bytes=buffer.packet_bytes,
            static_layers=0,
            broken=frozenset(buffer.broken),
            begun=len(buffer.gops) > 0,
        )
        stock = buffer.static.of(target.gop)
        if target.playing and not target.scrubbing and (stock.fetched or not stock.sizes):
            missing = view.missing()
            stock = stock if missing is None else buffer.static.of(missing)
        return view._with_static(stock)

    def _with_static(self, stock: StaticStock) -> FetchView:
        opened = self.opened
        if stock.gop is not None:
            sizes, db = stock.sizes, stock.quality_db
            ladder = replace(opened.ladder, static_bytes=sizes, static_quality_db=db)
            opened = replace(opened, ladder=ladder)
        return replace(
            self,
            opened=opened,
            static_layers=stock.fetched,
            static_part_bytes=stock.part_bytes,
            static_gop=stock.gop,
        )

    def order(self) -> Iterator[int]:
        """GOPs in the order of playing; those that are broken at every quality are left out.

        Each is found when it is asked for: long scenes have many.
        """
        ahead = self.target.following(self.opened.timeline)
        return (gop for gop in ahead if not self.is_broken(gop))

    def is_broken(self, gop: int) -> bool:
        """Whether a GOP can be played at no quality."""
        return all((gop, quality) in self.broken for quality in self.opened.qualities)

    def usable(self, gop: int, wish: Quality) -> Quality | None:
        """The quality to fetch instead of a broken one: the next lower, else the next better."""
        lower = [quality for quality in reversed(self.opened.qualities) if quality <= wish]
        better = [quality for quality in self.opened.qualities if quality > wish]
        intact = (quality for quality in (*lower, *better) if (gop, quality) not in self.broken)
        return next(intact, None)

    def has(self, gop: int) -> bool:
        """Whether a GOP need not be fetched: it is buffered, at the quality chosen by hand."""
        chosen = self.target.quality
        if gop not in self.ready or chosen is None:
            return gop in self.ready
        shown = gop == self.target.gop and self.target.playing
        return shown or self.holds(gop, self.usable(gop, chosen))

    def holds(self, gop: int, quality: Quality | None) -> bool:
        """Whether a GOP is buffered at a quality, decoded or not."""
        return quality in (self.ready.get(gop), self.stored.get(gop))

    def missing(self) -> int | None:
        """The first GOP in the order of playing that has to be fetched."""
        return next((gop for gop in self.order() if not self.has(gop)), None)

    def considered(self, most_s: float) -> Iterator[int]:
        """The GOPs whose sizes a scheduler asks for, beside those that are buffered.

        Args:
            most_s: As of `near_missing`.
        """
        if not self.is_broken(self.target.gop):
            yield self.target.gop
        if (missing := self.missing()) is not None:
            yield missing
        if self.target.scrubbing and (near := self.near_missing(most_s)) is not None:
            yield near

    def near_missing(self, most_s: float) -> int | None:
        """The GOP nearest to the position that is not buffered and can be fetched.

        Args:
            most_s: GOPs farther away in content time do not count.
        """
        timeline = self.opened.timeline
        frame = timeline.nearest_in(self.target.gop, timeline.frame_at(self.position_s))
        for gop in timeline.outward(frame):
            if gop not in self.ready and not self.is_broken(gop):
                away = abs(timeline.nearest_in(gop, frame) - frame)
                return gop if away <= most_s * timeline.fps else None
        return None

    def lead_s(self, until: int | None) -> float:
        """Content seconds that can be played without a gap, at most up to the start of a GOP."""
        lead_s = 0.0
        for gop in self.order():
            if gop == until or gop not in self.ready:
                break
            lead_s += self.rest_s(gop)
        return max(lead_s, 0.0)

    def rest_s(self, gop: int) -> float:
        """Content seconds of a GOP that are still to be shown."""
        timeline = self.opened.timeline
        whole_s = timeline.gop_frames[gop] / timeline.fps
        if gop != self.target.gop:
            return whole_s
        return min(timeline.rest_s(gop, self.position_s, self.target.backwards), whole_s)

    def buffered(self) -> tuple[BufferedSegment, ...]:
        """The GOPs that are buffered without a gap, from the shown one on."""
        buffered: list[BufferedSegment] = []
        first = list(itertools.islice(self.order(), 2))
        lead_s = self.rest_s(first[0]) if len(first) == 1 else 0.0  # shown for ever
        for gop in self.order():
            if gop not in self.ready:
                break
            ready_s = lead_s - self.decode_s * self.target.speed
            index = self.ready[gop].index
            buffered.append(BufferedSegment(gop, index, ready_s, self._better_indices(gop)))
            lead_s += self.rest_s(gop)
        return tuple(buffered)

    def _better_indices(self, gop: int) -> tuple[int, ...]:
        """Qualities that a GOP could be fetched again at, best first; none if chosen by hand."""
        if self.target.quality is not None or gop not in self.keyframes:
            return ()
        entry, opened = self.opened.ladder.gops[gop], self.opened
        others = sum(size for other, size in self.sizes.items() if other != gop)
        here = self.ready[gop].index
        return tuple(  # the old features are kept until the new ones are decoded
            index
            for index in range(self.best.index, here, -1)
            if (gop, opened.qualities[index]) not in self.broken
            and others + entry.bytes_at(index) + entry.feature_bytes[here] <= self.most_bytes
        )

    def has_room(self, gop: int, size_bytes: int) -> bool:
        """Whether a GOP can be kept without dropping one that is played before it."""
        if gop == self.target.gop:
            return True
        sooner = itertools.takewhile(lambda other: other != gop, self.order())
        return size_bytes + sum(self.sizes.get(g, 0) for g in sooner) <= self.most_bytes
