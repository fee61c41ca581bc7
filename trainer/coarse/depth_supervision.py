"""Depth supervision by the initial points (L_depth).

With two dozen cameras many shapes explain the training images; a held-out camera sees which one
is wrong. Where a point of the initial cloud is visible, the rendered depth is held to its depth
(as in Deng et al. 2022, DS-NeRF, but in inverse depth and with an L1 norm, so that a wrong point
pulls no more than a right one).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from streamstgs.renderer import Camera
from streamstgs.trainer.points.point_cloud import PointCloud
from streamstgs.trainer.points.projection import inside, project, sample
from torch import Tensor
from torch.nn.functional import max_pool2d

CELL_PX = 4  # a point hides others within its cell and the eight around it
DENSE_SHARE = 0.01  # points per pixel from which a cloud is a surface that can hide
HIDDEN_BEHIND = 1.02  # relative depth
COLOR_TOLERANCE = 0.15  # a point that looks otherwise here is hidden, or was moving


@dataclass(frozen=True)
class SparseDepth:
    """Known depths in one image.

    Args:
        rows, columns: [P] int64 pixels.
        depths: [P] view depth, world units.
    """

    rows: Tensor
    columns: Tensor
    depths: Tensor


def sparse_depth(points: PointCloud, camera: Camera, picture: Tensor, near: float) -> SparseDepth:
    """Depths of the points that a camera sees.

    Args:
        picture: [H, W, 3] uint8 image of the camera; points of another colour are left out.
        near: Distance of the near plane, world units.
    """
    pixels, depths = project(points.positions, camera)
    seen = inside(pixels, depths, camera) & (depths > near)
    pixels, depths, colors = pixels[seen], depths[seen], points.colors[seen]
    alike = (sample(picture, pixels).float() / 255 - colors).abs().amax(dim=1) < COLOR_TOLERANCE
    if len(points) > DENSE_SHARE * camera.width * camera.height:
        alike &= ~_hidden(pixels, depths, camera)
    columns, rows = pixels[alike].long().unbind(-1)
    return SparseDepth(rows, columns, depths[alike])


def _hidden(pixels: Tensor, depths: Tensor, camera: Camera) -> Tensor:
    """[P] bool: clearly behind another point of the neighbourhood."""
    width, height = camera.width // CELL_PX + 1, camera.height // CELL_PX + 1
    column, row = (pixels / CELL_PX).long().unbind(-1)
    cell = row * width + column
    nearness = torch.zeros(height * width, device=depths.device)
    nearness.scatter_reduce_(0, cell, 1 / depths, "amax")
    around = max_pool2d(nearness.reshape(1, 1, height, width), 3, stride=1, padding=1).flatten()
    return depths * around[cell] > HIDDEN_BEHIND


def depth_loss(drawn: Tensor, known: SparseDepth, near: float, unit: float) -> Tensor:
    """Mean absolute error of inverse depth at the known pixels; 0 where nothing is known.

    Args:
        drawn: [H, W] expected depth, world units.
        near: Nearer depths count as this; where nothing is rendered the expected depth is 0.
        unit: World units that make one unit of depth, so that the loss has no scale.
    """
    if len(known.depths) == 0:
        return drawn.new_zeros(())
    inverse = 1 / drawn[known.rows, known.columns].clamp(min=near)
    return (inverse - 1 / known.depths).abs().mean() * unit
