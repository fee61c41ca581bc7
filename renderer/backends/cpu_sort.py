"""Sorting of the cpu backend: splats by depth, then into the lists of the tiles."""

# mypy: ignore-errors
# (numba finds the types of compiled functions itself)

from __future__ import annotations

import numpy as np

from renderer.backends.cpu_kernels import BLOCK, compiled, take

RADIX_BITS = np.uint32(11)
BINS = 1 << 11
_MASK = np.uint32(BINS - 1)


@compiled
def sort_by_depth(depths, counts, keys, order, spare_keys, spare_order):
    """Gather the visible splats and sort them by depth into `order`; returns how many they are.

    A stable radix sort in two passes. Positive floats sort like their bit patterns, so the key is
    the top 22 bits of what differs in those: between 2 and 30 world units, say, it tells depths
    apart that differ by a millionth. Splats of the same key keep the order of their indices.

    Args:
        depths, counts: what `project` wrote.
        keys, spare_keys: [N] uint32 to work in.
        order: [N] int32 out.  spare_order: [N] to work in.
    """
    bits = depths.view(np.uint32)
    least, shift = _key_range(bits, counts)
    low, high = np.zeros(BINS, np.int32), np.zeros(BINS, np.int32)
    total = np.uint64(0)
    for block in range(np.uint64(len(counts))):
        start = block * np.uint64(BLOCK)
        for i in range(start, start + np.uint64(counts[block])):
            key = np.uint32(np.uint32(bits[i] - least) >> shift)
            spare_keys[total] = key
            spare_order[total] = i
            total += np.uint64(1)
            low[key & _MASK] += 1
            high[key >> RADIX_BITS] += 1
    _scatter(low, np.uint32(0), total, spare_keys, spare_order, keys, order)
    _scatter(high, RADIX_BITS, total, keys, order, spare_keys, spare_order)
    order[:total] = spare_order[:total]
    return total


@compiled
def _key_range(bits, counts):
    """(least, shift): bits - least, shifted down, fits the key."""
    least, most = np.uint32(0xFFFFFFFF), np.uint32(0)
    for block in range(len(counts)):
        for i in range(block * BLOCK, block * BLOCK + counts[block]):
            least, most = min(least, bits[i]), max(most, bits[i])
    shift = np.uint32(0)
    while most > least and np.uint32(most - least) >> shift >= BINS * BINS:
        shift += np.uint32(1)
    return least, shift


@compiled
def _scatter(histogram, shift, total, keys, order, to_keys, to_order):
    """One pass of the radix sort; turns `histogram` into running positions."""
    position = 0
    for digit in range(BINS):
        count = histogram[digit]
        histogram[digit] = position
        position += count
    for i in range(total):
        digit = (keys[i] >> shift) & _MASK
        to = np.uint32(histogram[digit])
        to_keys[to] = keys[i]
        to_order[to] = order[i]
        histogram[digit] += 1


@compiled
def count_tiles(counts, rects, columns, starts):
    """Fill starts [tiles + 1] with where each tile's list begins; returns the length of all."""
    starts[:] = 0
    for block in range(len(counts)):
        for i in range(block * BLOCK, block * BLOCK + counts[block]):
            for row in range(rects[i, 1], rects[i, 3]):
                for column in range(rects[i, 0], rects[i, 2]):
                    starts[row * columns + column + 1] += 1
    for tile in range(1, len(starts)):
        starts[tile] += starts[tile - 1]
    return starts[-1]


@compiled
def bin_tiles(order, rects, columns, row_splits, starts, ends, counter, lists):
    """Write the splats of the tiles to `lists`, nearest first, one stretch of rows after the other.

    Args:
        row_splits: stretch s is the rows of tiles row_splits[s] .. row_splits[s + 1] - 1.
        starts: [tiles + 1] of `count_tiles`; the list of the very first tile goes to lists[0].
        ends: [tiles] to work in.
        counter: [1] next stretch, shared by the threads.
    """
    base = starts[row_splits[0] * columns]
    while True:
        stretch = take(counter)
        if stretch >= len(row_splits) - 1:
            return
        first_row, last_row = row_splits[stretch], row_splits[stretch + 1]
        for tile in range(first_row * columns, last_row * columns):
            ends[tile] = starts[tile] - base
        for rank in range(np.uint64(len(order))):
            i = np.uint64(order[rank])
            for row in range(max(rects[i, 1], first_row), min(rects[i, 3], last_row)):
                for column in range(rects[i, 0], rects[i, 2]):
                    tile = row * columns + column
                    lists[ends[tile]] = i
                    ends[tile] += 1
