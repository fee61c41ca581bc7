"""Points of features that several cameras see, triangulated with the known cameras by pycolmap.

pycolmap is optional (`pip install .[train]`); it is imported where it is used.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import torch
from streamstgs.trainer.datasets import Capture, CapturedView, load_frames
from streamstgs.trainer.points.point_cloud import PointCloud
from torch import Tensor


def triangulate_sample_frames(
    capture: Capture, views: tuple[CapturedView, ...], medians: list[Tensor], sample_frames: int
) -> PointCloud:
    """Points of the medians and of a few sample frames; the coarse stage prunes those that move."""
    parts = [triangulate(views, [m.cpu().numpy() for m in medians])]
    for number in range(sample_frames):
        frame = capture.frames * number // sample_frames
        pictures = load_frames(views, [frame])
        parts.append(triangulate(views, [p[0].numpy() for p in pictures]))
    return PointCloud.concatenate(parts)


def triangulate(views: tuple[CapturedView, ...], pictures: list[np.ndarray]) -> PointCloud:
    """Triangulate SIFT features of one frame with the known cameras (pycolmap).

    Args:
        views: the cameras.
        pictures: [H, W, 3] uint8, one a view.
    """
    import pycolmap

    pycolmap.logging.minloglevel = pycolmap.logging.ERROR.value  # it tells of every picture
    pycolmap.set_random_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        names = [f"{number:04d}.png" for number in range(len(views))]  # ids may hold a slash
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
