"""Decoded GOPs, bounded by count and by bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from streamstgs.codec.quality import Quality
from streamstgs.renderer import Gaussians, Gop
from torch import Tensor


@dataclass(frozen=True)
class CachedGop:
    """A decoded GOP and the quality that it was decoded from.

    Args:
        gop: The decoded planes.
        quality: Quality of its feature video.
        still: Whether it is a placeholder without motion for a GOP that is not decoded yet.
    """

    gop: Gop
    quality: Quality
    still: bool = False

    def with_static(self, static: Gaussians) -> CachedGop:
        """The same GOP with other static Gaussians; planes are shared."""
        if self.gop.static is static:
            return self
        return replace(self, gop=replace(self.gop, static=static))


class GopCache:
    """Keeps the GOPs that are shown next, then those used last. Not locked: its owner locks.

    Args:
        max_gops: How many GOPs are kept at most; at least 1.
        max_bytes: Bytes of their planes at most; a single larger GOP is still kept, because
            nothing could play otherwise.
        size_of: Bytes that a GOP occupies; None for `gop_bytes`.
    """

    def __init__(
        self, max_gops: int, max_bytes: int, size_of: Callable[[Gop], int] | None = None
    ) -> None:
        self._size_of = size_of or gop_bytes
        self._max_gops = max(max_gops, 1)
        self._max_bytes = max_bytes
        self._gops: OrderedDict[int, CachedGop] = OrderedDict()  # least recently used first
        self._bytes: dict[int, int] = {}
        self._largest_bytes = 0

    def __contains__(self, index: int) -> bool:
        return index in self._gops

    def __len__(self) -> int:
        return len(self._gops)

    def __iter__(self) -> Iterator[int]:
        return iter(self._gops)

    @property
    def bytes(self) -> int:
        return sum(self._bytes.values())

    @property
    def capacity(self) -> int:
        """How many GOPs as large as the largest one seen fit at once; at least 1."""
        if not self._largest_bytes:
            return self._max_gops
        return min(max(self._max_bytes // self._largest_bytes, 1), self._max_gops)

    def get(self, index: int) -> CachedGop | None:
        """The GOP, marked as just used."""
        if index in self._gops:
            self._gops.move_to_end(index)
        return self._gops.get(index)

    def quality_of(self, index: int) -> Quality | None:
        """The quality of a GOP, without marking it as used."""
        cached = self._gops.get(index)
        return cached.quality if cached else None

    def put(self, index: int, cached: CachedGop, wanted: list[int]) -> None:
        """Add or replace a GOP; those not `wanted` are dropped first, oldest use first."""
        self._gops[index] = cached
        self._gops.move_to_end(index)
        self._bytes[index] = self._size_of(cached.gop)
        self._largest_bytes = max(self._largest_bytes, self._bytes[index])
        while len(self._gops) > 1 and self._too_full():
            self._drop(self._least_wanted(wanted))

    def replace_static(self, gops: Iterable[int], static: Gaussians) -> None:
        """Give these static Gaussians to some GOPs."""
        for index in gops:
            self._gops[index] = self._gops[index].with_static(static)

    def clear(self) -> None:
        self._gops.clear()
        self._bytes.clear()

    def _too_full(self) -> bool:
        return len(self._gops) > self._max_gops or self.bytes > self._max_bytes

    def _least_wanted(self, wanted: list[int]) -> int:
        for index in self._gops:
            if index not in wanted:
                return index
        return max(self._gops, key=wanted.index)  # all are wanted: the one needed last

    def _drop(self, index: int) -> None:
        del self._gops[index]
        del self._bytes[index]


def gop_bytes(gop: Gop) -> int:
    """Bytes of a GOP's own planes and weights; the static layer is shared and not counted."""
    planes = gop.canonical.tensors().values()
    tensors: list[Tensor] = [*planes, gop.features, *gop.field.parameters()]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def static_bytes(gop: Gop) -> int:
    """Bytes of the static Gaussians of a GOP that shares them with no other."""
    return sum(t.numel() * t.element_size() for t in gop.static.tensors().values())
