"""Temporal medians of the cameras, and masks of moving pixels.

The paper's dynamic mask M thresholds the temporal standard deviation of a view. The median is
its robust twin: a thing that passes a pixel for less than half of the time does not show in it,
so the medians are pictures of the static scene alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from streamstgs.trainer.coarse.background import BackgroundConfig
from streamstgs.trainer.datasets import Capture, each_video
from torch import Tensor

MEDIAN_SAMPLES = 31


@dataclass(frozen=True)
class TemporalMedian:
    """The temporal median of one camera: what it sees of the static scene.

    Args:
        image: [H, W, 3] uint8 median over frames all through the video.
        reliability: [H, W] share of frames near the median, 0..1.
    """

    image: Tensor
    reliability: Tensor

    def to(self, device: torch.device) -> TemporalMedian:
        return TemporalMedian(self.image.to(device), self.reliability.to(device))


def capture_medians(
    capture: Capture, config: BackgroundConfig, device: torch.device
) -> dict[str, TemporalMedian]:
    """The temporal median of every camera, by its name, from frames all through the video."""
    count = min(capture.frames, MEDIAN_SAMPLES)
    sampled = torch.linspace(0, capture.frames - 1, count).round().int().tolist()
    videos = each_video(capture.views, sampled)
    return {
        view.name: temporal_median(frames.to(device), config)
        for view, frames in zip(capture.views, videos, strict=True)
    }


def temporal_median(frames: Tensor, config: BackgroundConfig) -> TemporalMedian:
    """Median and its reliability over frames [T, H, W, 3] uint8."""
    median = frames.median(dim=0).values
    near = ~motion_mask(frames, median, config.motion_threshold)
    return TemporalMedian(median, near.float().mean(dim=0))


def motion_mask(frames: Tensor, median: Tensor, threshold: float) -> Tensor:
    """[T, H, W] bool: pixels of frames [T, H, W, 3] that differ from the median [H, W, 3], grown by
    1 px; `threshold` 0..1."""
    masks = []
    for frame in frames:  # one at a time: a float copy of all frames would not fit
        difference = (frame.float() - median.float()).abs().amax(dim=-1) / 255
        smooth = torch.nn.functional.avg_pool2d(difference[None, None], 3, stride=1, padding=1)
        grown = torch.nn.functional.max_pool2d(smooth, 3, stride=1, padding=1)
        masks.append(grown[0, 0] > threshold)
    return torch.stack(masks)


def dynamic_mask(frames: Tensor, threshold: float) -> Tensor:
    """The paper's M: [H, W] bool, temporal standard deviation above `threshold` (0..1)."""
    chosen = torch.linspace(0, len(frames) - 1, min(len(frames), 30)).round().long()
    sample = frames[chosen.to(frames.device)].float() / 255
    return sample.std(dim=0, unbiased=False).amax(dim=-1) > threshold
