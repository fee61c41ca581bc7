"""The OpenGL backend without a window: draws on the GPU (or by software OpenGL) and reads back.

It differs from the other backends in one point: blending runs back to front, so splats behind an
opaque surface are not left out. Their weights add up to less than 1e-4.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import torch
from OpenGL import GL
from streamstgs.renderer.backends.base import Backend, Capabilities, RenderedChannels
from streamstgs.renderer.backends.opengl_program import SplatProgram
from streamstgs.renderer.camera import Camera
from streamstgs.renderer.errors import BackendUnavailable, RenderError
from streamstgs.renderer.gaussians import Gaussians
from streamstgs.renderer.present.egl_context import EglContext
from streamstgs.renderer.settings import RenderSettings
from torch import Tensor


class OpenGLBackend(Backend):
    """Draws in a surfaceless EGL context. Owner: any one thread.

    The context is current on a thread of its own for its whole life: `render` never disturbs a
    window's context that is current on the calling thread.

    Raises:
        BackendUnavailable: no EGL, no OpenGL 4.1, or the driver refuses the shaders; says why.
    """

    name = "opengl"

    def __init__(self) -> None:
        self.device = torch.device("cpu")
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="opengl-backend")
        try:
            driver = self._thread.submit(self._start).result()
        except BackendUnavailable:
            self._thread.shutdown()
            raise
        except RenderError as error:
            self._thread.shutdown()
            raise BackendUnavailable(f"OpenGL cannot draw splats: {error}") from error
        self.capabilities = Capabilities(driver=driver)

    def render(self, gaussians: Gaussians, camera: Camera, settings: RenderSettings) -> Tensor:
        """[height, width, 3] float32 on the CPU, top row first.

        Raises:
            RenderError: picture or number of Gaussians beyond the driver's limits.
        """
        return self._thread.submit(self._render, gaussians, camera, settings).result()

    def render_channels(
        self, gaussians: Gaussians, camera: Camera, settings: RenderSettings
    ) -> RenderedChannels:
        """See `renderer.backends.base.Backend.render_channels`; on the CPU."""
        return self._thread.submit(self._render_channels, gaussians, camera, settings).result()

    def close(self) -> None:
        """Free the context. The backend cannot draw afterwards."""
        self._thread.submit(self._stop).result()
        self._thread.shutdown()

    def _start(self) -> str:
        """Make the context and compile; returns the name of the driver."""
        self._context = EglContext()
        self._context.make_current()
        self._splats = SplatProgram(accumulate_format=GL.GL_RGBA32F)
        return self._context.renderer_name()

    def _render(self, gaussians: Gaussians, camera: Camera, settings: RenderSettings) -> Tensor:
        self._splats.upload(gaussians)
        self._splats.render_texture(camera, settings)
        return torch.from_numpy(self._splats.read_picture())

    def _render_channels(
        self, gaussians: Gaussians, camera: Camera, settings: RenderSettings
    ) -> RenderedChannels:
        self._splats.upload(gaussians)
        return self._splats.render_channels(camera, settings)

    def _stop(self) -> None:
        self._splats.release()
        self._context.release_current()
        self._context.destroy()
