"""Folders that trainings of other programs write: which of their files is the scene.

point_cloud/iteration_30000/point_cloud.ply    3D Gaussian Splatting and its descendants
params.npz                                     Dynamic 3D Gaussians
"""

from __future__ import annotations

import os
import re
from pathlib import Path

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
