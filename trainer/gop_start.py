"""The moving Gaussians' start for one GOP: hull points of a few moments."""

from __future__ import annotations

import torch
from torch import Tensor

from renderer import Gaussians, RenderSettings
from trainer.background import StillView, motion_mask
from trainer.config import TrainConfig
from trainer.dynamic_points import Moment, moving_points
from trainer.gop_stage import GopFootage
from trainer.point_cloud import PointCloud
from trainer.progress import log
from trainer.random_source import RandomSource
from trainer.rasterizer import depth_map

FEWEST = 64  # a GOP in which nothing moves still gets a few moving Gaussians


def moving_start(
    footage: GopFootage,
    stills: list[StillView],
    static: Gaussians,
    config: TrainConfig,
    random: RandomSource,
) -> tuple[PointCloud, Tensor]:
    """Points and the frame [M] that each was found in, evenly from the GOP's moments."""
    settings = RenderSettings(near=footage.near)
    depths = [depth_map(static, camera, settings) for camera in footage.cameras]
    bounds = _bounds(static)
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


def _bounds(static: Gaussians) -> tuple[Tensor, Tensor]:
    """Corners of a box around nearly all visible static Gaussians, a little widened."""
    visible = static.opacities > 0.1
    means = static.means[visible] if visible.any() else static.means
    ordered = means.sort(dim=0).values
    margin = len(ordered) // 200
    lower, upper = ordered[margin], ordered[-1 - margin]
    return lower - 0.05 * (upper - lower), upper + 0.05 * (upper - lower)
