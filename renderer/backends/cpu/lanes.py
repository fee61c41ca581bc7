"""Vector instructions of the cpu backend's blending: planning a splat, and blending a block."""

# mypy: ignore-errors
# (numba finds the types of compiled functions itself)

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from streamstgs.renderer.backends.cpu.kernels import (
    BLOCK_PX,
    BLUE,
    FALL,
    GREEN,
    LOG,
    MEAN_X,
    MEAN_Y,
    RED,
    SLOPE,
    SPLAT_FIELDS,
    SPREAD,
    SQUARE,
    TILE_HEIGHT,
    TILE_WIDTH,
    TURN,
)
from streamstgs.renderer.backends.cpu.vectors import INDEX, INT, REAL, Lanes, numbers, ramp, vector
from streamstgs.renderer.settings import ALPHA_MAX, ALPHA_MIN, TRANSMITTANCE_MIN

LANES = BLOCK_PX * BLOCK_PX
EXPONENT_MIN = math.log(ALPHA_MIN) / 8  # alpha is exp(8 t): below this t it is not drawn
# exp(t) for EXPONENT_MIN <= t <= 0 by the polynomial through its values at the Chebyshev points,
# degree 3. Its eighth power, alpha, has a relative error of 8e-4.
_EXPONENTIAL = (
    np.polynomial.Chebyshev.interpolate(np.exp, 3, [EXPONENT_MIN, 0.0])
    .convert(kind=np.polynomial.Polynomial)
    .coef
)

_START = ir.Constant(INDEX, 0)
_LANES = ir.VectorType(REAL, LANES)

# For `plan_splat`: the left edges in all rows of blocks, then the right ones.
_BLOCK_ROWS = TILE_HEIGHT // BLOCK_PX
_SIDES = 2 * _BLOCK_ROWS
_SIDE = numbers([-1] * _BLOCK_ROWS + [1] * _BLOCK_ROWS)
_BLOCK_TOPS = numbers([BLOCK_PX * (side % _BLOCK_ROWS) for side in range(_SIDES)])
# From centres of pixels to blocks: round up to the first pixel, down to one past the last block.
_ROUNDING = numbers([1 - 1e-3] * _BLOCK_ROWS + [BLOCK_PX + 1e-3] * _BLOCK_ROWS)


@intrinsic
def copy_splat(typingctx: Any, splats: Any, index: Any, out: Any, at: Any) -> Any:
    """Copy row `index` of splats to out[at * SPLAT_FIELDS]."""
    row = ir.VectorType(REAL, SPLAT_FIELDS)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = Lanes(context, builder, signature, args)
        width = ir.Constant(INDEX, SPLAT_FIELDS)
        value = lanes.load(0, builder.mul(args[1], width), row)
        lanes.store(value, 2, builder.mul(args[3], width))
        return context.get_dummy_value()

    return types.void(splats, types.uint64, out, types.uint64), codegen


@intrinsic(prefer_literal=True)
def copy_run(
    typingctx: Any, blocks: Any, first: Any, jobs: Any, at: Any, added: Any, length: Any
) -> Any:
    """Copy `length` (a constant) numbers from blocks[first] to jobs[at]; add `added` to each."""
    count = length.literal_value

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = Lanes(context, builder, signature, args)
        run = lanes.load(0, args[1], ir.VectorType(INT, count))
        lanes.store(builder.add(run, lanes.broadcast(args[4], count)), 2, args[3])
        return context.get_dummy_value()

    return types.void(blocks, types.uint64, jobs, types.uint64, types.int32, length), codegen


@intrinsic
def is_finished(typingctx: Any, planes: Any, block: Any) -> Any:
    """True if all transmittances of the block that begins at planes[block] are negative."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = Lanes(context, builder, signature, args)
        signs = ir.VectorType(INT, LANES)
        negative = builder.icmp_signed("<", lanes.load(0, args[1], signs), signs(None))
        bits = ir.IntType(LANES)
        return builder.icmp_signed("==", builder.bitcast(negative, bits), bits(-1))

    return types.boolean(planes, types.uint64), codegen


@intrinsic
def plan_splat(
    typingctx: Any,
    splats: Any,
    splat: Any,
    left: Any,
    top: Any,
    rows: Any,
    row: Any,
    constants: Any,
    edges: Any,
) -> Any:
    """Find the place of a splat in each pixel row and in each row of blocks of a tile.

    Of the pixel rows of a block, the splat reaches farthest to a side in the row that is nearest to
    its farthest one of all. A splat with NaN touches no block.

    Args:
        splats, splat: where the fields of the splat begin.
        left, top: centre of the tile's first pixel, px.
        rows, row: out, where the centers of the rows begin; their constants lie `constants`
            further. See `blend_block`.
        edges: [2 * rows of blocks] out, the first column of blocks touched in each row of blocks,
            then one past the last ones.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = Lanes(context, builder, signature, args)
        u, v, log, slope, fall, spread, turn = (
            lanes.load_field(0, args[1], field)
            for field in (MEAN_X, MEAN_Y, LOG, SLOPE, FALL, SPREAD, TURN)
        )
        u, v = lanes.subtract(u, args[2]), lanes.subtract(v, args[3])

        dy = lanes.subtract(ramp(TILE_HEIGHT), lanes.broadcast(v, TILE_HEIGHT))
        lanes.store(lanes.linear(dy, slope, u), 4, args[5])
        constant = lanes.linear(lanes.multiply(dy, dy), fall, log)
        lanes.store(constant, 4, builder.add(args[5], args[6]))

        dy = lanes.subtract(_BLOCK_TOPS, lanes.broadcast(v, _SIDES))
        at = lanes.multiply(lanes.broadcast(turn, _SIDES), _SIDE)
        at = lanes.minimum(lanes.maximum(at, dy), lanes.add(dy, vector(BLOCK_PX - 1, _SIDES)))
        log = lanes.subtract(log, ir.Constant(REAL, EXPONENT_MIN))
        square = lanes.linear(lanes.multiply(at, at), fall, log)
        square = lanes.multiply(square, lanes.broadcast(spread, _SIDES))
        zeros = vector(0, _SIDES)
        reach = lanes.sqrt(lanes.maximum(square, zeros))
        edge = lanes.multiply_add(reach, _SIDE, lanes.linear(at, slope, u))
        edge = lanes.multiply(lanes.add(edge, _ROUNDING), vector(1 / BLOCK_PX, _SIDES))
        edge = lanes.minimum(lanes.maximum(edge, zeros), vector(TILE_WIDTH // BLOCK_PX, _SIDES))
        touched = builder.select(builder.fcmp_ordered(">=", square, zeros), edge, zeros)
        lanes.store(builder.fptosi(touched, ir.VectorType(INT, _SIDES)), 7, _START)
        return context.get_dummy_value()

    at, real = types.uint64, types.float32
    return types.void(splats, at, real, real, rows, at, at, edges), codegen


@intrinsic
def blend_block(
    typingctx: Any,
    planes: Any,
    block: Any,
    columns: Any,
    column: Any,
    rows: Any,
    row: Any,
    constants: Any,
    splats: Any,
    splat: Any,
) -> Any:
    """One splat over the BLOCK_PX x BLOCK_PX pixels of a block, front to back.

    alpha = min(ALPHA_MAX, exp(8 t)), t = constant + SQUARE (x - center)^2 in each row.

    Args:
        planes, block: where the block's transmittances begin; its red, green and blue follow.
            A negative transmittance marks a finished pixel.
        columns, column: where the x of the block's pixels begin.
        rows, row: where the centers of its rows begin; their constants lie `constants` further.
        splats, splat: where the fields of the splat begin.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = Lanes(context, builder, signature, args)
        field = {
            name: lanes.broadcast(lanes.load_field(7, args[8], name), LANES)
            for name in (SQUARE, RED, GREEN, BLUE)
        }
        x = lanes.subtract(lanes.load(2, args[3], _LANES), lanes.load_repeated(4, args[5]))
        constant = lanes.load_repeated(4, builder.add(args[5], args[6]))
        alpha = _alpha(lanes, lanes.multiply_add(lanes.multiply(x, field[SQUARE]), x, constant))
        before = lanes.load(0, args[1], _LANES)
        weight = lanes.multiply(alpha, before)
        after = lanes.subtract(before, weight)
        ends = builder.fcmp_ordered("<=", after, vector(TRANSMITTANCE_MIN))
        weight = builder.select(ends, vector(0), weight)
        lanes.store(builder.select(ends, lanes.negative(before), after), 0, args[1])
        for plane, color in enumerate((RED, GREEN, BLUE), 1):
            at = builder.add(args[1], ir.Constant(INDEX, plane * LANES))
            lit = lanes.multiply_add(weight, field[color], lanes.load(0, at, _LANES))
            lanes.store(lit, 0, at)
        return context.get_dummy_value()

    at = types.uint64
    return types.void(planes, at, columns, at, rows, at, at, splats, at), codegen


def _alpha(lanes: Lanes, t: ir.Value) -> ir.Value:
    """min(ALPHA_MAX, exp(8 t)), 0 where that is less than ALPHA_MIN or not a number."""
    builder = lanes.builder
    root = vector(_EXPONENTIAL[-1])
    for coefficient in _EXPONENTIAL[-2::-1]:
        root = lanes.multiply_add(root, t, vector(coefficient))
    for _ in range(3):
        root = lanes.multiply(root, root)
    drawn = builder.fcmp_ordered(">=", t, vector(EXPONENT_MIN))
    return builder.select(drawn, lanes.minimum(root, vector(ALPHA_MAX)), vector(0))
