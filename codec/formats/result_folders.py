"""Folders that trainings of other programs write: which of their files is the scene.

3D Gaussian Splatting and its descendants write `point_cloud/iteration_30000/point_cloud.ply`, and
beside `point_cloud` the poses that they have seen, `cameras.json`. Dynamic 3D Gaussians writes
`params.npz`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec
import numpy as np
from streamstgs.codec.errors import CodecError
from streamstgs.codec.formats.file_sets import read_file
from streamstgs.codec.package.checked_json import decode_json

Vector = tuple[float, float, float]
CAMERAS, CAMERAS_BYTES = "cameras.json", 64 << 20
AGREED = 0.5  # length of the mean of unit vectors that point about the same way
ITERATIONS, CLOUD, ARRAYS = "point_cloud", "point_cloud.ply", "params.npz"
ITERATION = re.compile(r"iteration_(\d{1,18})")
LOOKED_AT = 1_000  # files of a folder


def result_file(folder: Path) -> Path | None:
    """The newest result in the folder of a training, or in its folder `point_cloud`; None where
    there is none."""
    if (folder / ARRAYS).is_file():
        return folder / ARRAYS
    place = folder if folder.name == ITERATIONS else folder / ITERATIONS
    try:
        with os.scandir(place) as entries:
            names = [entry.name for entry, _ in zip(entries, range(LOOKED_AT), strict=False)]
    except OSError:
        return None
    numbered = [(int(found[1]), name) for name in names if (found := ITERATION.fullmatch(name))]
    for _, name in sorted(numbered, reverse=True):
        if (place / name / CLOUD).is_file():
            return place / name / CLOUD
    return None


class _Pose(msgspec.Struct):
    """Args: rotation: [3, 3] from the camera to the world; OpenCV axes (y down)."""

    rotation: list[list[float]]


def up_of_cameras(result: Path) -> Vector | None:
    """The unit vector that is up in the average picture that a training has seen.

    Cameras are mostly held upright. None where no poses lie beside a result, or they do not agree.

    Args:
        result: a file that `result_file` found.
    """
    if result.name != CLOUD:
        return None
    path = result.parents[2] / CAMERAS
    try:
        poses = decode_json(read_file(path, CAMERAS_BYTES), list[_Pose], path.name)
        downs = np.array([np.reshape(pose.rotation, (3, 3))[:, 1] for pose in poses])
    except (CodecError, ValueError, OverflowError):
        return None
    if not len(downs) or not np.isfinite(downs).all():
        return None
    mean = (downs / np.maximum(np.linalg.norm(downs, axis=1, keepdims=True), 1e-9)).mean(axis=0)
    length = float(np.linalg.norm(mean))
    if length < AGREED:
        return None
    x, y, z = (-mean / length).tolist()
    return x, y, z
