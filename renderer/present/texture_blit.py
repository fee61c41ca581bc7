"""Draws a texture into a framebuffer, as large as its aspect ratio allows."""

from __future__ import annotations

from OpenGL import GL
from streamstgs.renderer.present.gl_program import link_program, shader_source, uniform_locations

Viewport = tuple[int, int, int, int]  # x, y of the lower left corner, width, height; device px


def letterboxed(size_px: tuple[int, int], viewport: Viewport) -> Viewport:
    """The largest centred part of `viewport` with the aspect ratio of a picture of `size_px`."""
    x, y, width, height = viewport
    scale = min(width / size_px[0], height / size_px[1])
    shown = (max(1, round(size_px[0] * scale)), max(1, round(size_px[1] * scale)))
    return (x + (width - shown[0]) // 2, y + (height - shown[1]) // 2, *shown)


class TextureBlit:
    """Draws textures whose row 0 is the picture's top row, upright. Needs a current context."""

    def __init__(self) -> None:
        self._program = link_program(
            shader_source("streamstgs.renderer.present", "blit.vert.glsl"),
            shader_source("streamstgs.renderer.present", "blit.frag.glsl"),
        )
        self._uniforms = uniform_locations(self._program, "flip", "picture")
        self._vertex_array = int(GL.glGenVertexArrays(1))  # core profile draws nothing without one

    def draw(
        self,
        texture: int,
        size_px: tuple[int, int],
        framebuffer: int,
        viewport: Viewport,
        flip: bool = False,
        bars: tuple[float, float, float] = (0.0, 0.0, 0.0),
    ) -> None:
        """Fill `viewport` of `framebuffer` with a texture, letterboxed.

        Args:
            texture: GL_TEXTURE_2D name.
            size_px: (width, height) of the texture.
            framebuffer: name of the target; a QOpenGLWidget's is `defaultFramebufferObject()`.
            viewport: part of the framebuffer to fill.
            flip: draw the top row at the bottom, for targets that are read back row 0 first.
            bars: RGB beside the picture, where its aspect ratio differs from the viewport's.
        """
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, framebuffer)
        reset_draw_state()
        _clear(viewport, bars)
        GL.glViewport(*letterboxed(size_px, viewport))
        GL.glUseProgram(self._program)
        GL.glUniform1i(self._uniforms["flip"], int(flip))
        GL.glUniform1i(self._uniforms["picture"], 0)
        GL.glActiveTexture(GL.GL_TEXTURE0)
        GL.glBindTexture(GL.GL_TEXTURE_2D, texture)
        GL.glBindVertexArray(self._vertex_array)
        GL.glDrawArrays(GL.GL_TRIANGLES, 0, 3)
        GL.glBindVertexArray(0)
        GL.glBindTexture(GL.GL_TEXTURE_2D, 0)
        GL.glUseProgram(0)
        GL.glViewport(*viewport)

    def release(self) -> None:
        GL.glDeleteVertexArrays(1, [self._vertex_array])
        GL.glDeleteProgram(self._program)


def reset_draw_state() -> None:
    """Switch off state that other code in a shared context, such as QPainter, may have left on."""
    switches = (
        GL.GL_BLEND,
        GL.GL_CULL_FACE,
        GL.GL_DEPTH_TEST,
        GL.GL_FRAMEBUFFER_SRGB,
        GL.GL_SCISSOR_TEST,
        GL.GL_STENCIL_TEST,
    )
    for switch in switches:
        GL.glDisable(switch)
    GL.glColorMask(True, True, True, True)


def _clear(viewport: Viewport, color: tuple[float, float, float]) -> None:
    """Fill `viewport` with a colour; glClear is limited by the scissor only."""
    GL.glEnable(GL.GL_SCISSOR_TEST)
    GL.glScissor(*viewport)
    GL.glClearColor(*color, 1.0)
    GL.glClear(GL.GL_COLOR_BUFFER_BIT)
    GL.glDisable(GL.GL_SCISSOR_TEST)
