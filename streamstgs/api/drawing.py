"""The renderer of one open scene, kept between images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from streamstgs.app.player.rendering.frame_renderer import FrameDeformer
from streamstgs.codec.formats.reader import Segment
from streamstgs.codec.formats.stgs import StgsSegment
from streamstgs.renderer import Camera, Gaussians, RenderSettings
from streamstgs.renderer.backends import choose_backend

ROUNDING_FRAMES = 1e-4  # a time of exactly frame / fps is that frame
MODES = ("color", "alpha", "depth")


class Drawing:
    """A backend with the buffers of its current segment. Owner: one thread.

    Args:
        backend: name of the backend; None chooses the fastest of this machine.

    Raises:
        RenderError: this machine cannot run the backend; the message says why.
    """

    def __init__(self, backend: str | None) -> None:
        choice = choose_backend(backend)
        self.name, self.reason = choice.backend.name, choice.reason
        self.backend = choice.backend
        self.deformer = FrameDeformer()

    def close(self) -> None:
        """Free the threads and device memory of the backend."""
        self.deformer.close()
        self.backend.close()

    def gaussians(self, segment: Segment, time_s: float) -> Gaussians:
        """Gaussians at a time; the next call may overwrite them.

        A time at which no frame begins gives interpolated features.
        """
        if isinstance(segment, StgsSegment):  # deformed faster, in buffers that are kept
            frame = (time_s - segment.start_s) * segment.gop.frames / segment.duration_s
            if abs(frame - round(frame)) < ROUNDING_FRAMES:
                frame = round(frame)
            return self.deformer.gaussians(segment.gop, frame)[0]
        return segment.gaussians_at(time_s)

    def image(
        self, mode: str, gaussians: Gaussians, camera: Camera, settings: RenderSettings
    ) -> NDArray[Any]:
        """One of `MODES` on the host: [H, W, 3] uint8, or [H, W] float32 for alpha and depth."""
        drawable = gaussians.to(self.backend.device)
        if mode == "color":
            return _on_host(self.backend.render_rgb8(drawable, camera, settings))
        channels = self.backend.render_channels(drawable, camera, settings)
        return _on_host(channels.alpha if mode == "alpha" else channels.depth)


def _on_host(image: Tensor) -> NDArray[Any]:
    return np.ascontiguousarray(image.detach().cpu().numpy())
