"""Poses, lenses and points of a rig from matched features (pycolmap's incremental mapping)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from streamstgs.trainer.datasets.lens import Lens

FEWEST_MATCHES = 15
FIRST_PAIR, NEXT_CAMERA = 50, 20  # inliers; COLMAP's 100 and 30 are for large collections


@dataclass(frozen=True)
class SolvedRig:
    """What was found.

    Args:
        lenses, viewmats: by the name of the image; world to camera [4, 4] float64.
        points: [N, 3] float64. colors: [N, 3] uint8.
        error_px: mean reprojection error.
    """

    lenses: dict[str, Lens]
    viewmats: dict[str, np.ndarray]
    points: np.ndarray
    colors: np.ndarray
    error_px: float


def solve(pycolmap: Any, database: Path, images: Path, out: Path) -> SolvedRig | None:
    """The model with the most cameras; None where no two cameras could be joined."""
    options = pycolmap.IncrementalPipelineOptions()
    options.min_model_size = 2
    options.min_num_matches = FEWEST_MATCHES
    options.random_seed = 0
    options.mapper.init_min_num_inliers = FIRST_PAIR
    options.mapper.abs_pose_min_num_inliers = NEXT_CAMERA
    options.triangulation.ignore_two_view_tracks = False  # rigs are sparse: pairs count
    out.mkdir(exist_ok=True)
    models = pycolmap.incremental_mapping(database, images, out, options)
    if not models:
        return None
    best = max(models.values(), key=lambda model: (model.num_reg_images(), model.num_points3D()))
    return _solved(best)


def _solved(model: Any) -> SolvedRig:
    lenses, viewmats = {}, {}
    for number in model.reg_image_ids():
        image = model.image(number)
        camera = model.camera(image.camera_id)
        params = tuple(float(p) for p in camera.params)
        lenses[image.name] = Lens(camera.model_name, camera.width, camera.height, params)
        viewmat = np.eye(4)
        viewmat[:3] = image.cam_from_world().matrix()
        viewmats[image.name] = viewmat
    points: Sequence[Any] = list(model.points3D.values())
    return SolvedRig(
        lenses,
        viewmats,
        np.array([p.xyz for p in points]).reshape(-1, 3),
        np.array([p.color for p in points], np.uint8).reshape(-1, 3),
        float(model.compute_mean_reprojection_error()),
    )
