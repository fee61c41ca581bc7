"""Sorts Gaussians on a grid so that neighbours are similar and images of it compress well.

Parallel Linear Assignment Sorting (Morgenstern et al., Self-Organizing Gaussians, arXiv
2312.13299): blur the grid, then in many small random groups of cells swap whatever brings the
cells closer to the blurred grid; shrink the blur and repeat.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import torch
from torch import Tensor

GROUP = 4  # cells that are reassigned together: 24 permutations are few enough to try all
PERMUTATIONS = torch.tensor(list(itertools.permutations(range(GROUP))))  # [24, 4]
# [16, 24] which of the products item x cell each permutation takes
CHOSEN_PRODUCTS = torch.nn.functional.one_hot(PERMUTATIONS, GROUP).mT.flatten(1).T.float()
GRID_MULTIPLE = 8  # sides of a grid; tiles of a video then fall on block boundaries


@dataclass(frozen=True)
class SortSettings:
    """How long to sort.

    Args:
        radius_factor: the blur radius shrinks by this from half the grid's side down to 1.
        passes: rounds of regrouping at each radius.
    """

    radius_factor: float = 0.85
    passes: int = 6


def grid_shape(count: int) -> tuple[int, int]:
    """Return height and width, multiples of 8, of a nearly square grid of `count` cells."""
    side = math.ceil(math.sqrt(max(count, 1)) / GRID_MULTIPLE) * GRID_MULTIPLE
    rows = math.ceil(max(count, 1) / side / GRID_MULTIPLE) * GRID_MULTIPLE
    return rows, side


def sort_grid(
    values: Tensor,
    height: int,
    width: int,
    seed: int = 0,
    settings: SortSettings = SortSettings(),
) -> Tensor:
    """Return the item of each cell.

    Args:
        values: [N, D] what shall be alike in neighbours, already weighted; on any device.
        height, width: the grid, N <= height * width.
        seed: same seed, values and device: same order.

    Returns:
        [height * width] int64 on the CPU: the item of each cell, row by row. The cells from N on
        are padding and hold -1, so `order[:N]` is a permutation of the items.

    Raises:
        ValueError: the grid is too small, or a value is not finite.
    """
    count = len(values)
    if count > height * width:
        raise ValueError(f"{count} items do not fit a grid of {height} x {width}")
    if not values.isfinite().all():
        raise ValueError("values that are not finite cannot be sorted")
    order = torch.full((height * width,), -1, dtype=torch.int64)
    if count:
        start = _scan_order(values, height, width)
        sorter = _Sorter(values[start.to(values.device)].float(), height, width, seed)
        order[:count] = start[sorter.run(settings).cpu()]
    return order


class _Sorter:
    """A grid while it is being sorted; padding stays in the last cells."""

    def __init__(self, values: Tensor, height: int, width: int, seed: int) -> None:
        self.height, self.width, self.count = height, width, len(values)
        self.device = values.device
        self.random = torch.Generator().manual_seed(seed)
        self.items = torch.arange(self.count, device=self.device)  # item of each cell
        self.values = values - values.mean(dim=0)  # [N, D] value in each cell
        self.permutations = PERMUTATIONS.to(self.device)
        self.chosen_products = CHOSEN_PRODUCTS.to(self.device)

    def run(self, settings: SortSettings) -> Tensor:
        """Sort with all radii; return the [N] item of each cell."""
        radius = max(self.height, self.width) / 4
        while radius >= 1:
            target = self._blurred(int(radius))  # hardly changes within the passes of a radius
            for _ in range(settings.passes):
                self._pass(target, int(radius))
            radius *= settings.radius_factor
        return self.items

    def _pass(self, target: Tensor, radius: int) -> None:
        groups = self._groups(radius)  # [K, 4] cells
        # |v - t|^2 summed over a permutation differs only in the products v t
        product = self.values[groups] @ target[groups].mT  # [K, item, cell]
        likeness = product.flatten(1) @ self.chosen_products  # [K, 24]
        chosen = self.permutations[likeness.argmax(dim=1)]  # [K, 4] which item each cell gets
        source = groups.gather(1, chosen)
        self.values[groups.flatten()] = self.values[source.flatten()]
        self.items[groups.flatten()] = self.items[source.flatten()]

    def _blurred(self, radius: int) -> Tensor:
        """Return the [N, D] mean of the cells around each cell, without padding."""
        cells = self.height * self.width
        grid = self.values.new_zeros(cells, self.values.shape[1] + 1)
        grid[: self.count, :-1] = self.values
        grid[: self.count, -1] = 1.0
        grid = grid.view(self.height, self.width, -1).permute(2, 0, 1)
        for _ in range(2):  # two box blurs make a triangle, close enough to a Gaussian
            grid = _box_blur(_box_blur(grid, radius, 1), radius, 2)
        flat = grid.permute(1, 2, 0).reshape(cells, -1)[: self.count]
        return flat[:, :-1] / flat[:, -1:].clamp(min=1e-12)

    def _groups(self, radius: int) -> Tensor:
        """Return [K, 4] disjoint groups of cells, each within a randomly shifted block."""
        side = 2 * radius + 2
        shift = torch.randint(side, (2,), generator=self.random).tolist()
        cell = torch.arange(self.count, device=self.device)
        block_row = (cell // self.width + shift[0]) // side
        block_column = (cell % self.width + shift[1]) // side
        block = block_row * (self.width // side + 2) + block_column
        key = block + torch.rand(self.count, generator=self.random).to(self.device) * 0.99
        shuffled = key.double().argsort()
        usable = self.count - self.count % GROUP
        return shuffled[:usable].view(-1, GROUP)


def _box_blur(grid: Tensor, radius: int, dim: int) -> Tensor:
    """Return the sum over 2 * radius + 1 neighbours along `dim`, fewer at the borders."""
    size = grid.shape[dim]
    zero = torch.zeros_like(grid.narrow(dim, 0, 1), dtype=torch.float64)
    total = torch.cat([zero, grid.double().cumsum(dim)], dim)
    cell = torch.arange(size, device=grid.device)
    upper = total.index_select(dim, (cell + radius + 1).clamp(max=size))
    lower = total.index_select(dim, (cell - radius).clamp(min=0))
    return (upper - lower).to(grid.dtype)


def _scan_order(values: Tensor, height: int, width: int) -> Tensor:
    """Return a first [N] order: by the first principal component, strips of it by the second."""
    centred = (values - values.mean(dim=0)).double().cpu()
    _, _, directions = torch.linalg.svd(centred.T @ centred)
    along = centred @ directions.T[:, :2] if values.shape[1] > 1 else centred.repeat(1, 2)
    order = along[:, 0].argsort()
    strips = torch.arange(len(values)) // width
    return order[_lexicographic(strips, along[order, 1])]


def _lexicographic(major: Tensor, minor: Tensor) -> Tensor:
    by_minor = minor.argsort()
    return by_minor[major[by_minor].argsort(stable=True)]
