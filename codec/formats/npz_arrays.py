"""Arrays of `.npz` archives, read without pickle and with their declared sizes checked first."""

from __future__ import annotations

import io
import math
from typing import Any, Literal

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray
from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import CorruptSegment
from streamstgs.codec.formats.file_sets import FileSet
from streamstgs.codec.limits import SPLAT_FILE_BYTES


def is_npz(files: FileSet) -> bool:
    """Whether an archive is an .npz file: it holds nothing but arrays."""
    return bool(files.names) and all(name.endswith(".npy") for name in files.names)


def read_array(
    files: FileSet,
    key: str,
    name: str,
    cancel: CancelToken = NEVER,
    dtype: type[Any] = np.float32,
) -> NDArray[Any]:
    """One array; its declared size is compared with its file before it is read.

    Args:
        files: of the archive.
        key: name of the array.
        name: of the archive, for messages.
        dtype: of the result.

    Raises:
        MissingSegment: there is no such array. CorruptSegment: it is damaged or holds no numbers.
    """
    data = files.read(f"{key}.npy", SPLAT_FILE_BYTES, cancel)
    stream = io.BytesIO(data)
    try:
        version = npy.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"version {version}")
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, stored = read(stream)
        if stored.kind not in "fiu" or stored.hasobject:
            raise ValueError(f"its values are {stored}")
        size = math.prod(shape)
        if size * stored.itemsize != len(data) - stream.tell():
            raise ValueError(f"its shape {shape} does not fit to its length")
        values = np.frombuffer(data, stored, size, stream.tell())
        order: Literal["F", "C"] = "F" if fortran else "C"
        with np.errstate(over="ignore", invalid="ignore"):
            return values.reshape(shape, order=order).astype(dtype, order="C")
    except (ValueError, TypeError, OverflowError, SyntaxError, RecursionError, EOFError) as error:
        raise CorruptSegment(f"{name}: the array {key} is damaged: {error}.") from error
