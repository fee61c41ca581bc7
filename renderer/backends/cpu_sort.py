"""Sorting of the cpu backend: splats by depth, then into the lists of the tiles. Serial, short."""

# mypy: ignore-errors
# (numba finds the types of compiled functions itself)

from __future__ import annotations

import numpy as np

from renderer.backends.cpu_kernels import BLOCK, compiled

RADIX_BITS = np.uint32(11)
BINS = 1 << 11
_MASK = np.uint32(BINS - 1)


@compiled
def sort_by_depth(depths, counts, keys, order, spare_keys, spare_order):
    """Gather the visible splats and sort them by depth into `order`; returns how many they are.

    A stable radix sort on all bits of the depth: positive floats sort like their bit patterns.
    Of its three passes those are skipped that find all splats alike.

    Args:
        depths, counts: what `project` wrote.
        keys, spare_keys: [N] uint32 to work in.
        order: [N] int32 out.  spare_order: [N] to work in.
    """
    bits = depths.view(np.uint32)
    total = 0
    histogram = np.zeros((3, BINS), np.int32)
    for block in range(len(counts)):
        for i in range(block * BLOCK, block * BLOCK + counts[block]):
            keys[total] = bits[i]
            order[total] = i
            total += 1
            histogram[0, bits[i] & _MASK] += 1
            histogram[1, (bits[i] >> RADIX_BITS) & _MASK] += 1
            histogram[2, bits[i] >> np.uint32(2 * RADIX_BITS)] += 1
    swapped = False
    for digit in range(3):
        shift = np.uint32(digit * RADIX_BITS)
        if total == 0 or histogram[digit, (keys[0] >> shift) & _MASK] == total:
            continue
        _scatter(histogram[digit], shift, total, keys, order, spare_keys, spare_order)
        keys, spare_keys = spare_keys, keys
        order, spare_order = spare_order, order
        swapped = not swapped
    if swapped:
        spare_order[:total] = order[:total]
    return total


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
        to = histogram[digit]
        to_keys[to] = keys[i]
        to_order[to] = order[i]
        histogram[digit] = to + 1


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
def bin_tiles(order, rects, columns, first_row, last_row, starts, ends, lists):
    """Write the splats of the tiles in rows first_row .. last_row - 1 to `lists`, nearest first.

    Args:
        starts: [tiles + 1] of `count_tiles`; the list of the first tile goes to lists[0].
        ends: [tiles] to work in.
    """
    base = starts[first_row * columns]
    for tile in range(first_row * columns, last_row * columns):
        ends[tile] = starts[tile] - base
    for rank in range(len(order)):
        i = order[rank]
        for row in range(max(rects[i, 1], first_row), min(rects[i, 3], last_row)):
            for column in range(rects[i, 0], rects[i, 2]):
                tile = row * columns + column
                lists[ends[tile]] = i
                ends[tile] += 1
