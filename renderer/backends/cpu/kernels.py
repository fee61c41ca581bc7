"""Compiler options, layout of splats and work sharing of the cpu backend's compiled loops.

The loops release the GIL and run in several threads at once. Each thread takes the next piece of
work from an atomic counter, so a thread that is held up, by the decoder for example, takes fewer.
"""

# mypy: ignore-errors
# (numba finds the types of compiled functions itself)

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from llvmlite import ir
from numba import config, njit, types
from numba.core import cgutils
from numba.core.dispatcher import Dispatcher
from numba.extending import intrinsic
from platformdirs import user_cache_path

# A projected splat is one row of SPLAT_FIELDS float32: one cache line. In the row dy px below its
# mean, alpha = exp(8 (LOG + FALL dy^2 + SQUARE (dx - SLOPE dy)^2)). SQUARE times SPREAD is -1. The
# row in which the splat reaches farthest to the right lies TURN px below its mean.
SPLAT_FIELDS = 16
MEAN_X, MEAN_Y, SLOPE, FALL, SQUARE, SPREAD, LOG, TURN, RED, GREEN, BLUE = range(11)
BLOCK = 1024  # Gaussians that a thread projects at a time
TILE_WIDTH, TILE_HEIGHT = 64, 16  # px that a thread blends at a time
LINE = 16  # float32 in a line of the cache
BLOCK_PX = 4  # a tile is blended in blocks of 4 x 4 px

# Floating-point arithmetic may be reordered, but NaN and infinity keep their meaning (hostile
# scenes hold them), and a division by zero is no exception.
FAST = ("contract", "arcp", "nsz", "afn", "reassoc")
inlined = njit(nogil=True, inline="always", error_model="numpy", fastmath=set(FAST))
real = np.float32
# Of compiled code. numba's default is beside the source, where an uninstallation would leave it.
CACHE_FOLDER = config.CACHE_DIR or str(user_cache_path("streamstgs-player") / "kernels")
Stamp = tuple[tuple[str, float, int], ...]


def source_stamp() -> Stamp:
    """Name, time and size of all files with compiled functions or constants that they hold."""
    here = Path(__file__).parent
    renderer = here.parents[1]
    constants = ("settings", "spherical_harmonics", "trajectories")
    others = [renderer / f"{name}.py" for name in constants]
    kernels = [renderer / f"{name}.py" for name in ("field_kernels", "importance")]
    files = [*others, *kernels, *sorted(here.glob("*.py"))]
    return tuple((f.name, f.stat().st_mtime, f.stat().st_size) for f in files)


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function at its first call, or load the compiled code of an earlier run.

    numba compiles again when the file of the function has changed. Functions here also hold code
    and constants of other files, so the stamp of numba's cache is replaced by that of all files.
    """
    with _user_cache():
        dispatcher = njit(nogil=True, cache=True, error_model="numpy", fastmath=set(FAST))(function)
    if isinstance(dispatcher, Dispatcher):  # not with NUMBA_DISABLE_JIT
        dispatcher._cache._cache_file._source_stamp = _STAMP
    return dispatcher


def is_compiled(loop: Any) -> bool:
    """Whether a compiled loop need not be compiled: this process has it, or the cache, for this
    processor. numba has no public way to look."""
    if not isinstance(loop, Dispatcher) or loop.signatures:
        return True
    file, target = loop._cache._cache_file, loop.targetctx.codegen().magic_tuple()
    names = [name for key, name in file._load_index().items() if key[1] == target]
    return any(Path(file._data_path(name)).exists() for name in names)


@contextmanager
def _user_cache() -> Iterator[None]:
    """Keep compiled code in CACHE_FOLDER.

    numba reads the setting when it decorates; other packages in this process keep theirs. A folder
    that cannot be written is passed over by numba.
    """
    chosen = config.CACHE_DIR
    config.CACHE_DIR = CACHE_FOLDER
    try:
        yield
    finally:
        config.CACHE_DIR = chosen


_STAMP = source_stamp()


@intrinsic
def take(typingctx: Any, counter: Any) -> Any:
    """Add one to counter[0] atomically; returns the value before."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = cgutils.create_struct_proxy(signature.args[0])(context, builder, args[0])
        one = ir.Constant(ir.IntType(64), 1)
        return builder.atomic_rmw("add", array.data, one, "monotonic")

    return types.int64(counter), codegen


@intrinsic
def bits_of(typingctx: Any, value: Any) -> Any:
    """The bits of a float32 as an int32."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.IntType(32))

    return types.int32(types.float32), codegen


@intrinsic
def real_of(typingctx: Any, bits: Any) -> Any:
    """The float32 with these bits, an int32."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.FloatType())

    return types.float32(types.int32), codegen


@compiled
def aligned(count):
    """[count] uninitialised float32 that begin at a cache line, so no vector lies across two."""
    padded = np.empty(count + LINE, np.float32)
    skipped = -(padded.ctypes.data // 4) % LINE
    return padded[skipped : skipped + count]
