"""The terms of the training loss; `coarse/stage.py` and `fine/stage.py` put them together.

The paper's: L_c `color_loss`, L_temp `temporal_loss`, L_spatial `attribute_loss`, L_o
`opacity_loss`; L_t is L_c of a second image and L_sd `distillation_loss`, both of the auxiliary
pass (fine/auxiliary.py). Ours: `alpha_penalty` and `scale_loss`.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from streamstgs.renderer import CanonicalGaussians
from streamstgs.trainer.optimization.structural_similarity import blur, gaussian_kernel, ssim
from torch import Tensor
from torch.nn.functional import huber_loss


class LossTerms:
    """Weighted terms of a loss by their names."""

    def __init__(self) -> None:
        self._terms: dict[str, Tensor] = {}

    def add(self, name: str, weight: float, term: Callable[[], Tensor]) -> None:
        """Add `weight` times a term []; a term of weight 0 is not computed."""
        if weight > 0:
            self._terms[name] = weight * term()

    def term(self, name: str) -> Tensor:
        """[] a weighted term without its gradient; 0 where it was not added."""
        return self._terms[name].detach() if name in self._terms else torch.zeros(())

    @property
    def total(self) -> Tensor:
        """[] the sum of all terms."""
        return torch.stack(list(self._terms.values())).sum()

    def backward(self) -> Tensor:
        """Compute the gradients of the total; returns it [] without its graph."""
        total = self.total
        if total.requires_grad:  # not where no view shows a Gaussian and L_c is the only term
            total.backward()
        return total.detach()

    def detached(self) -> dict[str, Tensor]:
        """The weighted terms without gradients."""
        return {name: term.detach() for name, term in self._terms.items()}


def color_loss(picture: Tensor, target: Tensor, mask: Tensor, ssim_lambda: float) -> Tensor:
    """L_c = (1 - b) L1(I, I_gt) + b (1 - SSIM(I * M, I_gt * M)).

    Args:
        picture, target: [C, H, W, 3] images in 0..1.
        mask: [C, H, W] M, the pixels that SSIM sees; L1 sees the whole image.
        ssim_lambda: b.
    """
    l1 = (picture - target).abs().mean()
    shown = mask[..., None].to(picture.dtype)
    return (1 - ssim_lambda) * l1 + ssim_lambda * (1 - ssim(picture * shown, target * shown))


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
    """Blurred images [D, H, W]; the border is repeated outside."""
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


def alpha_penalty(alphas: Tensor, penalised: Tensor) -> Tensor:
    """Mean over all pixels of the alpha rendered at penalised pixels.

    Args:
        alphas: [C, H, W] rendered alpha, or the share of some of the Gaussians in it, 0..1.
        penalised: [C, H, W], 1 or True at penalised pixels, else 0.
    """
    return (alphas * penalised).mean()


def masked_l1(picture: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Mean absolute difference over the masked pixels alone; 0 where there are none.

    Args:
        picture, target: [C, H, W, 3] images in 0..1.
        mask: [C, H, W], 1 at masked pixels, else 0.
    """
    differences = (picture - target).abs().mean(dim=-1) * mask
    return differences.sum() / mask.sum().clamp(min=1)


def mse_loss(picture: Tensor, target: Tensor) -> Tensor:
    """Mean squared difference of [C, H, W, 3] images in 0..1.

    L1 is indifferent to whether an error is spread or in one place; PSNR is not.
    """
    return torch.nn.functional.mse_loss(picture, target)


def opacity_loss(opacities: Tensor) -> Tensor:
    """L_o: mean opacity [N]; Gaussians that no image needs fade and can be relocated."""
    return opacities.mean()


def scale_loss(scales: Tensor, scene_scale: float) -> Tensor:
    """Mean scale [N, 3] in units of the scene: Gaussians shrink (3DGS-MCMC, Eq. 12)."""
    return scales.mean() / scene_scale


def psnr(picture: Tensor, target: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB of pictures in 0..1; identical ones get 100 dB."""
    return -10 * torch.log10(((picture - target) ** 2).mean().clamp(min=1e-10))
