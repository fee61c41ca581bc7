"""What a GOP is trained on: its frames as the training cameras saw them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from renderer import Camera, Gaussians, RenderSettings
from trainer.coarse.background import BackgroundConfig, StillView, dynamic_mask, flat_background
from trainer.coarse.color_response import respond
from trainer.datasets import Capture, load_frames
from trainer.optimization.losses import color_loss
from trainer.optimization.rasterizer import rasterize


@dataclass(frozen=True)
class GopFootage:
    """Footage of the training cameras; all on the training device.

    Args:
        cameras: the training cameras.
        frames: [G, H, W, 3] uint8, one tensor a camera.
        masks: [H, W] bool, where structure counts (M of L_c), one a camera.
        background: RGB behind the scene, None for a closed scene.
        near: distance of the near plane, world units.
        responses: [C, 3, 4] what each camera does to colours; None: they all agree.
    """

    cameras: list[Camera]
    frames: list[Tensor]
    masks: list[Tensor]
    background: tuple[float, float, float] | None
    near: float
    responses: Tensor | None = None

    @property
    def count(self) -> int:
        return len(self.frames[0])

    def loss(
        self,
        gaussians: Gaussians,
        frame: int,
        views: list[int],
        behind: tuple[float, float, float],
        ssim_share: float,
    ) -> Tensor:
        """L_c of Gaussians against what some of the cameras saw at a frame.

        Args:
            behind: RGB to draw behind the Gaussians.
        """
        settings = RenderSettings(behind, self.near)
        pictures, _ = rasterize(gaussians, [self.cameras[v] for v in views], settings)
        if self.responses is not None:
            pictures = respond(pictures, torch.stack([self.responses[v] for v in views]))
        target = torch.stack([self.frames[v][frame] for v in views]).float() / 255
        masks = torch.stack([self.masks[v] for v in views])
        return color_loss(pictures, target, masks, ssim_share)


def gop_footage(
    capture: Capture,
    frames: range,
    stills: list[StillView],
    responses: Mapping[str, Tensor] | None,
    near: float,
    config: BackgroundConfig,
    dynamic_density: bool,
    device: torch.device,
) -> GopFootage:
    """The frames of a GOP as the training cameras saw them, on the training device.

    Args:
        stills: of the training cameras.
        responses: [3, 4] each, by the camera's name.
        dynamic_density: mask what moves; otherwise structure counts in the whole picture.
    """
    views = capture.split("train")
    footage = [f.to(device) for f in load_frames(views, frames)]
    masks = [
        dynamic_mask(f, config.motion_threshold)
        if dynamic_density
        else torch.ones(f.shape[1:3], dtype=torch.bool, device=device)
        for f in footage
    ]
    return GopFootage(
        cameras=[_on_device(v.camera, device) for v in views],
        frames=footage,
        masks=masks,
        background=flat_background([s.median for s in stills], config),
        near=near,
        responses=None
        if responses is None
        else torch.stack([responses[v.name] for v in views]).to(device),
    )


def _on_device(camera: Camera, device: torch.device) -> Camera:
    """The camera with its matrices there already: nothing is sent in each step."""
    return replace(camera, viewmat=camera.viewmat.to(device), K=camera.K.to(device))
