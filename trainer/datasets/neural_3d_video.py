"""The layout of the Neural 3D Video data set: `poses_bounds.npy` beside `camNN.mp4`."""

from __future__ import annotations

import statistics
import zipfile
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import torch
from streamstgs.renderer import Camera
from streamstgs.trainer.datasets.capture import Capture, CapturedView, mean_up, point_of_attention
from streamstgs.trainer.datasets.readers import VideoReader
from streamstgs.trainer.datasets.reduction import CaptureConfig
from streamstgs.trainer.errors import CaptureError


@dataclass(frozen=True)
class VideoFacts:
    """What a video file says of itself."""

    width: int
    height: int
    fps: float
    frames: int


def read_neural_3d_video(folder: Path, config: CaptureConfig) -> Capture:
    """Read LLFF poses (N3DV, MeetRoom). Camera 0 is held out, as in the papers."""
    videos = sorted(folder.glob("cam*.mp4"))
    poses = _read_poses(folder / "poses_bounds.npy", len(videos))
    facts = [_probe(video) for video in videos]
    shown = [config.applied(_camera(row[:15].reshape(3, 5), facts[0])) for row in poses]
    recorded = facts[0].width, facts[0].height
    views = tuple(
        CapturedView(
            name=video.stem,
            split="test" if index == 0 else "train",
            camera=camera,
            reader=VideoReader(video.stem, video, *recorded, (camera.width, camera.height)),
        )
        for index, (video, camera) in enumerate(zip(videos, shown, strict=True))
    )
    cameras = [v.camera for v in views]
    return Capture(
        title=folder.name,
        views=views,
        fps=facts[0].fps,
        frames=statistics.mode(f.frames for f in facts),  # one that stopped early is an error
        up=mean_up(cameras),
        center=point_of_attention(cameras, reach=_middle_depth(poses)),
        points_path=None,
    )


def _read_poses(path: Path, count: int) -> np.ndarray:
    """[count, 17] float64: 3x5 pose and two depth bounds of each camera."""
    try:
        with path.open("rb") as file:
            poses = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise CaptureError(f"{path} cannot be read: {error}") from error
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


def _camera(pose: np.ndarray, facts: VideoFacts) -> Camera:
    """LLFF: [down, right, back | centre | height width focal] at the original picture size."""
    down, right, back, center = pose[:, 0], pose[:, 1], pose[:, 2], pose[:, 3]
    original_height, original_width, focal = pose[:, 4]
    if min(original_height, original_width, focal) <= 0:
        raise CaptureError("poses_bounds.npy: picture size and focal length must be positive")
    rotation = np.stack([right, down, -back])  # rows: x right, y down, z forward
    viewmat = np.eye(4)
    viewmat[:3, :3] = rotation
    viewmat[:3, 3] = -rotation @ center
    width, height = facts.width, facts.height
    fx, fy = focal * width / original_width, focal * height / original_height
    K = [[fx, 0.0, width / 2], [0.0, fy, height / 2], [0.0, 0.0, 1.0]]
    return Camera(
        viewmat=torch.tensor(viewmat, dtype=torch.float32),
        K=torch.tensor(K, dtype=torch.float32),
        width=width,
        height=height,
    )


def _probe(video: Path) -> VideoFacts:
    """Raises CaptureError, naming the camera."""
    try:
        with av.open(str(video)) as container:
            stream = container.streams.video[0]
            frames = stream.frames or sum(1 for p in container.demux(video=0) if p.size)
            codec, rate = stream.codec_context, float(stream.average_rate or 30)
            return VideoFacts(codec.width, codec.height, rate, frames)
    except (OSError, av.FFmpegError, IndexError) as error:
        raise CaptureError(f"camera {video.stem}: {video.name} cannot be read: {error}") from error
