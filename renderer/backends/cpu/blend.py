"""Blending of the cpu backend: the splats of each tile front to back over its pixels.

A batch of splats is first planned: a list of jobs says which unfinished blocks of the tile each
splat touches. All jobs are then done in one loop without a branch, because a branch that the
processor predicts wrongly costs as much as blending a block.
"""

# mypy: ignore-errors
# (numba finds the types of compiled functions itself)

from __future__ import annotations

import numpy as np
from streamstgs.renderer.backends.cpu.kernels import (
    BLOCK_PX,
    SPLAT_FIELDS,
    TILE_HEIGHT,
    TILE_WIDTH,
    aligned,
    compiled,
    inlined,
    real,
    take,
)
from streamstgs.renderer.backends.cpu.lanes import (
    LANES,
    blend_block,
    copy_run,
    copy_splat,
    is_finished,
    plan_splat,
)
from streamstgs.renderer.backends.cpu.sort import sort_list, splat_of
from streamstgs.renderer.backends.cpu.vectors import never_inline
from streamstgs.renderer.settings import OPEN_ALPHA, SOLID_ALPHA

BATCH = 64  # splats planned at a time; their data stays in the first cache
_COLUMNS, _ROWS = TILE_WIDTH // BLOCK_PX, TILE_HEIGHT // BLOCK_PX  # blocks of a tile
_BLOCKS = _COLUMNS * _ROWS
_PLANES = 4 * LANES  # of a block: transmittance, red, green, blue
_CONSTANTS = BATCH * TILE_HEIGHT  # in `rows`: they follow the centers

_ZERO, _HALF, _ONE = real(0), real(0.5), real(1)
_OPEN, _SLOPE = real(OPEN_ALPHA), real((1.0 - OPEN_ALPHA) / (SOLID_ALPHA - OPEN_ALPHA))
index = np.uint64  # signed ones could count from the end, which costs instructions


@compiled
def blend(splats, starts, lists, longest, columns, first, last, background, counter, out, out_rgb8):
    """Blend tiles first .. last - 1 into `out` or, where that is empty, into `out_rgb8`.

    Args:
        splats: [N, SPLAT_FIELDS] of `project`.
        starts: [tiles + 1], and lists, of `bin_tiles`.
        background: [3] RGB, or [6] with the scene's own after it (`renderer.compositing`).
        longest: length of the longest list.
        counter: [1] next tile after `first`, shared by the threads.
        out: [height, width, 3] float32, not clipped.
        out_rgb8: [height, width, 3] uint8, clipped and rounded.
    """
    planes = aligned(_BLOCKS * _PLANES)
    near = aligned(BATCH * SPLAT_FIELDS)
    rows = aligned(2 * _CONSTANTS)
    spare = np.empty(longest, np.uint64)
    edges = np.empty(2 * _ROWS, np.int32)
    open_blocks = np.empty(_BLOCKS + _COLUMNS, np.int32)
    ranks = np.empty(_ROWS * (_COLUMNS + 1), np.int32)
    jobs = np.empty(BATCH * _BLOCKS + _COLUMNS, np.int32)
    xs = aligned(_COLUMNS * LANES)
    for i in range(len(xs)):
        xs[i] = i // BLOCK_PX
    while True:
        tile = first + take(counter)
        if tile >= last:
            return
        _clear(planes)
        left, top = (tile % columns) * TILE_WIDTH, (tile // columns) * TILE_HEIGHT
        entries = lists[starts[tile] - starts[first] : starts[tile + 1] - starts[first]]
        entries = sort_list(entries, spare[: len(entries)])
        begin = 0
        while begin < len(entries) and _find_open(planes, open_blocks, ranks):
            count = min(len(entries) - begin, BATCH)
            _gather(splats, entries, begin, count, near)
            x, y = real(left) + _HALF, real(top) + _HALF
            job_count = _plan(near, count, x, y, open_blocks, ranks, rows, edges, jobs)
            _blend_jobs(jobs, job_count, near, rows, xs, planes)
            begin += count
        if len(background) == 3:
            _blend_background(planes, background)
        else:
            _replace_background(planes, background)
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
def _gather(splats, entries, begin, count, near):
    """Copy a batch of splats, so that their memory accesses overlap."""
    for k in range(index(count)):
        copy_splat(splats, splat_of(entries[index(begin) + k]), near, k)


@compiled
def _find_open(planes, open_blocks, ranks):
    """List the blocks of a tile that are not finished; returns their number.

    Args:
        open_blocks: out, row after row of blocks.
        ranks: [rows * (columns + 1)] out. For each row and column, the position in that list of the
            first open block in this row that lies in this column or further right; the last entry
            of a row is where its blocks end.
    """
    count, at = index(0), index(0)
    for row in range(index(_ROWS)):
        for block in range(row * index(_COLUMNS), (row + index(1)) * index(_COLUMNS)):
            ranks[at] = count
            open_blocks[count] = block
            count += index(not is_finished(planes, block * index(_PLANES)))
            at += index(1)
        ranks[at] = count
        at += index(1)
    return count


@compiled
def _plan(near, count, left, top, open_blocks, ranks, rows, edges, jobs):
    """Write the jobs of a batch, splat after splat; returns their number.

    A job is an open block that a splat touches: number of the splat in the batch times _BLOCKS
    plus number of the block.

    Args:
        near: the splats.
        left, top: centre of the tile's first pixel.
        open_blocks, ranks: of `_find_open`.
        rows: out, centres and constants of the pixel rows for `blend_block`.
        edges: to work in, see `plan_splat`.
        jobs: out.
    """
    never_inline()
    total = index(0)
    for k in range(index(count)):
        splat, base = k * index(SPLAT_FIELDS), k * index(TILE_HEIGHT)
        plan_splat(near, splat, left, top, rows, base, index(_CONSTANTS), edges)
        for row in range(index(_ROWS)):
            in_row = row * index(_COLUMNS + 1)
            first = ranks[in_row + index(edges[row])]
            end = ranks[in_row + index(edges[row + index(_ROWS)])]
            copy_run(open_blocks, index(first), jobs, total, np.int32(k * index(_BLOCKS)), _COLUMNS)
            total += index(max(np.int32(end - first), np.int32(0)))
    return total


@compiled
def _blend_jobs(jobs, count, near, rows, xs, planes):
    never_inline()
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
def _blend_background(planes, background):
    for block in range(index(_BLOCKS)):
        for lane in range(index(LANES)):
            at = block * index(_PLANES) + lane
            passed = abs(planes[at])
            planes[at + index(LANES)] += passed * background[0]
            planes[at + index(2 * LANES)] += passed * background[1]
            planes[at + index(3 * LANES)] += passed * background[2]


@compiled
def _replace_background(planes, background):
    """As of `renderer.compositing.composite`."""
    for block in range(index(_BLOCKS)):
        for lane in range(index(LANES)):
            at = block * index(_PLANES) + lane
            alpha = _ONE - abs(planes[at])
            cover = min(_ONE, max(alpha, _OPEN + (alpha - _OPEN) * _SLOPE))
            for c in range(index(3)):
                own, other = background[c + index(3)], background[c]
                light = planes[at + (c + index(1)) * index(LANES)]
                light += (cover - alpha) * own + (_ONE - cover) * other
                planes[at + (c + index(1)) * index(LANES)] = light


@inlined
def _red_of(row, column):
    """Index of the red of a pixel of the tile in its planes."""
    block = row // BLOCK_PX * _COLUMNS + column // BLOCK_PX
    return index(block * _PLANES + LANES + column % BLOCK_PX * BLOCK_PX + row % BLOCK_PX)


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
