"""LPIPS (Zhang et al. 2018, VGG network), where the package and its weights are already here.

The weights of VGG are half a gigabyte that torchvision would download at first use; evaluation
must neither wait for a network nor hang without one, so it measures LPIPS only if the file exists.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn

VGG_WEIGHTS = "vgg16-397923af.pth"  # the name torchvision gives them in its cache


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
