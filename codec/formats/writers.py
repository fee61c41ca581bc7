"""Writes the Gaussians of a moment as a splat file: .ply, .compressed.ply, .spz, .sog or .splat.

docs/formats.md tells what each format loses.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import EncodeError
from streamstgs.codec.formats.converter import Converter
from streamstgs.codec.formats.gaussian_ply import Vector, write_gaussian_ply
from streamstgs.codec.formats.raw_gaussians import FloatArray, RawGaussians, turned
from streamstgs.codec.formats.splat import write_splat
from streamstgs.codec.limits import SPLAT_FILE_BYTES

Write = Callable[[RawGaussians, Vector | None, Converter, CancelToken], bytes]


def _spz(raw: RawGaussians, up: Vector | None, converter: Converter, cancel: CancelToken) -> bytes:
    return _converted(turned(raw), "spz", converter, cancel)


def _sog(raw: RawGaussians, up: Vector | None, converter: Converter, cancel: CancelToken) -> bytes:
    return _converted(raw, "sog", converter, cancel)


def _converted(raw: RawGaussians, kind: str, converter: Converter, cancel: CancelToken) -> bytes:
    ply = write_gaussian_ply(raw)
    return converter.convert(ply, "ply", kind, f"the .{kind} file", SPLAT_FILE_BYTES, cancel)


def _compressed_ply(
    raw: RawGaussians, up: Vector | None, converter: Converter, cancel: CancelToken
) -> bytes:
    """By gsply: gaussforge 0.6 writes the harmonics in another order than it reads them."""
    import gsply

    near = raw[nearby_order(raw.means)]  # each 256 share the bounds of their codes
    first, higher = np.ascontiguousarray(near.sh[:, 0]), np.ascontiguousarray(near.sh[:, 1:])
    content: bytes = gsply.compress_to_bytes(
        near.means, near.log_scales, near.quats, near.logits, first, higher
    )
    return content


def nearby_order(means: FloatArray) -> NDArray[np.int64]:
    """[N] an order in which neighbours are near each other: that of their Morton codes."""
    low, high = np.quantile(means, (0.01, 0.99), axis=0)
    cells = np.clip((means - low) / np.maximum(high - low, 1e-12), 0, 1) * 1_023
    codes = np.zeros(len(means), np.int64)
    for bit in range(10):
        for axis in range(3):
            codes |= ((cells[:, axis].astype(np.int64) >> bit) & 1) << (3 * bit + axis)
    return np.argsort(codes, kind="stable")


WRITERS: dict[str, Write] = {
    ".compressed.ply": _compressed_ply,
    ".ply": lambda raw, up, converter, cancel: write_gaussian_ply(raw, up),
    ".spz": _spz,
    ".sog": _sog,
    ".splat": lambda raw, up, converter, cancel: write_splat(raw),
}


def writer_of(path: Path) -> Write:
    """What writes a file of this name.

    Raises:
        EncodeError: no format has its suffix; the message lists those that can be written.
    """
    suffix = suffix_of(path)
    if suffix is None:
        known = ", ".join(WRITERS)
        raise EncodeError(f"{path.name} names no format that can be written; end it in {known}.")
    return WRITERS[suffix]


def suffix_of(path: Path) -> str | None:
    """The key of `WRITERS` that a name ends with; None for other names."""
    return next((suffix for suffix in WRITERS if path.name.lower().endswith(suffix)), None)


def written(
    raw: RawGaussians,
    path: Path,
    up: Vector | None,
    converter: Converter,
    cancel: CancelToken = NEVER,
) -> bytes:
    """The content of a file of this name.

    Args:
        up: unit vector that points up; .ply files tell it in a comment.

    Raises:
        EncodeError: as of `writer_of`, or there are no Gaussians.
        CodecError: the library that writes the format fails, or is not installed.
        Cancelled: through the token.
    """
    if len(raw) == 0:
        raise EncodeError("There are no Gaussians to write.")
    return writer_of(path)(raw, up, converter, cancel)
