"""What a GOP is trained on: its frames as the training cameras saw them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from streamstgs.renderer import Camera, Gaussians, RenderSettings
from streamstgs.trainer.coarse.background import (
    BackgroundConfig,
    StillView,
    dynamic_mask,
    flat_background,
    shows_background,
)
from streamstgs.trainer.coarse.color_response import respond
from streamstgs.trainer.datasets import Capture, each_video
from streamstgs.trainer.optimization.losses import color_loss, unwanted_loss
from streamstgs.trainer.optimization.rasterizer import rasterize, rasterize_with_share
from torch import Tensor
from torch.nn.functional import max_pool2d

STILL_DEVIATION = 0.02  # temporal, 0..1: above the noise of a recording
STILL_MARGIN_PX = 4


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

    @cached_property
    def still(self) -> list[Tensor]:
        """[H, W] 1 where nothing moves in the GOP, and nothing near by, else 0; one a camera."""
        moves = [dynamic_mask(f, STILL_DEVIATION).float() for f in self.frames]
        reach = 2 * STILL_MARGIN_PX + 1
        return [1 - max_pool2d(m[None], reach, stride=1, padding=STILL_MARGIN_PX)[0] for m in moves]

    @cached_property
    def empty(self) -> list[Tensor]:
        """[H, W] 1 where a camera sees only the colour behind the scene all through the GOP."""
        shown = [shows_background(f[0], self.background) for f in self.frames]
        return [still * alone for still, alone in zip(self.still, shown, strict=True)]

    def loss(
        self,
        static: Gaussians,
        moving: Gaussians,
        frame: int,
        views: list[int],
        behind: tuple[float, float, float],
        ssim_share: float,
        still_weight: float = 0.0,
        empty_weight: float = 0.0,
    ) -> Tensor:
        """L_c of Gaussians against what some of the cameras saw at a frame.

        Args:
            behind: RGB to draw behind the Gaussians.
            still_weight: of what the moving ones draw where nothing moves; where there is a static
                layer that is what it is for, and GOPs that draw there each in its own way would
                flicker at their boundaries.
            empty_weight: of all that is drawn where only the colour behind the scene is seen.
        """
        settings = RenderSettings(behind, self.near)
        cameras = [self.cameras[v] for v in views]
        drawn = Gaussians.concatenate([static, moving])
        loss = torch.zeros((), device=drawn.means.device)
        if still_weight > 0 and len(static) > 0:
            marked = torch.zeros_like(drawn.opacities)
            marked[len(static) :] = 1
            pictures, alphas, shares = rasterize_with_share(drawn, marked, cameras, settings)
            still = torch.stack([self.still[v] for v in views])
            loss = still_weight * unwanted_loss(shares, still)
        else:
            pictures, alphas = rasterize(drawn, cameras, settings)
        if empty_weight > 0 and self.background is not None:
            empty = torch.stack([self.empty[v] for v in views])
            loss = loss + empty_weight * unwanted_loss(alphas, empty)
        if self.responses is not None:
            pictures = respond(pictures, torch.stack([self.responses[v] for v in views]))
        target = torch.stack([self.frames[v][frame] for v in views]).float() / 255
        masks = torch.stack([self.masks[v] for v in views])
        return loss + color_loss(pictures, target, masks, ssim_share)


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
    footage = [f.to(device) for f in each_video(views, frames)]
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
