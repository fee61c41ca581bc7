"""Blending of the cpu backend: each tile's splats front to back over its pixels.

A batch of splats is first planned: which blocks of the tile each one touches. The list of all
these jobs is then done in one loop without a branch, because a branch that the processor guesses
wrongly costs as much as blending a block.
"""

# mypy: ignore-errors
# (numba finds the types of compiled functions itself)

from __future__ import annotations

import math

import numpy as np

from renderer.backends.cpu_kernels import (
    BLOCK_PX,
    FALL,
    LOG,
    MEAN_X,
    MEAN_Y,
    SLOPE,
    SPLAT_FIELDS,
    SPREAD,
    TILE_HEIGHT,
    TILE_WIDTH,
    TURN,
    compiled,
    inlined,
    real,
    take,
)
from renderer.backends.cpu_lanes import (
    EXPONENT_MIN,
    LANES,
    blend_block,
    copy_splat,
    keep_apart,
    write_run,
)

BATCH = 32  # splats planned at a time; what belongs to them stays in the first cache
_COLUMNS, _ROWS = TILE_WIDTH // BLOCK_PX, TILE_HEIGHT // BLOCK_PX  # blocks of a tile
_BLOCKS = _COLUMNS * _ROWS
_PLANES = 4 * LANES  # of a block: transmittance, red, green, blue
# In `rows`: centers of all rows of the batch, their constants, then one splat's first and last
# column of each row of blocks.
_CONSTANTS = BATCH * TILE_HEIGHT
_FIRSTS = 2 * _CONSTANTS
_ENDS = _FIRSTS + _ROWS

_ZERO, _HALF, _ONE = real(0), real(0.5), real(1)
_EXPONENT_MIN = real(EXPONENT_MIN)
_PER_PX, _LAST_ROW = real(1 / BLOCK_PX), real(BLOCK_PX - 1)
_FROM, _UNTIL = real(1 - 1e-3), real(BLOCK_PX + 1e-3)  # rounding to blocks, a little generous
index = np.uint64  # signed ones could count from the end, which costs instructions


@compiled
def blend(splats, starts, lists, columns, first, last, background, counter, out, out_rgb8):
    """Blend tiles first .. last - 1 into `out` or, where that is empty, into `out_rgb8`.

    Args:
        splats: [N, SPLAT_FIELDS] of `project`.
        starts: [tiles + 1], and lists, of `bin_tiles`.
        counter: [1] next tile after `first`, shared by the threads.
        out: [height, width, 3] float32, not clipped.
        out_rgb8: [height, width, 3] uint8, clipped and rounded.
    """
    planes = np.empty(_BLOCKS * _PLANES, np.float32)
    near = np.empty(BATCH * SPLAT_FIELDS, np.float32)
    rows = np.empty(_ENDS + _ROWS, np.float32)
    jobs = np.empty(BATCH * _BLOCKS + _COLUMNS, np.int32)
    xs = np.empty(_COLUMNS * LANES, np.float32)
    for i in range(len(xs)):
        xs[i] = i // LANES * BLOCK_PX + i % BLOCK_PX
    while True:
        tile = first + take(counter)
        if tile >= last:
            return
        _clear(planes)
        left, top = (tile % columns) * TILE_WIDTH, (tile // columns) * TILE_HEIGHT
        begin, end = starts[tile] - starts[first], starts[tile + 1] - starts[first]
        while begin < end and not _is_finished(planes):
            count = min(end - begin, BATCH)
            _gather(splats, lists, begin, count, near)
            job_count = _plan(near, count, real(left) + _HALF, real(top) + _HALF, rows, jobs)
            _blend_jobs(jobs, job_count, near, rows, xs, planes)
            begin += count
        _blend_background(planes, background)
        if len(out):
            _write_float(planes, left, top, out)
        else:
            _write_rgb8(planes, left, top, out_rgb8)


@compiled
def _clear(planes):
    for block in range(index(_BLOCKS)):
        for lane in range(index(LANES)):
            planes[block * index(_PLANES) + lane] = _ONE
        for lane in range(index(LANES), index(_PLANES)):
            planes[block * index(_PLANES) + lane] = _ZERO


@compiled
def _gather(splats, lists, begin, count, near):
    """Copy a batch of splats, so that one wait for the memory does for several."""
    for k in range(index(count)):
        copy_splat(splats, index(lists[index(begin) + k]), near, k)


@compiled
def _plan(near, count, left, top, rows, jobs):
    """Write the jobs of a batch, splat after splat; returns how many.

    A job is a block that a splat touches: number of the splat in the batch times _BLOCKS plus
    number of the block.

    Args:
        near: the splats.
        left, top: centre of the tile's first pixel.
        rows: out, what `blend_block` needs of each row.
        jobs: out.
    """
    keep_apart()
    total = index(0)
    for k in range(index(count)):
        _plan_rows(near, k, left, top, rows)
        job = np.int32(k * index(_BLOCKS))
        for row in range(index(_ROWS)):
            first = np.int32(rows[index(_FIRSTS) + row])
            write_run(jobs, total, np.int32(job + first), _COLUMNS)
            total += index(max(np.int32(np.int32(rows[index(_ENDS) + row]) - first), np.int32(0)))
            job = np.int32(job + np.int32(_COLUMNS))
    return total


@inlined
def _plan_rows(near, k, left, top, rows):
    """Where one splat lies in each row of pixels, and in each row of blocks.

    Over the pixel rows of a block, the splat reaches farthest to a side in the row nearest to the
    one in which it does so altogether. Comparisons are put so that NaN touches no block.
    """
    s = k * index(SPLAT_FIELDS)
    u, v = near[s + index(MEAN_X)] - left, near[s + index(MEAN_Y)] - top
    slope, fall, turn = near[s + index(SLOPE)], near[s + index(FALL)], near[s + index(TURN)]
    log, spread = near[s + index(LOG)], near[s + index(SPREAD)]
    base = k * index(TILE_HEIGHT)
    for row in range(index(TILE_HEIGHT)):
        dy = real(row) - v
        rows[base + row] = u + slope * dy
        rows[index(_CONSTANTS) + base + row] = log + fall * dy * dy
    log -= _EXPONENT_MIN
    for row in range(index(_ROWS)):
        dy = real(row * index(BLOCK_PX)) - v
        at_left = min(max(-turn, dy), dy + _LAST_ROW)
        at_right = min(max(turn, dy), dy + _LAST_ROW)
        square_left = (log + fall * at_left * at_left) * spread
        square_right = (log + fall * at_right * at_right) * spread
        begin = u + slope * at_left - math.sqrt(max(square_left, _ZERO))
        end = u + slope * at_right + math.sqrt(max(square_right, _ZERO))
        begin, end = (begin + _FROM) * _PER_PX, (end + _UNTIL) * _PER_PX
        begin = begin if begin > _ZERO else _ZERO
        end = end if end > _ZERO and square_right >= _ZERO else _ZERO
        rows[index(_FIRSTS) + row] = begin if begin < real(_COLUMNS) else real(_COLUMNS)
        rows[index(_ENDS) + row] = end if end < real(_COLUMNS) else real(_COLUMNS)


@compiled
def _blend_jobs(jobs, count, near, rows, xs, planes):
    keep_apart()
    for i in range(count):
        job = index(jobs[i])
        splat = job // index(_BLOCKS)
        block = job % index(_BLOCKS)
        blend_block(
            planes,
            block * index(_PLANES),
            xs,
            block % index(_COLUMNS) * index(LANES),
            rows,
            job // index(_COLUMNS) * index(BLOCK_PX),
            index(_CONSTANTS),
            near,
            splat * index(SPLAT_FIELDS),
        )


@compiled
def _is_finished(planes):
    """Whether every transmittance is negative: their sign bits together, which vectorises."""
    bits = planes.view(np.int32)
    for block in range(index(_BLOCKS)):
        signs = np.int32(-1)
        for lane in range(index(LANES)):
            signs = np.int32(signs & bits[block * index(_PLANES) + lane])
        if signs >= 0:
            return False
    return True


@compiled
def _blend_background(planes, background):
    for block in range(index(_BLOCKS)):
        for lane in range(index(LANES)):
            at = block * index(_PLANES) + lane
            passed = abs(planes[at])
            planes[at + index(LANES)] += passed * background[0]
            planes[at + index(2 * LANES)] += passed * background[1]
            planes[at + index(3 * LANES)] += passed * background[2]


@inlined
def _red_of(row, column):
    """Where the red of a pixel of the tile lies in its planes."""
    block = row // BLOCK_PX * _COLUMNS + column // BLOCK_PX
    return index(block * _PLANES + LANES + row % BLOCK_PX * BLOCK_PX + column % BLOCK_PX)


@compiled
def _write_float(planes, left, top, out):
    for row in range(min(TILE_HEIGHT, out.shape[0] - top)):
        for column in range(min(TILE_WIDTH, out.shape[1] - left)):
            at = _red_of(row, column)
            for c in range(3):
                out[top + row, left + column, c] = planes[at + index(c * LANES)]


@compiled
def _write_rgb8(planes, left, top, out):
    for row in range(min(TILE_HEIGHT, out.shape[0] - top)):
        for column in range(min(TILE_WIDTH, out.shape[1] - left)):
            at = _red_of(row, column)
            for c in range(3):
                value = min(max(planes[at + index(c * LANES)], _ZERO), _ONE)
                out[top + row, left + column, c] = np.uint8(value * real(255) + _HALF)
