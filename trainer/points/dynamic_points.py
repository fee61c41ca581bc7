"""Points on moving things: every camera that sees the place sees motion there.

In a few sample frames of the GOP space is carved by the motion masks (a visual hull): a point stays
if the cameras that see it, and are not shadowed by the static layer, see motion there. Among the
points that stay, those whose colour the cameras agree on are preferred: they lie on a surface.
Where nothing stays though things move, either the static layer is wrong and hides them, or no more
than two cameras see the same place: then less is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from streamstgs.renderer import Camera
from streamstgs.trainer.points.point_cloud import PointCloud
from streamstgs.trainer.points.projection import inside, project, sample
from streamstgs.trainer.rng import Rng
from streamstgs.trainer.setting_checks import Count, CountOrZero, Share, Weight, check_ranges
from torch import Tensor


@dataclass(frozen=True)
class HullConfig:
    """Internal: how points on moving things are found.

    Args:
        candidates: Random points tried in the bounds of the scene.
        agreement: Least share of unshadowed cameras that must see motion.
        cameras_min: Least number of cameras that must see motion; half of the cameras, but no
            fewer than two, are enough.
        depth_tolerance: A point this share deeper than the static layer still counts as visible.
        rounds: Number of times that surviving points are jittered to find more.
    """

    candidates: Count = 2_000_000
    agreement: Share = 0.9
    cameras_min: Count = 3
    depth_tolerance: Weight = 0.01
    rounds: CountOrZero = 6

    def __post_init__(self) -> None:
        check_ranges(self, "hull")

    def least_cameras(self, cameras: int) -> int:
        """How many of so many cameras must see motion: few of them rarely all see a place."""
        return min(self.cameras_min, max(2, cameras // 2))


@dataclass(frozen=True)
class SampleFrame:
    """One frame by all cameras.

    Args:
        images: [H, W, 3] uint8, one a camera.
        masks: [H, W] bool, moving pixels.
        depths: [H, W] depth of the static layer.
    """

    images: list[Tensor]
    masks: list[Tensor]
    depths: list[Tensor]


def moving_points(
    cameras: list[Camera],
    observed: SampleFrame,
    bounds: tuple[Tensor, Tensor],
    count: int,
    config: HullConfig,
    rng: Rng,
) -> PointCloud:
    """At most `count` coloured points on moving things in one frame; fewer where little moves.

    Args:
        bounds: [3] lower and upper corner of the scene.
    """
    lower, upper = bounds
    positions = lower + (upper - lower) * rng.uniform(config.candidates, 3)
    for seen, least in _ways_to_look(observed, config.least_cameras(len(cameras))):
        kept, colors, spread = _carve(positions, cameras, seen, config, least)
        if len(kept) > 0:
            break
    spacing = ((upper - lower).prod() / config.candidates) ** (1 / 3)
    for _ in range(config.rounds):
        if len(kept) == 0 or len(kept) >= 4 * count:
            break
        parents = kept.repeat(max(1, 4 * count // len(kept)), 1)
        children = parents + spacing * rng.normal(*parents.shape)
        more = _carve(children, cameras, seen, config, least)
        kept, colors, spread = (
            torch.cat([old, new]) for old, new in zip((kept, colors, spread), more, strict=True)
        )
    best = _prefer_surfaces(spread, min(count, len(kept)), rng)
    return PointCloud(kept[best], colors[best])


def _ways_to_look(observed: SampleFrame, least: int) -> list[tuple[SampleFrame, int]]:
    """What is shadowed, and how many cameras must see motion; the strictest way comes first."""
    if not any(bool(mask.any()) for mask in observed.masks):
        return [(observed, least)]
    unshadowed = replace(observed, depths=[torch.full_like(d, torch.inf) for d in observed.depths])
    return [(seen, count) for count in (least, 2) for seen in (observed, unshadowed)]


def _prefer_surfaces(spread: Tensor, count: int, rng: Rng) -> Tensor:
    """Draw without replacement, points of consistent colour first (Gumbel top-k)."""
    gumbel = -torch.log(-torch.log(rng.uniform(len(spread)).clamp(1e-9, 1 - 1e-7)))
    return (gumbel - 10 * spread).topk(count).indices


def _carve(
    positions: Tensor, cameras: list[Camera], observed: SampleFrame, config: HullConfig, least: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Surviving positions [K, 3], mean colours [K, 3] 0..1 and colour deviations [K] 0..1."""
    votes = torch.zeros(len(positions), 2, device=positions.device)  # moving, unshadowed
    color_sum = torch.zeros(len(positions), 3, device=positions.device)
    square_sum = torch.zeros_like(color_sum)
    views = zip(cameras, observed.images, observed.masks, observed.depths, strict=True)
    for camera, picture, mask, depth_map in views:
        pixels, depth = project(positions, camera)
        seen = inside(pixels, depth, camera)
        seen &= depth <= sample(depth_map, pixels) * (1 + config.depth_tolerance)
        moving = seen & sample(mask, pixels)
        votes += torch.stack([moving, seen], dim=1)
        color = sample(picture, pixels).float() / 255 * moving[:, None]
        color_sum += color
        square_sum += color.square()
    stays = (votes[:, 0] >= least) & (votes[:, 0] >= config.agreement * votes[:, 1].clamp(min=1))
    share = votes[stays, :1]
    mean = color_sum[stays] / share
    deviation = (square_sum[stays] / share - mean.square()).clamp(min=0).sqrt().mean(dim=1)
    return positions[stays], mean, deviation
