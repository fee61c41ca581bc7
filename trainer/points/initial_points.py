"""Where the static Gaussians start: the capture's points, else triangulated or swept, filled up."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import torch
from streamstgs.renderer import Camera
from streamstgs.trainer.datasets import Capture
from streamstgs.trainer.errors import CaptureError
from streamstgs.trainer.points.plane_sweep import SweepConfig, swept_points
from streamstgs.trainer.points.point_cloud import PointCloud, read_ply
from streamstgs.trainer.points.projection import distances, inside, project, sample, unproject
from streamstgs.trainer.points.triangulation import triangulate_moments
from streamstgs.trainer.progress import log
from streamstgs.trainer.random_source import RandomSource
from streamstgs.trainer.setting_checks import require_at_least
from torch import Tensor


@dataclass(frozen=True)
class InitialPointsConfig:
    """Where the static Gaussians start.

    Args:
        path: PLY with points to start from, instead of the capture's own.
        moments: times of the video whose pictures are triangulated beside the medians.
        fewest: plane sweeps add to fewer triangulated points than this.
        sweep: how these try depths.
        fill: sparser clouds are filled up to this number, at depths interpolated between points.
        depth_jitter: relative standard deviation of those depths.
        surfels: clouds that need no filling up start as flat Gaussians on their surface.
    """

    path: Path | None = None
    moments: int = 4
    fewest: int = 300
    sweep: SweepConfig = field(default_factory=SweepConfig)
    fill: int = 40_000
    depth_jitter: float = 0.03
    surfels: bool = True

    def __post_init__(self) -> None:
        require_at_least(0, self, "points", "moments", "fewest", "fill", "depth_jitter")


def check_points(capture: Capture, config: InitialPointsConfig) -> None:
    """Look at points that are given before any work.

    Raises:
        CaptureError: they cannot be read, or no training camera sees one of them.
    """
    path = config.path or capture.points_path
    if path is None:
        return
    given = read_ply(path)
    cameras = [v.camera for v in capture.split("train")]
    if not any(inside(*project(given.positions, c), c).any() for c in cameras):
        raise CaptureError(
            f"{path}: no training camera sees one of its {len(given)} points; "
            "are units and axes those of the cameras?"
        )


def found_points(
    capture: Capture, medians: list[Tensor], config: InitialPointsConfig, random: RandomSource
) -> PointCloud:
    """Points known to lie on surfaces: given, the capture's own, triangulated or swept.

    Args:
        medians: [H, W, 3] uint8, one a training camera; the points are on their device.
    """
    path = config.path or capture.points_path
    views = capture.split("train")
    if path:
        return read_ply(path).to(random.device)
    found = PointCloud(torch.zeros(0, 3), torch.zeros(0, 3))
    if find_spec("pycolmap"):
        found = triangulate_moments(capture, views, medians, config.moments)
        log.info("triangulated %d points", len(found))
    else:
        log.warning("pycolmap is not installed: depths are found by plane sweeps, less exactly")
    if len(found) >= config.fewest:
        return found.to(random.device)
    cameras, unit = [v.camera for v in views], capture.camera_distance
    swept = swept_points(cameras, medians, unit, config.sweep, random)
    log.info("plane sweeps found %d points", len(swept))
    return PointCloud.concatenate([found.to(random.device), swept])


def initial_points(
    found: PointCloud,
    most: int,
    cameras: list[Camera],
    medians: list[Tensor],
    config: InitialPointsConfig,
    random: RandomSource,
) -> PointCloud:
    """At most `most` of the found points; where they are few, guessed ones fill up the cloud."""
    if len(found) > most:
        return found[random.permutation(len(found))[:most]]
    missing = min(config.fill, most) - len(found)
    if missing <= 0:
        return found
    return fill_up(found, missing, cameras, medians, config.depth_jitter, random)


def fill_up(
    sparse: PointCloud,
    count: int,
    cameras: list[Camera],
    pictures: list[Tensor],
    depth_jitter: float,
    random: RandomSource,
) -> PointCloud:
    """Random pixels lifted to the depth that the nearest sparse points suggest.

    Args:
        sparse: triangulated points; they stay.
        count: how many to add.
        pictures: [H, W, 3] uint8, one a camera.
    """
    each = count // len(cameras)
    parts = [sparse]
    for camera, picture in zip(cameras, pictures, strict=True):
        pixels, depth = project(sparse.positions, camera)
        visible = inside(pixels, depth, camera)
        if visible.sum() < 3:
            continue
        size = torch.tensor([camera.width, camera.height], device=pixels.device)
        chosen = random.uniform(each, 2) * size
        guess = _interpolated_depth(chosen, pixels[visible], depth[visible])
        noise = random.normal(each)
        lifted = unproject(chosen, guess * (1 + depth_jitter * noise), camera)
        parts.append(PointCloud(lifted, sample(picture, chosen).float() / 255))
    return PointCloud.concatenate(parts)


def _interpolated_depth(pixels: Tensor, known_pixels: Tensor, known_depth: Tensor) -> Tensor:
    """Inverse depth of the nearest three known points, weighted by inverse squared distance."""
    distance, nearest = distances(pixels, known_pixels).topk(3, largest=False)
    weight = 1 / (distance.square() + 1.0)
    inverse = (weight / known_depth[nearest]).sum(1) / weight.sum(1)
    return 1 / inverse
