"""The layout of the Neural 3D Video data set: `poses_bounds.npy` beside `camNN.mp4`."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import torch

from renderer import Camera
from trainer.datasets.capture import Capture, CapturedView, mean_up, point_of_attention
from trainer.datasets.readers import VideoReader
from trainer.errors import CaptureError


def read_neural_3d_video(folder: Path) -> Capture:
    """Read LLFF poses (N3DV, MeetRoom). Camera 0 is held out, as in the papers."""
    videos = sorted(folder.glob("cam*.mp4"))
    poses = np.load(folder / "poses_bounds.npy", allow_pickle=False)
    if poses.shape != (len(videos), 17):
        raise CaptureError(
            f"poses_bounds.npy has shape {poses.shape}, expected ({len(videos)}, 17)"
        )
    width, height, fps, frames = _probe(videos[0])
    views = tuple(
        CapturedView(
            name=video.stem,
            split="test" if index == 0 else "train",
            camera=_camera(poses[index, :15].reshape(3, 5), width, height),
            reader=VideoReader(video, width, height),
        )
        for index, video in enumerate(videos)
    )
    cameras = [v.camera for v in views]
    return Capture(
        title=folder.name,
        views=views,
        fps=fps,
        frames=frames,
        up=mean_up(cameras),
        center=point_of_attention(cameras),
        points_path=None,
    )


def _camera(pose: np.ndarray, width: int, height: int) -> Camera:
    """LLFF: [down, right, back | centre | height width focal] at the original picture size."""
    down, right, back, center = pose[:, 0], pose[:, 1], pose[:, 2], pose[:, 3]
    original_height, original_width, focal = pose[:, 4]
    rotation = np.stack([right, down, -back])  # rows: x right, y down, z forward
    viewmat = np.eye(4)
    viewmat[:3, :3] = rotation
    viewmat[:3, 3] = -rotation @ center
    fx, fy = focal * width / original_width, focal * height / original_height
    K = [[fx, 0.0, width / 2], [0.0, fy, height / 2], [0.0, 0.0, 1.0]]
    return Camera(
        torch.tensor(viewmat, dtype=torch.float32), torch.tensor(K), width=width, height=height
    )


def _probe(video: Path) -> tuple[int, int, float, int]:
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        frames = stream.frames or sum(1 for _ in container.demux(video=0)) - 1
        rate = float(stream.average_rate or 30)
        return stream.codec_context.width, stream.codec_context.height, rate, frames
