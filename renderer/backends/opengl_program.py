"""Gaussian splatting in GLSL, inside an OpenGL context that the caller owns.

OpenGL 4.1 core (the newest of macOS): no compute, no storage buffers. Attributes lie in texture
buffers in the order of the Gaussians; only the drawing order, 4 bytes each, is sent again when the
camera turns. Spherical harmonics are evaluated in the vertex shader, so a camera that moves needs
no new colours from the CPU.

In a QOpenGLWidget (set the default QSurfaceFormat to version 4.1, core profile, before
QApplication):

    def initializeGL(self):
        self.splats = SplatProgram()
        self.context().aboutToBeDestroyed.connect(self._release)

    def paintGL(self):
        ratio = self.devicePixelRatioF()  # HiDPI: OpenGL counts device pixels
        width, height = round(self.width() * ratio), round(self.height() * ratio)
        self.splats.upload(self.gaussians)  # does nothing for the object that was uploaded last
        camera = self.orbit.camera(width, height)  # the widget's aspect: no bars
        self.splats.draw(
            camera, self.settings, self.defaultFramebufferObject(), (0, 0, width, height)
        )

    def _release(self):
        self.makeCurrent()
        self.splats.release()
        self.doneCurrent()
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from OpenGL import GL
from streamstgs.renderer.backends.base import RenderedChannels
from streamstgs.renderer.backends.depth_order import back_to_front
from streamstgs.renderer.backends.opengl_composite import CompositeProgram
from streamstgs.renderer.camera import Camera
from streamstgs.renderer.compositing import composite
from streamstgs.renderer.gaussians import Gaussians
from streamstgs.renderer.present.gl_errors import gl_errors_as_render_errors
from streamstgs.renderer.present.gl_objects import PictureTarget, TextureBuffer
from streamstgs.renderer.present.gl_program import link_program, shader_source, uniform_locations
from streamstgs.renderer.present.texture_blit import TextureBlit, Viewport, reset_draw_state
from streamstgs.renderer.settings import ALPHA_MAX, ALPHA_MIN, DILATION_PX2, RenderSettings
from streamstgs.renderer.spherical_harmonics import C0, C1, C2, C3
from torch import Tensor

# Splats drawn as one instance: instances of four vertices would leave most of a GPU's lanes idle.
_SPLATS_PER_INSTANCE = 128
_QUAD = np.array([0, 1, 2, 2, 1, 3], np.uint16)
_TRANSPARENT = (0.0, 0.0, 0.0, 0.0)
_CONSTANTS = {
    "DILATION_PX2": DILATION_PX2,
    "ALPHA_MIN": ALPHA_MIN,
    "ALPHA_MAX": ALPHA_MAX,
    "SH_C0": C0,
    "SH_C1": C1,
    **{f"SH_C2_{i}": value for i, value in enumerate(C2)},
    **{f"SH_C3_{i}": value for i, value in enumerate(C3)},
}
_ATTRIBUTES = {  # name -> texel format, components
    "means": (GL.GL_RGB32F, 3),
    "quats": (GL.GL_RGBA32F, 4),
    "scales": (GL.GL_RGB32F, 3),
    "opacities": (GL.GL_R32F, 1),
    "colors": (GL.GL_RGB32F, 3),
    "sh": (GL.GL_RGB32F, 3),  # as many texels per Gaussian as it has coefficients
}


@dataclass(frozen=True)
class _Pass:
    """One time that all splats are drawn.

    Args:
        clear: RGBA of the pixels before.
        depth_as_color: draw each splat's depth in place of its colour.
    """

    clear: tuple[float, float, float, float]
    depth_as_color: bool = False


class SplatProgram:
    """Draws Gaussians; belongs to one context, which must be current in every call.

    Args:
        accumulate_format: texture format in which splats are blended. Half floats are enough for
            an 8-bit window and half the bandwidth; GL_RGBA32F for pictures that are read back.

    Raises:
        RenderError: OpenGL is older than 4.1, or the driver does not take the shaders.
    """

    @gl_errors_as_render_errors()
    def __init__(self, accumulate_format: int = GL.GL_RGBA16F) -> None:
        self._program = link_program(
            shader_source("streamstgs.renderer.backends", "splat.vert.glsl"),
            shader_source("streamstgs.renderer.backends", "splat.frag.glsl"),
            _CONSTANTS,
        )
        self._attributes = {name: TextureBuffer(*kind) for name, kind in _ATTRIBUTES.items()}
        self._order = TextureBuffer(GL.GL_R32UI, 1)
        self._uniforms = uniform_locations(
            self._program,
            *_ATTRIBUTES,
            *("order", "count", "splats_per_instance", "sh_size", "depth_as_color"),
            *("rotation", "translation", "eye", "focal_px", "center_px", "size_px"),
        )
        self._vertex_array, self._indices = _quad_indices()
        self._format = accumulate_format
        self._target = self._drawn = PictureTarget(accumulate_format)
        self._composite: CompositeProgram | None = None  # made when it is first needed
        self._blit = TextureBlit()
        self._uploaded: Gaussians | None = None
        self._means = np.empty((0, 3), np.float32)
        self._sh_size = 0  # coefficients of each uploaded Gaussian
        self._count = 0
        self._sorted_for: tuple[float, ...] | None = None
        self._drawn_for: tuple[float, ...] | None = None

    @gl_errors_as_render_errors()
    def upload(self, gaussians: Gaussians) -> None:
        """Send Gaussians (on any device) to OpenGL. The same object again costs nothing.

        Raises:
            RenderError: more than the driver can address.
        """
        if gaussians is self._uploaded:
            return
        drawable = _drawable(gaussians)
        for name, values in drawable.tensors().items():
            self._attributes[name].upload(values.numpy())
        self._means = drawable.means.numpy()
        self._sh_size = 0 if drawable.sh is None else drawable.sh.shape[1]
        self._uploaded = gaussians
        self._sorted_for = self._drawn_for = None

    @gl_errors_as_render_errors()
    def draw(
        self, camera: Camera, settings: RenderSettings, framebuffer: int, viewport_px: Viewport
    ) -> None:
        """Show the picture of `camera` in a part of a framebuffer, letterboxed.

        The picture has the camera's size and is scaled to fit, so a camera smaller than the
        viewport draws faster. Splats are drawn only if something changed since the last call.

        Args:
            framebuffer: name of the target, e.g. `QOpenGLWidget.defaultFramebufferObject()`.
            viewport_px: x, y of the lower left corner, width, height in device px.

        Raises:
            RenderError: the picture is larger than the driver allows.
        """
        wanted = _drawing_key(camera, settings)
        if wanted != self._drawn_for:
            self.render_texture(camera, settings)
            self._drawn_for = wanted
        self._blit.draw(self._drawn.texture, self._drawn.size_px, framebuffer, viewport_px)

    @gl_errors_as_render_errors()
    def render_texture(self, camera: Camera, settings: RenderSettings) -> int:
        """Draw into an own float texture and give its name; row 0 is the picture's top row.

        Raises:
            RenderError: the picture is larger than the driver allows.
        """
        self._drawn_for = None
        self._sort(camera, settings)
        self._target.bind(camera.width, camera.height)
        if not settings.replaces_background:
            self._draw_splats(camera, _Pass((*settings.background, 1.0)))
            self._drawn = self._target
        else:
            self._draw_splats(camera, _Pass(_TRANSPARENT))
            self._drawn = self._over_background().draw(self._target, settings)
        return self._drawn.texture

    def read_picture(self) -> NDArray[np.float32]:
        """[height, width, 3] float32 copy of the picture that was drawn last, top row first."""
        return self._drawn.read()

    @gl_errors_as_render_errors()
    def render_channels(self, camera: Camera, settings: RenderSettings) -> RenderedChannels:
        """Colour, alpha and depth, on the CPU. The splats are drawn twice.

        Raises:
            RenderError: the picture is larger than the driver allows.
        """
        self._drawn_for = None
        self._sort(camera, settings)
        self._target.bind(camera.width, camera.height)
        self._draw_splats(camera, _Pass(_TRANSPARENT))
        drawn = torch.from_numpy(self._target.read(with_alpha=True))
        alpha = drawn[..., 3].contiguous()
        color = composite(drawn[..., :3], alpha, settings)
        self._draw_splats(camera, _Pass(_TRANSPARENT, depth_as_color=True))
        depth = torch.from_numpy(self._target.read())[..., 0] / alpha.clamp(min=1e-10)
        return RenderedChannels(color, alpha, depth)

    def release(self) -> None:
        """Free everything held in the context."""
        for buffer in (*self._attributes.values(), self._order):
            buffer.release()
        GL.glDeleteBuffers(1, [self._indices])
        GL.glDeleteVertexArrays(1, [self._vertex_array])
        GL.glDeleteProgram(self._program)
        self._target.release()
        if self._composite is not None:
            self._composite.release()
        self._blit.release()

    def _over_background(self) -> CompositeProgram:
        if self._composite is None:
            self._composite = CompositeProgram(self._format)
        return self._composite

    def _sort(self, camera: Camera, settings: RenderSettings) -> None:
        view_axis = camera.viewmat[2].numpy()
        key = (*view_axis.tolist(), settings.near)
        if key == self._sorted_for:
            return
        order = back_to_front(self._means @ view_axis[:3] + view_axis[3], settings.near)
        self._order.upload(order)
        self._count = len(order)
        self._sorted_for = key

    def _draw_splats(self, camera: Camera, drawing: _Pass) -> None:
        reset_draw_state()
        GL.glClearColor(*drawing.clear)
        GL.glClear(GL.GL_COLOR_BUFFER_BIT)
        if self._count == 0:
            return
        GL.glEnable(GL.GL_BLEND)
        GL.glBlendEquation(GL.GL_FUNC_ADD)
        GL.glBlendFunc(GL.GL_ONE, GL.GL_ONE_MINUS_SRC_ALPHA)  # premultiplied "over"
        GL.glUseProgram(self._program)
        self._set_uniforms(camera)
        GL.glUniform1i(self._uniforms["depth_as_color"], int(drawing.depth_as_color))
        GL.glBindVertexArray(self._vertex_array)
        GL.glDrawElementsInstanced(
            GL.GL_TRIANGLES,
            _SPLATS_PER_INSTANCE * len(_QUAD),
            GL.GL_UNSIGNED_SHORT,
            ctypes.c_void_p(0),
            -(-self._count // _SPLATS_PER_INSTANCE),
        )
        GL.glBindVertexArray(0)
        GL.glUseProgram(0)
        GL.glDisable(GL.GL_BLEND)

    def _set_uniforms(self, camera: Camera) -> None:
        places = self._uniforms
        for unit, name in enumerate(_ATTRIBUTES):
            self._attributes[name].bind(unit)
            GL.glUniform1i(places[name], unit)
        self._order.bind(len(_ATTRIBUTES))
        GL.glUniform1i(places["order"], len(_ATTRIBUTES))
        GL.glActiveTexture(GL.GL_TEXTURE0)
        view, K = camera.viewmat.numpy(), camera.K.numpy()
        GL.glUniform1i(places["count"], self._count)
        GL.glUniform1i(places["splats_per_instance"], _SPLATS_PER_INSTANCE)
        GL.glUniform1i(places["sh_size"], self._sh_size)
        GL.glUniformMatrix3fv(places["rotation"], 1, True, np.ascontiguousarray(view[:3, :3]))
        GL.glUniform3f(places["translation"], *view[:3, 3].tolist())
        GL.glUniform3f(places["eye"], *camera.position.tolist())
        GL.glUniform2f(places["focal_px"], float(K[0, 0]), float(K[1, 1]))
        GL.glUniform2f(places["center_px"], float(K[0, 2]), float(K[1, 2]))
        GL.glUniform2f(places["size_px"], camera.width, camera.height)


def _drawable(gaussians: Gaussians) -> Gaussians:
    """Float32 on the CPU, without Gaussians that are not finite or have no orientation."""
    on_host = gaussians.map(lambda t: t.detach().to("cpu", torch.float32).contiguous())
    if _is_finite(on_host):
        return on_host
    finite = [t.reshape(len(t), -1).isfinite().all(dim=1) for t in on_host.tensors().values()]
    return on_host[torch.stack(finite).all(dim=0) & (on_host.quats.square().sum(dim=1) > 0)]


def _is_finite(gaussians: Gaussians) -> bool:
    """False if any number may be NaN or infinite: one such number spoils the sum."""
    sums = [values.sum() for values in gaussians.tensors().values()]
    norms = gaussians.quats.square().sum(dim=1)
    return bool(torch.stack(sums).isfinite().all()) and not bool((norms == 0).any())


def _quad_indices() -> tuple[int, int]:
    """(vertex array, index buffer) of the two triangles of each splat of one instance."""
    first = 4 * np.arange(_SPLATS_PER_INSTANCE, dtype=np.uint16)
    indices = (first[:, None] + _QUAD).ravel()
    vertex_array, buffer = int(GL.glGenVertexArrays(1)), int(GL.glGenBuffers(1))
    GL.glBindVertexArray(vertex_array)
    GL.glBindBuffer(GL.GL_ELEMENT_ARRAY_BUFFER, buffer)
    GL.glBufferData(GL.GL_ELEMENT_ARRAY_BUFFER, indices.nbytes, indices, GL.GL_STATIC_DRAW)
    GL.glBindVertexArray(0)
    return vertex_array, buffer


def _drawing_key(camera: Camera, settings: RenderSettings) -> tuple[float, ...]:
    """All numbers a picture depends on beside the Gaussians."""
    numbers: Tensor = torch.cat([camera.viewmat.flatten(), camera.K.flatten()])
    behind = (*settings.background, *(settings.own_background or ()))
    return (*numbers.tolist(), camera.width, camera.height, settings.near, *behind)
