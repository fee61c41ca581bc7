"""Settings of the coarse stage."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from annotated_types import Ge, Lt
from streamstgs.trainer.coarse.density import McmcConfig
from streamstgs.trainer.optimization.gaussian_parameters import LearningRates
from streamstgs.trainer.setting_checks import Count, Share, Weight, check_ranges


@dataclass(frozen=True)
class CoarseConfig(LearningRates):
    """Schedule and weights of the coarse stage.

    Args:
        iterations: Number of optimiser steps.
        batch_size: Images that make a batch.
        learns_from: The stage learns from the temporal "medians" of the cameras, or from the
            "frames" of the video.
        frames: Internal. At most this many frames of the video are held in memory, evenly spread.
        reliable_share: Internal. A median counts where at least this share of frames agrees with
            it.
        ssim_lambda: Weight of SSIM in L_c (b of the paper).
        opacity_reg: Weight of the mean opacity (3DGS-MCMC, Eq. 12).
        scale_reg: Weight of the mean scale in units of the scene (3DGS-MCMC, Eq. 12).
        depth_lambda: Weight of the error of inverse depth at the initial points.
        free_space_reg: Weight of the alpha rendered in free space (free_space.py).
        background_alpha_reg: Weight of the alpha rendered where a camera sees only the flat colour
            behind the scene. Haze of that colour changes no training image, but the views between.
        dropout: Share of the Gaussians left out of a step; it grows to this over the schedule.
        density: Relocation, growth and SGLD noise.
    """

    iterations: Count = 8_000
    batch_size: Count = 1
    learns_from: Literal["medians", "frames"] = "medians"
    frames: Count = 300
    reliable_share: Share = 0.5
    ssim_lambda: Share = 0.2
    opacity_reg: Weight = 0.01
    scale_reg: Weight = 0.14
    depth_lambda: Weight = 0.2
    free_space_reg: Weight = 1.0
    background_alpha_reg: Weight = 0.2
    dropout: Annotated[float, Lt(1), Ge(0)] = 0.2
    density: McmcConfig = field(default_factory=McmcConfig)

    def __post_init__(self) -> None:
        check_ranges(self, "coarse")

    @property
    def frames_held(self) -> int:
        """Frames of the video that the stage holds in memory, at most; 0 with medians."""
        return self.frames if self.learns_from == "frames" else 0

    def for_images(self, width: int, height: int) -> CoarseConfig:
        """The same with the cap that images of this size in px allow."""
        return replace(self, density=self.density.for_images(width, height))
