"""The flat colour behind a scene, and the pixels that show nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from streamstgs.trainer.setting_checks import Share, check_ranges
from torch import Tensor

SAME_COLOR = 3  # 8-bit steps: video coding changes a flat colour by no more
RIM_PX = 2  # pixels beside an edge hold some of what has the edge


@dataclass(frozen=True)
class BackgroundConfig:
    """How moving pixels and a flat background are told apart from the static scene.

    Args:
        motion_threshold: A pixel moves where it differs from the temporal median by more than this
            share of full scale.
        flat_share: Internal. The background is one flat colour if this share of the border pixels
            has it.
    """

    motion_threshold: Share = 12 / 255
    flat_share: Share = 0.3

    def __post_init__(self) -> None:
        check_ranges(self, "background")


def flat_background(
    medians: list[Tensor], config: BackgroundConfig
) -> tuple[float, float, float] | None:
    """The one colour behind the scene, RGB 0..1, if the images' borders mostly show one."""
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


def background_pixels(median: Tensor, color: tuple[float, float, float] | None) -> Tensor:
    """[H, W] bool: pixels of an image [H, W, 3] uint8 that show the flat colour behind the scene,
    with all pixels around them. All False where `color` is None."""
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
