"""Coloured points from PLY files: text or binary, either byte order."""

from __future__ import annotations

import itertools
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from streamstgs.trainer.errors import CaptureError

log = logging.getLogger("streamstgs.trainer")
TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4",
    "float": "f4", "double": "f8", "int8": "i1", "uint8": "u1", "int16": "i2",
    "uint16": "u2", "int32": "i4", "uint32": "u4", "float32": "f4", "float64": "f8",
}  # fmt: skip
BYTE_ORDERS = {"binary_little_endian": "<", "binary_big_endian": ">", "ascii": "<"}
END_OF_HEADER = b"end_header"
HEADER_MAX_BYTES = 65_536
COLOR_NAMES = (
    ("red", "green", "blue"),
    ("r", "g", "b"),
    ("diffuse_red", "diffuse_green", "diffuse_blue"),
)
HARMONIC_NAMES = ("f_dc_0", "f_dc_1", "f_dc_2")  # of 3D Gaussian Splatting
HARMONIC_0 = 0.28209479177387814  # the constant spherical harmonic
GREY = 0.5


@dataclass(frozen=True)
class _Header:
    """What the header says: text or byte order, vertices, their record, where the data begin."""

    form: str
    count: int
    layout: np.dtype
    size_bytes: int


def read_points(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Positions [N, 3] float32, world units, and colours [N, 3] float32, 0..1, of the vertices.

    Points that are not finite are left out. Without colours they are grey, with a warning.

    Raises:
        CaptureError: the file cannot be read, or is no PLY whose first element is its vertices.
    """
    try:
        data = path.read_bytes()
        vertices = _vertices(data, _header(data))
        with np.errstate(over="ignore"):  # a value that does not fit is infinite, and left out
            positions = np.stack([vertices[k] for k in "xyz"], -1).astype(np.float32)
        colors = _colors(vertices, path)
    except OSError as error:
        raise CaptureError(f"{path} cannot be read: {error.strerror}") from error
    except (IndexError, KeyError, ValueError, OverflowError) as error:
        raise CaptureError(f"{path} is no PLY of points: {error!r}") from error
    finite = np.isfinite(positions).all(axis=1) & np.isfinite(colors).all(axis=1)
    return positions[finite], colors[finite]


def _header(data: bytes) -> _Header:
    """Raises ValueError, KeyError or IndexError. Lines may end in LF, CRLF or CR."""
    end = data.index(END_OF_HEADER, 0, HEADER_MAX_BYTES) + len(END_OF_HEADER)
    lines = [line.split() for line in data[:end].decode("ascii").splitlines() if line.strip()]
    if lines[0] != ["ply"] or lines[1][0] != "format" or lines[1][2:] != ["1.0"]:
        raise ValueError("wrong first lines")
    form = lines[1][1]
    order = BYTE_ORDERS[form]
    rows = [words for words in lines if words[0] in ("element", "property")]
    if rows[0][:2] != ["element", "vertex"]:
        raise ValueError("vertices do not come first")
    count = int(rows[0][2])
    if count < 0:
        raise ValueError(f"{count} vertices")
    own = itertools.takewhile(lambda words: words[0] == "property", rows[1:])
    layout = np.dtype([(name, order + TYPES[kind]) for _, kind, name in own])
    line_end = 2 if data[end : end + 2] == b"\r\n" else 1
    return _Header(form, count, layout, end + line_end)


def _vertices(data: bytes, header: _Header) -> np.ndarray:
    """[N] records. Raises ValueError where the file is shorter than its header says."""
    if header.form != "ascii":
        return np.frombuffer(data, header.layout, header.count, offset=header.size_bytes)
    names = header.layout.names or ()
    wanted = header.count * len(names)
    if 2 * wanted - 1 > len(data) - header.size_bytes:  # a digit and a blank for each number
        raise ValueError(f"{header.count} vertices do not fit into the file")
    words = data[header.size_bytes :].split(maxsplit=wanted)[:wanted]
    numbers = np.array(words, dtype=np.float64).reshape(header.count, len(names))
    vertices = np.empty(header.count, header.layout)
    for column, name in enumerate(names):
        vertices[name] = numbers[:, column]
    return vertices


def _colors(vertices: np.ndarray, path: Path) -> np.ndarray:
    """[N, 3] float32, 0..1: whole numbers are shares of their type's largest, others are as is."""
    names = vertices.dtype.names or ()
    for triple in COLOR_NAMES:
        if all(name in names for name in triple):
            return np.stack([_share(vertices[name]) for name in triple], axis=-1)
    if all(name in names for name in HARMONIC_NAMES):
        harmonics = np.stack([vertices[name] for name in HARMONIC_NAMES], axis=-1)
        return (0.5 + HARMONIC_0 * harmonics.astype(np.float32)).clip(0, 1)
    log.warning("the points of %s have no colours; they start grey", path)
    return np.full((len(vertices), 3), GREY, np.float32)


def _share(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind in "iu":
        return values.astype(np.float32) / np.float32(np.iinfo(values.dtype).max)
    return values.astype(np.float32)
