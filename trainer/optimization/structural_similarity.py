"""SSIM with a backward pass worked by hand: half the blurs, and none of the graph in between."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import conv2d

SSIM_WINDOW = 11
SSIM_SIGMA = 1.5
C1, C2 = 0.01**2, 0.03**2


@cache
def gaussian_kernel(size: int, sigma: float, device: torch.device) -> Tensor:
    """[size] weights of a Gaussian, sum 1; every caller gets the same tensor, not to be changed."""
    x = torch.arange(size, device=device, dtype=torch.float32) - (size - 1) / 2
    weights = torch.exp(-(x**2) / (2 * sigma**2))
    return weights / weights.sum()


def blur(planes: Tensor, kernel: Tensor) -> Tensor:
    """Separable blur of [B, H, W]; zero padding, as in the SSIM of 3DGS.

    The planes are channels of one depthwise convolution: for many planes and one input and output
    channel each, cuDNN's convolutions fill matrices that are nearly empty.
    """
    count, pad = len(planes), len(kernel) // 2
    kernel = kernel.to(planes.dtype).expand(count, 1, 1, -1)
    down = conv2d(planes[None], kernel.mT, padding=(pad, 0), groups=count)
    return conv2d(down, kernel, padding=(0, pad), groups=count)[0]


def ssim(picture: Tensor, target: Tensor) -> Tensor:
    """Mean structural similarity of [C, H, W, 3] pictures in 0..1 (Wang et al. 2004).

    Differentiable with respect to the first picture only.
    """
    x = picture.permute(0, 3, 1, 2).flatten(0, 1)
    y = target.permute(0, 3, 1, 2).flatten(0, 1)
    return _MeanSimilarity.apply(x.contiguous(), y.contiguous())


@torch.no_grad()
def ssim_map(image: Tensor, target: Tensor) -> Tensor:
    """[C, H, W, 3] structural similarity at each pixel of images of this shape in 0..1."""
    x, y = (p.permute(0, 3, 1, 2).flatten(0, 1) for p in (image, target))
    kernel = gaussian_kernel(SSIM_WINDOW, SSIM_SIGMA, x.device)
    blurred = blur(torch.cat([x, y, x * x, y * y, x * y]), kernel)
    mean_x, mean_y, xx, yy, xy = blurred.split(len(x))
    product, squares = mean_x * mean_y, mean_x**2 + mean_y**2
    above = (2 * product + C1) * (2 * (xy - product) + C2)
    found = above / ((squares + C1) * (xx + yy - squares + C2))
    return found.unflatten(0, (-1, 3)).permute(0, 2, 3, 1)


class _MeanSimilarity(torch.autograd.Function):
    """Mean SSIM of planes [B, H, W]; the gradient is that of x.

    S = A1 A2 / (B1 B2) is a function of the blurred planes x, x^2 and x y (and of y alone), and
    the blur is its own adjoint: dS/dx = blur(dS/dmean) + 2 x blur(dS/dxx) + y blur(dS/dxy).
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
        kernel = gaussian_kernel(SSIM_WINDOW, SSIM_SIGMA, x.device)
        blurred = blur(torch.cat([x, y, x * x, y * y, x * y]), kernel)
        mean_x, mean_y, xx, yy, xy = blurred.split(len(x))
        product = mean_x * mean_y
        squares = mean_x**2 + mean_y**2
        a1, a2 = 2 * product + C1, 2 * (xy - product) + C2
        b1, b2 = squares + C1, xx + yy - squares + C2
        below = (b1 * b2).reciprocal()
        similarity = a1 * a2 * below
        if ctx.needs_input_grad[0]:
            by_mean = 2 * mean_y * (a2 - a1) * below
            by_mean += 2 * mean_x * similarity * (b2.reciprocal() - b1.reciprocal())
            slopes = torch.cat([by_mean, -similarity / b2, 2 * a1 * below])
            ctx.save_for_backward(x, y, slopes)
        return similarity.mean()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        x, y, slopes = ctx.saved_tensors
        kernel = gaussian_kernel(SSIM_WINDOW, SSIM_SIGMA, x.device)
        by_mean, by_xx, by_xy = blur(slopes, kernel).split(len(x))
        return (grads[0] / x.numel()) * (by_mean + 2 * x * by_xx + y * by_xy), None
