"""Rotations: quaternions of rotation matrices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def quaternion_of(rotation: NDArray[np.float64]) -> NDArray[np.float64]:
    """[4] unit quaternion wxyz of a [3, 3] rotation matrix; its sign is arbitrary.

    It is the eigenvector of the largest eigenvalue of a symmetric matrix (Bar-Itzhack 2000), which
    is stable for every rotation.
    """
    (a, b, c), (d, e, f), (g, h, i) = rotation
    symmetric = np.array([
        [a + e + i, h - f, c - g, d - b],
        [h - f, a - e - i, b + d, c + g],
        [c - g, b + d, e - a - i, f + h],
        [d - b, c + g, f + h, i - a - e],
    ])  # fmt: skip
    return np.asarray(np.linalg.eigh(symmetric)[1][:, -1])
