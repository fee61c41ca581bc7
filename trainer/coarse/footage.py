"""What the coarse stage learns from: the temporal medians, or all frames as in the paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from streamstgs.renderer import Camera
from streamstgs.trainer.coarse.background import StillView, shows_background
from streamstgs.trainer.coarse.depth_supervision import SparseDepth
from streamstgs.trainer.datasets import CapturedView, load_frames
from streamstgs.trainer.random_source import RandomSource
from torch import Tensor


@dataclass(frozen=True)
class CoarseBatch:
    """Pictures of one moment.

    Args:
        views: which of the training cameras saw them.
        pictures: [C, H, W, 3], 0..1.
        trusted: [C, H, W, 1], 1 where a pixel has a say, else 0.
        depths: known in each of the pictures; none at all where no depth is known.
        empty: [C, H, W], 1 where only the colour behind the scene is seen, else 0.
    """

    views: list[int]
    pictures: Tensor
    trusted: Tensor
    depths: list[SparseDepth]
    empty: Tensor


class CoarseFootage(Protocol):
    """The training cameras and what they saw."""

    cameras: list[Camera]

    def draw(self, count: int, random: RandomSource) -> CoarseBatch:
        """A random batch of `count` views, on the training device."""
        ...


class MedianFootage:
    """Temporal medians: what passes by leaves no trace in them.

    Args:
        stills: of the cameras, on the training device.
        reliable_share: a median is trusted where at least this share of frames agrees with it.
        depths: known in the medians, of each camera; empty where no depth is known.
        background: the flat colour behind the scene, 0..1; None where there is none.
    """

    def __init__(
        self,
        cameras: list[Camera],
        stills: list[StillView],
        reliable_share: float,
        depths: list[SparseDepth],
        background: tuple[float, float, float] | None = None,
    ) -> None:
        self.cameras, self.stills, self.reliable_share = cameras, stills, reliable_share
        self.depths = depths
        self.empty = [shows_background(s.median, background) for s in stills]

    def draw(self, count: int, random: RandomSource) -> CoarseBatch:
        views = random.choice(count, len(self.cameras))
        chosen = [self.stills[v] for v in views]
        pictures = torch.stack([s.median for s in chosen]).float() / 255
        trusted = torch.stack([s.reliability >= self.reliable_share for s in chosen])
        depths = [self.depths[v] for v in views] if self.depths else []
        empty = torch.stack([self.empty[v] for v in views]).float()
        return CoarseBatch(views, pictures, trusted.float()[..., None], depths, empty)


class FrameFootage:
    """Frames all through the video, every pixel trusted; a random one of them makes a batch.

    Args:
        frames: [T, H, W, 3] uint8, one tensor a camera; where they lie does not matter.
    """

    def __init__(self, cameras: list[Camera], frames: list[Tensor], device: torch.device) -> None:
        self.cameras, self.frames, self.device = cameras, frames, device

    def draw(self, count: int, random: RandomSource) -> CoarseBatch:
        frame = random.integer(len(self.frames[0]))
        views = random.choice(count, len(self.cameras))
        chosen = torch.stack([self.frames[v][frame] for v in views])
        pictures = chosen.to(self.device, non_blocking=True).float() / 255
        trusted = torch.ones_like(pictures[..., :1])
        return CoarseBatch(views, pictures, trusted, [], torch.zeros_like(trusted[..., 0]))


def frame_footage(
    views: tuple[CapturedView, ...], frames: int, most: int, device: torch.device
) -> FrameFootage:
    """At most `most` of the video's frames, evenly spread; on the device where they fit in half
    of its free memory."""
    count = min(frames, most)
    chosen = torch.linspace(0, frames - 1, count).round().int().tolist()
    footage = load_frames(views, chosen)
    if device.type == "cuda":
        free_bytes, _ = torch.cuda.mem_get_info(device)
        if sum(f.numel() for f in footage) < free_bytes / 2:
            footage = [f.to(device) for f in footage]
    return FrameFootage([v.camera for v in views], footage, device)
