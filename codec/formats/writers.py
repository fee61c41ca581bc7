"""Writes the Gaussians of a moment as a splat file: .ply, .spz, .sog or .splat.

docs/formats.md tells what each format loses.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import EncodeError
from streamstgs.codec.formats.converter import Converter
from streamstgs.codec.formats.gaussian_ply import Vector, write_gaussian_ply
from streamstgs.codec.formats.raw_gaussians import RawGaussians, turned
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


WRITERS: dict[str, Write] = {
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
    write = WRITERS.get(path.suffix.lower())
    if write is None or path.name.lower().endswith(".compressed.ply"):
        known = ", ".join(WRITERS)
        raise EncodeError(f"{path.name} names no format that can be written; end it in {known}.")
    return write


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
