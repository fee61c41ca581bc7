"""Vector instructions of the cpu backend, written out where loops would not become such.

LLVM splits vectors that are wider than the processor's registers, so these run everywhere.
"""

# mypy: ignore-errors
# (numba finds the types of compiled functions itself)

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from renderer.backends.cpu_kernels import (
    BLOCK_PX,
    BLUE,
    FAST,
    GREEN,
    RED,
    SPLAT_FIELDS,
    SQUARE,
)
from renderer.settings import ALPHA_MAX, ALPHA_MIN, TRANSMITTANCE_MIN

LANES = BLOCK_PX * BLOCK_PX
EXPONENT_MIN = math.log(ALPHA_MIN) / 8  # alpha is exp(8 t): below this t it is not drawn
# exp(t) for EXPONENT_MIN <= t <= 0 by the polynomial through its values at the Chebyshev points,
# degree 3. Its eighth power, alpha, has a relative error of 8e-4.
_EXPONENTIAL = (
    np.polynomial.Chebyshev.interpolate(np.exp, 3, [EXPONENT_MIN, 0.0])
    .convert(kind=np.polynomial.Polynomial)
    .coef
)

_REAL, _INT, _INDEX = ir.FloatType(), ir.IntType(32), ir.IntType(64)
_LANES = ir.VectorType(_REAL, LANES)
_LANE_BITS = ir.VectorType(_INT, LANES)
_ROWS = ir.VectorType(_REAL, BLOCK_PX)


@intrinsic
def keep_apart(typingctx: Any) -> Any:
    """The function that holds this is not inlined: its loop then has the registers to itself."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def copy_splat(typingctx: Any, splats: Any, index: Any, out: Any, at: Any) -> Any:
    """Copy row `index` of splats to out[at * SPLAT_FIELDS]."""
    row = ir.VectorType(_REAL, SPLAT_FIELDS)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = _Lanes(context, builder, signature, args)
        width = ir.Constant(_INDEX, SPLAT_FIELDS)
        value = lanes.load(0, builder.mul(args[1], width), row)
        lanes.store(value, 2, builder.mul(args[3], width))
        return context.get_dummy_value()

    return types.void(splats, types.uint64, out, types.uint64), codegen


@intrinsic(prefer_literal=True)
def write_run(typingctx: Any, jobs: Any, at: Any, first: Any, length: Any) -> Any:
    """Write first, first + 1, ... to jobs[at] and on; always `length` (a constant) of them."""
    count = length.literal_value
    row = ir.VectorType(_INT, count)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = _Lanes(context, builder, signature, args)
        value = builder.add(lanes.spread(args[2], row), ir.Constant(row, list(range(count))))
        lanes.store(value, 0, args[1])
        return context.get_dummy_value()

    return types.void(jobs, types.uint64, types.int32, length), codegen


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
        lanes = _Lanes(context, builder, signature, args)
        field = {name: lanes.load_spread(7, args[8], name) for name in (SQUARE, RED, GREEN, BLUE)}
        x = lanes.subtract(lanes.load(2, args[3], _LANES), lanes.load_rows(4, args[5]))
        constant = lanes.load_rows(4, builder.add(args[5], args[6]))
        alpha = _alpha(lanes, lanes.add_product(lanes.multiply(x, field[SQUARE]), x, constant))
        before = lanes.load(0, args[1], _LANES)
        weight = lanes.multiply(alpha, before)
        after = lanes.subtract(before, weight)
        ends = builder.fcmp_ordered("<=", after, lanes.constant(TRANSMITTANCE_MIN))
        weight = builder.select(ends, lanes.constant(0), weight)
        lanes.store(builder.select(ends, lanes.negative(before), after), 0, args[1])
        for plane, color in enumerate((RED, GREEN, BLUE), 1):
            at = builder.add(args[1], ir.Constant(_INDEX, plane * LANES))
            lit = lanes.add_product(weight, field[color], lanes.load(0, at, _LANES))
            lanes.store(lit, 0, at)
        return context.get_dummy_value()

    at = types.uint64
    return types.void(planes, at, columns, at, rows, at, at, splats, at), codegen


def _alpha(lanes: _Lanes, t: ir.Value) -> ir.Value:
    """min(ALPHA_MAX, exp(8 t)), 0 where that is less than ALPHA_MIN or not a number."""
    builder = lanes.builder
    root = lanes.constant(_EXPONENTIAL[-1])
    for coefficient in _EXPONENTIAL[-2::-1]:
        root = lanes.add_product(root, t, lanes.constant(coefficient))
    for _ in range(3):
        root = lanes.multiply(root, root)
    most = lanes.constant(ALPHA_MAX)
    clipped = builder.select(builder.fcmp_ordered("<", root, most), root, most)
    drawn = builder.fcmp_ordered(">=", t, lanes.constant(EXPONENT_MIN))
    return builder.select(drawn, clipped, lanes.constant(0))


class _Lanes:
    """Builds vector instructions on the arrays among a function's arguments."""

    def __init__(self, context: Any, builder: Any, signature: Any, args: Any) -> None:
        self.builder = builder
        self._data = {
            number: cgutils.create_struct_proxy(kind)(context, builder, value).data
            for number, (kind, value) in enumerate(zip(signature.args, args, strict=True))
            if isinstance(kind, types.Array)
        }

    def load(self, array: int, at: ir.Value, kind: ir.Type) -> ir.Value:
        return self.builder.load(self._address(array, at, kind), align=4)

    def store(self, value: ir.Value, array: int, at: ir.Value) -> None:
        self.builder.store(value, self._address(array, at, value.type), align=4)

    def load_spread(self, array: int, at: ir.Value, field: int) -> ir.Value:
        """One number in all lanes."""
        at = self.builder.add(at, ir.Constant(_INDEX, field))
        return self.spread(self.load(array, at, _REAL), _LANES)

    def load_rows(self, array: int, at: ir.Value) -> ir.Value:
        """BLOCK_PX numbers, each in all lanes of its row."""
        lane_rows = ir.Constant(_LANE_BITS, [lane // BLOCK_PX for lane in range(LANES)])
        undefined = ir.Constant(_ROWS, ir.Undefined)
        return self.builder.shuffle_vector(self.load(array, at, _ROWS), undefined, lane_rows)

    def spread(self, value: ir.Value, kind: ir.VectorType) -> ir.Value:
        undefined = ir.Constant(kind, ir.Undefined)
        vector = self.builder.insert_element(undefined, value, ir.Constant(_INT, 0))
        zeros = ir.Constant(ir.VectorType(_INT, kind.count), [0] * kind.count)
        return self.builder.shuffle_vector(vector, undefined, zeros)

    def constant(self, value: float) -> ir.Constant:
        return ir.Constant(_LANES, [float(np.float32(value))] * LANES)

    def add_product(self, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
        """a b + c: one instruction where the processor has it."""
        return self.builder.fadd(self.multiply(a, b), c, flags=FAST)

    def multiply(self, a: ir.Value, b: ir.Value) -> ir.Value:
        return self.builder.fmul(a, b, flags=FAST)

    def subtract(self, a: ir.Value, b: ir.Value) -> ir.Value:
        return self.builder.fsub(a, b, flags=FAST)

    def negative(self, value: ir.Value) -> ir.Value:
        """-abs(value)."""
        bits = self.builder.bitcast(value, _LANE_BITS)
        sign = ir.Constant(_LANE_BITS, [-(2**31)] * LANES)
        return self.builder.bitcast(self.builder.or_(bits, sign), _LANES)

    def _address(self, array: int, at: ir.Value, kind: ir.Type) -> ir.Value:
        return self.builder.bitcast(self.builder.gep(self._data[array], [at]), kind.as_pointer())
