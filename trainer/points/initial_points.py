"""Points of the coarse stage: the capture's, else triangulated or swept, filled up where few."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import torch
from streamstgs.renderer import Camera
from streamstgs.trainer.datasets import Capture
from streamstgs.trainer.errors import CaptureError
from streamstgs.trainer.points.plane_sweep import SweepConfig, swept_points
from streamstgs.trainer.points.point_cloud import PointCloud, read_point_file
from streamstgs.trainer.points.projection import distances, inside, project, sample, unproject
from streamstgs.trainer.points.triangulation import triangulate_sample_frames
from streamstgs.trainer.progress import log
from streamstgs.trainer.rng import Rng
from streamstgs.trainer.setting_checks import CountOrZero, Weight, check_ranges
from torch import Tensor


@dataclass(frozen=True)
class InitialPointsConfig:
    """Points that the Gaussians of the coarse stage start from.

    Args:
        path: A PLY file, or points3D.bin or .txt of a COLMAP model, with points to start from,
            instead of the capture's own.
        sample_frames: Internal. Frames of the video that are triangulated beside the medians.
        fewest: Internal. Plane sweeps add to fewer triangulated points than this.
        sweep: Internal. How plane sweeps try depths.
        fill: Sparser clouds are filled up to this number, at depths interpolated between points.
        depth_jitter: Internal. Relative standard deviation of these depths.
        surfels: Clouds that need no filling up start as flat Gaussians on their surface.
    """

    path: Path | None = None
    sample_frames: CountOrZero = 4
    fewest: CountOrZero = 300
    sweep: SweepConfig = field(default_factory=SweepConfig)
    fill: CountOrZero = 40_000
    depth_jitter: Weight = 0.03
    surfels: bool = True

    def __post_init__(self) -> None:
        check_ranges(self, "points")


def check_points(capture: Capture, config: InitialPointsConfig) -> None:
    """Look at points that are given before any work.

    Raises:
        CaptureError: they cannot be read, or no training camera sees one of them.
    """
    path = config.path or capture.points_path
    if path is None:
        return
    given = read_point_file(path)
    cameras = [v.camera for v in capture.split("train")]
    if not any(inside(*project(given.positions, c), c).any() for c in cameras):
        raise CaptureError(
            f"{path}: no training camera sees one of its {len(given)} points; "
            "are units and axes those of the cameras?"
        )


def found_points(
    capture: Capture, medians: list[Tensor], config: InitialPointsConfig, rng: Rng
) -> PointCloud:
    """Points known to lie on surfaces: given, the capture's own, triangulated or swept.

    Args:
        medians: [H, W, 3] uint8, one a training camera; the points are on their device.
    """
    path = config.path or capture.points_path
    views = capture.split("train")
    if path:
        return read_point_file(path).to(rng.device)
    found = PointCloud(torch.zeros(0, 3), torch.zeros(0, 3))
    if find_spec("pycolmap"):
        found = triangulate_sample_frames(capture, views, medians, config.sample_frames)
        log.info("triangulated %d points", len(found))
    else:
        log.warning("pycolmap is not installed: depths are found by plane sweeps, less exactly")
    if len(found) >= config.fewest:
        return found.to(rng.device)
    cameras, unit = [v.camera for v in views], capture.camera_distance
    swept = swept_points(cameras, medians, unit, config.sweep, rng)
    log.info("plane sweeps found %d points", len(swept))
    return PointCloud.concatenate([found.to(rng.device), swept])


def initial_points(
    found: PointCloud,
    most: int,
    cameras: list[Camera],
    medians: list[Tensor],
    config: InitialPointsConfig,
    rng: Rng,
) -> PointCloud:
    """At most `most` of the found points; guessed points fill up a sparse cloud."""
    if len(found) > most:
        return found[rng.permutation(len(found))[:most]]
    missing = min(config.fill, most) - len(found)
    if missing <= 0:
        return found
    return fill_up(found, missing, cameras, medians, config.depth_jitter, rng)


def fill_up(
    sparse: PointCloud,
    count: int,
    cameras: list[Camera],
    pictures: list[Tensor],
    depth_jitter: float,
    rng: Rng,
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
        chosen = rng.uniform(each, 2) * size
        guess = _interpolated_depth(chosen, pixels[visible], depth[visible])
        noise = rng.normal(each)
        lifted = unproject(chosen, guess * (1 + depth_jitter * noise), camera)
        parts.append(PointCloud(lifted, sample(picture, chosen).float() / 255))
    return PointCloud.concatenate(parts)


def _interpolated_depth(pixels: Tensor, known_pixels: Tensor, known_depth: Tensor) -> Tensor:
    """Inverse depth of the nearest three known points, weighted by inverse squared distance."""
    distance, nearest = distances(pixels, known_pixels).topk(3, largest=False)
    weight = 1 / (distance.square() + 1.0)
    inverse = (weight / known_depth[nearest]).sum(1) / weight.sum(1)
    return 1 / inverse
