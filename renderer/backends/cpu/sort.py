"""Sorting of the cpu backend: splats into the lists of tiles, then each list by depth.

The list of a tile is short enough to be sorted in the first caches; a list of all splats is not.
"""

# mypy: ignore-errors
# (numba finds the types of compiled functions itself)

from __future__ import annotations

import numpy as np
from streamstgs.renderer.backends.cpu.kernels import BLOCK, compiled, take

KEY_BITS = 22  # of the key by which a list is sorted
LONG_LIST = 1024  # entries; a longer one is sorted by fewer, larger digits
_LONG_DIGIT, _SHORT_DIGIT = 11, 8  # bits
_INDEX_BITS = np.uint64(32)  # an entry of a list: the bits of the depth, then the splat's index
index = np.uint64  # signed ones could count from the end, which costs instructions


@compiled
def count_tiles(counts, rects, columns, starts):
    """Write the beginning of each tile's list to starts [tiles + 1]; returns the longest length.

    Each splat marks the corners of its rectangle; sums along both axes turn marks into counts.
    """
    pitch = index(columns + 1)
    marks = np.zeros(((len(starts) - 1) // columns + 1) * (columns + 1), np.int32)
    for block in range(len(counts)):
        for i in range(index(block * BLOCK), index(block * BLOCK + counts[block])):
            left, top = index(rects[i, 0]), index(rects[i, 1]) * pitch
            right, bottom = index(rects[i, 2]), index(rects[i, 3]) * pitch
            marks[top + left] += 1
            marks[top + right] -= 1
            marks[bottom + left] -= 1
            marks[bottom + right] += 1
    return _sum_up(marks, columns, starts)


@compiled
def _sum_up(marks, columns, starts):
    """Turn marks into `starts`; returns the largest count."""
    starts[0], most = 0, 0
    for row in range((len(starts) - 1) // columns):
        in_row = 0
        for column in range(columns):
            at, tile = row * (columns + 1) + column, row * columns + column
            in_row += marks[at]
            marks[at] = in_row + (marks[at - columns - 1] if row > 0 else 0)
            most = max(most, marks[at])
            starts[tile + 1] = starts[tile] + marks[at]
    return most


@compiled
def bin_tiles(depths, counts, rects, columns, row_splits, starts, ends, counter, lists):
    """Write the splats of the tiles to `lists`, one stretch of tile rows after the other.

    Args:
        depths, counts, rects: outputs of `project`.
        row_splits: stretch s has the tile rows row_splits[s] .. row_splits[s + 1] - 1.
        starts: [tiles + 1] of `count_tiles`; the list of the very first tile goes to lists[0].
        ends: [tiles] to work in.
        counter: [1] next stretch, shared by the threads.
        lists: uint64 out, not sorted; `sort_list` does that.
    """
    bits = depths.view(np.uint32)
    base = starts[row_splits[0] * columns]
    while True:
        stretch = take(counter)
        if stretch >= len(row_splits) - 1:
            return
        first_row, last_row = row_splits[stretch], row_splits[stretch + 1]
        for tile in range(first_row * columns, last_row * columns):
            ends[tile] = starts[tile] - base
        for block in range(len(counts)):
            for i in range(index(block * BLOCK), index(block * BLOCK + counts[block])):
                entry = index(bits[i]) << _INDEX_BITS | i
                for row in range(max(rects[i, 1], first_row), min(rects[i, 3], last_row)):
                    for column in range(rects[i, 0], rects[i, 2]):
                        tile = index(row * columns + column)
                        lists[index(ends[tile])] = entry
                        ends[tile] += 1


@compiled
def sort_list(entries, spare):
    """Sort a tile's list by depth, nearest first; returns the one of both arrays that holds it.

    A stable radix sort. Positive floats sort like their bits, so the key is the top 22 of the bits
    that differ: between 2 and 30 world units it tells depths apart that differ by a millionth.
    Splats with the same key keep the order of their indices.

    Args:
        entries: [length] of `bin_tiles`.
        spare: [length] to work in.
    """
    least, shift = _key_range(entries)
    bits = _LONG_DIGIT if len(entries) > LONG_LIST else _SHORT_DIGIT
    positions = np.empty(1 << bits, np.int32)
    for _ in range(0, KEY_BITS, bits):
        _scatter(entries, least, shift, positions, spare)
        entries, spare = spare, entries
        shift += index(bits)
    return entries


@compiled
def sort_lists(starts, lists, longest, first, last, counter):
    """Sort the lists of tiles first .. last - 1, without drawing them, to time it.

    Args:
        starts, lists: of `bin_tiles`; the sorted lists are thrown away.
        longest: length of the longest list.
        counter: [1] next tile after `first`, shared by the threads.
    """
    spare = np.empty(longest, np.uint64)
    while True:
        tile = first + take(counter)
        if tile >= last:
            return
        entries = lists[starts[tile] - starts[first] : starts[tile + 1] - starts[first]]
        sort_list(entries, spare[: len(entries)])


@compiled
def _key_range(entries):
    """(least, shift): entry - least, shifted down, is the key."""
    least, most = ~index(0), index(0)
    for i in range(len(entries)):
        least, most = min(least, entries[i]), max(most, entries[i])
    least = least >> _INDEX_BITS << _INDEX_BITS
    shift = _INDEX_BITS
    while most > least and (most - least) >> shift >> index(KEY_BITS):
        shift += index(1)
    return least, shift


@compiled
def _scatter(entries, least, shift, positions, out):
    """One pass of the radix sort, by the digit above `shift`; `positions` is to work in."""
    mask = index(len(positions) - 1)
    positions[:] = 0
    for i in range(len(entries)):
        positions[(entries[i] - least) >> shift & mask] += 1
    position = 0
    for digit in range(len(positions)):
        count = positions[digit]
        positions[digit] = position
        position += count
    for i in range(len(entries)):
        digit = (entries[i] - least) >> shift & mask
        out[index(positions[digit])] = entries[i]
        positions[digit] += 1


@compiled
def splat_of(entry):
    """The index of the splat of an entry."""
    return entry & ((index(1) << _INDEX_BITS) - index(1))
