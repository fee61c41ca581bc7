"""Coloured points from PLY files: text or binary, either byte order."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from streamstgs.codec.ply import PlyError, parse_header, read_element
from streamstgs.trainer.errors import CaptureError

log = logging.getLogger("streamstgs.trainer")
COLOR_NAMES = (
    ("red", "green", "blue"),
    ("r", "g", "b"),
    ("diffuse_red", "diffuse_green", "diffuse_blue"),
)
HARMONIC_NAMES = ("f_dc_0", "f_dc_1", "f_dc_2")  # of 3D Gaussian Splatting
HARMONIC_0 = 0.28209479177387814  # the constant spherical harmonic
GREY = 0.5
BYTE_MAX = 255.0
FLOAT_MAX = 2.0  # of shares, which may lie a little above 1


def read_points(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Positions [N, 3] float32, world units, and colours [N, 3] float32, 0..1, of the vertices.

    Points that are not finite are left out. Without colours they are grey, with a warning.

    Raises:
        CaptureError: the file cannot be read, or is no PLY with vertices.
    """
    try:
        data = path.read_bytes()
        vertices = read_element(data, parse_header(data), "vertex")
        with np.errstate(over="ignore"):  # a value that does not fit is infinite, and left out
            positions = np.stack([vertices[k] for k in "xyz"], -1).astype(np.float32)
        colors = _colors(vertices, path)
    except OSError as error:
        raise CaptureError(f"{path} cannot be read: {error.strerror}") from error
    except (PlyError, KeyError, ValueError) as error:
        raise CaptureError(f"{path} is no PLY of points: {error!r}") from error
    finite = np.isfinite(positions).all(axis=1) & np.isfinite(colors).all(axis=1)
    return positions[finite], colors[finite]


def _colors(vertices: np.ndarray, path: Path) -> np.ndarray:
    """[N, 3] float32, 0..1, from whole numbers or shares; doubtful ranges are told."""
    names = vertices.dtype.names or ()
    for triple in COLOR_NAMES:
        if all(name in names for name in triple):
            values = np.stack([vertices[name] for name in triple], axis=-1)
            return (values.astype(np.float64) / _largest(values, path)).astype(np.float32)
    if all(name in names for name in HARMONIC_NAMES):
        harmonics = np.stack([vertices[name] for name in HARMONIC_NAMES], axis=-1)
        return (0.5 + HARMONIC_0 * harmonics.astype(np.float32)).clip(0, 1)
    log.warning("the points of %s have no colours; they start grey", path)
    return np.full((len(vertices), 3), GREY, np.float32)


def _largest(values: np.ndarray, path: Path) -> float:
    """The value of full brightness: 1, 255, or the largest of the type of whole numbers.

    Some programs write 0..255 as floats, or into wider integers than that needs.
    """
    if values.dtype.kind in "iu":
        usual, most = float(np.iinfo(values.dtype).max), float(values.max(initial=0))
        is_other = usual > BYTE_MAX and 0 < most <= BYTE_MAX
    else:
        usual, most = 1.0, float(values[np.isfinite(values)].max(initial=0))
        is_other = FLOAT_MAX < most <= BYTE_MAX
    if is_other:
        log.warning("the colours of the points of %s are taken as 0 to 255", path)
    return BYTE_MAX if is_other else usual
