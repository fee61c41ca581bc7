"""What the compiled loops of the cpu backend share: options, layout, work sharing.

The loops release the GIL and are run by several threads at once; each takes the next piece of
work from an atomic counter, so that a thread that is held up (by the decoder, say) takes fewer.
"""

# mypy: ignore-errors
# (numba finds the types of compiled functions itself)

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

# A projected splat is one row of SPLAT_FIELDS float32: one cache line.
SPLAT_FIELDS = 16
MEAN_X, MEAN_Y, XX, XY, YY, LOG, RED, GREEN, BLUE, LEFT, TOP, RIGHT, BOTTOM = range(13)
BLOCK = 1024  # Gaussians that a thread projects at a time
TILE_WIDTH, TILE_HEIGHT = 32, 16  # px that a thread blends at a time

# Floating-point arithmetic may be reordered, but NaN and infinity keep their meaning (hostile
# scenes hold them), and a division by zero is no exception.
compiled = njit(
    nogil=True,
    cache=True,
    error_model="numpy",
    fastmath={"contract", "arcp", "nsz", "afn", "reassoc"},
)
inlined = njit(
    nogil=True,
    inline="always",
    error_model="numpy",
    fastmath={"contract", "arcp", "nsz", "afn", "reassoc"},
)
real = np.float32


@intrinsic
def take(typingctx: Any, counter: Any) -> Any:
    """Add one to counter[0] atomically; returns what it was."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = cgutils.create_struct_proxy(signature.args[0])(context, builder, args[0])
        one = ir.Constant(ir.IntType(64), 1)
        return builder.atomic_rmw("add", array.data, one, "monotonic")

    return types.int64(counter), codegen
