"""Smaller pictures: each pixel is the mean of the area that it covers."""

from __future__ import annotations

import numpy as np


def reduced(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    """A picture [H, W, C] uint8 at a size that is no larger, [height, width, C] uint8."""
    if picture.shape[:2] == (height, width):
        return picture
    rows = _means(picture, height)
    columns = _means(rows.swapaxes(0, 1), width).swapaxes(0, 1)
    return np.rint(columns, out=columns).astype(np.uint8)


def _means(lines: np.ndarray, count: int) -> np.ndarray:
    """Lines [N, ...] averaged to [count, ...] float32; a line between two is shared by both."""
    first, weights = _cover(len(lines), count)
    last = len(lines) - 1
    shape = (count,) + (1,) * (lines.ndim - 1)
    total = np.zeros((count, *lines.shape[1:]), np.float32)
    for tap, weight in enumerate(weights):
        if weight.any():
            total += lines[np.minimum(first + tap, last)] * weight.reshape(shape)
    return total


def _cover(size: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Of each of `count` equal stretches of `size` lines: the first line that it covers [count],
    and shares of the stretch [taps, count] that this line and those after it have."""
    edges = np.arange(count + 1) * size / count
    first = np.floor(edges[:-1]).astype(np.int64)
    lines = first + np.arange(-(-size // count) + 1)[:, None]  # [taps, count]
    covered = np.minimum(lines + 1, edges[1:]) - np.maximum(lines, edges[:-1])
    return first, (covered.clip(min=0) * count / size).astype(np.float32)
