"""Where the static Gaussians start: the capture's points, else triangulated features filled up."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import torch
from torch import Tensor

from renderer import Camera
from trainer.datasets import Capture, CapturedView, load_frames
from trainer.errors import CaptureError
from trainer.point_cloud import PointCloud, read_ply
from trainer.progress import log
from trainer.projection import inside, project, sample, unproject
from trainer.random_source import RandomSource


@dataclass(frozen=True)
class InitialPointsConfig:
    """Where the static Gaussians start.

    Args:
        path: PLY with points to start from, instead of the capture's own.
        moments: times of the video whose pictures are triangulated beside the medians.
        fill: sparser clouds are filled up to this number, at depths interpolated between points.
        depth_jitter: relative standard deviation of those depths.
    """

    path: Path | None = None
    moments: int = 4
    fill: int = 40_000
    depth_jitter: float = 0.03


def found_points(
    capture: Capture, medians: list[Tensor], config: InitialPointsConfig
) -> PointCloud:
    """Points known to lie on surfaces: given, the capture's own, or triangulated.

    Args:
        medians: [H, W, 3] uint8, one a training camera; the points are on their device.
    """
    path = config.path or capture.points_path
    if path:
        found = read_ply(path)
    else:
        found = _triangulate_moments(capture, capture.split("train"), medians, config.moments)
        log.info("triangulated %d points", len(found))
    return found.to(medians[0].device)


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


def _triangulate_moments(
    capture: Capture, views: tuple[CapturedView, ...], medians: list[Tensor], moments: int
) -> PointCloud:
    """Points of the medians and of a few moments; what moved is pruned by the static stage."""
    parts = [triangulate(views, [m.cpu().numpy() for m in medians])]
    for number in range(moments):
        frame = capture.frames * number // moments
        pictures = load_frames(views, [frame])
        parts.append(triangulate(views, [p[0].numpy() for p in pictures]))
    return PointCloud.concatenate(parts)


def triangulate(views: tuple[CapturedView, ...], pictures: list[np.ndarray]) -> PointCloud:
    """Triangulate SIFT features of one moment with the known cameras (pycolmap).

    Args:
        views: the cameras.
        pictures: [H, W, 3] uint8, one a view.
    """
    try:
        import pycolmap
    except ImportError as error:
        raise CaptureError(
            "the capture has no points3D.ply; triangulation needs `pip install pycolmap`"
        ) from error
    pycolmap.logging.minloglevel = pycolmap.logging.ERROR.value  # it tells of every picture
    pycolmap.set_random_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        names = [f"{view.name}.png" for view in views]
        for name, picture in zip(names, pictures, strict=True):
            iio.imwrite(Path(folder) / name, picture)
        database = Path(folder) / "database.db"
        pycolmap.extract_features(
            database,
            folder,
            camera_mode=pycolmap.CameraMode.PER_IMAGE,
            reader_options=pycolmap.ImageReaderOptions(camera_model="PINHOLE"),
        )
        pycolmap.match_exhaustive(database)
        known = _known_cameras(pycolmap, database, dict(zip(names, views, strict=True)))
        out = Path(folder) / "out"
        out.mkdir()
        found = pycolmap.triangulate_points(known, database, folder, out)
        points = list(found.points3D.values())
    if not points:
        return PointCloud(torch.zeros(0, 3), torch.zeros(0, 3))
    return PointCloud(
        torch.tensor(np.stack([p.xyz for p in points]), dtype=torch.float32),
        torch.tensor(np.stack([p.color for p in points]), dtype=torch.float32) / 255,
    )


def _known_cameras(pycolmap, database: Path, views: dict[str, CapturedView]):  # type: ignore[no-untyped-def]
    """A reconstruction without points that holds the calibration under the database's ids."""
    known = pycolmap.Reconstruction()
    with pycolmap.Database.open(database) as opened:
        images = opened.read_all_images()
    for image in images:
        camera = views[image.name].camera
        K = camera.K.double().numpy()
        known.add_camera_with_trivial_rig(
            pycolmap.Camera(
                camera_id=image.camera_id,
                model="PINHOLE",
                width=camera.width,
                height=camera.height,
                params=[K[0, 0], K[1, 1], K[0, 2], K[1, 2]],
            )
        )
        viewmat = camera.viewmat.double().numpy()
        pose = pycolmap.Rigid3d(pycolmap.Rotation3d(viewmat[:3, :3]), viewmat[:3, 3])
        known.add_image_with_trivial_frame(
            pycolmap.Image(name=image.name, camera_id=image.camera_id, image_id=image.image_id),
            pose,
        )
    return known


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
    distance, nearest = torch.cdist(pixels, known_pixels).topk(3, largest=False)
    weight = 1 / (distance.square() + 1.0)
    inverse = (weight / known_depth[nearest]).sum(1) / weight.sum(1)
    return 1 / inverse
