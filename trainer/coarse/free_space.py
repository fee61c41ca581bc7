"""Free space in front of the cameras: Gaussians there are floaters, penalised and removed.

A closed room is filmed from its own walls. Gaussians of a wall that bulge into the room lie behind
or beside every training camera, so that no training image penalises them, and a camera between the
others looks through fog. Training therefore renders from places between the training cameras, only
the Gaussians nearer than any point that was found, and penalises their alpha (L_free). Floaters
that are left when the static layer is final are removed.

Places between cameras lie on the surface that the cameras span around what they look at, not on
straight lines. Lines run through the inside of a dome, and Gaussians between them and its wall
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

SHRINK = 4  # floaters are large: an image of a fourth of the size shows them
NEIGHBOURS = 6
FEWEST_POINTS = 20  # fewer points do not tell how near things are
NEAREST_SHARE = 0.02  # this share of points may be wrong, or on the body of another camera
FREE_SHARE = 0.8  # of the distance of the nearest things found
POINTS = 5_000  # enough to tell how far space is free before a place between the cameras
LOOKS = 1000  # places between the cameras that are searched for floaters
VISIBLE = 0.02  # least opacity of a floater
VISIBLE_DEVIATIONS = 3.0  # a Gaussian is visible this many standard deviations around its centre


def free_depth(positions: Tensor, camera: Camera) -> float:
    """World units that are free in front of a camera; 0 where it sees few points.

    Args:
        positions: [N, 3] of points on the surfaces of the scene.
    """
    pixels, depth = project(positions, camera)
    seen = depth[inside(pixels, depth, camera)]
    if len(seen) < FEWEST_POINTS:
        return 0.0
    return FREE_SHARE * seen.kthvalue(int(NEAREST_SHARE * len(seen)) + 1).values.item()


class FreeSpace:
    """The space between the training cameras and the surfaces of the scene.

    Args:
        cameras: The training cameras.
        center: The point that they look at, world units.
        near: Distance of the near plane, world units; nearer Gaussians are not rendered anyway.
        positions: [N, 3] points found on the surfaces of the scene.
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
        """L_free: mean alpha of Gaussians in free space, from one place between the cameras."""
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
        """[N] bool: Gaussians in free space, seen from places between the cameras.

        A Gaussian whose centre a training camera has in its own image is none, as that image was
        compared with the recorded one; nor is a Gaussian where a point was found.
        """
        found = torch.zeros_like(gaussians.opacities, dtype=torch.bool)
        if not self.is_known:
            return found
        for _ in range(LOOKS):
            found |= self._seen_close(gaussians, *self.camera_between(rng), VISIBLE_DEVIATIONS)
        for camera in self.cameras:
            found &= ~self._seen_close(gaussians, camera, self.far, 0.0)
        found &= gaussians.opacities > VISIBLE
        return found.masked_scatter(found, ~self._on_a_point(gaussians.means[found]))

    def _on_a_point(self, places: Tensor) -> Tensor:
        """[N] bool: no farther from a point than points usually are from each other."""
        positions = self.positions.to(places.device)
        usual = neighbour_distance(positions).median()
        return distances(places, positions).amin(dim=1) < usual

    def _seen_close(
        self, gaussians: Gaussians, camera: Camera, far: float, deviations: float
    ) -> Tensor:
        """[N] bool: nearer than `far`, within `deviations` standard deviations of the image."""
        pixels, depth = project(gaussians.means, camera)
        deviation = gaussians.scales.median(dim=1).values  # of a flat one as of a thread: its width
        around = deviations * deviation * camera.K[0, 0].item() / depth.clamp(min=self.near)
        sides = torch.tensor([camera.width, camera.height], device=pixels.device)
        within = (pixels > -around[:, None]) & (pixels < sides + around[:, None])
        return (depth > self.near) & (depth < far) & within.all(dim=1)

    def camera_between(self, rng: Rng) -> tuple[Camera, float]:
        """A random camera amid one of the cameras and two of its neighbours, and the depth up to
        which space is free before it.

        The depth is less than theirs where it stands nearer to the scene, and ends at the points
        found before it, such as the wall of a square room that the surface bulges out of.
        """
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
        """A place [3] between places [K, 3], as far from the center as these are, and 0.0.

        Where they stand on opposite sides of the center it lies on the straight line between them;
        the second value is how much nearer to the center that is.
        """
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
