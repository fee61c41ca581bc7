"""What stays still: temporal medians, motion masks, and the colour behind the scene.

The paper's dynamic mask M thresholds the temporal standard deviation of a view. The median is
its robust twin: a thing that passes a pixel for less than half of the time does not show in it,
so the medians are pictures of the static scene alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from streamstgs.trainer.datasets import Capture, each_video
from streamstgs.trainer.setting_checks import require_share
from torch import Tensor

MEDIAN_SAMPLES = 31
SAME_COLOR = 3  # 8-bit steps: video coding changes a flat colour by no more
RIM_PX = 2  # pixels beside an edge hold some of what has the edge


@dataclass(frozen=True)
class BackgroundConfig:
    """How stillness is judged.

    Args:
        motion_threshold: a pixel moves where it is further from the median, 0..1 of full scale.
        flat_share: the background is one flat colour if this share of border pixels has it.
    """

    motion_threshold: float = 12 / 255
    flat_share: float = 0.3

    def __post_init__(self) -> None:
        require_share(self, "background", "motion_threshold", "flat_share")


@dataclass(frozen=True)
class StillView:
    """What one camera sees when nothing moves.

    Args:
        median: [H, W, 3] uint8.
        reliability: [H, W] share of frames near the median, 0..1.
    """

    median: Tensor
    reliability: Tensor

    def to(self, device: torch.device) -> StillView:
        return StillView(self.median.to(device), self.reliability.to(device))


def still_views(
    capture: Capture, config: BackgroundConfig, device: torch.device
) -> dict[str, StillView]:
    """The still view of every camera, by its name, from frames all through the video."""
    count = min(capture.frames, MEDIAN_SAMPLES)
    sampled = torch.linspace(0, capture.frames - 1, count).round().int().tolist()
    videos = each_video(capture.views, sampled)
    return {
        view.name: still_view(frames.to(device), config)
        for view, frames in zip(capture.views, videos, strict=True)
    }


def still_view(frames: Tensor, config: BackgroundConfig) -> StillView:
    """Median and its reliability over frames [T, H, W, 3] uint8."""
    median = frames.median(dim=0).values
    near = ~motion_mask(frames, median, config.motion_threshold)
    return StillView(median, near.float().mean(dim=0))


def motion_mask(frames: Tensor, median: Tensor, threshold: float) -> Tensor:
    """[T, H, W] bool: pixels of frames [T, H, W, 3] that differ from the median, grown by 1 px."""
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


def flat_background(
    medians: list[Tensor], config: BackgroundConfig
) -> tuple[float, float, float] | None:
    """The one colour behind the scene, RGB 0..1, if the pictures' borders mostly show one."""
    border = torch.cat(
        [torch.cat([m[0], m[-1], m[:, 0], m[:, -1]]).reshape(-1, 3) for m in medians]
    )
    colors, counts = border.unique(dim=0, return_counts=True)
    commonest = colors[counts.argmax()].float()
    near = (border.float() - commonest).abs().amax(dim=-1) <= SAME_COLOR
    if near.float().mean() < config.flat_share:
        return None
    red, green, blue = (border[near].float().mean(dim=0) / 255).tolist()
    return (red, green, blue)


def shows_background(median: Tensor, color: tuple[float, float, float] | None) -> Tensor:
    """[H, W] bool: pixels of a median [H, W, 3] uint8 that show the flat colour behind the scene,
    as do all around them. None of them where there is no such colour."""
    if color is None:
        return torch.zeros_like(median[..., 0], dtype=torch.bool)
    behind = torch.tensor(color, device=median.device) * 255
    differs = (median.float() - behind).abs().amax(dim=-1) > SAME_COLOR
    grown = torch.nn.functional.max_pool2d(
        differs.float()[None], 2 * RIM_PX + 1, stride=1, padding=RIM_PX
    )
    return grown[0] == 0


def mean_color(medians: list[Tensor]) -> tuple[float, float, float]:
    """Mean colour of pictures, RGB 0..1."""
    red, green, blue = (
        torch.stack([m.float().mean(dim=(0, 1)) for m in medians]).mean(dim=0) / 255
    ).tolist()
    return (red, green, blue)
