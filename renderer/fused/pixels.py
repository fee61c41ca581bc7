"""Finite Gaussians and 8-bit pixels on a CUDA device, one kernel each; imports Triton."""

from __future__ import annotations

import torch
from streamstgs.renderer.fused import kernels
from streamstgs.renderer.gaussians import Gaussians
from torch import Tensor

_BLOCK = 1024


def rgb8(picture: Tensor) -> Tensor:
    """[H, W, 3] uint8 of a contiguous float32 picture: clipped to 0..1, scaled to 255, rounded.

    It is a view of [H, W, 4] pixels whose fourth byte is 255, which is how textures hold them.
    """
    height, width, _ = picture.shape
    pixels = torch.empty((height, width, 1), dtype=torch.int32, device=picture.device)
    count = height * width
    options = {"BLOCK": _BLOCK, "enable_fp_fusion": False}  # it would round otherwise than torch
    kernels.rgba8[(_blocks(count),)](picture, pixels, count, **options)
    return pixels.view(torch.uint8)[..., :3]


def sound_means(gaussians: Gaussians, hidden: tuple[float, float, float]) -> Tensor:
    """[N, 3] means, those of Gaussians that cannot be drawn replaced by the place `hidden`.

    These have a number that is not finite, or a quaternion of length 0. All attributes must be
    contiguous float32, and `sh` None.
    """
    means = torch.empty_like(gaussians.means)
    count = len(gaussians)
    kernels.hide_broken[(_blocks(count, 256),)](
        gaussians.means,
        gaussians.quats,
        gaussians.scales,
        gaussians.opacities,
        gaussians.colors,
        means,
        count,
        *hidden,
        BLOCK=256,
    )
    return means


def _blocks(count: int, size: int = _BLOCK) -> int:
    return -(-count // size)
