"""Ghosts in the static layer: Gaussians of things that stood still for long and then moved.

The temporal medians show a person who stands somewhere for more than half of the video, and the
static layer learns that person. When the person is gone, all cameras that see the place differ from
their medians there. So a static Gaussian is a ghost where it lies in the motion hull of many of the
sample frames. It is taken out of the static layer, and each GOP starts with it as a moving Gaussian
that is always present. What is left can be pressed on in joint training, in proportion to the share
of frames.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from streamstgs.renderer import Camera, Gaussians, RenderSettings
from streamstgs.trainer.optimization.rasterizer import depth_map
from streamstgs.trainer.points.dynamic_points import HullConfig
from streamstgs.trainer.points.projection import inside, project
from torch import Tensor

ROUNDS = 3  # what is behind a ghost is seen once the ghost in front is gone


@torch.no_grad()
def find_ghosts(
    static: Gaussians,
    cameras: Sequence[Camera],
    masks: Sequence[Tensor],
    least_share: float,
    hull: HullConfig,
    near: float,
) -> Tensor:
    """[S] bool: the static Gaussians that are ghosts.

    Args:
        static: S Gaussians.
        masks: [T, H, W] bool moving pixels of the sample frames, one tensor a camera.
        least_share: Of the sample frames in whose motion hull a ghost lies.
        hull: How many cameras must agree.
    """
    ghosts = torch.zeros(len(static), dtype=torch.bool, device=static.means.device)
    for _ in range(ROUNDS):
        left = (~ghosts).nonzero()[:, 0]
        share = hull_share(static[left], cameras, masks, hull, near)
        found = left[share >= least_share]
        if not len(found):
            break
        ghosts[found] = True
    return ghosts


def hull_share(
    static: Gaussians,
    cameras: Sequence[Camera],
    masks: Sequence[Tensor],
    hull: HullConfig,
    near: float,
) -> Tensor:
    """[S] share of the sample frames in whose motion hull each static Gaussian lies.

    Args:
        masks: [T, H, W] bool moving pixels, one tensor a camera.
    """
    settings, count = RenderSettings(near=near), len(masks[0])
    moving = torch.zeros(count, len(static), device=static.means.device)
    seeing = torch.zeros(len(static), device=static.means.device)
    for camera, mask in zip(cameras, masks, strict=True):
        pixels, depth = project(static.means, camera)
        column = pixels[:, 0].long().clamp(0, camera.width - 1)
        row = pixels[:, 1].long().clamp(0, camera.height - 1)
        before = depth_map(static, camera, settings)[row, column] * (1 + hull.depth_tolerance)
        seen = inside(pixels, depth, camera) & (depth <= before)
        seeing += seen
        moving += mask[:, row, column] & seen
    agree = moving >= hull.agreement * seeing.clamp(min=1)
    return (agree & (moving >= hull.least_cameras(len(cameras)))).float().mean(dim=0)
