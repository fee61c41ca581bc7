"""Renders moments of an open scene for a video."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from streamstgs.app.player.rendering.frame_renderer import FrameRenderer, render_rgb8
from streamstgs.app.player.sound.export_sound import ExportSound
from streamstgs.codec.formats.reader import SceneReader, Segment
from streamstgs.codec.formats.stgs import StgsSegment
from streamstgs.codec.quality import Quality
from streamstgs.renderer import Camera, Gaussians, RenderSettings
from streamstgs.renderer.backends.base import Backend
from streamstgs.renderer.compositing import cut_out

BLACK = (0.0, 0.0, 0.0)


class SceneFrames:
    """Decodes content frames in any order and renders them; keeps the last segment.

    Implements `video_export.FrameSource`. Belongs to one thread.
    """

    def __init__(self, scene: SceneReader, quality: Quality, renderer: FrameRenderer) -> None:
        self._scene = scene
        self._quality = quality
        self._renderer = renderer
        self._kept: tuple[int, Segment] | None = None
        meta = scene.info.meta
        self._settings = RenderSettings(meta.background, meta.near)

    def rgb8(self, frame: float, camera: Camera) -> NDArray[np.uint8]:
        """As of `FrameSource`."""
        gaussians = self._gaussians(frame)
        return render_rgb8(self._renderer.backend, gaussians, camera, self._settings)

    def rgba(self, frame: float, camera: Camera, transparent: bool) -> NDArray[np.float32]:
        """As of `FrameSource`."""
        gaussians = self._gaussians(frame)
        return render_rgba(self._renderer.backend, gaussians, camera, self._settings, transparent)

    def sound(self) -> ExportSound | None:
        """As of `FrameSource`."""
        return ExportSound.of_scene(self._scene)

    def _gaussians(self, frame: float) -> Gaussians:
        """The Gaussians at a moment; decodes its segment unless the last call did."""
        info = self._scene.info
        index = info.segment_at(math.floor(frame) / info.meta.fps)
        if self._kept is None or self._kept[0] != index:
            self._kept = None  # two segments need not fit into memory
            device = self._renderer.backend.device
            self._kept = index, self._scene.segment(index, self._quality, device)
        segment = self._kept[1]
        if isinstance(segment, StgsSegment):  # deformed faster, in buffers that are kept
            return self._renderer.gaussians(segment.gop, frame - info.segment_starts[index])[0]
        return segment.gaussians_at(frame / info.meta.fps)


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
        alpha = torch.ones_like(color[..., 0])
    else:
        over_black = RenderSettings(BLACK, settings.near)
        channels = backend.render_channels(gaussians, camera, over_black)
        color, alpha = cut_out(channels.color, channels.alpha, settings.own_background)
    image = torch.cat([color.clamp(min=0.0), alpha.clamp(0.0, 1.0)[..., None]], dim=-1)
    return np.ascontiguousarray(image.detach().float().cpu().numpy())
