"""What is there of the open scene: fetched, decoded, broken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from streamstgs.app.player.buffer.gop_cache import CachedGop, GopCache
from streamstgs.app.player.buffer.packet_queue import PacketQueue
from streamstgs.app.player.scene_info import OpenedScene
from streamstgs.codec.scene import Scene
from streamstgs.renderer import CanonicalGaussians, DeformationField, FieldConfig, Gaussians, Gop


@dataclass(frozen=True)
class SceneBufferSettings:
    """Bounds.

    Args:
        max_gops: decoded GOPs kept at most, wanted and recently used ones together.
        max_bytes: bytes of their planes at most.
        packet_bytes: bytes of fetched, not decoded GOPs at most.
    """

    max_gops: int = 8
    max_bytes: int = 1 << 30
    packet_bytes: int = 96 << 20


class SceneBuffer:
    """Everything of one scene that is in memory. Not locked: its owner is.

    Attributes:
        static_packets: layers that were fetched and not decoded yet; None where that failed.
        static_fetched, static_decoded: how many layers are done with, broken ones included.
        static_part_bytes: what came of the next one before it was paused.
        static: those decoded, on the device.
        broken: (GOP, QP) that cannot be had.
        still: the static Gaussians as a GOP that does not move, until a real one is there.
    """

    def __init__(
        self, scene: Scene, settings: SceneBufferSettings, device: torch.device | str
    ) -> None:
        self.scene = scene
        self.opened = OpenedScene.of(scene)
        self.packets = PacketQueue()
        self.gops = GopCache(settings.max_gops, settings.max_bytes)
        self.static_packets: dict[int, bytes | None] = {}
        self.static_fetched = 0
        self.static_part_bytes = 0
        self.static_decoded = 0
        self.static = Gaussians.empty(device)
        self.broken: set[tuple[int, int]] = set()
        self.still: CachedGop | None = None
        self._packet_bytes = settings.packet_bytes

    def get(self, gop: int) -> CachedGop | None:
        """What can be shown of a GOP: the still picture as long as nothing was ever decoded."""
        return self.gops.get(gop) or self.still

    def nearest(self, frame: int) -> tuple[int, CachedGop | None]:
        """The content frame nearest to another one that can be shown, and its GOP."""
        timeline = self.opened.timeline
        near = next(iter(timeline.by_distance(frame, self.gops)), None)
        return (
            (frame, None)
            if near is None
            else (timeline.nearest_in(near, frame), self.gops.get(near))
        )

    def rung_of(self, gop: int) -> int | None:
        """The best rung at which a GOP is there, decoded or not."""
        stored = self.packets.get(gop)
        packet = stored.features.quality.qp if stored and stored.features else None
        there = [rung for rung in (packet, self.gops.rung_of(gop)) if rung is not None]
        return min(there, default=None)

    def ready_gops(self) -> frozenset[int]:
        """Those that can be played without a network."""
        return frozenset(self.packets.rungs()) | frozenset(self.gops)

    def is_broken(self, gop: int) -> bool:
        """Whether a GOP can be had at no rung."""
        return all((gop, rung) in self.broken for rung in self.opened.rungs)

    def nothing_plays(self) -> bool:
        gops = range(self.opened.timeline.gop_count)
        return len(self.gops) == 0 and bool(self.broken) and all(map(self.is_broken, gops))

    def break_rungs(self, gop: int, rungs: Iterable[int]) -> None:
        """A GOP cannot be had at these rungs."""
        self.broken.update((gop, rung) for rung in rungs)
        stored = self.packets.get(gop)
        if self.is_broken(gop):
            self.packets.drop(gop)
        elif stored and stored.features and (gop, stored.features.quality.qp) in self.broken:
            self.packets.drop_features(gop)

    def trim(self, target: int) -> None:
        gop_count = self.opened.timeline.gop_count
        self.packets.trim(target, gop_count, self._packet_bytes, self._decoded())

    def waiting_sizes(self) -> dict[int, int]:
        """GOP -> bytes, of those that are still to be decoded as they were fetched."""
        decoded = self._decoded()
        return {gop: size for gop, size in self.packets.sizes().items() if gop not in decoded}

    def _decoded(self) -> frozenset[int]:
        rungs = self.packets.rungs()
        return frozenset(gop for gop in self.gops if self.gops.rung_of(gop) == rungs.get(gop))

    def put_gop(self, gop: int, decoded: Gop, rung: int, wanted: list[int]) -> None:
        """Take up a decoded GOP; static layers may have come while it was being decoded."""
        cached = CachedGop(decoded, rung).with_static(self.static)
        self.gops.put(gop, cached, wanted)
        self.packets.settle(gop)
        self.still = None

    def put_static(self, layer: int, gaussians: Gaussians | None, with_still: bool) -> None:
        """Take up a decoded layer (None: it is broken); all GOPs have it from now on."""
        del self.static_packets[layer]
        self.static_decoded = layer + 1
        if gaussians is not None:
            self.static = Gaussians.concatenate([self.static, gaussians])
            self.gops.replace_static(self.static)
        if with_still and len(self.static) and not self.gops:
            self.still = CachedGop(still_gop(self.static), self.opened.rungs[-1], still=True)


def still_gop(static: Gaussians) -> Gop:
    """Gaussians of which none moves, as a GOP of one frame."""
    device = static.means.device
    config = FieldConfig()
    with torch.device("meta"):  # nobody asks it to move nothing
        field = DeformationField(config)
    codes = torch.zeros((config.window, 0, config.features), dtype=torch.uint8, device=device)
    channels = torch.zeros(config.features, device=device)
    canonical = CanonicalGaussians.empty(device)
    return Gop(static, canonical, codes, channels, channels, field, frames=1)
