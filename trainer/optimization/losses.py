"""The terms of the training loss (METHOD: L = L_c + 2 L_t + L_spatial + a_temp L_temp + ...)."""

from __future__ import annotations

import torch
from streamstgs.renderer import CanonicalGaussians
from streamstgs.trainer.optimization.structural_similarity import blur, gaussian_kernel, ssim
from torch import Tensor
from torch.nn.functional import huber_loss


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
    return (images - _surroundings(images)).abs().mean()


@torch.no_grad()
def _surroundings(images: Tensor) -> Tensor:
    """Images [D, H, W], blurred; what lies outside is as the border is."""
    kernel = gaussian_kernel(5, 1.0, images.device)
    padded = torch.nn.functional.pad(images[None], (2, 2, 2, 2), mode="replicate")[0]
    return blur(padded, kernel)[:, 2:-2, 2:-2]


def attribute_loss(canonical: CanonicalGaussians, extent: float, height: int, width: int) -> Tensor:
    """L_spatial of Gaussians in grid order; cells from their number on repeat the last one.

    Args:
        extent: world units that one unit of the means' planes stands for.
    """
    planes = torch.cat(
        [
            canonical.means / extent,
            canonical.log_scales / 10,
            canonical.opacity_logits[:, None] / 10,
            canonical.colors,
        ],
        dim=1,
    )
    missing = height * width - len(planes)
    planes = torch.cat([planes, planes[-1:].detach().expand(missing, -1)])
    return spatial_loss(planes, height, width)


def unwanted_loss(shares: Tensor, unwanted: Tensor) -> Tensor:
    """Mean over all pixels of what is drawn where it should not be.

    Args:
        shares: [C, H, W] how much of each pixel is drawn, 0..1.
        unwanted: [C, H, W], 1 or True where that is unwanted, else 0.
    """
    return (shares * unwanted).mean()


def opacity_loss(opacities: Tensor) -> Tensor:
    """L_o: mean opacity; Gaussians that nobody needs fade and can be relocated."""
    return opacities.mean()


def psnr(picture: Tensor, target: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB of pictures in 0..1; identical ones get 100 dB."""
    return -10 * torch.log10(((picture - target) ** 2).mean().clamp(min=1e-10))
