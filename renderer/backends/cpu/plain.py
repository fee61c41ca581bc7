"""The cpu backend in plain NumPy loops: the oracle that tests compare the fast path with.

It follows the fast path step by step (README.md), in float64 and without tiles, vectors, threads or
approximations of functions. It is slow, and nothing but the tests uses it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from streamstgs.renderer.camera import Camera
from streamstgs.renderer.compositing import composite
from streamstgs.renderer.gaussians import Gaussians, rotation_matrices
from streamstgs.renderer.settings import (
    ALPHA_MAX,
    ALPHA_MIN,
    DILATION_PX2,
    EXTENT_SIGMA,
    TRANSMITTANCE_MIN,
    RenderSettings,
)
from streamstgs.renderer.spherical_harmonics import evaluate_sh

Array = NDArray[Any]
FAR = 1e10
MARGIN = 0.15  # of the picture: the Jacobian is taken no further outside than this


@dataclass(frozen=True)
class PlainChannels:
    """[height, width, 3] color over the background, [height, width] alpha and expected depth."""

    color: Array
    alpha: Array
    depth: Array


@dataclass(frozen=True)
class PlainSplats:
    """Projected Gaussians.

    Args:
        centers: [V, 2] px.
        covariances: [V, 3] dilated, (xx, xy, yy) in px^2.
        determinants: [V] of the dilated covariances.
        opacities: [V] compensated for the dilation.
        colors: [V, 3] as the camera sees them.
        depths: [V] z in the camera.
    """

    centers: Array
    covariances: Array
    determinants: Array
    opacities: Array
    colors: Array
    depths: Array

    def __getitem__(self, index: Array) -> PlainSplats:
        return PlainSplats(*(values[index] for values in vars(self).values()))


def render(gaussians: Gaussians, camera: Camera, settings: RenderSettings) -> PlainChannels:
    """Colour, alpha and depth in float64. The Gaussians must be on the CPU."""
    with np.errstate(all="ignore"):  # of Gaussians that `is_drawn` then leaves out
        splats = project(gaussians, camera)
        splats = splats[is_drawn(gaussians, splats, settings)]
    splats = splats[np.argsort(splats.depths.astype(np.float32), kind="stable")]
    size = (camera.height, camera.width)
    passed = np.ones(size)  # transmittance
    is_open = np.ones(size, bool)  # until a splat would leave TRANSMITTANCE_MIN or less
    blended = np.zeros((*size, 4))  # red, green, blue, depth
    for splat in range(len(splats.depths)):
        _blend(splats, splat, passed, is_open, blended)
    alpha = 1 - passed
    light, covered = torch.from_numpy(blended[..., :3]), torch.from_numpy(alpha)
    color = composite(light, covered, settings).numpy()
    depth = np.divide(blended[..., 3], alpha, out=np.zeros(size), where=alpha > 0)
    return PlainChannels(color, alpha, depth)


def project(gaussians: Gaussians, camera: Camera) -> PlainSplats:
    """EWA projection of all Gaussians, also of those that cannot be drawn."""
    seen = gaussians.map(lambda t: t.detach().double())
    viewmat, K = camera.viewmat.numpy().astype(float), camera.K.numpy().astype(float)
    means = seen.means.numpy() @ viewmat[:3, :3].T + viewmat[:3, 3]
    focal, middle, size = K.diagonal()[:2], K[:2, 2], np.array([camera.width, camera.height])
    z = means[:, 2:]
    offsets = focal * means[:, :2] / z  # px from the principal point
    slopes = np.clip(offsets, -middle - MARGIN * size, size - middle + MARGIN * size)
    jacobian = np.zeros((len(z), 2, 3))
    jacobian[:, 0, 0], jacobian[:, 1, 1] = (focal / z).T
    jacobian[:, :, 2] = -slopes / z
    quats = seen.quats / seen.quats.norm(dim=-1, keepdim=True)
    axes = viewmat[:3, :3] @ (rotation_matrices(quats) * seen.scales[:, None]).numpy()
    first, second = np.moveaxis(jacobian @ axes, 1, 0)
    sharp = (np.cross(first, second) ** 2).sum(-1)  # determinant before the dilation
    xx, xy, yy = (first * first).sum(-1), (first * second).sum(-1), (second * second).sum(-1)
    dilated = sharp + DILATION_PX2 * (xx + yy) + DILATION_PX2**2
    colors = seen.colors
    if seen.sh is not None:
        colors = evaluate_sh(seen.sh, seen.means - camera.position.double())
    return PlainSplats(
        centers=offsets + middle,
        covariances=np.stack([xx + DILATION_PX2, xy, yy + DILATION_PX2], axis=-1),
        determinants=dilated,
        opacities=seen.opacities.numpy() * np.sqrt(sharp / dilated),
        colors=colors.numpy(),
        depths=means[:, 2],
    )


def is_drawn(gaussians: Gaussians, splats: PlainSplats, settings: RenderSettings) -> Array:
    """[V] bool: between near and far plane, neither faint nor degenerate, finite in float32."""
    numbers = np.column_stack(list(vars(splats).values()))
    finite = (np.abs(numbers) < np.finfo(np.float32).max).all(axis=1)
    if gaussians.sh is not None:
        finite &= gaussians.sh.isfinite().flatten(1).all(dim=1).numpy()
    finite &= (gaussians.quats.norm(dim=-1) > 1e-12).numpy()
    in_depth = (splats.depths >= settings.near) & (splats.depths <= FAR)
    return finite & in_depth & (splats.opacities >= ALPHA_MIN)


def _blend(splats: PlainSplats, i: int, passed: Array, is_open: Array, blended: Array) -> None:
    """Blend splat i over the pixels whose centres lie in its box."""
    extent = min(EXTENT_SIGMA, np.sqrt(2 * np.log(splats.opacities[i] / ALPHA_MIN)))
    xx, xy, yy = splats.covariances[i]
    height, width = passed.shape
    columns = _pixels(splats.centers[i, 0], extent * np.sqrt(xx), width)
    rows = _pixels(splats.centers[i, 1], extent * np.sqrt(yy), height)
    dx = np.arange(width)[columns] + 0.5 - splats.centers[i, 0]
    dy = (np.arange(height)[rows] + 0.5 - splats.centers[i, 1])[:, None]
    power = (yy * dx * dx - 2 * xy * dx * dy + xx * dy * dy) / (2 * splats.determinants[i])
    alpha = np.minimum(splats.opacities[i] * np.exp(-power), ALPHA_MAX)
    drawn = (alpha >= ALPHA_MIN) & is_open[rows, columns]
    after = passed[rows, columns] * (1 - alpha)
    is_open[rows, columns] &= ~drawn | (after > TRANSMITTANCE_MIN)
    drawn &= is_open[rows, columns]
    weights = np.where(drawn, passed[rows, columns] * alpha, 0.0)[..., None]
    blended[rows, columns] += weights * np.append(splats.colors[i], splats.depths[i])
    passed[rows, columns] = np.where(drawn, after, passed[rows, columns])


def _pixels(center: float, reach: float, size: int) -> slice:
    """The pixels of an axis whose centres are no farther than `reach` from `center`."""
    first = max(np.ceil(center - reach - 0.5), 0)
    last = min(np.floor(center + reach - 0.5), size - 1)
    return slice(int(min(first, size)), int(max(last + 1, 0)))


def tile_lists(depths: Array, rects: Array, columns: int, rows: int) -> list[list[int]]:
    """The splats of each tile, nearest first; splats of the same depth in the order of indices.

    Args:
        depths: [V].
        rects: [V, 4] tiles touched: first column and row, one past the last ones.
        columns, rows: number of tiles.
    """
    lists: list[list[int]] = [[] for _ in range(columns * rows)]
    for splat in np.argsort(depths, kind="stable"):
        left, top, right, bottom = rects[splat]
        for row in range(top, bottom):
            for column in range(left, right):
                lists[row * columns + column].append(int(splat))
    return lists
