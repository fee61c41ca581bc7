"""The space in front of the cameras is free: Gaussians that stand there are floaters.

A closed room is filmed from its own walls. Gaussians of a wall that bulge into the room lie behind
or beside every training camera, so that no picture forbids them, and a camera between the others
looks through fog. Training therefore looks from places between the training cameras, draws only
what is nearer than anything that was found, and wants to see nothing. What stands there all the
same when the static layer is final is left out.

Places between cameras lie on the surface that the cameras span around what they look at, not on
straight lines: those run through the inside of a dome, and what hangs between them and its wall
would be behind every place.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from streamstgs.renderer import Camera, Gaussians, RenderSettings
from streamstgs.trainer.optimization.rasterizer import rasterize
from streamstgs.trainer.points.point_cloud import neighbour_distance
from streamstgs.trainer.points.projection import distances, inside, project
from streamstgs.trainer.rng import Rng
from torch import Tensor

SHRINK = 4  # floaters are large: a picture of a fourth of the size shows them
NEIGHBOURS = 6
FEWEST_POINTS = 20  # fewer do not say how near things are
NEAREST_SHARE = 0.02  # of a camera's points may be wrong, or on the body of another camera
FREE_SHARE = 0.8  # of the distance of the nearest things found
POINTS = 5_000  # tell well enough how far a place between the cameras sees nothing
LOOKS = 1000  # places from which floaters are looked for
VISIBLE = 0.02  # least opacity of a floater
REACH = 3.0  # standard deviations that a Gaussian is seen around its middle


def free_depth(positions: Tensor, camera: Camera) -> float:
    """How far in front of a camera nothing was found; 0 where it sees few points.

    Args:
        positions: [N, 3] of points on the surfaces of the scene.
    """
    pixels, depth = project(positions, camera)
    seen = depth[inside(pixels, depth, camera)]
    if len(seen) < FEWEST_POINTS:
        return 0.0
    return FREE_SHARE * seen.kthvalue(int(NEAREST_SHARE * len(seen)) + 1).values.item()


class FreeSpace:
    """What is to be empty.

    Args:
        cameras: the training cameras.
        center: the point that they look at, world units.
        near: distance of the near plane, world units: what is nearer is not drawn anyway.
        positions: [N, 3] of points that were found on the surfaces of the scene.
    """

    def __init__(
        self,
        cameras: list[Camera],
        center: tuple[float, float, float],
        near: float,
        positions: Tensor,
    ) -> None:
        self.near, self.center = near, torch.tensor(center)
        known = [depth for c in cameras if (depth := free_depth(positions.cpu(), c)) > 0]
        self.far = min(known, default=0.0)  # up to here it is free before all of them
        chosen = torch.linspace(0, len(positions) - 1, min(len(positions), POINTS)).round().long()
        self.positions = positions.cpu()[chosen]
        self.cameras = [c.resized(c.width // SHRINK, c.height // SHRINK) for c in cameras]
        self.places = torch.stack([c.position.cpu() for c in cameras])
        self.rotations = torch.stack([c.viewmat[:3, :3].cpu() for c in cameras])
        apart = distances(self.places, self.places)
        around = apart.topk(min(NEIGHBOURS + 1, len(cameras)), largest=False).indices
        self.neighbours = around[:, 1:]

    @property
    def is_known(self) -> bool:
        return self.far > self.near and self.neighbours.numel() > 0

    def loss(self, gaussians: Gaussians, rng: Rng) -> Tensor:
        """Mean alpha of what is drawn of the free space, from one place between the cameras."""
        nothing = gaussians.opacities.new_zeros(())
        if not self.is_known:
            return nothing
        camera, far = self.camera_between(rng)
        viewmat = camera.viewmat.to(gaussians.means.device)
        depth = gaussians.means @ viewmat[2, :3] + viewmat[2, 3]
        close = ((depth > self.near) & (depth < far)).nonzero()[:, 0]
        if len(close) == 0:
            return nothing
        _, alphas = rasterize(gaussians[close], [camera], RenderSettings(near=self.near))
        return alphas.mean()

    @torch.no_grad()
    def floaters(self, gaussians: Gaussians, rng: Rng) -> Tensor:
        """[N] bool: what is seen in free space from between the cameras.

        Not what a training camera has there in the middle of its own picture, as that was compared
        with what it recorded, and not where a point was found.
        """
        found = torch.zeros_like(gaussians.opacities, dtype=torch.bool)
        if not self.is_known:
            return found
        for _ in range(LOOKS):
            found |= self._seen_close(gaussians, *self.camera_between(rng), REACH)
        for camera in self.cameras:
            found &= ~self._seen_close(gaussians, camera, self.far, 0.0)
        found &= gaussians.opacities > VISIBLE
        return found.masked_scatter(found, ~self._on_a_point(gaussians.means[found]))

    def _on_a_point(self, places: Tensor) -> Tensor:
        """[N] bool: no farther from a point than points usually are from each other."""
        positions = self.positions.to(places.device)
        usual = neighbour_distance(positions).median()
        return distances(places, positions).amin(dim=1) < usual

    def _seen_close(self, gaussians: Gaussians, camera: Camera, far: float, reach: float) -> Tensor:
        """[N] bool: drawn nearer than `far`, within `reach` deviations of the picture."""
        pixels, depth = project(gaussians.means, camera)
        deviation = gaussians.scales.median(dim=1).values  # of a flat one as of a thread: its width
        around = reach * deviation * camera.K[0, 0].item() / depth.clamp(min=self.near)
        sides = torch.tensor([camera.width, camera.height], device=pixels.device)
        within = (pixels > -around[:, None]) & (pixels < sides + around[:, None])
        return (depth > self.near) & (depth < far) & within.all(dim=1)

    def camera_between(self, rng: Rng) -> tuple[Camera, float]:
        """A camera amid one of the cameras and two of its neighbours, and how far it sees nothing:
        less than these where it stands nearer to the scene, and no farther than to what was found
        before it, such as the wall of a square room that the surface bulges out of."""
        one = rng.integer(len(self.cameras))
        beside = rng.choice(2, self.neighbours.shape[1])
        group = [one, *self.neighbours[one, beside].tolist()]
        shares = torch.tensor([rng.share() for _ in group]).clamp(min=1e-6).log()
        shares = (shares / shares.sum())[:, None]  # evenly spread over the triangle
        place, inwards = self._on_the_surface(self.places[group], shares)
        rotation = _nearest_rotation((shares[..., None] * self.rotations[group]).sum(dim=0))
        viewmat = torch.eye(4)
        viewmat[:3, :3], viewmat[:3, 3] = rotation, -rotation @ place
        nearer = ((place - self.places[group]) @ rotation[2]).max().item()
        camera = replace(self.cameras[one], viewmat=viewmat)
        return camera, min(self.far - max(nearer, inwards), free_depth(self.positions, camera))

    def _on_the_surface(self, places: Tensor, shares: Tensor) -> tuple[Tensor, float]:
        """[3] between places [K, 3], as far from the center as these are; on the straight way
        between them where they stand on opposite sides of it, and by how much nearer that is."""
        away = places - self.center
        distance = (shares[:, 0] * away.norm(dim=1)).sum()
        straight = (shares * away).sum(dim=0)
        if straight.norm() < 0.5 * distance:
            return self.center + straight, (distance - straight.norm()).item()
        return self.center + straight * (distance / straight.norm()), 0.0


def _nearest_rotation(matrix: Tensor) -> Tensor:
    """The rotation [3, 3] that is nearest to a mean of rotations."""
    left, _, right = torch.linalg.svd(matrix)
    left[:, 2] *= torch.linalg.det(left @ right).sign()
    return left @ right
