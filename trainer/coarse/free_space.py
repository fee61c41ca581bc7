"""The space in front of the cameras is free: Gaussians that stand there are floaters.

A closed room is filmed from its own walls. Gaussians of a wall that bulge into the room lie behind
or beside every training camera, so that no picture forbids them, and a camera between the others
looks through fog. Training therefore looks from places between the training cameras, draws only
what is nearer than anything that was found, and wants to see nothing.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from renderer import Camera, Gaussians, RenderSettings
from trainer.optimization.rasterizer import rasterize
from trainer.points.point_cloud import PointCloud
from trainer.points.projection import distances, inside, project
from trainer.random_source import RandomSource

SHRINK = 4  # floaters are large: a picture of a fourth of the size shows them
NEIGHBOURS = 4
FEWEST_POINTS = 20  # fewer do not say how near things are
NEAREST_SHARE = 0.02  # of a camera's points may be wrong, or on the body of another camera
FREE_SHARE = 0.8  # of the distance of the nearest things found


def free_distance(points: PointCloud, cameras: list[Camera]) -> float:
    """How far in front of all cameras nothing was found, world units; 0 where points are few."""
    nearest = []
    for camera in cameras:
        pixels, depth = project(points.positions, camera)
        seen = depth[inside(pixels, depth, camera)]
        if len(seen) >= FEWEST_POINTS:
            nearest.append(seen.sort().values[int(NEAREST_SHARE * len(seen))].item())
    return FREE_SHARE * min(nearest, default=0.0)


class FreeSpace:
    """What is to be empty.

    Args:
        cameras: the training cameras.
        near: distance of the near plane, world units: what is nearer is not drawn anyway.
        far: up to here space is free, world units; not beyond `near` means that nothing is.
    """

    def __init__(self, cameras: list[Camera], near: float, far: float) -> None:
        self.near, self.far = near, far
        self.cameras = [c.resized(c.width // SHRINK, c.height // SHRINK) for c in cameras]
        places = torch.stack([c.position.cpu() for c in cameras])
        apart = distances(places, places)
        around = apart.topk(min(NEIGHBOURS + 1, len(cameras)), largest=False).indices
        self.places, self.neighbours = places, around[:, 1:]

    def loss(self, gaussians: Gaussians, random: RandomSource) -> Tensor:
        """Mean alpha of what is drawn of the free space, from one place between the cameras."""
        nothing = gaussians.opacities.new_zeros(())
        if self.far <= self.near or self.neighbours.numel() == 0:
            return nothing
        camera, far = self.camera_between(random)
        viewmat = camera.viewmat.to(gaussians.means.device)
        depth = gaussians.means @ viewmat[2, :3] + viewmat[2, 3]
        close = ((depth > self.near) & (depth < far)).nonzero()[:, 0]
        if len(close) == 0:
            return nothing
        _, alphas = rasterize(gaussians[close], [camera], RenderSettings(near=self.near))
        return alphas.mean()

    def camera_between(self, random: RandomSource) -> tuple[Camera, float]:
        """One of the cameras, moved some way towards one of its neighbours, and how far it sees
        nothing: less than before where that way led towards the scene."""
        one = random.integer(len(self.cameras))
        other = self.neighbours[one, random.integer(self.neighbours.shape[1])]
        place = torch.lerp(self.places[one], self.places[other], random.share())
        viewmat = self.cameras[one].viewmat.cpu().clone()
        viewmat[:3, 3] = -viewmat[:3, :3] @ place
        nearer = viewmat[2, :3] @ (place - self.places[one])
        return replace(self.cameras[one], viewmat=viewmat), self.far - nearer.clamp(min=0).item()
