"""Transposes between rows, one for each Gaussian, and columns of one number of a whole group."""

# mypy: ignore-errors
# (numba finds the types of compiled functions itself)

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from streamstgs.renderer.backends.cpu.vectors import INDEX, INT, REAL, Lanes

GROUP = 16  # Gaussians, and numbers in a row of `to_rows`
_COLUMN = ir.VectorType(REAL, GROUP)


@intrinsic(prefer_literal=True)
def to_columns(typingctx: Any, rows: Any, at: Any, width: Any, out: Any, at_out: Any) -> Any:
    """Copy GROUP rows of `width` (a constant) numbers, from rows[at] on, to columns out[at_out]."""
    count = width.literal_value

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = Lanes(context, builder, signature, args)
        parts = [
            lanes.load(0, builder.add(args[1], ir.Constant(INDEX, i * GROUP)), _COLUMN)
            for i in range(count)
        ]
        for i in range(count):
            places = range(i, GROUP * count, count)
            at_column = builder.add(args[4], ir.Constant(INDEX, i * GROUP))
            lanes.store(_gathered(lanes, parts, places), 3, at_column)
        return context.get_dummy_value()

    return types.void(rows, types.uint64, width, out, types.uint64), codegen


def _gathered(lanes: Lanes, parts: list[ir.Value], places: range) -> ir.Value:
    """A vector of the numbers at these places in the joined parts, by shuffles of two vectors."""
    found = parts[0]
    for number, part in enumerate(parts):
        order = [
            GROUP + place % GROUP if place // GROUP == number else lane
            for lane, place in enumerate(places)
        ]
        found = lanes.shuffle(found, part, order)
    return found


@intrinsic
def to_rows(typingctx: Any, columns: Any, out: Any) -> Any:
    """Transpose the first GROUP x GROUP numbers: swap halves, then quarters, and so on."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = Lanes(context, builder, signature, args)
        starts = [ir.Constant(INDEX, i * GROUP) for i in range(GROUP)]
        rows = [lanes.load(0, start, _COLUMN) for start in starts]
        for half in (8, 4, 2, 1):
            for i in (i for i in range(GROUP) if not i & half):
                a, b = rows[i], rows[i + half]
                swapped = [(k + GROUP - half if k & half else k) for k in range(GROUP)]
                rows[i] = lanes.shuffle(a, b, swapped)
                swapped = [(k + GROUP if k & half else k + half) for k in range(GROUP)]
                rows[i + half] = lanes.shuffle(a, b, swapped)
        for start, row in zip(starts, rows, strict=True):
            lanes.store(row, 1, start)
        return context.get_dummy_value()

    return types.void(columns, out), codegen


@intrinsic
def copy_as_int(typingctx: Any, reals: Any, at: Any, out: Any, row: Any) -> Any:
    """Copy four numbers from reals[at] on to row `row` of `out` [N, 4], as int32."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = Lanes(context, builder, signature, args)
        values = lanes.load(0, args[1], ir.VectorType(REAL, 4))
        at = builder.mul(args[3], ir.Constant(INDEX, 4))
        lanes.store(builder.fptosi(values, ir.VectorType(INT, 4)), 2, at)
        return context.get_dummy_value()

    return types.void(reals, types.uint64, out, types.uint64), codegen
