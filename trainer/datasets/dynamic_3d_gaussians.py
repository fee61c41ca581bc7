"""The layout of Dynamic 3D Gaussians: `train_meta.json` and `test_meta.json` beside `ims/`.

`k`, `w2c`, `fn` and `cam_id` are lists over frames of lists over cameras. Points, where there are
some, are the positions and colours in `init_pt_cld.npz`.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from streamstgs.codec.errors import CodecError
from streamstgs.codec.formats.file_sets import ArchiveFiles
from streamstgs.codec.formats.npz_arrays import read_array
from streamstgs.trainer.datasets.calibration import check_matrix
from streamstgs.trainer.datasets.capture import Capture
from streamstgs.trainer.datasets.config import CaptureConfig
from streamstgs.trainer.datasets.files import (
    by_numbers,
    find,
    read_json,
    refused_if_malformed,
    short,
)
from streamstgs.trainer.datasets.lens import pinhole
from streamstgs.trainer.datasets.recorded import RecordedCamera, assembled
from streamstgs.trainer.errors import CaptureError

ARRAYS = 64  # of an archive; more are refused
SPLITS = {"train_meta.json": "train", "test_meta.json": "test"}


def read_dynamic_3d_gaussians(folder: Path, config: CaptureConfig) -> Capture:
    """Read both files of a capture. Raises CaptureError."""
    cameras: list[RecordedCamera] = []
    for name, split in SPLITS.items():
        path = folder / name
        if not path.exists():
            continue
        with refused_if_malformed(path):
            cameras += _cameras(folder, read_json(path), split)
    cameras.sort(key=lambda camera: by_numbers(camera.name))
    points = folder / "init_pt_cld.npz"
    return assembled(folder.name, cameras, config, points if points.is_file() else None)


def _cameras(folder: Path, document: dict[str, Any], split: str) -> list[RecordedCamera]:
    width, height = int(document["w"]), int(document["h"])
    files, poses, matrices = document["fn"], document["w2c"], document["k"]
    names = [[str(name) for name in row] for row in document["cam_id"]]
    for key, rows in (("fn", files), ("w2c", poses), ("k", matrices)):
        if [len(row) for row in rows] != [len(row) for row in names]:
            raise ValueError(f"{key} has not as many frames and cameras as cam_id")
    images: dict[str, dict[int, Path]] = {}
    first: dict[str, tuple[int, int]] = {}
    for frame, row in enumerate(names):
        for column, name in enumerate(row):
            at = first.setdefault(name, (frame, column))
            for key, values in (("w2c", poses), ("k", matrices)):
                if values[frame][column] != values[at[0]][at[1]]:
                    raise CaptureError(
                        f"camera {name}: {key} of frame {frame} differs from that of frame "
                        f"{at[0]}; cameras must stand still"
                    )
            images.setdefault(name, {})[frame] = _image(folder, str(files[frame][column]), name)
    found = []
    for name, (frame, column) in first.items():
        K = np.asarray(matrices[frame][column], np.float64).reshape(3, 3)
        try:
            check_matrix(K)
        except ValueError as error:
            raise CaptureError(f"camera {name}: {error}") from error
        viewmat = np.asarray(poses[frame][column], np.float64).reshape(4, 4)
        lens = pinhole(K, width, height)
        found.append(RecordedCamera(name, viewmat, lens, images[name], split))
    return found


def _image(folder: Path, name: str, camera: str) -> Path:
    path = find(folder, f"ims/{PurePosixPath(name)}")
    if path is None:
        raise CaptureError(f"camera {camera}: there is no image {folder / 'ims' / name}")
    return path


def read_npz_points(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Positions [N, 3] float32 and colours [N, 3] float32, 0..1, of `init_pt_cld.npz`.

    Its array `data` has 6 or 7 columns: position, colour, and the segment, which is not used.
    Raises CaptureError.
    """
    try:
        files = ArchiveFiles.of_path(path, ARRAYS)
        try:
            values = read_array(files, "data", path.name)
        finally:
            files.close()
    except CodecError as error:
        raise CaptureError(f"{path} holds no points: {short(error)}") from error
    if values.ndim != 2 or values.shape[1] not in (6, 7):
        raise CaptureError(f"{path} holds no points: data has shape {list(values.shape)}")
    values = values[np.isfinite(values).all(axis=1)]
    return values[:, :3], values[:, 3:6].clip(0, 1)
