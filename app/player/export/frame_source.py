"""Renders moments of an open .stgs scene for a film."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from streamstgs.app.player.rendering.frame_renderer import FrameRenderer, render_rgb8
from streamstgs.app.player.timeline import Timeline
from streamstgs.codec.quality import Quality
from streamstgs.codec.scene import Scene
from streamstgs.renderer import Camera, Gaussians, Gop, RenderSettings
from streamstgs.renderer.backends.base import Backend

BLACK = (0.0, 0.0, 0.0)


class SceneFrames:
    """Decodes content frames in any order and renders them; keeps the last GOP.

    Implements `film.FrameSource`. Belongs to one thread.
    """

    def __init__(self, scene: Scene, quality: Quality, renderer: FrameRenderer) -> None:
        self._scene = scene
        self._quality = quality
        self._renderer = renderer
        self._timeline = Timeline.of(scene)
        self._kept: tuple[int, Gop] | None = None
        self._settings = RenderSettings(scene.meta.background, scene.meta.near)

    def rgb8(self, frame: float, camera: Camera) -> NDArray[np.uint8]:
        """As of `FrameSource`."""
        gaussians = self._gaussians(frame)
        return render_rgb8(self._renderer.backend, gaussians, camera, self._settings)

    def rgba(self, frame: float, camera: Camera, transparent: bool) -> NDArray[np.float32]:
        """As of `FrameSource`."""
        gaussians = self._gaussians(frame)
        return render_rgba(self._renderer.backend, gaussians, camera, self._settings, transparent)

    def _gaussians(self, frame: float) -> Gaussians:
        """The Gaussians at a moment; decodes its GOP unless the last call did."""
        whole = math.floor(frame)
        gop_index, inside = self._timeline.locate(whole)
        if self._kept is None or self._kept[0] != gop_index:
            self._kept = None  # two GOPs need not fit into memory
            device = self._renderer.backend.device
            self._kept = gop_index, self._scene.decode_gop(gop_index, self._quality, device)
        return self._renderer.gaussians(self._kept[1], inside + frame - whole)[0]


def render_rgba(
    backend: Backend,
    gaussians: Gaussians,
    camera: Camera,
    settings: RenderSettings,
    transparent: bool,
) -> NDArray[np.float32]:
    """[H, W, 4] float32 image on the host: display-encoded colours times alpha, and alpha.

    Args:
        transparent: Whether the background is left out; else alpha is 1.

    Raises:
        RenderError: The backend cannot draw the image.
    """
    if not transparent:
        color = backend.render(gaussians, camera, settings)
        alpha = torch.ones_like(color[..., :1])
    else:
        clear = RenderSettings(BLACK, settings.near)
        channels = backend.render_channels(gaussians, camera, clear)
        color, alpha = channels.color, channels.alpha[..., None]
    image = torch.cat([color.clamp(min=0.0), alpha.clamp(0.0, 1.0)], dim=-1)
    return np.ascontiguousarray(image.detach().float().cpu().numpy())
