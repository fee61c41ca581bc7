"""Points found by trying depths: where cameras that see the same patch agree on it (Collins 1996).

For random textured pixels of each camera, planes facing it at many depths; a patch on the plane is
looked up in the neighbouring cameras, and the depth at which they agree best is taken, if they
agree well and clearly better there than elsewhere. Needs no features and no library.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Ge
from streamstgs.renderer import Camera
from streamstgs.trainer.points.point_cloud import PointCloud
from streamstgs.trainer.points.projection import project, sample, unproject
from streamstgs.trainer.rng import Rng
from streamstgs.trainer.setting_checks import Count, Positive, Share, check_ranges, require
from torch import Tensor
from torch.nn.functional import grid_sample, normalize

CHUNK = 128  # pixels at a time: each has depths x patch samples in each neighbour


@dataclass(frozen=True)
class SweepConfig:
    """Internal: how plane sweeps try depths.

    Args:
        pixels: Pixels of each camera whose depth is sought.
        candidates: Pixels drawn for each that is used; the most textured ones are.
        depths: Planes, evenly spaced in inverse depth; as many again between the best and those
            beside it.
        nearest: Depth of the first plane, in distances of the cameras from the scene's middle.
        farthest: Depth of the last plane, in the same unit.
        neighbours: Cameras that a patch is looked up in.
        widest_rad: Largest angle between the viewing directions of neighbours.
        patch_px: Side of a patch; odd.
        agreement: Least correlation (mean of the better half of the neighbours).
        distinction: Least excess over the correlation at any other depth.
    """

    pixels: Count = 2_000
    candidates: Count = 4
    depths: Annotated[int, Ge(2)] = 96
    nearest: Positive = 0.25
    farthest: float = 6.0
    neighbours: Count = 4
    widest_rad: Positive = 1.0
    patch_px: Annotated[int, Ge(3)] = 11
    agreement: Share = 0.8
    distinction: Share = 0.2

    def __post_init__(self) -> None:
        group = "points.sweep"
        check_ranges(self, group)
        require(self.patch_px % 2 == 1, f"{group}.patch_px", self.patch_px, "odd")
        farther = math.isfinite(self.farthest) and self.farthest > self.nearest
        wanted = f"farther than --points.sweep.nearest {self.nearest}"
        require(farther, f"{group}.farthest", self.farthest, wanted)


def swept_points(
    cameras: list[Camera],
    pictures: list[Tensor],
    unit: float,
    config: SweepConfig,
    rng: Rng,
) -> PointCloud:
    """Surface points seen by several cameras.

    Args:
        pictures: [H, W, 3] uint8, one a camera, on the device of the result.
        unit: distance of the cameras from the scene's middle, world units.
    """
    greys = [p.float().mean(dim=-1) / 255 for p in pictures]
    ends = 1 / (config.nearest * unit), 1 / (config.farthest * unit)
    planes = torch.linspace(*ends, config.depths, device=rng.device)
    between = torch.linspace(-1, 1, config.depths, device=rng.device) * (planes[0] - planes[1])
    parts = [PointCloud(greys[0].new_zeros(0, 3), greys[0].new_zeros(0, 3))]
    for index, camera in enumerate(cameras):
        others = _neighbours(index, cameras, config)
        if not others:
            continue
        pixels = _textured_pixels(greys[index], config, rng)
        for part in pixels.split(CHUNK):
            coarse = planes.expand(len(part), -1)
            best, known = _distinct(
                _agreement(part, coarse, index, others, cameras, greys, config), config
            )
            part, near_best = part[known], planes[best[known], None] + between
            fine = _agreement(part, near_best, index, others, cameras, greys, config).argmax(dim=1)
            depth = 1 / near_best.gather(1, fine[:, None])[:, 0]
            positions = unproject(part, depth, camera)
            parts.append(PointCloud(positions, sample(pictures[index], part).float() / 255))
    return PointCloud.concatenate(parts)


def _neighbours(index: int, cameras: list[Camera], config: SweepConfig) -> list[int]:
    """The nearest cameras that look about the same way."""
    places = torch.stack([c.position for c in cameras])
    ways = torch.stack([c.viewmat[2, :3] for c in cameras])
    angles = torch.arccos((ways @ ways[index]).clamp(-1, 1))
    distances = (places - places[index]).norm(dim=1)
    usable = (angles < config.widest_rad) & (distances > 1e-6)
    order = torch.where(usable, distances, torch.inf).argsort()
    return order[: min(config.neighbours, int(usable.sum()))].tolist()


def _textured_pixels(grey: Tensor, config: SweepConfig, rng: Rng) -> Tensor:
    """[P, 2] pixel centres, those with the strongest gradients among random ones."""
    height, width = grey.shape
    size = torch.tensor([width, height], device=grey.device)
    drawn = (rng.uniform(config.pixels * config.candidates, 2) * size).floor() + 0.5
    down, across = torch.gradient(grey)
    texture = down.abs() + across.abs()
    return drawn[sample(texture, drawn).topk(config.pixels).indices]


def _agreement(
    pixels: Tensor,
    inverse: Tensor,
    index: int,
    others: list[int],
    cameras: list[Camera],
    greys: list[Tensor],
    config: SweepConfig,
) -> Tensor:
    """[P, D] correlation of each pixel's patch with the neighbours', were it at each of the
    inverse depths [P, D]."""
    reach = config.patch_px // 2
    steps = torch.arange(-reach, reach + 1.0, device=pixels.device)
    offsets = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), dim=-1).reshape(-1, 2)
    patch = (pixels[:, None] + offsets).reshape(-1, 2)  # [P * S, 2]
    count, size, depths = len(pixels), len(offsets), inverse.shape[1]
    wanted = _standardised(_look_up(greys[index], patch).reshape(count, 1, size))
    spread = patch[:, None].expand(-1, depths, -1).reshape(-1, 2)  # [P * S * D, 2]
    depth_each = (1 / inverse).repeat_interleave(size, dim=0).reshape(-1)
    places = unproject(spread, depth_each, cameras[index])
    scores = []
    for other in others:
        seen, depth = project(places, cameras[other])
        looked_up = _look_up(greys[other], seen).masked_fill(depth <= 0, 0.0)
        found = _standardised(looked_up.reshape(count, size, depths).transpose(1, 2))
        scores.append((found * wanted).sum(dim=-1))
    better_half = max(1, (len(others) + 1) // 2)
    return torch.stack(scores).topk(better_half, dim=0).values.mean(dim=0)


def _look_up(grey: Tensor, pixels: Tensor) -> Tensor:
    """[N] bilinear samples; 0 beyond the picture."""
    size = torch.tensor([grey.shape[1], grey.shape[0]], device=grey.device)
    grid = (pixels / size * 2 - 1)[None, None]
    return grid_sample(grey[None, None], grid, align_corners=False)[0, 0, 0]


def _standardised(patches: Tensor) -> Tensor:
    """Zero mean and unit length along the last axis; a flat patch stays zero."""
    return normalize(patches - patches.mean(dim=-1, keepdim=True), dim=-1, eps=1e-3)


def _distinct(scores: Tensor, config: SweepConfig) -> tuple[Tensor, Tensor]:
    """Index [P] of the best depth by scores [P, D], and whether [P] it is good and distinct."""
    value, best = scores.max(dim=1)
    planes = torch.arange(scores.shape[1], device=scores.device)
    elsewhere = (planes - best[:, None]).abs() > max(2, scores.shape[1] // 32)
    second = scores.masked_fill(~elsewhere, -1.0).amax(dim=1)
    return best, (value >= config.agreement) & (value - second >= config.distinction)
