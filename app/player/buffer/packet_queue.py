"""GOPs as they were fetched, bounded by bytes: the queue between source and decoder."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace

from streamstgs.codec.packets import FeaturePacket, KeyframePacket


@dataclass(frozen=True)
class StoredGop:
    """What was fetched of a GOP; without features it cannot be played yet.

    Args:
        older: features that others took the place of, kept until those are decoded.
    """

    keyframe: KeyframePacket
    features: FeaturePacket | None = None
    older: FeaturePacket | None = None

    @property
    def size_bytes(self) -> int:
        parts = (self.keyframe, self.features, self.older)
        return sum(part.size_bytes for part in parts if part is not None)


class PacketQueue:
    """Keeps the GOPs that are played next. Not locked: its owner is."""

    def __init__(self) -> None:
        self._gops: dict[int, StoredGop] = {}

    def get(self, gop: int) -> StoredGop | None:
        return self._gops.get(gop)

    def put_keyframe(self, gop: int, packet: KeyframePacket) -> None:
        if gop not in self._gops:
            self._gops[gop] = StoredGop(packet)

    def put(self, gop: int, stored: StoredGop) -> None:
        """A whole GOP; what was there at another rung is replaced."""
        before = self._gops.get(gop)
        self._gops[gop] = replace(stored, older=before.features if before else None)

    def drop_features(self, gop: int) -> None:
        """They cannot be decoded: go back to those that they took the place of."""
        if gop in self._gops:
            older = self._gops[gop].older
            self._gops[gop] = replace(self._gops[gop], features=older, older=None)

    def settle(self, gop: int) -> None:
        """The features are decoded: forget those that they took the place of."""
        if gop in self._gops:
            self._gops[gop] = replace(self._gops[gop], older=None)

    def drop(self, gop: int, features: FeaturePacket | None = None) -> None:
        """Forget a GOP, if it is there with these features (None: whatever they are)."""
        stored = self._gops.get(gop)
        if stored is not None and features in (None, stored.features):
            del self._gops[gop]

    def keyframes(self) -> frozenset[int]:
        """GOPs of which the keyframe is there."""
        return frozenset(self._gops)

    def rungs(self) -> dict[int, int]:
        """GOP -> QP, of those that can be played."""
        return {
            gop: s.features.quality.qp for gop, s in self._gops.items() if s.features is not None
        }

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

        From the GOP `target` on they are needed in order, decoded ones not before the next round.
        The target is kept whatever it takes, unless it is decoded.
        """

        def needed_in(gop: int) -> int:
            return (gop - target) % gop_count + (gop_count if gop in decoded else 0)

        total = self.size_bytes
        for gop in sorted(self._gops, key=needed_in, reverse=True):
            if total <= most_bytes or needed_in(gop) == 0:
                return
            total -= self._gops.pop(gop).size_bytes
