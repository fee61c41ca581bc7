"""Differentiable rasterisation: gsplat on CUDA, the reference backend elsewhere."""

from __future__ import annotations

from dataclasses import replace

import torch
from streamstgs.renderer import Camera, Gaussians, RenderSettings
from torch import Tensor


def rasterize(
    gaussians: Gaussians, cameras: list[Camera], settings: RenderSettings
) -> tuple[Tensor, Tensor]:
    """Pictures [C, H, W, 3] and alphas [C, H, W] of one set of Gaussians, with gradients."""
    if gaussians.means.is_cuda:
        from streamstgs.renderer.backends import gsplat_cuda

        colors, alphas, _ = gsplat_cuda.rasterize(gaussians, cameras, settings)
        return colors, alphas[..., 0]
    from streamstgs.renderer.backends import reference

    pictures = [reference.rasterize(gaussians, camera, settings) for camera in cameras]
    return torch.stack([c for c, _ in pictures]), torch.stack([a for _, a in pictures])


def rasterize_with_share(
    gaussians: Gaussians, marked: Tensor, cameras: list[Camera], settings: RenderSettings
) -> tuple[Tensor, Tensor, Tensor]:
    """Pictures [C, H, W, 3], alphas [C, H, W], and [C, H, W] how much of each pixel marked
    Gaussians draw, 0..1.

    Args:
        marked: [N], 1 for marked Gaussians, else 0.
    """
    if gaussians.means.is_cuda:
        from streamstgs.renderer.backends import gsplat_cuda

        told = replace(gaussians, colors=torch.cat([gaussians.colors, marked[:, None]], dim=1))
        drawn, alphas, _ = gsplat_cuda.rasterize(told, cameras, settings)
        return drawn[..., :3], alphas[..., 0], drawn[..., 3]
    pictures, covered = rasterize(gaussians, cameras, settings)
    black = RenderSettings(near=settings.near)
    as_color = gaussians.painted(marked[:, None].expand(-1, 3).contiguous())
    shares, _ = rasterize(as_color, cameras, black)
    return pictures, covered, shares[..., 0]


def rasterize_with_depth(
    gaussians: Gaussians, cameras: list[Camera], settings: RenderSettings
) -> tuple[Tensor, Tensor, Tensor]:
    """Pictures [C, H, W, 3], alphas [C, H, W] and expected depths [C, H, W] in world units, with
    gradients."""
    if gaussians.means.is_cuda:
        from streamstgs.renderer.backends import gsplat_cuda

        drawn, alphas, _ = gsplat_cuda.rasterize(gaussians, cameras, settings, depth=True)
        return drawn[..., :3], alphas[..., 0], drawn[..., 3]
    pictures, covered = rasterize(gaussians, cameras, settings)
    depths = [_expected_depth(gaussians, camera, settings)[0] for camera in cameras]
    return pictures, covered, torch.stack(depths)


@torch.no_grad()
def depth_map(gaussians: Gaussians, camera: Camera, settings: RenderSettings) -> Tensor:
    """[H, W] expected depth in world units; infinite where alpha is at most 0.5."""
    depth, alpha = _expected_depth(gaussians, camera, settings)
    return torch.where(alpha > 0.5, depth, torch.full_like(depth, torch.inf))


def _expected_depth(
    gaussians: Gaussians, camera: Camera, settings: RenderSettings
) -> tuple[Tensor, Tensor]:
    """[H, W] depth, 0 where no Gaussian is rendered, and alpha.

    Depth is linear in view space, so it is rasterised like a colour.
    """
    viewmat = camera.viewmat.to(gaussians.means.device)
    z = gaussians.means @ viewmat[2, :3] + viewmat[2, 3]
    as_color = gaussians.painted(z[:, None].expand(-1, 3).contiguous())
    black = RenderSettings(background=(0.0, 0.0, 0.0), near=settings.near)
    colors, alphas = rasterize(as_color, [camera], black)
    return colors[0, ..., 0] / alphas[0].clamp(min=1e-6), alphas[0]
