"""Where a GOP starts: hull points of a few moments, laid out on the grid."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from codec.grid_sorting import SortSettings, grid_shape, sort_grid
from renderer import CanonicalGaussians, Gaussians, RenderSettings
from trainer.coarse.background import StillView, motion_mask
from trainer.config import TrainConfig
from trainer.datasets import Capture
from trainer.fine.config import GopConfig
from trainer.fine.footage import GopFootage
from trainer.optimization.gaussian_parameters import ATTRIBUTES
from trainer.optimization.rasterizer import depth_map
from trainer.points.dynamic_points import Moment, moving_points
from trainer.points.point_cloud import PointCloud, gaussians_from_points
from trainer.progress import log
from trainer.random_source import RandomSource

THOROUGHLY = SortSettings()
LOOKED_AT = 0.2  # half the side of the box around what the cameras look at, of their distance
FEWEST = 64  # a GOP in which nothing moves still gets a few moving Gaussians


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
        found: CanonicalGaussians, birth: Tensor, frames: int, config: GopConfig
    ) -> GopStart:
        """Lay Gaussians, seen first at the frames `birth` [M], on the grid.

        One that was there all the time has the birth NaN: its features start at 0.
        """
        order = grid_order(found, birth.nan_to_num(-1.0))
        return GopStart(found[order], initial_features(birth[order], frames, config))

    @staticmethod
    def of_checkpoint(state: dict) -> GopStart:
        """The Gaussians of `GopTraining.state_dict`: a resumed GOP needs no new start."""
        tensors = state["parameters"]["tensors"]
        return GopStart(CanonicalGaussians(*(tensors[n] for n in ATTRIBUTES)), tensors["features"])


def initial_features(birth: Tensor, frames: int, config: GopConfig) -> Tensor:
    """[M, E, F] features that say when each Gaussian was seen.

    Channel 0 falls from 1 at the frame of birth to -1 one moment away, which lets the field learn
    in a few steps to show a Gaussian only around its own time; the others start at 0, and so do
    all channels of a Gaussian that was there all the time (birth NaN).
    """
    count = frames + config.window - 1
    time = torch.arange(count, device=birth.device) - config.window // 2
    reach = max(frames / max(config.moments, 1), 1.0)
    away = (time[None] - birth[:, None]).abs() / reach
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
    parts, births = [], []
    if not config.static_split:
        parts.append(coarse)
        births.append(torch.full((len(coarse),), torch.nan, device=random.device))
    if config.gop.moments > 0:
        points, birth = moving_start(footage, stills, coarse.activate(), capture, config, random)
        parts.append(gaussians_from_points(points, opacity=0.3))
        births.append(birth)
    found = CanonicalGaussians(*(torch.cat([getattr(p, n) for p in parts]) for n in ATTRIBUTES))
    return GopStart.sorted(found, torch.cat(births), footage.count, config.gop)


def moving_start(
    footage: GopFootage,
    stills: list[StillView],
    static: Gaussians,
    capture: Capture,
    config: TrainConfig,
    random: RandomSource,
) -> tuple[PointCloud, Tensor]:
    """Points and the frame [M] that each was found in, evenly from the GOP's moments."""
    settings = RenderSettings(near=footage.near)
    depths = [depth_map(static, camera, settings) for camera in footage.cameras]
    bounds = _bounds(static, torch.tensor(capture.center), capture.camera_distance)
    each = config.gop.count // config.gop.moments
    parts, births = [], []
    for number in range(config.gop.moments):
        frame = int((number + 0.5) * footage.count / config.gop.moments)
        pictures = [f[frame] for f in footage.frames]
        masks = [
            motion_mask(picture[None], still.median, config.background.motion_threshold)[0]
            for picture, still in zip(pictures, stills, strict=True)
        ]
        moment = Moment(pictures, masks, depths)
        points = moving_points(footage.cameras, moment, bounds, each, config.hull, random)
        log.info("frame %d of the GOP: %d moving points", frame, len(points))
        parts.append(points)
        births.append(torch.full((len(points),), float(frame), device=random.device))
    if sum(len(p) for p in parts) < FEWEST:
        some = random.choice(FEWEST, len(static))
        parts.append(PointCloud(static.means[some], static.colors[some].clamp(0, 1)))
        births.append(torch.full((len(some),), footage.count / 2, device=random.device))
    return PointCloud.concatenate(parts), torch.cat(births)


def _bounds(static: Gaussians, center: Tensor, distance: float) -> tuple[Tensor, Tensor]:
    """Corners of a box around nearly all visible static Gaussians, a little widened, and around
    what the cameras look at: where little stands still, that is where things move.

    Args:
        center: [3] the point that the cameras look at.
        distance: of the cameras from it, world units.
    """
    visible = static.opacities > 0.1
    means = static.means[visible] if visible.any() else static.means
    ordered = means.sort(dim=0).values
    margin = len(ordered) // 200
    lower, upper = ordered[margin], ordered[-1 - margin]
    widened = 0.05 * (upper - lower)
    center, reach = center.to(lower), LOOKED_AT * distance
    return torch.minimum(lower - widened, center - reach), torch.maximum(
        upper + widened, center + reach
    )
