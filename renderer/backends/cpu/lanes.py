"""Vector instructions of the cpu backend's blending: planning a splat, and blending a block."""

# mypy: ignore-errors
# (numba finds the types of compiled functions itself)

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
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


@intrinsic
def is_finished(typingctx: Any, planes: Any, block: Any, limit: Any) -> Any:
    """True if no transmittance of the block that begins at planes[block] is above `limit`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = Lanes(context, builder, signature, args)
        limits = lanes.broadcast(args[2], LANES)
        passed = builder.fcmp_ordered(">", lanes.load(0, args[1], _LANES), limits)
        bits = ir.IntType(LANES)
        return builder.icmp_signed("==", builder.bitcast(passed, bits), bits(0))

    return types.boolean(planes, types.uint64, types.float32), codegen


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
) -> Any:
    """Find the place of a splat in each pixel row of a tile; returns the blocks that it touches.

    Bit b of the uint64 stands for block b. Of the pixel rows of a block, the splat reaches farthest
    to a side in the row that is nearest to its farthest one of all. A splat with NaN touches no
    block.

    Args:
        splats, splat: where the fields of the splat begin.
        left, top: centre of the tile's first pixel, px.
        rows, row: out, where the centers of the rows begin; their constants lie `constants`
            further. See `blend_splats`.
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
        return _bits_between(lanes, builder.fptosi(touched, ir.VectorType(INT, _SIDES)))

    at, real = types.uint64, types.float32
    return types.uint64(splats, at, real, real, rows, at, at), codegen


def _bits_between(lanes: Lanes, edges: ir.Value) -> ir.Value:
    """One bit for each block: in each row of blocks those from the left edge up to the right one.

    Args:
        edges: the first column touched in each row of blocks, then one past the last ones.
    """
    builder = lanes.builder
    powers = builder.shl(ir.Constant(edges.type, [1] * _SIDES), edges)
    first = lanes.shuffle(powers, powers, range(_BLOCK_ROWS))
    end = lanes.shuffle(powers, powers, range(_BLOCK_ROWS, _SIDES))
    end = builder.select(builder.icmp_signed(">", end, first), end, first)
    row_bits = ir.VectorType(ir.IntType(TILE_WIDTH // BLOCK_PX), _BLOCK_ROWS)
    return builder.bitcast(builder.trunc(builder.sub(end, first), row_bits), INDEX)


@intrinsic
def blend_splats(
    typingctx: Any,
    planes: Any,
    block: Any,
    touching: Any,
    columns: Any,
    column: Any,
    rows: Any,
    row: Any,
    constants: Any,
    splats: Any,
) -> Any:
    """Some splats of a batch over the BLOCK_PX x BLOCK_PX pixels of a block, front to back.

    alpha = min(ALPHA_MAX, exp(8 t)), t = constant + SQUARE (x - center)^2 in each row.

    Args:
        planes, block: where the block's transmittances begin; its red, green and blue follow. They
            stay in registers meanwhile. A transmittance of 0 marks a finished pixel.
        touching: which splats: bit k stands for splat k of the batch. Not 0.
        columns, column: where the x of the block's pixels begin.
        rows, row: where the centers of its rows begin, for the first splat of the batch; their
            constants lie `constants` further, and those of the next splat TILE_HEIGHT.
        splats: the batch.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = Lanes(context, builder, signature, args)
        places = [builder.add(args[1], ir.Constant(INDEX, plane * LANES)) for plane in range(4)]
        held = [cgutils.alloca_once(builder, _LANES) for _ in places]  # LLVM makes them registers
        for place, register in zip(places, held, strict=True):
            builder.store(lanes.load(0, place, _LANES), register)
        x = lanes.load(3, args[4], _LANES)
        rest = cgutils.alloca_once_value(builder, args[2])
        loop, end = (builder.append_basic_block(name) for name in ("splat", "end"))
        builder.branch(loop)
        builder.position_at_end(loop)
        splat = builder.cttz(builder.load(rest), ir.Constant(ir.IntType(1), 1))
        left = builder.and_(builder.load(rest), builder.sub(builder.load(rest), INDEX(1)))
        builder.store(left, rest)
        of_row = builder.add(args[6], builder.mul(splat, INDEX(TILE_HEIGHT)))
        centers = lanes.load_repeated(5, of_row)
        constant = lanes.load_repeated(5, builder.add(of_row, args[7]))
        fields = builder.mul(splat, INDEX(SPLAT_FIELDS))
        square = lanes.broadcast(lanes.load_field(8, fields, SQUARE), LANES)
        colors = [lanes.load_field(8, fields, name) for name in (RED, GREEN, BLUE)]
        dx = lanes.subtract(x, centers)
        alpha = _alpha(lanes, lanes.multiply_add(lanes.multiply(dx, square), dx, constant))
        _blend(lanes, alpha, colors, held)
        builder.cbranch(builder.icmp_unsigned("!=", left, INDEX(0)), loop, end)
        builder.position_at_end(end)
        for place, register in zip(places, held, strict=True):
            lanes.store(builder.load(register), 0, place)
        return context.get_dummy_value()

    at = types.uint64
    return types.void(planes, at, at, columns, at, rows, at, at, splats), codegen


def _blend(
    lanes: Lanes, alpha: ir.Value, colors: Sequence[ir.Value], held: Sequence[ir.Value]
) -> None:
    """Put a colour over the pixels whose transmittance, red, green and blue are `held`."""
    builder = lanes.builder
    before = builder.load(held[0])
    weight = lanes.multiply(alpha, before)
    after = lanes.subtract(before, weight)
    ends = builder.fcmp_ordered("<=", after, vector(TRANSMITTANCE_MIN))
    weight = builder.select(ends, vector(0), weight)
    builder.store(builder.select(ends, vector(0), after), held[0])
    for color, lit in zip(colors, held[1:], strict=True):
        light = lanes.broadcast(color, LANES)
        builder.store(lanes.multiply_add(weight, light, builder.load(lit)), lit)


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
