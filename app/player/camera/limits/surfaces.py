"""Where a scene is solid: a coarse grid of distances to its surfaces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from streamstgs.app.player.camera.framing import Vector
from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.renderer import Gaussians

Grid = NDArray[np.float32]

CELLS = 64  # along each side of the grid
REACH = 1.15  # half a side, relative to the radius of the scene
GAUSSIANS_MAX = 150_000  # of more Gaussians, so many are looked at
OPAQUE = 0.35  # more transparent ones are no surface
POINTS = 3  # of each Gaussian, which may be larger than a cell: its centre and two around
SOLID = 0.6  # part of the side of a cell that the Gaussians in it cover
GROUND_SHARE = 0.02  # of the surface may lie below what counts as the ground
GROUND_REACH = 0.8  # the ground is looked for so far around the centre, relative to the radius


@dataclass(frozen=True)
class Surfaces:
    """Distances to the surfaces of a scene, on a grid around its centre. Immutable.

    Args:
        distances: [X, Y, Z] world units from the middle of each cell to the next solid one.
        corner: The lowest corner of the grid, world units.
        cell: The side of a cell, world units.
        ground: The height of the ground along the up axis; None if nothing is solid.
    """

    distances: Grid
    corner: Vector
    cell: float
    ground: float | None

    def distance(self, point: Vector) -> float:
        """The distance from a point to the next surface in world units; inf outside the grid."""
        place = (np.array(point) - np.array(self.corner)) / self.cell - 0.5
        low = np.floor(place).astype(int)
        if (low < 0).any() or (low + 1 >= np.array(self.distances.shape)).any():
            return float("inf")
        share = place - low
        x, y, z = low
        around = self.distances[x : x + 2, y : y + 2, z : z + 2].astype(np.float64)
        for part in share:  # trilinear: a distance that does not jump from cell to cell
            around = around[0] * (1 - part) + around[1] * part
        return float(around)


@torch.no_grad()
def find_surfaces(
    gaussians: Gaussians, center: Vector, radius: float, up: Vector, cancel: CancelToken = NEVER
) -> Surfaces:
    """The surfaces of the Gaussians of a frame, within about `radius` of the centre.

    It takes some tenths of a second: call it in a thread that draws nothing.

    Raises:
        Cancelled: Through `cancel`.
    """
    cell = 2 * REACH * max(radius, 1e-9) / CELLS
    corner = np.array(center, dtype=np.float64) - CELLS * cell / 2
    points, areas = _surface_points(gaussians, cell)
    cancel.raise_if_cancelled("looking for surfaces")
    places = np.floor((points - corner) / cell).astype(np.int64)
    inside = ((places >= 0) & (places < CELLS)).all(axis=1)
    flat = np.ravel_multi_index(tuple(places[inside].T), (CELLS,) * 3)
    covered = np.bincount(flat, weights=areas[inside], minlength=CELLS**3)
    solid = (covered > SOLID * cell * cell).reshape((CELLS,) * 3)
    cancel.raise_if_cancelled("looking for surfaces")
    ground = _ground(points, areas, np.array(center), GROUND_REACH * radius, np.array(up))
    x, y, z = (float(value) for value in corner)
    return Surfaces(_distances(solid, cancel) * np.float32(cell), (x, y, z), cell, ground)


def _surface_points(
    gaussians: Gaussians, cell: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """[P, 3] points on opaque Gaussians, and [P] the area that each stands for."""
    step = max(-(-len(gaussians) // GAUSSIANS_MAX), 1)
    chosen = torch.nonzero(gaussians.opacities[::step] >= OPAQUE).squeeze(-1) * step
    means = gaussians.means[chosen].cpu().double()
    scales = gaussians.scales[chosen].cpu().double().sort(dim=-1).values
    opacities = gaussians.opacities[chosen].cpu().double()
    long = scales[:, 2:].clamp(max=4 * cell)
    areas = step * opacities * 2 * torch.pi * long[:, 0] * scales[:, 1].clamp(max=4 * cell)
    seed = torch.Generator().manual_seed(0)
    around = torch.randn(len(means), POINTS - 1, 3, generator=seed).double()
    shape = _rotated(
        gaussians.quats[chosen].cpu().double(), gaussians.scales[chosen].cpu().double()
    )
    spread = torch.einsum("nij,npj->npi", shape, around) + means[:, None]
    points = torch.cat([means[:, None], spread], dim=1).reshape(-1, 3).numpy()
    return points, np.repeat(areas.numpy() / POINTS, POINTS)


def _rotated(quats: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    """[N, 3, 3] the axes of Gaussians in the world, as long as their standard deviations."""
    w, x, y, z = torch.nn.functional.normalize(quats, dim=-1).unbind(-1)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    rotations = torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)
    return rotations * scales[:, None, :]


def _ground(
    points: NDArray[np.float64],
    areas: NDArray[np.float64],
    center: NDArray[np.float64],
    reach: float,
    up: NDArray[np.float64],
) -> float | None:
    """The height that nearly all of the surface around the centre is above."""
    heights = points @ up
    offset = points - center
    aside = np.linalg.norm(offset - (offset @ up)[:, None] * up, axis=1)
    near = (aside < reach) & (np.abs(offset @ up) < reach)
    if not near.any():
        return None
    order = np.argsort(heights[near])
    below = np.cumsum(areas[near][order])
    place = int(np.searchsorted(below, GROUND_SHARE * below[-1]))
    return float(heights[near][order][min(place, len(order) - 1)])


def _distances(solid: NDArray[np.bool_], cancel: CancelToken) -> Grid:
    """Exact Euclidean distances in cells to the next true cell, one axis after the other."""
    far = float(3 * max(solid.shape) ** 2)
    squared = np.where(solid, 0.0, far).astype(np.float32)
    for axis in range(3):
        lines = np.moveaxis(squared, axis, -1)
        size = lines.shape[-1]
        steps = np.arange(size, dtype=np.float32)
        nearest = np.full_like(lines, far)
        for k in range(size):  # a parabola from each cell of the line
            cancel.raise_if_cancelled("looking for surfaces")
            np.minimum(nearest, lines[..., k : k + 1] + (steps - k) ** 2, out=nearest)
        squared = np.moveaxis(nearest, -1, axis)
    return np.sqrt(squared)
