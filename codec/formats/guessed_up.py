"""The vertical axis of a scene, guessed from its Gaussians.

Trained Gaussians lie flat on surfaces, and most scenes stand on a large level one: a floor, a table
or the ground, with hardly anything below it. Near each of the three axes, the most frequent normal
of flat Gaussians is sought, and the Gaussians that face it are counted in layers. The support of a
direction is the weight of the heaviest layer, times the share of the scene that lies above it less
the share that lies below. The direction with the most support is up if it has clearly more than
those of the other axes; within a few degrees of an axis it is that axis.

A floor and a ceiling support both directions; then the usual one is taken, which is -y or z.
Without a clear direction, up is -y, as 3D Gaussian Splatting keeps the axes of COLMAP.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from streamstgs.renderer import Gaussians
from streamstgs.renderer.gaussians import rotation_matrices

Vector = tuple[float, float, float]
UP: Vector = (0.0, -1.0, 0.0)
SAMPLES = 50_000
FEWEST = 200  # flat Gaussians; fewer tell nothing
VISIBLE = 0.1  # opacity
FLAT = 0.5  # of the smallest to the middle standard deviation, at most
NEAR = (0.85, 0.95, 0.97)  # cosines between normals and the direction sought, step by step
SNAPPED = 0.996  # cosine between a direction and the axis that is taken for it: 5 degrees
LAYERS = 100  # between the 1 % and 99 % quantiles of the positions
LARGEST = 0.95  # quantile that bounds the weight of one Gaussian
SUPPORT = 0.04  # of all flat Gaussians, at least
SIDES = 0.05  # of the scene: a plane with less on both sides together is no floor
CLEARLY = 2.0  # times the support of the next axis, or of the other direction
USUAL = (1.0, -1.0, 1.0)  # directions of x, y, z
Floats = NDArray[np.float64]


def guessed_up(gaussians: Gaussians) -> Vector:
    """The unit vector that probably points up; -y where nothing tells it."""
    visible = (gaussians.opacities >= VISIBLE).nonzero()[:, 0]
    chosen = gaussians[visible[:: max(1, len(visible) // SAMPLES)]]
    scales, order = chosen.scales.sort(dim=1)
    flat = scales[:, 0] <= FLAT * scales[:, 1]
    if int(flat.sum()) < FEWEST:
        return UP
    axes = rotation_matrices(chosen.quats).transpose(1, 2)  # rows
    normals = axes[torch.arange(len(axes)), order[:, 0]].double().numpy()
    normals *= flat.numpy()[:, None]  # those of others face nothing
    areas = (scales[:, 1] * scales[:, 2] * chosen.opacities).double().numpy()
    weights = np.minimum(areas, np.quantile(areas, LARGEST))
    weights /= weights.sum()
    means = chosen.means.double().numpy()
    found = [_direction(axis, normals, weights) for axis in np.eye(3)]
    supports = [
        _supports(means @ direction, weights, np.abs(normals @ direction) >= NEAR[-1])
        for direction in found
    ]
    return _decided(np.array(found), np.array(supports))


def _direction(axis: Floats, normals: Floats, weights: Floats) -> Floats:
    """[3] the most frequent normal near an axis, on its side."""
    direction = axis
    for near in NEAR:
        facing = np.abs(normals @ direction) >= near
        some = normals[facing]
        spread = np.einsum("n,ni,nj->ij", weights[facing], some, some)
        direction = np.linalg.eigh(spread)[1][:, -1]
        direction = direction if direction @ axis > 0 else -direction
    return direction if direction @ axis < SNAPPED else axis


def _supports(heights: Floats, weights: Floats, level: NDArray[np.bool_]) -> tuple[float, float]:
    """The support of a direction, and of the opposite one.

    Args:
        heights: [N] along the direction. level: [N], which Gaussians face it.
    """
    low, high = np.quantile(heights, (0.01, 0.99))
    if not high > low:
        return 0.0, 0.0
    layers = np.floor((heights - low) / (high - low) * LAYERS).astype(np.int64)
    layers = np.clip(layers, -1, LAYERS) + 1  # with all that lies outside at the ends
    content = np.bincount(layers, weights, LAYERS + 2)
    floors = np.bincount(layers[level], weights[level], LAYERS + 2)
    slabs = np.convolve(floors, np.ones(3), "same")  # a floor may lie on the edge of two layers
    below = np.cumsum(content) - content
    above = 1.0 - np.cumsum(content)
    one_sided = (above - below) / np.maximum(above + below, SIDES)
    return float((slabs * one_sided).max()), float((slabs * -one_sided).max())


def _decided(directions: Floats, supports: Floats) -> Vector:
    """The direction with the most support.

    Args:
        directions: [3, 3], one near each axis. supports: [3, 2], of each and of its opposite.
    """
    best = supports.max(axis=1)
    axis = int(best.argmax())
    others = float(np.delete(best, axis).max())
    if best[axis] < max(SUPPORT, CLEARLY * others):
        return UP
    along, against = supports[axis]
    if max(along, against) >= CLEARLY * min(along, against):
        sign = 1.0 if along > against else -1.0
    else:
        sign = USUAL[axis]
    x, y, z = (sign * directions[axis]).tolist()
    return x, y, z
