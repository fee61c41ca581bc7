"""Renders single images without a display."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from streamstgs.app.player.compare.two_sides import OtherSide
from streamstgs.app.player.rendering.frame_renderer import FrameRenderer, RenderRequest
from streamstgs.app.player.status import PlaybackFrame
from streamstgs.renderer import Camera, RenderSettings
from streamstgs.renderer.backends import choose_backend


class OffscreenRenderer:
    """Renders in the calling thread and keeps its backend until another one is asked for."""

    def __init__(self) -> None:
        self._renderer: FrameRenderer | None = None
        self._asked: str | None = None
        self.psnr_db: float | None = None  # of the last comparison

    def render(
        self,
        frame: PlaybackFrame,
        camera: Camera,
        settings: RenderSettings,
        backend: str | None = None,
        other: OtherSide | None = None,
    ) -> NDArray[np.uint8]:
        """[H, W, 3] uint8 image of a content frame.

        Args:
            backend: The name of a renderer; None chooses the fastest of this machine.
            other: What it is compared with; `psnr_db` tells how much both differ.

        Raises:
            RenderError: The renderer is missing or cannot draw this.
        """
        if self._renderer is None or backend != self._asked:
            self.close()
            self._renderer = FrameRenderer(choose_backend(backend).backend, owns_backend=True)
            self._asked = backend
        rendered = self._renderer.render(RenderRequest(frame, camera, settings, other))
        self.psnr_db = rendered.psnr_db
        rgb8: NDArray[np.uint8] = rendered.rgb8
        return rgb8

    def close(self) -> None:
        """Close the backend; `render` makes another one."""
        renderer, self._renderer = self._renderer, None
        if renderer is not None:
            renderer.close()
