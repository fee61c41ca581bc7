"""The layout of the Neural 3D Video data set: `poses_bounds.npy` beside `camNN.mp4`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from streamstgs.trainer.datasets.capture import Capture
from streamstgs.trainer.datasets.config import CaptureConfig
from streamstgs.trainer.datasets.files import VIDEO_SUFFIXES, in_camera_order, short
from streamstgs.trainer.datasets.lens import Lens
from streamstgs.trainer.datasets.readers import READERS, size_problem
from streamstgs.trainer.datasets.recorded import RecordedCamera, assembled
from streamstgs.trainer.datasets.video_file import VideoFile
from streamstgs.trainer.errors import CaptureError

SAME_ASPECT = 0.01  # relative difference of aspect ratios that are the same, after rounding


def read_neural_3d_video(folder: Path, config: CaptureConfig) -> Capture:
    """Read LLFF poses (N3DV, MeetRoom). Camera 0 is held out, as in the papers.

    Row i of the poses belongs to the i-th video in the order of the numbers in their names.
    """
    videos = in_camera_order(
        p
        for p in folder.iterdir()
        if p.suffix.lower() in VIDEO_SUFFIXES and p.name.lower().startswith("cam")
    )
    poses = _read_poses(folder / "poses_bounds.npy", len(videos))
    files = [VideoFile(v.stem, v, config.untagged_matrix) for v in videos]
    with ThreadPoolExecutor(READERS) as pool:
        sizes = list(pool.map(lambda file: file.first_size(), files))
    cameras = [
        _camera(row[:15].reshape(3, 5), file, size, split)
        for file, row, size, split in zip(
            files, poses, sizes, ["test"] + ["train"] * (len(files) - 1), strict=True
        )
    ]
    return assembled(folder.name, cameras, config, reach=_middle_depth(poses))


def _read_poses(path: Path, count: int) -> np.ndarray:
    """[count, 17] float64: 3x5 pose and two depth bounds of each camera."""
    try:
        with path.open("rb") as file:
            poses = np.load(file, allow_pickle=False)
    except Exception as error:  # numpy hands the header to Python's tokenizer, which has its own
        raise CaptureError(f"{path} cannot be read: {short(error)}") from error
    if count == 0:
        raise CaptureError(f"{path.parent} holds no videos cam*.mp4")
    if not isinstance(poses, np.ndarray) or poses.shape != (count, 17):
        shape = getattr(poses, "shape", None)
        raise CaptureError(f"{path} has shape {shape}, {count} videos need ({count}, 17)")
    if poses.dtype.kind != "f" or not np.isfinite(poses).all():
        raise CaptureError(f"{path} does not hold finite numbers")
    return poses.astype(np.float64)


def _middle_depth(poses: np.ndarray) -> float | None:
    """Between the depth bounds, in the mean of inverse depths; None where they say nothing."""
    bounds = poses[:, 15:]
    return float(1 / (1 / bounds).mean()) if (bounds > 0).all() else None


def _camera(pose: np.ndarray, file: VideoFile, size: tuple[int, int], split: str) -> RecordedCamera:
    """LLFF: [down, right, back | centre | height width focal] at the original picture size.

    Args:
        size: (width, height) of the video, px; of the same aspect ratio as the original.
    """
    down, right, back, center = pose[:, 0], pose[:, 1], pose[:, 2], pose[:, 3]
    original_height, original_width, focal = pose[:, 4].tolist()
    if min(original_height, original_width, focal) <= 0:
        raise CaptureError("poses_bounds.npy: picture size and focal length must be positive")
    rotation = np.stack([right, down, -back])  # rows: x right, y down, z forward
    viewmat = np.eye(4)
    viewmat[:3, :3] = rotation
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused later
        viewmat[:3, 3] = -rotation @ center
    width, height = size
    if abs(width / height * original_height / original_width - 1) > SAME_ASPECT:
        problem = size_problem(width, height, round(original_width), round(original_height))
        raise file.error(problem)
    fx, fy = focal * width / original_width, focal * height / original_height
    try:
        lens = Lens("PINHOLE", width, height, (fx, fy, width / 2, height / 2))
    except ValueError as error:  # a focal length beyond all numbers, or a picture without size
        raise CaptureError(f"camera {file.camera}: poses_bounds.npy: {error}") from error
    return RecordedCamera(file.camera, viewmat, lens, file.path, split)
