"""Pictures sampled at other places, compiled: a thread that reads files gives the others its core.

OpenCV's `remap` would do, but it is 60 MB for one function; torch's `grid_sample` takes twice the
time, on more cores.
"""

# mypy: disallow_untyped_defs=False
# (numba finds the types of compiled functions itself)

from __future__ import annotations

import numpy as np
from numba import njit


def resampled(picture: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Cubic interpolation (Catmull-Rom) of a picture [H, W, 3] uint8; its edges go on outside.

    Args:
        columns, rows: [h, w] float32 places, where (0, 0) is the centre of the top left pixel.

    Returns:
        [h, w, 3] uint8.
    """
    out = np.empty((*columns.shape, 3), np.uint8)
    _resample(np.ascontiguousarray(picture), columns, rows, out)
    return out


@njit(nogil=True, inline="always", error_model="numpy", fastmath={"contract"})
def _weights(t):
    """Weights of the four pixels around a place `t` between the second and the third."""
    half, one, two = np.float32(0.5), np.float32(1), np.float32(2)
    squared = t * t
    return (
        t * (t * (one - half * t) - half),
        one + squared * ((one + half) * t - two - half),
        t * (half + t * (two - (one + half) * t)),
        squared * half * (t - one),
    )


@njit(nogil=True, error_model="numpy", fastmath={"contract"})
def _resample(picture, columns, rows, out):
    height, width = picture.shape[:2]
    black, white = np.float32(0), np.float32(255)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            column, row = np.floor(columns[i, j]), np.floor(rows[i, j])
            across, down = _weights(columns[i, j] - column), _weights(rows[i, j] - row)
            left, top = np.int64(column) - 1, np.int64(row) - 1
            red = green = blue = np.float32(0.5)  # rounds
            for k in range(4):
                y = min(max(top + k, 0), height - 1)
                for n in range(4):
                    x = min(max(left + n, 0), width - 1)
                    weight = down[k] * across[n]
                    red += weight * np.float32(picture[y, x, 0])
                    green += weight * np.float32(picture[y, x, 1])
                    blue += weight * np.float32(picture[y, x, 2])
            out[i, j, 0] = np.uint8(min(max(red, black), white))
            out[i, j, 1] = np.uint8(min(max(green, black), white))
            out[i, j, 2] = np.uint8(min(max(blue, black), white))
