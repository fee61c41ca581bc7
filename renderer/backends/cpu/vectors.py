"""Builds LLVM vector instructions for numba functions that LLVM would not vectorise itself.

LLVM splits vectors that are wider than the registers of the machine, so they run everywhere.
"""

# mypy: ignore-errors
# (numba finds the types of compiled functions itself)

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from streamstgs.renderer.backends.cpu.kernels import BLOCK_PX, FAST

REAL, INT, INDEX = ir.FloatType(), ir.IntType(32), ir.IntType(64)


@intrinsic
def never_inline(typingctx: Any) -> Any:
    """Forbid inlining of the calling function, so that its loop has all registers to itself."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), codegen


def numbers(values: Sequence[float]) -> ir.Constant:
    """A vector of constants."""
    return ir.Constant(ir.VectorType(REAL, len(values)), [float(np.float32(v)) for v in values])


def vector(value: float, count: int = BLOCK_PX * BLOCK_PX) -> ir.Constant:
    """A constant in all lanes."""
    return numbers([value] * count)


def ramp(count: int) -> ir.Constant:
    """A vector of 0, 1, 2 and so on."""
    return numbers(range(count))


class Lanes:
    """Builds vector instructions; arrays are named by their position among the arguments."""

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

    def load_field(self, array: int, at: ir.Value, field: int) -> ir.Value:
        return self.load(array, self.builder.add(at, ir.Constant(INDEX, field)), REAL)

    def load_repeated(self, array: int, at: ir.Value) -> ir.Value:
        """BLOCK_PX numbers, one for each row, again and again: the columns of a block.

        Loads of AVX2 and AVX-512 repeat four numbers for nothing.
        """
        order = [lane % BLOCK_PX for lane in range(BLOCK_PX * BLOCK_PX)]
        return self._shuffled(self.load(array, at, ir.VectorType(REAL, BLOCK_PX)), order)

    def broadcast(self, value: ir.Value, count: int) -> ir.Value:
        """A number in all lanes."""
        empty = ir.Constant(ir.VectorType(value.type, count), ir.Undefined)
        first = self.builder.insert_element(empty, value, ir.Constant(INT, 0))
        return self._shuffled(first, [0] * count)

    def linear(self, factors: ir.Value, slope: ir.Value, start: ir.Value) -> ir.Value:
        """start + slope * factors."""
        count = factors.type.count
        return self.multiply_add(
            factors, self.broadcast(slope, count), self.broadcast(start, count)
        )

    def multiply_add(self, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
        """a b + c: one instruction where the processor has it."""
        return self.add(self.multiply(a, b), c)

    def add(self, a: ir.Value, b: ir.Value) -> ir.Value:
        return self.builder.fadd(a, b, flags=FAST)

    def multiply(self, a: ir.Value, b: ir.Value) -> ir.Value:
        return self.builder.fmul(a, b, flags=FAST)

    def subtract(self, a: ir.Value, b: ir.Value) -> ir.Value:
        return self.builder.fsub(a, b, flags=FAST)

    def maximum(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """The larger number; b if a is NaN."""
        return self.builder.select(self.builder.fcmp_ordered(">", a, b), a, b)

    def minimum(self, a: ir.Value, b: ir.Value) -> ir.Value:
        """The smaller number; b if a is NaN."""
        return self.builder.select(self.builder.fcmp_ordered("<", a, b), a, b)

    def sqrt(self, value: ir.Value) -> ir.Value:
        name = f"llvm.sqrt.v{value.type.count}f32"
        kind = ir.FunctionType(value.type, [value.type])
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, kind, name),
                                 [value])  # fmt: skip

    def negative(self, value: ir.Value) -> ir.Value:
        """-abs(value)."""
        bits = ir.VectorType(INT, value.type.count)
        signs = ir.Constant(bits, [-(2**31)] * value.type.count)
        return self.builder.bitcast(
            self.builder.or_(self.builder.bitcast(value, bits), signs), value.type
        )

    def shuffle(self, a: ir.Value, b: ir.Value, lanes: Sequence[int]) -> ir.Value:
        """A vector of these lanes of a and b; the lanes of b are counted on from those of a."""
        order = ir.Constant(ir.VectorType(INT, len(lanes)), list(lanes))
        return self.builder.shuffle_vector(a, b, order)

    def _shuffled(self, value: ir.Value, lanes: list[int]) -> ir.Value:
        return self.shuffle(value, ir.Constant(value.type, ir.Undefined), lanes)

    def _address(self, array: int, at: ir.Value, kind: ir.Type) -> ir.Value:
        return self.builder.bitcast(self.builder.gep(self._data[array], [at]), kind.as_pointer())
