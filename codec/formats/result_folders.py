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
from streamstgs.renderer.rotations import up_of_cameras

Vector = tuple[float, float, float]
CAMERAS, CAMERAS_BYTES = "cameras.json", 64 << 20
SNAPPED = 0.996  # cosine between a direction and the axis that is taken for it: 5 degrees
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


def told_up(result: Path) -> Vector | None:
    """The unit vector that points up for cameras that were held level, as a training saw them.

    None where no poses lie beside a result, or they do not agree.

    Args:
        result: a file that `result_file` found.
    """
    if result.name != CLOUD:
        return None
    path = result.parents[2] / CAMERAS
    try:
        poses = decode_json(read_file(path, CAMERAS_BYTES), list[_Pose], path.name)
        axes = np.array([np.reshape(pose.rotation, (3, 3)).T for pose in poses])  # right, down, ...
    except (CodecError, ValueError, OverflowError):
        return None
    if not len(axes) or not np.isfinite(axes).all():
        return None
    axes = axes / np.maximum(np.linalg.norm(axes, axis=2, keepdims=True), 1e-9)
    up = up_of_cameras(axes[:, 0], -axes[:, 1])
    if up is None:
        return None
    nearest = np.rint(up)
    x, y, z = (nearest if up @ nearest > SNAPPED else up).tolist()
    return x, y, z
