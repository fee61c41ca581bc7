"""Blending of the cpu backend: the splats of each tile front to back over its pixels.

A batch of splats is first planned: a matrix of bits says which blocks of the tile each splat
touches. Read the other way, it says for each block which splats touch it. They are blended over the
block one after the other, while its pixels stay in registers.
"""

# mypy: ignore-errors
# (numba finds the types of compiled functions itself)

from __future__ import annotations

import numpy as np
from streamstgs.renderer.backends.cpu.kernels import (
    BLOCK_PX,
    BLUE,
    GREEN,
    RED,
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
    blend_splats,
    copy_splat,
    is_finished,
    plan_splat,
)
from streamstgs.renderer.backends.cpu.sort import sort_list, splat_of
from streamstgs.renderer.backends.cpu.vectors import never_inline
from streamstgs.renderer.settings import OPEN_ALPHA, SOLID_ALPHA

BATCH = 64  # splats planned at a time, and blocks of a tile: the bits of a uint64
_COLUMNS, _ROWS = TILE_WIDTH // BLOCK_PX, TILE_HEIGHT // BLOCK_PX  # blocks of a tile
_BLOCKS = _COLUMNS * _ROWS
assert _BLOCKS == BATCH
_PLANES = 4 * LANES  # of a block: transmittance, red, green, blue
_CONSTANTS = BATCH * TILE_HEIGHT  # in `rows`: they follow the centers
# Splats behind this transmittance are left out of pictures. They change a colour by less than a
# quarter of a step of 8 bits.
UNSEEN_TRANSMITTANCE = 1 / 1024

_ZERO, _HALF, _ONE = real(0), real(0.5), real(1)
_OPEN, _SLOPE = real(OPEN_ALPHA), real((1.0 - OPEN_ALPHA) / (SOLID_ALPHA - OPEN_ALPHA))
index = np.uint64  # signed ones could count from the end, which costs instructions


@compiled
def blend(
    splats, starts, lists, longest, columns, first, last, background, limit, counter, out, out_rgb8
):
    """Blend tiles first .. last - 1 into `out` or, where that is empty, into `out_rgb8`.

    Args:
        splats: [N, SPLAT_FIELDS] of `project`.
        starts: [tiles + 1], and lists, of `bin_tiles`.
        background: [3] RGB, or [6] with the scene's own after it (`renderer.compositing`).
        longest: length of the longest list.
        limit: splats are left out of a block where no transmittance is above this.
        counter: [1] next tile after `first`, shared by the threads.
        out: [height, width, 3] float32, not clipped.
        out_rgb8: [height, width, 3] uint8, clipped and rounded.
    """
    planes = aligned(_BLOCKS * _PLANES)
    near = aligned(BATCH * SPLAT_FIELDS)
    rows = aligned(2 * _CONSTANTS)
    spare = np.empty(longest, np.uint64)
    touching = np.empty(BATCH, np.uint64)
    behind = background[len(background) - 3 :]
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
        begin, open_blocks = 0, _BLOCKS
        while begin < len(entries) and open_blocks > 0:
            count = min(len(entries) - begin, BATCH)
            _gather(splats, entries, begin, count, behind, near)
            _plan(near, count, real(left) + _HALF, real(top) + _HALF, rows, touching)
            transpose_bits(touching)
            open_blocks = _blend_blocks(touching, near, rows, xs, limit, planes)
            begin += count
        if len(background) == 3:
            _add_background(planes, background)
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
def _gather(splats, entries, begin, count, behind, near):
    """Copy a batch of splats, so that their memory accesses overlap; `behind` [3] is subtracted
    from their colours.

    What is blended is then the difference from the background, and a finished pixel need not keep
    its transmittance for the background.
    """
    for k in range(index(count)):
        copy_splat(splats, splat_of(entries[index(begin) + k]), near, k)
    for k in range(index(count)):
        near[k * index(SPLAT_FIELDS) + index(RED)] -= behind[0]
        near[k * index(SPLAT_FIELDS) + index(GREEN)] -= behind[1]
        near[k * index(SPLAT_FIELDS) + index(BLUE)] -= behind[2]


@compiled
def _plan(near, count, left, top, rows, touched):
    """Place the splats of a batch in a tile.

    Args:
        near: the splats.
        left, top: centre of the tile's first pixel.
        rows: out, centres and constants of the pixel rows for `blend_splats`.
        touched: [BATCH] out, the blocks that each splat touches, one bit each; none beyond `count`.
    """
    never_inline()
    for k in range(index(count)):
        splat, row = k * index(SPLAT_FIELDS), k * index(TILE_HEIGHT)
        touched[k] = plan_splat(near, splat, left, top, rows, row, index(_CONSTANTS))
    touched[count:] = index(0)


@compiled
def transpose_bits(rows):
    """Exchange bit j of rows[i] and bit i of rows[j], for all of 64 x 64 bits.

    Squares of 32 x 32 bits are exchanged first, then those of 16 x 16 within them, and so on.
    """
    side, mask = index(32), index(0xFFFFFFFF)
    while side > index(0):
        for first in range(index(0), index(64), index(2) * side):
            for i in range(first, first + side):
                exchanged = (rows[i] >> side ^ rows[i + side]) & mask
                rows[i + side] ^= exchanged
                rows[i] ^= exchanged << side
        side >>= index(1)
        mask ^= mask << side


@compiled
def _blend_blocks(touching, near, rows, xs, limit, planes):
    """Blend a batch over the blocks that are not finished; returns how many were not, before.

    Args:
        touching: [_BLOCKS] the splats that touch each block, one bit each.
        limit: as of `blend`.
    """
    never_inline()
    open_blocks = 0
    for block in range(index(_BLOCKS)):
        if is_finished(planes, block * index(_PLANES), limit):
            continue
        open_blocks += 1
        if touching[block]:
            blend_splats(
                planes,
                block * index(_PLANES),
                touching[block],
                xs,
                block % index(_COLUMNS) * index(LANES),
                rows,
                block // index(_COLUMNS) * index(BLOCK_PX),
                index(_CONSTANTS),
                near,
            )
    return open_blocks


@compiled
def _add_background(planes, background):
    for block in range(index(_BLOCKS)):
        for lane in range(index(LANES)):
            at = block * index(_PLANES) + lane
            planes[at + index(LANES)] += background[0]
            planes[at + index(2 * LANES)] += background[1]
            planes[at + index(3 * LANES)] += background[2]


@compiled
def _replace_background(planes, background):
    """As of `renderer.compositing.composite`; the scene's own background was subtracted."""
    for block in range(index(_BLOCKS)):
        for lane in range(index(LANES)):
            at = block * index(_PLANES) + lane
            alpha = _ONE - planes[at]
            cover = min(_ONE, max(alpha, _OPEN + (alpha - _OPEN) * _SLOPE))
            for c in range(index(3)):
                own, other = background[c + index(3)], background[c]
                planes[at + (c + index(1)) * index(LANES)] += cover * own + (_ONE - cover) * other


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
    """Write the pixels that lie within the picture, block after block."""
    codes = np.empty(3 * LANES, np.uint8)
    for block in range(_BLOCKS):
        row, column = top + block // _COLUMNS * BLOCK_PX, left + block % _COLUMNS * BLOCK_PX
        for i in range(index(3 * LANES)):
            value = planes[index(block * _PLANES + LANES) + i]
            value = _ZERO if value < _ZERO else value
            value = _ONE if value > _ONE else value
            codes[i] = np.uint8(np.int32(value * real(255) + _HALF))
        for y in range(min(BLOCK_PX, out.shape[0] - row)):
            for x in range(min(BLOCK_PX, out.shape[1] - column)):
                at = index(x * BLOCK_PX + y)
                out[row + y, column + x, 0] = codes[at]
                out[row + y, column + x, 1] = codes[at + index(LANES)]
                out[row + y, column + x, 2] = codes[at + index(2 * LANES)]
