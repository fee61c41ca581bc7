"""Renders moments of an open scene for a video."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from streamstgs.app.player.buffer.scene_buffer import still_gop
from streamstgs.app.player.rendering.frame_renderer import (
    FrameDeformer,
    RenderRequest,
    render_rgb8,
)
from streamstgs.app.player.rendering.view_settings import Look, fitting_depths
from streamstgs.app.player.sound.export_sound import ExportSound
from streamstgs.app.player.status import PlaybackFrame
from streamstgs.codec.formats.reader import SceneReader, Segment
from streamstgs.codec.formats.stgs import StgsSegment
from streamstgs.codec.quality import Quality
from streamstgs.renderer import Camera, Gaussians, Gop, RenderSettings
from streamstgs.renderer.backends.base import Backend
from streamstgs.renderer.compositing import cut_out

BLACK = (0.0, 0.0, 0.0)


class SceneFrames:
    """Decodes content frames in any order and renders them; keeps the last segment.

    Implements `video_export.FrameSource`. Belongs to one thread.

    Args:
        scene: Open; not closed by this object.
        quality: Of the scene.
        backend: Renders.
        deformer: Moves the Gaussians.
        look: What is shown; None for the scene as it is.
    """

    def __init__(
        self,
        scene: SceneReader,
        quality: Quality,
        backend: Backend,
        deformer: FrameDeformer,
        look: Look | None = None,
    ) -> None:
        self._scene = scene
        self._quality = quality
        self._backend, self._deformer = backend, deformer
        self._look = look or Look()
        self._kept: tuple[int, Segment] | None = None
        self._asked: RenderSettings | None = None

    def rgb8(self, frame: float, camera: Camera) -> NDArray[np.uint8]:
        """As of `FrameSource`."""
        gaussians, settings = self._shown(frame, camera)
        return render_rgb8(self._backend, gaussians, camera, settings)

    def rgba(self, frame: float, camera: Camera, transparent: bool) -> NDArray[np.float32]:
        """As of `FrameSource`."""
        gaussians, settings = self._shown(frame, camera)
        return render_rgba(self._backend, gaussians, camera, settings, transparent)

    def sound(self) -> ExportSound | None:
        """As of `FrameSource`."""
        return ExportSound.of_scene(self._scene)

    def _shown(self, frame: float, camera: Camera) -> tuple[Gaussians, RenderSettings]:
        """Gaussians at a moment and settings of the backend, as the look changes them."""
        if self._asked is None:  # one range of depths for the whole video
            self._asked = self._look.settings(self._scene.info.meta, self._depths(camera))
        gaussians, gop, inside = self._gaussians(frame)
        shown = PlaybackFrame(gop, inside, math.floor(frame), self._quality, 0)
        asked = RenderRequest(shown, camera, self._asked)
        return self._deformer.prepared(gaussians, asked)

    def _depths(self, camera: Camera) -> tuple[float, float]:
        """A range of depths that fits a camera which looks at the middle of the scene."""
        away = float((camera.position - torch.tensor(self._scene.info.meta.center)).norm())
        return fitting_depths(away, 2.0 * math.atan(camera.height / (2.0 * float(camera.K[1, 1]))))

    def _gaussians(self, frame: float) -> tuple[Gaussians, Gop, float]:
        """The Gaussians at a moment, their GOP and the moment in it, in frames.

        Decodes the segment of the moment unless the last call did.
        """
        info = self._scene.info
        index = info.segment_at(math.floor(frame) / info.meta.fps)
        if self._kept is None or self._kept[0] != index:
            self._kept = None  # two segments need not fit into memory
            self._kept = index, self._scene.segment(index, self._quality, self._backend.device)
        segment = self._kept[1]
        if isinstance(segment, StgsSegment):  # deformed faster, in buffers that are kept
            inside = frame - info.segment_starts[index]
            return self._deformer.gaussians(segment.gop, inside)[0], segment.gop, inside
        gaussians = segment.gaussians_at(frame / info.meta.fps)
        return gaussians, still_gop(gaussians), 0.0


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
