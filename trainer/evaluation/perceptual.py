"""What people see beside PSNR: MS-SSIM everywhere, LPIPS where its network is already here.

LPIPS (Zhang et al. 2018) compares activations of VGG. The package `lpips` ships only its own few
linear weights; those of VGG are half a gigabyte that torchvision would download at first use, and
no package carries them. Evaluation must neither wait for a network nor hang without one, so it
measures LPIPS only if the file is in torchvision's cache.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from trainer.optimization.structural_similarity import (
    C1,
    C2,
    SSIM_SIGMA,
    SSIM_WINDOW,
    blur,
    gaussian_kernel,
)

VGG_WEIGHTS = "vgg16-397923af.pth"  # the name torchvision gives them in its cache
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # Wang et al. 2003, from the finest
SMALLEST_SIDE_PX = SSIM_WINDOW * 2 ** (len(SCALE_WEIGHTS) - 1)


def ms_ssim(picture: Tensor, target: Tensor) -> float | None:
    """Multi-scale structural similarity (Wang, Simoncelli, Bovik 2003) of [H, W, 3] in 0..1.

    Contrast and structure at five scales, luminance at the coarsest; mean over channels. None for
    pictures that are too small for five scales.
    """
    if min(picture.shape[:2]) < SMALLEST_SIDE_PX:
        return None
    x, y = picture.permute(2, 0, 1), target.permute(2, 0, 1)
    result = torch.ones(3, device=picture.device)
    for scale, weight in enumerate(SCALE_WEIGHTS):
        if scale:
            x, y = avg_pool2d(x, 2), avg_pool2d(y, 2)
        coarsest = scale == len(SCALE_WEIGHTS) - 1
        result = result * _similarity(x, y, coarsest).clamp(min=0) ** weight
    return result.mean().item()


def _similarity(x: Tensor, y: Tensor, with_luminance: bool) -> Tensor:
    """[3] mean contrast-structure similarity of each channel of [3, H, W], or all of SSIM, where
    the window lies within the picture."""
    kernel, border = gaussian_kernel(SSIM_WINDOW, SSIM_SIGMA, x.device), SSIM_WINDOW // 2
    blurred = blur(torch.cat([x, y, x * x, y * y, x * y]), kernel)
    mean_x, mean_y, xx, yy, xy = blurred[:, border:-border, border:-border].split(3)
    variances = xx - mean_x**2 + yy - mean_y**2
    similarity = (2 * (xy - mean_x * mean_y) + C2) / (variances + C2)
    if with_luminance:
        similarity = similarity * (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
    return similarity.mean(dim=(1, 2))


@dataclass(frozen=True)
class PerceptualMetric:
    """LPIPS, or why there is none.

    Args:
        network: None where it cannot be had.
        reason: in words, for the result.
    """

    network: nn.Module | None
    reason: str

    @torch.no_grad()
    def read(self, picture: Tensor, target: Tensor) -> float | None:
        """Distance of pictures [H, W, 3] in 0..1; 0 for equal ones; None without a network."""
        if self.network is None:
            return None
        pair = torch.stack([picture, target]).permute(0, 3, 1, 2) * 2 - 1
        return float(self.network(pair[:1], pair[1:]))


def perceptual_metric(device: torch.device) -> PerceptualMetric:
    """LPIPS on a device, if it can be had without a download."""
    missing = [name for name in ("lpips", "torchvision") if find_spec(name) is None]
    if missing:
        return PerceptualMetric(None, f"not installed: {', '.join(missing)}")
    weights = Path(torch.hub.get_dir()) / "checkpoints" / VGG_WEIGHTS
    if not weights.exists():
        return PerceptualMetric(None, f"the weights of VGG are not at {weights}")
    import lpips

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lpips calls torchvision by a deprecated name
        network = lpips.LPIPS(net="vgg", verbose=False)
    return PerceptualMetric(network.to(device).eval(), f"lpips, VGG, weights of {weights}")
