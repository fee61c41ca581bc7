"""What a GOP is trained on: its frames as the training cameras recorded them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from streamstgs.renderer import Camera
from streamstgs.trainer.coarse.background import (
    BackgroundConfig,
    background_pixels,
    flat_background,
)
from streamstgs.trainer.coarse.temporal_median import TemporalMedian, dynamic_mask, motion_mask
from streamstgs.trainer.datasets import Capture, each_video
from streamstgs.trainer.optimization.view_sampling import draw_views
from streamstgs.trainer.rng import Rng
from torch import Tensor
from torch.nn.functional import max_pool2d

STATIC_DEVIATION = 0.02  # temporal, 0..1: above the noise of a recording
STATIC_MARGIN_PX = 4


@dataclass(frozen=True)
class GopViews:
    """The frames of a GOP by all training cameras, on the training device.

    Args:
        cameras: The training cameras.
        frames: [G, H, W, 3] uint8, one tensor a camera.
        masks: [H, W] bool, the pixels that SSIM sees (M of L_c), one a camera.
        background: RGB behind the scene; None for a closed scene.
        near: Distance of the near plane, world units.
        corrections: [C, 3, 4] colour correction of each camera; None where they all agree.
        medians: [H, W, 3] uint8 temporal median, one a camera; None where they are not known.
        motion_threshold: A pixel moves where it differs from the median by more, 0..1.
    """

    cameras: list[Camera]
    frames: list[Tensor]
    masks: list[Tensor]
    background: tuple[float, float, float] | None
    near: float
    corrections: Tensor | None = None
    medians: list[Tensor] | None = None
    motion_threshold: float = 0.06

    @property
    def count(self) -> int:
        """Number of frames, G."""
        return len(self.frames[0])

    @cached_property
    def static_pixels(self) -> list[Tensor]:
        """[H, W] 1 where nothing moves in the GOP, nor near by, else 0; one a camera."""
        moves = [dynamic_mask(f, STATIC_DEVIATION).float() for f in self.frames]
        size = 2 * STATIC_MARGIN_PX + 1
        return [1 - max_pool2d(m[None], size, stride=1, padding=STATIC_MARGIN_PX)[0] for m in moves]

    @cached_property
    def background_pixels(self) -> list[Tensor]:
        """[H, W] 1 where a camera sees only the flat colour behind the scene all through the GOP,
        else 0; one a camera."""
        shown = [background_pixels(f[0], self.background) for f in self.frames]
        return [static * alone for static, alone in zip(self.static_pixels, shown, strict=True)]

    def draw(self, frame: int, count: int, rng: Rng) -> GopBatch:
        """A frame by `count` random cameras."""
        return self.batch(frame, draw_views(self.cameras, count, rng), rng)

    def batch(self, frame: int, views: list[int], rng: Rng) -> GopBatch:
        """The chosen frame by the chosen cameras; a closed scene gets a random background."""
        return GopBatch(self, frame, views, self.background or rng.color())


@dataclass(frozen=True)
class GopBatch:
    """One frame by C of the training cameras.

    Args:
        frame: Number of the frame in the GOP.
        views: Indices of the cameras.
        background: RGB to render behind the Gaussians.
    """

    source: GopViews
    frame: int
    views: list[int]
    background: tuple[float, float, float]

    @property
    def cameras(self) -> list[Camera]:
        return [self.source.cameras[v] for v in self.views]

    @cached_property
    def images(self) -> Tensor:
        """[C, H, W, 3] recorded, 0..1."""
        return torch.stack([self.source.frames[v][self.frame] for v in self.views]).float() / 255

    @cached_property
    def masks(self) -> Tensor:
        """[C, H, W] bool, M of L_c."""
        return torch.stack([self.source.masks[v] for v in self.views])

    @cached_property
    def static_pixels(self) -> Tensor:
        """[C, H, W] 1 where nothing moves in the GOP, else 0."""
        return torch.stack([self.source.static_pixels[v] for v in self.views])

    @cached_property
    def moving_pixels(self) -> Tensor | None:
        """[C, H, W] 1 where the frame differs from the camera's temporal median, else 0; None where
        the medians are not known."""
        source = self.source
        if source.medians is None:
            return None
        masks = [
            motion_mask(
                source.frames[v][self.frame][None], source.medians[v], source.motion_threshold
            )
            for v in self.views
        ]
        return torch.cat(masks).float()

    @cached_property
    def background_pixels(self) -> Tensor:
        """[C, H, W] 1 where only the flat colour behind the scene is seen, else 0."""
        return torch.stack([self.source.background_pixels[v] for v in self.views])

    @cached_property
    def corrections(self) -> Tensor | None:
        """[C, 3, 4] colour corrections of the cameras; None where they all agree."""
        corrections = self.source.corrections
        return None if corrections is None else torch.stack([corrections[v] for v in self.views])


def gop_views(
    capture: Capture,
    frames: range,
    medians: list[TemporalMedian],
    corrections: Mapping[str, Tensor] | None,
    near: float,
    config: BackgroundConfig,
    dynamic_density: bool,
    device: torch.device,
) -> GopViews:
    """The frames of a GOP as the training cameras recorded them, on the training device.

    Args:
        medians: Temporal medians of the training cameras.
        corrections: [3, 4] each, by the camera's name.
        dynamic_density: Mask what moves; otherwise SSIM sees the whole image.
    """
    views = capture.split("train")
    videos = [f.to(device) for f in each_video(views, frames)]
    masks = [
        dynamic_mask(f, config.motion_threshold)
        if dynamic_density
        else torch.ones(f.shape[1:3], dtype=torch.bool, device=device)
        for f in videos
    ]
    return GopViews(
        cameras=[_on_device(v.camera, device) for v in views],
        frames=videos,
        masks=masks,
        background=flat_background([m.image for m in medians], config),
        near=near,
        corrections=None
        if corrections is None
        else torch.stack([corrections[v.name] for v in views]).to(device),
        medians=[m.image for m in medians],
        motion_threshold=config.motion_threshold,
    )


def _on_device(camera: Camera, device: torch.device) -> Camera:
    """The camera with its matrices on the device, so that no step has to send them."""
    return replace(camera, viewmat=camera.viewmat.to(device), K=camera.K.to(device))
