"""The plan of a run: the frames of each GOP."""

from __future__ import annotations

from collections.abc import Sequence


def gop_lengths(frames: int, gop_frames: int) -> list[int]:
    """Lengths of equal GOPs of at most `gop_frames`, so that the last one is not much shorter."""
    count = -(-frames // gop_frames)
    return [frames * (i + 1) // count - frames * i // count for i in range(count)]


def frames_of(lengths: Sequence[int], index: int) -> range:
    """Content frames of the GOP number `index`."""
    first = sum(lengths[:index])
    return range(first, first + lengths[index])
