"""How good the scene looks from cameras that training never saw, while training goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from streamstgs.renderer import Camera, Gaussians, RenderSettings
from streamstgs.trainer.coarse.background import StillView
from streamstgs.trainer.datasets import Capture, CapturedView, load_frames
from streamstgs.trainer.optimization.losses import psnr
from streamstgs.trainer.optimization.rasterizer import rasterize
from torch import Tensor

WATCHED_FRAMES = 4


@dataclass(frozen=True)
class HeldOutWatch:
    """Pictures of held-out cameras to compare with.

    Args:
        shots: (frame index given to the scene, camera, [H, W, 3] uint8 target) each.
        settings: how to draw.
        name: whose pictures these are, in words.
    """

    shots: list[tuple[int, Camera, Tensor]]
    settings: RenderSettings
    name: str = "held-out"

    @staticmethod
    def of_stills(
        capture: Capture,
        stills: Mapping[str, StillView],
        settings: RenderSettings,
        device: torch.device,
    ) -> HeldOutWatch:
        """Compares with the temporal medians of the held-out cameras."""
        shots = [(0, v.camera, stills[v.name].median.to(device)) for v in _watched(capture)]
        return HeldOutWatch(shots, settings, _name(capture))

    @staticmethod
    def of_frames(
        capture: Capture,
        first: int,
        last: int,
        settings: RenderSettings,
        device: torch.device,
    ) -> HeldOutWatch:
        """Compares with a few frames of first..last-1; frame 0 is `first`."""
        views = _watched(capture)
        count = min(WATCHED_FRAMES, last - first)
        chosen = torch.linspace(first, last - 1, count).round().int().tolist()
        shots = [
            (frame - first, view.camera, picture.to(device))
            for view, video in zip(views, load_frames(views, chosen), strict=True)
            for frame, picture in zip(chosen, video, strict=True)
        ]
        return HeldOutWatch(shots, settings, _name(capture))

    @torch.no_grad()
    def read(self, gaussians_at: Callable[[int], Gaussians]) -> float:
        """Mean PSNR in dB."""
        readings = []
        for frame, camera, target in self.shots:
            picture, _ = rasterize(gaussians_at(frame), [camera], self.settings)
            readings.append(psnr(picture[0].clamp(0, 1), target.float() / 255))
        return torch.stack(readings).mean().item()


def _watched(capture: Capture) -> tuple[CapturedView, ...]:
    """The held-out cameras; where there are none, the first training camera stands in."""
    return capture.split("test") or capture.split("train")[:1]


def _name(capture: Capture) -> str:
    held_out, (first, *_) = capture.split("test"), capture.split("train")
    return "held-out" if held_out else f"training camera {first.name}"
