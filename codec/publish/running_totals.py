"""The totals of a scene that grows, without looking at all of its GOPs again."""

from __future__ import annotations

from streamstgs.codec.package.manifest import GopEntry
from streamstgs.codec.package.schema import Totals


def no_totals(qualities: int) -> Totals:
    """Return the totals of no GOP."""
    return Totals(
        fields=0,
        keyframes=(0,) * qualities,
        features=(0,) * qualities,
        quality_db=(None,) * qualities,
    )


def with_gop(totals: Totals, gop: GopEntry, count: int) -> Totals:
    """Return the totals with one more GOP.

    Args:
        count: number of GOPs before it.
    """
    sizes = [layer.file.size_bytes for layer in gop.layers]
    places = range(len(gop.segments))
    return Totals(
        fields=totals.fields + gop.field.size_bytes,
        keyframes=tuple(totals.keyframes[k] + sum(sizes[: gop.layer_count(k)]) for k in places),
        features=tuple(totals.features[k] + gop.segments[k].file.size_bytes for k in places),
        quality_db=tuple(
            _mean(totals.quality_db[k], gop.segments[k].quality_db, count) for k in places
        ),
    )


def _mean(before: float | None, new: float | None, count: int) -> float | None:
    if count == 0 or before is None or new is None:
        return new if count == 0 else None
    return before + (new - before) / (count + 1)
