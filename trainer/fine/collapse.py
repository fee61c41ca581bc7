"""Detect a GOP in training whose moving Gaussians have faded, and begin it again more gently.

Moving Gaussians that fall below the opacity that is drawn get no gradient and never come back: the
GOP then shows its static layer and nothing else, and each further step is wasted. That can begin
where most moving Gaussians are wrong in most frames: their opacities fall faster than anything else
can learn. So while training, the pictures of moving pixels are compared with those of the static
layer alone, and the opacities are looked at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from streamstgs.renderer import Gaussians, RenderSettings
from streamstgs.trainer.coarse.color_correction import correct_colors
from streamstgs.trainer.errors import TrainerError
from streamstgs.trainer.fine.config import GopConfig
from streamstgs.trainer.optimization.losses import psnr
from streamstgs.trainer.optimization.rasterizer import rasterize
from torch import Tensor

if TYPE_CHECKING:
    from streamstgs.trainer.fine.stage import GopTraining

FIRST_LOOK = 300  # steps, before which a healthy GOP may still look like its static layer
LOOKED_AT = 4  # frames that are compared, each in another camera
LEAST_PIXELS = 64  # moving ones in those pictures; with fewer, fading is no loss
LEAST_GAIN_DB = 0.1  # by which moving Gaussians must improve what moves
LEAST_SEEN = 0.02  # share of the moving Gaussians that must be seen in some frame
ATTEMPTS = 3  # trainings of a GOP, before it is given up
GENTLER = 0.2  # the learning rate of the opacities is multiplied by this at each attempt


class GopCollapsedError(TrainerError):
    """The moving Gaussians of a GOP show nothing."""


@dataclass(frozen=True)
class GopHealth:
    """What the moving Gaussians of a GOP in training are worth.

    Args:
        seen_share: of the moving Gaussians, those that are seen in some sampled frame.
        gain_db: PSNR of moving pixels, less that of the static layer alone; None where too few
            pixels move.
        is_finite: no parameter is infinite or NaN.
    """

    seen_share: float
    gain_db: float | None
    is_finite: bool

    @property
    def problem(self) -> str | None:
        """What is wrong in words; None where nothing is."""
        if not self.is_finite:
            return "some of its parameters are not finite"
        if self.gain_db is None:
            return None
        if self.seen_share < LEAST_SEEN:
            return f"only {self.seen_share:.1%} of its moving Gaussians are still visible"
        if self.gain_db < LEAST_GAIN_DB:
            return f"its moving Gaussians change what moves by {self.gain_db:+.2f} dB only"
        return None


@torch.no_grad()
def health(training: GopTraining) -> GopHealth:
    """Look at a GOP in training."""
    opacities = training.sampled_opacities()
    if training.has_trajectories:
        opacities = opacities[:-1]  # those at the temporal centres are without the field
    seen = opacities.amax(dim=0) >= training.config.density.min_opacity
    finite = all(bool(t.isfinite().all()) for t in training.canonical().tensors().values())
    weights = training.field.state_dict().values()
    finite = finite and all(bool(weight.isfinite().all()) for weight in weights)
    return GopHealth(seen.float().mean().item(), _gain_db(training), finite)


def check(training: GopTraining) -> None:
    """Raises GopCollapsedError, with what is wrong, once a GOP has collapsed."""
    if training.iteration < min(FIRST_LOOK, training.config.iterations // 2):
        return
    problem = health(training).problem
    if problem is not None:
        raise GopCollapsedError(f"{problem} at step {training.iteration}")


def gentler(config: GopConfig) -> GopConfig:
    """Settings for the next attempt: what makes Gaussians fade is weaker, or is left out.

    Opacities learn more slowly, nothing presses on them, and the field, which changes all Gaussians
    at once, starts later.
    """
    return replace(
        config,
        opacities_lr=GENTLER * config.opacities_lr,
        opacity_reg=0.0,
        static_alpha_reg=GENTLER * config.static_alpha_reg,
        field_start=(1 + config.field_start) / 2,
    )


def _gain_db(training: GopTraining) -> float | None:
    """By how much the moving Gaussians improve moving pixels of a few pictures."""
    views, drawn = training.training_views, []
    settings = RenderSettings(views.background or (0.0, 0.0, 0.0), views.near)
    for k in range(LOOKED_AT):
        frame = int((k + 0.5) * views.count / LOOKED_AT)
        view = k * len(views.cameras) // LOOKED_AT
        target, mask = views.frames[view][frame].float() / 255, views.masks[view]
        both = [
            _drawn(gaussians, training, view, settings)[mask]
            for gaussians in (training.static, training.gaussians_at(frame))
        ]
        drawn.append([*both, target[mask]])
    alone, all_of_it, target = (torch.cat(parts) for parts in zip(*drawn, strict=True))
    if len(target) < LEAST_PIXELS:
        return None
    gain = (psnr(all_of_it, target) - psnr(alone, target)).item()
    return gain if math.isfinite(gain) else -math.inf


def _drawn(
    gaussians: Gaussians, training: GopTraining, view: int, settings: RenderSettings
) -> Tensor:
    """[H, W, 3] as the camera would have recorded it."""
    views = training.training_views
    picture, _ = rasterize(gaussians.detach(), [views.cameras[view]], settings)
    if views.corrections is not None:
        picture = correct_colors(picture, views.corrections[view][None])
    return picture[0].clamp(0, 1)
