"""Lays a picture over a background that is not the scene's own, in OpenGL."""

from __future__ import annotations

from OpenGL import GL
from streamstgs.renderer.compositing import SLOPE
from streamstgs.renderer.present.gl_objects import PictureTarget
from streamstgs.renderer.present.gl_program import link_program, shader_source, uniform_locations
from streamstgs.renderer.present.texture_blit import reset_draw_state
from streamstgs.renderer.settings import OPEN_ALPHA, RenderSettings

_CONSTANTS = {"OPEN_ALPHA": OPEN_ALPHA, "SLOPE": SLOPE}


class CompositeProgram:
    """The rule of `renderer.compositing` as a shader. Needs a current context.

    Args:
        format: texture format of the picture.

    Raises:
        RenderError: the driver does not take the shaders.
    """

    def __init__(self, format: int) -> None:
        self._program = link_program(
            shader_source("streamstgs.renderer.backends", "composite.vert.glsl"),
            shader_source("streamstgs.renderer.backends", "composite.frag.glsl"),
            _CONSTANTS,
        )
        self._uniforms = uniform_locations(self._program, "light", "background", "own_background")
        self._vertex_array = int(GL.glGenVertexArrays(1))  # core profile draws nothing without one
        self._target = PictureTarget(format)

    def draw(self, light: PictureTarget, settings: RenderSettings) -> PictureTarget:
        """The finished picture, which the next call overwrites.

        Args:
            light: sum of weights times colours, and alpha.
            settings: those that replace the background.

        Raises:
            RenderError: the picture is larger than the driver allows.
        """
        assert settings.own_background is not None
        self._target.bind(*light.size_px)
        reset_draw_state()
        GL.glUseProgram(self._program)
        GL.glUniform1i(self._uniforms["light"], 0)
        GL.glUniform3f(self._uniforms["background"], *settings.background)
        GL.glUniform3f(self._uniforms["own_background"], *settings.own_background)
        GL.glActiveTexture(GL.GL_TEXTURE0)
        GL.glBindTexture(GL.GL_TEXTURE_2D, light.texture)
        GL.glBindVertexArray(self._vertex_array)
        GL.glDrawArrays(GL.GL_TRIANGLES, 0, 3)
        GL.glBindVertexArray(0)
        GL.glBindTexture(GL.GL_TEXTURE_2D, 0)
        GL.glUseProgram(0)
        return self._target

    def release(self) -> None:
        """Free everything held in the context."""
        GL.glDeleteVertexArrays(1, [self._vertex_array])
        GL.glDeleteProgram(self._program)
        self._target.release()
