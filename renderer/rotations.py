"""Rotations: quaternions of rotation matrices, and where up is for cameras."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ROTATION_ERROR = 1e-3  # of the products of the rows of a rotation; float32 is more accurate
FAN = 0.01  # spread of right axes, squared, that tells a plane: about 20 degrees
LEANING = 0.7  # cosine of 45 degrees: cameras do not look steeper, on average


def is_rotation(matrix: NDArray[np.float64]) -> bool:
    """Whether a matrix [3, 3] only turns: no scale, no mirror, no number that is not finite."""
    apart = matrix @ matrix.T - np.eye(3)
    return bool(np.abs(apart).max() < ROTATION_ERROR and np.linalg.det(matrix) > 0.0)


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


def up_of_cameras(
    rights: NDArray[np.float64], ups: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """[3] unit vector that points up for cameras that were held level; None if they disagree.

    Right axes of such cameras are level, so up is perpendicular to all of them. The mean of the up
    axes leans forward where cameras look down from one side; it is taken if the right axes are
    parallel.

    Args:
        rights: [N, 3] unit vectors to the right in the pictures, in the world.
        ups: [N, 3] unit vectors to their top.
    """
    mean = ups.mean(axis=0)
    length = float(np.linalg.norm(mean))
    if length < 0.5:
        return None
    mean = mean / length
    shares, directions = np.linalg.eigh(rights.T @ rights / len(rights))
    level = directions[:, 0] * np.sign(directions[:, 0] @ mean)
    if shares[1] - shares[0] >= FAN and level @ mean >= LEANING:
        return np.asarray(level)
    aside = directions[:, 2]
    return np.asarray(mean if abs(aside @ mean) > LEANING else _unit(mean - aside * (aside @ mean)))


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(vector / np.linalg.norm(vector))
