"""PLAS-type sorting: a permutation, repeatable, and much smoother than simple orders."""

from __future__ import annotations

import pytest
import torch
from streamstgs.codec.encoder.grid_sorting import grid_shape, sort_grid
from torch import Tensor


def clustered_values(count: int, seed: int = 0) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    centres = torch.randn(30, 6, generator=random)
    chosen = torch.randint(30, (count,), generator=random)
    return centres[chosen] * 0.7 + 0.3 * torch.randn(count, 6, generator=random)


def neighbour_distance(values: Tensor, order: Tensor, height: int, width: int) -> float:
    """Mean distance of the values in horizontally and vertically adjoining cells."""
    grid = torch.full((height * width, values.shape[1]), float("nan"))
    grid[order >= 0] = values[order[order >= 0]]
    grid = grid.view(height, width, -1)
    down = (grid[1:] - grid[:-1]).norm(dim=-1).flatten()
    right = (grid[:, 1:] - grid[:, :-1]).norm(dim=-1).flatten()
    return torch.cat([down, right]).nanmean().item()


def morton_order(values: Tensor, height: int, width: int) -> Tensor:
    """Items along a Z-order curve through their first two principal directions, 16 bits each."""
    centred = values - values.mean(dim=0)
    plane = centred @ torch.linalg.svd(centred, full_matrices=False).Vh[:2].T
    ranks = plane.argsort(dim=0).argsort(dim=0)

    def interleave(a: Tensor, b: Tensor) -> Tensor:
        return sum((a >> k & 1) << 2 * k | (b >> k & 1) << 2 * k + 1 for k in range(16))

    by_value = interleave(ranks[:, 0], ranks[:, 1]).argsort()
    row, column = torch.arange(height * width) // width, torch.arange(height * width) % width
    by_cell = interleave(column, row).argsort()
    order = torch.full((height * width,), -1)
    order[by_cell[: len(values)]] = by_value
    return order


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 63, 64, 65, 500, 1000])
def test_every_item_gets_one_cell_and_padding_comes_last(count: int) -> None:
    height, width = grid_shape(count)
    order = sort_grid(clustered_values(count), height, width)
    assert order.dtype == torch.int64
    assert sorted(order[:count].tolist()) == list(range(count))
    assert (order[count:] == -1).all()


def test_neighbours_in_the_grid_are_similar() -> None:
    values = clustered_values(3000)
    height, width = grid_shape(3000)
    random_order = torch.full((height * width,), -1)
    random_order[:3000] = torch.randperm(3000, generator=torch.Generator().manual_seed(1))
    by_chance = neighbour_distance(values, random_order, height, width)
    by_curve = neighbour_distance(values, morton_order(values, height, width), height, width)
    sorted_ = neighbour_distance(values, sort_grid(values, height, width), height, width)
    assert sorted_ < 0.5 * by_chance
    assert sorted_ < 0.8 * by_curve


def test_padding_has_no_influence_on_the_order() -> None:
    """Far from the origin, padding taken for zeros would draw cells towards it."""
    values = clustered_values(1100)
    height, width = grid_shape(1100)
    near = neighbour_distance(values, sort_grid(values, height, width), height, width)
    far = neighbour_distance(values, sort_grid(values + 100.0, height, width), height, width)
    assert far == pytest.approx(near, rel=0.1)


def test_same_seed_same_order() -> None:
    values = clustered_values(700)
    first, again, other = (sort_grid(values, 32, 24, seed=seed) for seed in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_sorting_leaves_its_input_unchanged() -> None:
    values = clustered_values(200)
    copy = values.clone()
    sort_grid(values, 16, 16)
    assert torch.equal(values, copy)


def test_sorting_handles_one_channel_and_equal_values() -> None:
    assert sorted(sort_grid(torch.zeros(50, 1), 8, 8)[:50].tolist()) == list(range(50))


def test_impossible_input_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        sort_grid(torch.zeros(65, 2), 8, 8)
    with pytest.raises(ValueError, match="finite"):
        sort_grid(torch.full((4, 2), float("nan")), 8, 8)


@pytest.mark.parametrize("count", [0, 1, 64, 65, 1000, 20_000, 150_000])
def test_grid_sides_are_multiples_of_eight_with_little_padding(count: int) -> None:
    height, width = grid_shape(count)
    assert height % 8 == width % 8 == 0
    assert height <= width <= height + 8 or height == width
    assert count <= height * width < count + 8 * width + 1
