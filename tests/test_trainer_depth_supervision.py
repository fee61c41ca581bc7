"""Depths that initial points give, and the loss that holds the drawn depth to them."""

from __future__ import annotations

import pytest
import torch
from streamstgs.renderer import Camera
from streamstgs.trainer.coarse.depth_supervision import SparseDepth, depth_loss, sparse_depth
from streamstgs.trainer.points.point_cloud import PointCloud

pytestmark = pytest.mark.usefixtures("one_thread")

NEAR = 0.1


@pytest.fixture
def camera() -> Camera:
    eye, middle, up = torch.tensor([0.0, 0, -4]), torch.zeros(3), torch.tensor([0.0, -1, 0])
    return Camera.look_at(eye, middle, up, 0.8, 32, 24)


def cloud(*positions: tuple[float, float, float], color: float = 0.5) -> PointCloud:
    where = torch.tensor(positions)
    return PointCloud(where, torch.full_like(where, color))


GREY = torch.full((24, 32, 3), 128, dtype=torch.uint8)


def test_sparse_depth_of_a_visible_point(camera: Camera) -> None:
    known = sparse_depth(cloud((0.0, 0.0, 0.0)), camera, GREY, NEAR)
    assert (known.rows.tolist(), known.columns.tolist()) == ([12], [16])
    assert known.depths.tolist() == pytest.approx([4.0])


def test_sparse_depth_ignores_points_out_of_sight(camera: Camera) -> None:
    behind, beside, near = (0.0, 0.0, -5.0), (50.0, 0.0, 0.0), (0.0, 0.0, -3.95)
    assert len(sparse_depth(cloud(behind, beside, near), camera, GREY, NEAR).depths) == 0


def test_sparse_depth_ignores_points_of_another_color(camera: Camera) -> None:
    assert len(sparse_depth(cloud((0.0, 0.0, 0.0), color=0.9), camera, GREY, NEAR).depths) == 0


def test_sparse_depth_hides_points_in_dense_clouds(camera: Camera) -> None:
    front = [(0.01 * k, 0.0, 0.0) for k in range(8)]
    known = sparse_depth(cloud(*front, (0.0, 0.0, 2.0)), camera, GREY, NEAR)
    assert known.depths.tolist() == pytest.approx([4.0] * 8)


def test_sparse_depth_hides_nothing_in_sparse_clouds(camera: Camera) -> None:
    known = sparse_depth(cloud((0.0, 0.0, 0.0), (0.0, 0.0, 2.0)), camera, GREY, NEAR)
    assert sorted(known.depths.tolist()) == pytest.approx([4.0, 6.0])


def test_depth_loss_equals_hand_computation() -> None:
    drawn = torch.tensor([[2.0, 5.0], [0.0, 7.0]], requires_grad=True)
    known = SparseDepth(torch.tensor([0, 1]), torch.tensor([0, 0]), torch.tensor([4.0, 1.0]))
    # |1/2 - 1/4| at the first pixel; nothing is drawn at the second: |1/0.1 - 1|
    loss = depth_loss(drawn, known, near=0.1, unit=2.0)
    assert loss.item() == pytest.approx(2.0 * (0.25 + 9.0) / 2)
    loss.backward()
    assert drawn.grad is not None
    assert drawn.grad[0, 0].item() == pytest.approx(-2.0 * 0.5 / 4)  # d(1/z) = -1/z^2
    assert drawn.grad[0, 1].item() == 0


def test_depth_loss_without_known_depths_is_zero() -> None:
    nothing = torch.zeros(0, dtype=torch.long)
    known = SparseDepth(nothing, nothing, torch.zeros(0))
    assert depth_loss(torch.ones(2, 2), known, 0.1, 1.0).item() == 0
