"""The terms of the training loss (METHOD: L = L_c + 2 L_t + L_spatial + a_temp L_temp + ...)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv2d, huber_loss

SSIM_WINDOW = 11
SSIM_SIGMA = 1.5


def gaussian_kernel(size: int, sigma: float, device: torch.device) -> Tensor:
    """[size] weights of a Gaussian, sum 1."""
    x = torch.arange(size, device=device, dtype=torch.float32) - (size - 1) / 2
    weights = torch.exp(-(x**2) / (2 * sigma**2))
    return weights / weights.sum()


def _blur(planes: Tensor, kernel: Tensor) -> Tensor:
    """Separable blur of [B, H, W]; zero padding, as in the SSIM of 3DGS."""
    pad, kernel = len(kernel) // 2, kernel.to(planes.dtype)
    planes = conv2d(planes[:, None], kernel[None, None, :, None], padding=(pad, 0))
    return conv2d(planes, kernel[None, None, None, :], padding=(0, pad))[:, 0]


def ssim(picture: Tensor, target: Tensor) -> Tensor:
    """Mean structural similarity of [C, H, W, 3] pictures in 0..1 (Wang et al. 2004)."""
    kernel = gaussian_kernel(SSIM_WINDOW, SSIM_SIGMA, picture.device)
    x = picture.permute(0, 3, 1, 2).flatten(0, 1)
    y = target.permute(0, 3, 1, 2).flatten(0, 1)
    count = len(x)
    blurred = _blur(torch.cat([x, y, x * x, y * y, x * y]), kernel)
    mean_x, mean_y, xx, yy, xy = blurred.split(count)
    c1, c2 = 0.01**2, 0.03**2
    covariance = xy - mean_x * mean_y
    variances = xx - mean_x**2 + yy - mean_y**2
    similarity = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    return (similarity / ((mean_x**2 + mean_y**2 + c1) * (variances + c2))).mean()


def color_loss(picture: Tensor, target: Tensor, mask: Tensor, ssim_share: float) -> Tensor:
    """L_c = (1 - b) L1(I, I_gt) + b (1 - SSIM(I * M, I_gt * M)).

    Args:
        picture, target: [C, H, W, 3] in 0..1.
        mask: [C, H, W] M, where structure counts; L1 sees the whole picture.
        ssim_share: b.
    """
    l1 = (picture - target).abs().mean()
    shown = mask[..., None].to(picture.dtype)
    return (1 - ssim_share) * l1 + ssim_share * (1 - ssim(picture * shown, target * shown))


def temporal_loss(features: Tensor, frame: int, window: int, delta: float) -> Tensor:
    """L_temp: mean Huber of neighbouring feature frames in the window of `frame`.

    Quadratic for features that hardly change (static Gaussians), linear for moving ones.

    Args:
        features: [E, M, F]; a window of one frame is compared with the frame after it.
        delta: where quadratic turns linear, in feature units.
    """
    first = max(min(frame, len(features) - 2), 0)
    seen = features[first : first + max(window, 2)]
    if len(seen) < 2:  # the only frame there is
        return features.new_zeros(())
    return huber_loss(seen[1:], seen[:-1], delta=delta) / delta


def spatial_loss(planes: Tensor, height: int, width: int) -> Tensor:
    """L_spatial: mean absolute distance of sorted attribute images to their blurred selves.

    Args:
        planes: [H*W, D] attributes in grid order.
    """
    images = planes.T.reshape(-1, height, width)
    kernel = gaussian_kernel(5, 1.0, planes.device)
    padded = torch.nn.functional.pad(images[None], (2, 2, 2, 2), mode="replicate")[0]
    blurred = _blur(padded, kernel)[:, 2:-2, 2:-2]
    return (images - blurred.detach()).abs().mean()


def opacity_loss(opacities: Tensor) -> Tensor:
    """L_o: mean opacity; Gaussians that nobody needs fade and can be relocated."""
    return opacities.mean()


def psnr(picture: Tensor, target: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB of pictures in 0..1; identical ones get 100 dB."""
    return -10 * torch.log10(((picture - target) ** 2).mean().clamp(min=1e-10))
