"""What the coarse stage learns from: the temporal medians, or all frames as in the paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from streamstgs.renderer import Camera
from streamstgs.trainer.coarse.background import background_pixels
from streamstgs.trainer.coarse.depth_supervision import SparseDepth
from streamstgs.trainer.coarse.temporal_median import TemporalMedian
from streamstgs.trainer.datasets import CapturedView, load_frames
from streamstgs.trainer.optimization.view_sampling import draw_views
from streamstgs.trainer.rng import Rng
from torch import Tensor


@dataclass(frozen=True)
class CoarseBatch:
    """Images of one time by C of the training cameras.

    Args:
        views: Indices of the cameras.
        images: [C, H, W, 3], 0..1.
        trusted: [C, H, W, 1], 1 where a pixel counts, else 0.
        depths: Known depths in each of the images; an empty list where no depth is known.
        background_pixels: [C, H, W], 1 where only the colour behind the scene is seen, else 0.
    """

    views: list[int]
    images: Tensor
    trusted: Tensor
    depths: list[SparseDepth]
    background_pixels: Tensor


class CoarseViews(Protocol):
    """The training cameras and their images."""

    cameras: list[Camera]

    def draw(self, count: int, rng: Rng) -> CoarseBatch:
        """A random batch of at most `count` views of one size, on the training device."""
        ...


class MedianViews:
    """Temporal medians (`CoarseViews`): they do not show what passes by.

    Args:
        medians: Temporal medians of the cameras, on the training device.
        reliable_share: A median is trusted where at least this share of frames agrees with it.
        depths: Known depths of each camera; empty where no depth is known.
        background: The flat colour behind the scene, 0..1; None where there is none.
    """

    def __init__(
        self,
        cameras: list[Camera],
        medians: list[TemporalMedian],
        reliable_share: float,
        depths: list[SparseDepth],
        background: tuple[float, float, float] | None = None,
    ) -> None:
        self.cameras, self.medians, self.reliable_share = cameras, medians, reliable_share
        self.depths = depths
        self.background_pixels = [background_pixels(m.image, background) for m in medians]

    def draw(self, count: int, rng: Rng) -> CoarseBatch:
        views = draw_views(self.cameras, count, rng)
        chosen = [self.medians[v] for v in views]
        images = torch.stack([m.image for m in chosen]).float() / 255
        trusted = torch.stack([m.reliability >= self.reliable_share for m in chosen])
        depths = [self.depths[v] for v in views] if self.depths else []
        empty = torch.stack([self.background_pixels[v] for v in views]).float()
        return CoarseBatch(views, images, trusted.float()[..., None], depths, empty)


class FrameViews:
    """Frames all through the video (`CoarseViews`): a random one makes a batch, and every pixel is
    trusted.

    Args:
        frames: [T, H, W, 3] uint8, one tensor a camera, on any device.
    """

    def __init__(self, cameras: list[Camera], frames: list[Tensor], device: torch.device) -> None:
        self.cameras, self.frames, self.device = cameras, frames, device

    def draw(self, count: int, rng: Rng) -> CoarseBatch:
        frame = rng.integer(len(self.frames[0]))
        views = draw_views(self.cameras, count, rng)
        chosen = torch.stack([self.frames[v][frame] for v in views])
        images = chosen.to(self.device, non_blocking=True).float() / 255
        trusted = torch.ones_like(images[..., :1])
        return CoarseBatch(views, images, trusted, [], torch.zeros_like(trusted[..., 0]))


def frame_views(
    views: tuple[CapturedView, ...], frames: int, most: int, device: torch.device
) -> FrameViews:
    """At most `most` of the video's frames, evenly spread; on the device where they fit in half
    of its free memory."""
    count = min(frames, most)
    chosen = torch.linspace(0, frames - 1, count).round().int().tolist()
    loaded = load_frames(views, chosen)
    if device.type == "cuda":
        free_bytes, _ = torch.cuda.mem_get_info(device)
        if sum(f.numel() for f in loaded) < free_bytes / 2:
            loaded = [f.to(device) for f in loaded]
    return FrameViews([v.camera for v in views], loaded, device)
