"""Which pixels move, and how well an image shows them: PSNR and SSIM over these pixels alone.

In most captures nearly all pixels stand still: a figure over the whole image says little about what
people look at. A pixel moves in a frame where the recorded image differs from the camera's temporal
median, or within a few pixels of such a place, so that blurred outlines count.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from streamstgs.trainer.optimization.losses import psnr
from streamstgs.trainer.optimization.structural_similarity import ssim_map
from streamstgs.trainer.setting_checks import Count, CountOrZero, Share, check_ranges
from streamstgs.trainer.validation import Metric, ValidationView
from torch import Tensor


@dataclass(frozen=True)
class MovingConfig:
    """Which pixels move.

    Args:
        threshold: A pixel moves where a channel differs from the camera's temporal median by more
            than this share of full scale.
        growth_px: Pixels within this distance, along rows and columns, of one that moves count.
        median_every: The median is taken over one of so many frames of the scene.
        least_pixels: A picture with fewer moving pixels has no figures.
    """

    threshold: Share = 0.06
    growth_px: CountOrZero = 2
    median_every: Count = 4
    least_pixels: Count = 64

    def __post_init__(self) -> None:
        check_ranges(self, "moving")


@dataclass(frozen=True)
class MovingQuality:
    """Quality of the moving pixels of one picture.

    Args:
        psnr: dB; None where too little moves.
        ssim: mean of the SSIM map (11x11 Gaussian window); None where too little moves.
        share: of the pixels, how many move.
    """

    psnr: float | None
    ssim: float | None
    share: float


def temporal_median(frames: Tensor) -> Tensor:
    """[H, W, 3] of frames [T, H, W, 3]."""
    return frames.median(dim=0).values


def moving_mask(target: Tensor, median: Tensor, config: MovingConfig) -> Tensor:
    """[H, W] bool: the pixels of a recorded picture that move.

    Args:
        target, median: [H, W, 3] in 0..1.
    """
    differs = (target - median).abs().amax(dim=-1) > config.threshold
    size, margin = 2 * config.growth_px + 1, config.growth_px
    grown = torch.nn.functional.max_pool2d(differs.float()[None], size, stride=1, padding=margin)
    return grown[0] > 0


def moving_quality(
    picture: Tensor, target: Tensor, median: Tensor, config: MovingConfig
) -> MovingQuality:
    """Of a drawn picture [H, W, 3] against a recorded one, both in 0..1, like the median."""
    mask = moving_mask(target, median, config)
    share = mask.float().mean().item()
    if int(mask.sum()) < config.least_pixels:
        return MovingQuality(None, None, share)
    similarity = ssim_map(picture[None], target[None])[0].mean(dim=-1)
    return MovingQuality(
        psnr(picture[mask], target[mask]).item(), similarity[mask].mean().item(), share
    )


def _moving_psnr(image: Tensor, view: ValidationView) -> Tensor:
    """[] PSNR of the moving pixels of a rendered image; NaN where too little moves."""
    found = None
    if view.median is not None:
        found = moving_quality(image, view.target, view.median.float() / 255, MovingConfig()).psnr
    return torch.tensor(math.nan if found is None else found)


MOVING_PSNR = Metric("moving PSNR", "dB", _moving_psnr)  # for validation while training
