"""Projection of points into images and back, sampling of images, and distances of points."""

from __future__ import annotations

import torch
from streamstgs.renderer import Camera
from torch import Tensor


def project(positions: Tensor, camera: Camera) -> tuple[Tensor, Tensor]:
    """Pixel coordinates [N, 2] and view depth [N] of world positions [N, 3]."""
    viewmat, K = camera.viewmat.to(positions.device), camera.K.to(positions.device)
    seen = positions @ viewmat[:3, :3].T + viewmat[:3, 3]
    depth = seen[:, 2]
    homogeneous = seen @ K.T
    return homogeneous[:, :2] / depth.clamp(min=1e-12)[:, None], depth


def unproject(pixels: Tensor, depth: Tensor, camera: Camera) -> Tensor:
    """World positions [N, 3] of pixel coordinates [N, 2] at view depth [N]."""
    viewmat, K = camera.viewmat.to(pixels.device), camera.K.to(pixels.device)
    rays = torch.cat([pixels, torch.ones_like(pixels[:, :1])], dim=1) @ torch.linalg.inv(K).T
    return (rays * depth[:, None] - viewmat[:3, 3]) @ viewmat[:3, :3]


def inside(pixels: Tensor, depth: Tensor, camera: Camera) -> Tensor:
    """[N] bool: in front of the camera and within its picture."""
    x, y = pixels.unbind(-1)
    return (depth > 0) & (x >= 0) & (y >= 0) & (x < camera.width) & (y < camera.height)


def sample(image: Tensor, pixels: Tensor) -> Tensor:
    """Nearest pixel of an image [H, W, ...] at pixel coordinates [N, 2], clamped to its border."""
    column = pixels[:, 0].long().clamp(0, image.shape[1] - 1)
    row = pixels[:, 1].long().clamp(0, image.shape[0] - 1)
    return image[row, column]


def distances(these: Tensor, those: Tensor) -> Tensor:
    """[N, M] distances of points [N, D] and [M, D], exact also far from the origin.

    By default `torch.cdist` takes the difference of large squares: points 1 apart and 10,000 from
    the origin would be at the same place.
    """
    return torch.cdist(these, those, compute_mode="donot_use_mm_for_euclid_dist")
