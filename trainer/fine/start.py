"""The start of a GOP: Gaussians on moving things, laid out on the grid."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from streamstgs.codec.encoder.grid_sorting import SortSettings, grid_shape, sort_grid
from streamstgs.renderer import CanonicalGaussians
from streamstgs.renderer.trajectories import Trajectories
from streamstgs.trainer.coarse.temporal_median import TemporalMedian
from streamstgs.trainer.datasets import Capture
from streamstgs.trainer.fine.config import GopConfig, GopStartConfig
from streamstgs.trainer.fine.moving_start import moving_start
from streamstgs.trainer.fine.training_views import GopViews
from streamstgs.trainer.optimization.gaussian_parameters import ATTRIBUTES
from streamstgs.trainer.points.point_cloud import gaussians_from_points, neighbour_distance
from streamstgs.trainer.rng import Rng
from torch import Tensor

THOROUGHLY = SortSettings()
ALWAYS = 4.0  # temporal extent, in GOPs, of Gaussians that are seen all the time


@dataclass(frozen=True)
class GopStart:
    """The canonical Gaussians of a GOP before training.

    Args:
        canonical: M Gaussians in the order of the grid, row by row.
        features: [M, E, F] temporal features.
    """

    canonical: CanonicalGaussians
    features: Tensor

    @staticmethod
    def sorted(
        found: CanonicalGaussians, centers: Tensor, extents: Tensor, frames: int, config: GopConfig
    ) -> GopStart:
        """Lay M Gaussians on the grid.

        Args:
            centers: [M] temporal centre, the frame around which each is seen at first; NaN for
                those seen all the time.
            extents: [M] temporal extent, frames before and after the centre.
        """
        order = grid_order(found, centers.nan_to_num(-1.0))
        centers, extents = centers[order], extents[order]
        if not config.trajectories:
            return GopStart(found[order], initial_features(centers, extents, frames, config))
        count = frames + config.window - 1
        features = torch.zeros(len(order), count, config.features, device=centers.device)
        paths = initial_trajectories(centers, extents, frames)
        return GopStart(replace(found[order], trajectories=paths), features)

    @staticmethod
    def of_checkpoint(state: dict) -> GopStart:
        """The Gaussians of `GopTraining.state_dict`: a resumed GOP needs no new start."""
        tensors = state["parameters"]["tensors"]
        return GopStart(CanonicalGaussians.of_tensors(tensors), tensors["features"])


def initial_features(centers: Tensor, extents: Tensor, frames: int, config: GopConfig) -> Tensor:
    """[M, E, F] features that say when each Gaussian is seen.

    Channel 0 falls from 1 at the temporal centre [M] to -1 a temporal extent [M] away, which lets
    the field learn in a few steps to show a Gaussian only around its own time; the others start at
    0, and so do all channels of a Gaussian that is seen all the time (centre NaN).
    """
    count = frames + config.window - 1
    time = torch.arange(count, device=centers.device) - config.window // 2
    away = (time[None] - centers[:, None]).abs() / extents[:, None]
    features = torch.zeros(len(centers), count, config.features, device=centers.device)
    features[..., 0] = ((1 - 2 * away).clamp(-1, 1) * 0.9).nan_to_num(0.0)
    return features


def initial_trajectories(centers: Tensor, extents: Tensor, frames: int) -> Trajectories:
    """Trajectories of M Gaussians at rest.

    Args:
        centers, extents: [M] frames, as for `GopStart.sorted`. Half of an extent is the standard
            deviation in time, so that Gaussians of neighbouring sample frames take turns.
    """
    always = centers.isnan()
    return Trajectories(
        velocities=torch.zeros(len(centers), 3, device=centers.device),
        centers=torch.where(always, 0.5, centers / frames),
        log_extents=torch.where(always, ALWAYS, 0.5 * extents / frames).log(),
    )


def spacing_of_frames(positions: Tensor, centers: Tensor) -> Tensor:
    """[M] distance of each point from neighbours of the same temporal centre [M], world units."""
    spacing = torch.zeros_like(centers)
    for frame in centers.unique():
        same = centers == frame
        spacing[same] = neighbour_distance(positions[same])
    return spacing


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
    training_views: GopViews,
    medians: list[TemporalMedian],
    coarse: CanonicalGaussians,
    capture: Capture,
    config: GopStartConfig,
    rng: Rng,
    ghosts: CanonicalGaussians | None = None,
) -> GopStart:
    """The start of a GOP.

    Args:
        ghosts: Gaussians that were taken out of the static layer; they start as always present.
        stills: of the training cameras.
        coarse: what the coarse stage left: the static layer, or, without a split, Gaussians that
            move in the GOP like all others.
    """
    parts, all_centers, all_extents = [], [], []
    always = ghosts if config.static_split else coarse
    if always is not None and len(always):
        parts.append(always)
        all_centers.append(torch.full((len(always),), torch.nan, device=rng.device))
        all_extents.append(torch.ones_like(all_centers[0]))
    if config.gop.sample_frames > 0:
        moving = moving_start(training_views, medians, coarse.activate(), capture, config, rng)
        spacing = None
        if config.gop.trajectories:
            spacing = spacing_of_frames(moving.points.positions, moving.centers)
        parts.append(gaussians_from_points(moving.points, 0.3, spacing))
        all_centers.append(moving.centers)
        all_extents.append(moving.extents)
    found = CanonicalGaussians.of_tensors(
        {name: torch.cat([getattr(part, name) for part in parts]) for name in ATTRIBUTES}
    )
    seen = torch.cat(all_centers), torch.cat(all_extents)
    return GopStart.sorted(found, *seen, training_views.count, config.gop)
