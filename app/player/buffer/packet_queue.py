"""GOPs as they were fetched, bounded by bytes: the queue between fetching and decoding."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace

from streamstgs.codec.packets import FeaturePacket, KeyframePacket
from streamstgs.codec.quality import Quality


@dataclass(frozen=True)
class StoredGop:
    """The fetched parts of a GOP; without features it cannot be played yet.

    Args:
        keyframe: What every quality needs.
        features: The feature video at one quality.
        older: Features that `features` replaced, kept until those are decoded.
    """

    keyframe: KeyframePacket
    features: FeaturePacket | None = None
    older: FeaturePacket | None = None

    @property
    def size_bytes(self) -> int:
        parts = (self.keyframe, self.features, self.older)
        return sum(part.size_bytes for part in parts if part is not None)


class PacketQueue:
    """Keeps the GOPs that are played next. Not locked: its owner locks."""

    def __init__(self) -> None:
        self._gops: dict[int, StoredGop] = {}

    def get(self, gop: int) -> StoredGop | None:
        return self._gops.get(gop)

    def put_keyframe(self, gop: int, packet: KeyframePacket) -> None:
        if gop not in self._gops:
            self._gops[gop] = StoredGop(packet)

    def put(self, gop: int, stored: StoredGop) -> None:
        """Add a complete GOP; its features at another quality are replaced."""
        before = self._gops.get(gop)
        self._gops[gop] = replace(stored, older=before.features if before else None)

    def drop_features(self, gop: int) -> None:
        """Return to the older features, because these cannot be decoded."""
        if gop in self._gops:
            older = self._gops[gop].older
            self._gops[gop] = replace(self._gops[gop], features=older, older=None)

    def settle(self, gop: int) -> None:
        """Drop the older features, because the newer ones are decoded."""
        if gop in self._gops:
            self._gops[gop] = replace(self._gops[gop], older=None)

    def drop(self, gop: int, features: FeaturePacket | None = None) -> None:
        """Drop a GOP, if it has these features (None: whatever its features are)."""
        stored = self._gops.get(gop)
        if stored is not None and features in (None, stored.features):
            del self._gops[gop]

    def keyframes(self) -> frozenset[int]:
        """GOPs whose keyframe is stored."""
        return frozenset(self._gops)

    def qualities(self) -> dict[int, Quality]:
        """GOP -> quality, of those that can be played."""
        return {gop: s.features.quality for gop, s in self._gops.items() if s.features is not None}

    def sizes(self) -> dict[int, int]:
        """GOP -> bytes."""
        return {gop: stored.size_bytes for gop, stored in self._gops.items()}

    @property
    def size_bytes(self) -> int:
        return sum(stored.size_bytes for stored in self._gops.values())

    def trim(
        self, target: int, gop_count: int, most_bytes: int, decoded: Container[int] = ()
    ) -> None:
        """Drop the GOPs that are needed last until the rest fits.

        GOPs are needed in order from `target` on; decoded ones not before the next round. The
        target is kept whatever its size, unless it is decoded.
        """

        def needed_in(gop: int) -> int:
            return (gop - target) % gop_count + (gop_count if gop in decoded else 0)

        total = self.size_bytes
        for gop in sorted(self._gops, key=needed_in, reverse=True):
            if total <= most_bytes or needed_in(gop) == 0:
                return
            total -= self._gops.pop(gop).size_bytes
