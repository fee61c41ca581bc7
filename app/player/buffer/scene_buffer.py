"""Everything of an open scene that is in memory: fetched packets, decoded GOPs, static layers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from streamstgs.app.player.buffer.gop_cache import CachedGop, GopCache
from streamstgs.app.player.buffer.packet_queue import PacketQueue
from streamstgs.app.player.buffer.static_stock import StaticStock, StaticStocks
from streamstgs.app.player.scene_info import OpenedScene
from streamstgs.codec.quality import Quality
from streamstgs.codec.scene import Scene
from streamstgs.renderer import CanonicalGaussians, DeformationField, FieldConfig, Gaussians, Gop


@dataclass(frozen=True)
class SceneBufferSettings:
    """Bounds of memory.

    Args:
        max_gops: Decoded GOPs kept at most.
        max_bytes: Bytes of their planes at most.
        packet_bytes: Bytes of GOPs that are fetched and not decoded, at most.
    """

    max_gops: int = 8
    max_bytes: int = 1 << 30
    packet_bytes: int = 96 << 20


class SceneBuffer:
    """The buffer of one scene. Not locked: `PipelineState` owns it and locks.

    Attributes:
        scene: Read by the fetch thread, decoded by the decode thread.
        packets, gops: GOPs as fetched and as decoded; filled by these two threads.
        static: The static layers of each period.
        broken: (GOP, quality) pairs that cannot be fetched or decoded.
        still: A GOP without motion to show until the first one is decoded.
    """

    def __init__(
        self, scene: Scene, settings: SceneBufferSettings, device: torch.device | str
    ) -> None:
        self.scene = scene
        self.opened = OpenedScene.of(scene)
        self.packets = PacketQueue()
        self.gops = GopCache(settings.max_gops, settings.max_bytes)
        ladder, self._device = self.opened.ladder, device
        self.static = StaticStocks(self._stock(None, ladder.static_bytes, ladder.static_quality_db))
        self.broken: set[tuple[int, Quality]] = set()
        self.still: CachedGop | None = None
        self.packet_bytes = settings.packet_bytes

    def get(self, gop: int) -> CachedGop | None:
        """What can be shown of a GOP: `still` as long as no GOP was ever decoded."""
        return self.gops.get(gop) or self.still

    def nearest(self, frame: int) -> tuple[int, CachedGop | None]:
        """The decoded content frame nearest to another one, and its GOP."""
        timeline = self.opened.timeline
        near = next(iter(timeline.by_distance(frame, self.gops)), None)
        if near is None:
            return frame, None
        return timeline.nearest_in(near, frame), self.gops.get(near)

    def qualities(self) -> dict[int, Quality]:
        """GOP -> the best quality at which it is buffered, decoded or not."""
        found = self.packets.qualities()
        for gop in self.gops:
            decoded = self.gops.quality_of(gop)
            assert decoded is not None
            found[gop] = max(found.get(gop, decoded), decoded)
        return found

    def ready_gops(self) -> frozenset[int]:
        """GOPs that can be played without a network."""
        return frozenset(self.qualities())

    def is_broken(self, gop: int) -> bool:
        """Whether a GOP can be played at no quality."""
        return all((gop, quality) in self.broken for quality in self.opened.qualities)

    def is_unplayable(self) -> bool:
        """Whether every GOP is broken, none is decoded, and there will be no others."""
        if self.opened.live is not None or len(self.gops) or not self.broken:
            return False
        timeline = self.opened.timeline
        return all(map(self.is_broken, range(timeline.first_gop, timeline.gop_count)))

    def mark_broken(self, gop: int, qualities: Iterable[Quality]) -> None:
        """Record that a GOP cannot be played at these qualities."""
        self.broken.update((gop, quality) for quality in qualities)
        stored = self.packets.get(gop)
        if self.is_broken(gop):
            self.packets.drop(gop)
        elif stored and stored.features and (gop, stored.features.quality) in self.broken:
            self.packets.drop_features(gop)

    def trim(self, target: int) -> None:
        """Drop packets that are needed last from the GOP `target` on, until the rest fits."""
        gop_count = self.opened.timeline.gop_count
        self.packets.trim(target, gop_count, self.packet_bytes, self._decoded())

    def waiting_sizes(self) -> dict[int, int]:
        """GOP -> bytes, of packets that are still to be decoded."""
        decoded = self._decoded()
        return {gop: size for gop, size in self.packets.sizes().items() if gop not in decoded}

    def _decoded(self) -> frozenset[int]:
        """GOPs whose packets are decoded at the quality in which they are stored."""
        stored = self.packets.qualities()
        return frozenset(gop for gop in self.gops if self.gops.quality_of(gop) == stored.get(gop))

    def put_gop(self, gop: int, decoded: Gop, quality: Quality, wanted: list[int]) -> None:
        """Add a decoded GOP, with the static layers that were decoded meanwhile."""
        cached = CachedGop(decoded, quality).with_static(self.static.of(gop).gaussians)
        self.gops.put(gop, cached, wanted)
        self.packets.settle(gop)
        self.still = None

    def note_period(
        self, gops: range, files: tuple[str, ...], sizes: tuple[int, ...], db: tuple[float, ...]
    ) -> None:
        """Record that GOPs are shown with static layers of their own.

        Args:
            files: Names of their files, the most important first.
            sizes: Their bytes.
            db: As `Ladder.static_quality_db`.
        """
        self.static.note(gops, files, self._stock(gops[0], sizes, db))

    def forget_periods(self, wanted: Iterable[int]) -> None:
        """Drop the static layers of periods without a GOP in memory, or one that is wanted."""
        self.static.keep([*wanted, *self.gops, *self.packets.keyframes()])

    def put_static(
        self, stock: StaticStock, layer: int, gaussians: Gaussians | None, with_still: bool
    ) -> None:
        """Add a decoded static layer to the GOPs of its period; None if it could not be decoded.

        Args:
            with_still: Whether the static Gaussians are shown before the first GOP is decoded.
        """
        del stock.packets[layer]
        stock.decoded = layer + 1
        if gaussians is not None:
            stock.gaussians = Gaussians.concatenate([stock.gaussians, gaussians])
            of_period = [gop for gop in self.gops if self.static.of(gop) is stock]
            self.gops.replace_static(of_period, stock.gaussians)
        if with_still and len(stock.gaussians) and not self.gops:
            self.still = CachedGop(still_gop(stock.gaussians), self.opened.lowest, still=True)

    def _stock(self, gop: int | None, sizes: tuple[int, ...], db: tuple[float, ...]) -> StaticStock:
        return StaticStock(gop, sizes, db, Gaussians.empty(self._device))


def still_gop(static: Gaussians) -> Gop:
    """Static Gaussians as a GOP of one frame."""
    device = static.means.device
    config = FieldConfig()
    with torch.device("meta"):  # the field of no Gaussians is never evaluated
        field = DeformationField(config)
    codes = torch.zeros((config.window, 0, config.features), dtype=torch.uint8, device=device)
    channels = torch.zeros(config.features, device=device)
    canonical = CanonicalGaussians.empty(device)
    return Gop(static, canonical, codes, channels, channels, field, frames=1)
