"""Where a GOP starts: Gaussians on what moves, laid out on the grid."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from streamstgs.codec.grid_sorting import SortSettings, grid_shape, sort_grid
from streamstgs.renderer import CanonicalGaussians
from streamstgs.trainer.coarse.background import StillView
from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.datasets import Capture
from streamstgs.trainer.fine.config import GopConfig
from streamstgs.trainer.fine.footage import GopFootage
from streamstgs.trainer.fine.moving_start import moving_start
from streamstgs.trainer.optimization.gaussian_parameters import ATTRIBUTES
from streamstgs.trainer.points.point_cloud import gaussians_from_points
from streamstgs.trainer.random_source import RandomSource
from torch import Tensor

THOROUGHLY = SortSettings()


@dataclass(frozen=True)
class GopStart:
    """The canonical Gaussians of a GOP before training.

    Args:
        canonical: M Gaussians in the order of the grid, row by row.
        features: [M, E, F].
    """

    canonical: CanonicalGaussians
    features: Tensor

    @staticmethod
    def sorted(
        found: CanonicalGaussians, birth: Tensor, reach: Tensor, frames: int, config: GopConfig
    ) -> GopStart:
        """Lay Gaussians on the grid that are first seen within `reach` [M] frames of the frames
        `birth` [M].

        One that was there all the time has the birth NaN: its features start at 0.
        """
        order = grid_order(found, birth.nan_to_num(-1.0))
        features = initial_features(birth[order], reach[order], frames, config)
        return GopStart(found[order], features)

    @staticmethod
    def of_checkpoint(state: dict) -> GopStart:
        """The Gaussians of `GopTraining.state_dict`: a resumed GOP needs no new start."""
        tensors = state["parameters"]["tensors"]
        return GopStart(CanonicalGaussians(*(tensors[n] for n in ATTRIBUTES)), tensors["features"])


def initial_features(birth: Tensor, reach: Tensor, frames: int, config: GopConfig) -> Tensor:
    """[M, E, F] features that say when each Gaussian was seen.

    Channel 0 falls from 1 at the frame of birth [M] to -1 a reach [M] away, which lets the field
    learn in a few steps to show a Gaussian only around its own time; the others start at 0, and so
    do all channels of a Gaussian that was there all the time (birth NaN).
    """
    count = frames + config.window - 1
    time = torch.arange(count, device=birth.device) - config.window // 2
    away = (time[None] - birth[:, None]).abs() / reach[:, None]
    features = torch.zeros(len(birth), count, config.features, device=birth.device)
    features[..., 0] = ((1 - 2 * away).clamp(-1, 1) * 0.9).nan_to_num(0.0)
    return features


def grid_order(
    gaussians: CanonicalGaussians, likeness: Tensor, settings: SortSettings = THOROUGHLY
) -> Tensor:
    """Order of the grid for Gaussians; those of equal `likeness` [M] or [M, K] lie together."""
    extra = likeness.reshape(len(gaussians), -1)
    spread = gaussians.means.std(dim=0, unbiased=False).mean().clamp(min=1e-6)
    extra = extra / extra.abs().max().clamp(min=1) / extra.shape[1] ** 0.5
    values = torch.cat([gaussians.means / spread, gaussians.colors, extra], dim=1)
    order = sort_grid(values, *grid_shape(len(gaussians)), seed=0, settings=settings)
    return order[order >= 0]


def gop_start(
    footage: GopFootage,
    stills: list[StillView],
    coarse: CanonicalGaussians,
    capture: Capture,
    config: TrainConfig,
    random: RandomSource,
) -> GopStart:
    """The start of a GOP.

    Args:
        stills: of the training cameras.
        coarse: what the coarse stage left: the static layer, or, without a split, Gaussians that
            move in the GOP like all others.
    """
    parts, births, reaches = [], [], []
    if not config.static_split:
        parts.append(coarse)
        births.append(torch.full((len(coarse),), torch.nan, device=random.device))
        reaches.append(torch.ones_like(births[0]))
    if config.gop.moments > 0:
        moving = moving_start(footage, stills, coarse.activate(), capture, config, random)
        parts.append(gaussians_from_points(moving.points, opacity=0.3))
        births.append(moving.birth)
        reaches.append(moving.reach)
    found = CanonicalGaussians(*(torch.cat([getattr(p, n) for p in parts]) for n in ATTRIBUTES))
    seen = torch.cat(births), torch.cat(reaches)
    return GopStart.sorted(found, *seen, footage.count, config.gop)
