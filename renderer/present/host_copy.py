"""Presents through the memory of the host: works with every device and every OpenGL."""

from __future__ import annotations

import ctypes

from OpenGL import GL
from streamstgs.renderer.present.base import Picture, Presenter, display_bytes
from streamstgs.renderer.present.gl_errors import gl_errors_as_render_errors


class HostCopyPresenter(Presenter):
    """Uploads through a pixel buffer, new for each picture: OpenGL may still read the last one."""

    name = "host copy"

    def __init__(self) -> None:
        super().__init__()
        self._pixels = int(GL.glGenBuffers(1))

    @gl_errors_as_render_errors()
    def present(self, picture: Picture) -> int:
        data = display_bytes(picture).cpu().contiguous()
        height, width = data.shape[:2]
        self._texture.resize(width, height)
        GL.glBindBuffer(GL.GL_PIXEL_UNPACK_BUFFER, self._pixels)
        GL.glBufferData(
            GL.GL_PIXEL_UNPACK_BUFFER,
            data.numel(),
            ctypes.c_void_p(data.data_ptr()),
            GL.GL_STREAM_DRAW,
        )
        self._fill_texture(width, height)
        GL.glBindBuffer(GL.GL_PIXEL_UNPACK_BUFFER, 0)
        return self._texture.texture

    def _fill_texture(self, width: int, height: int) -> None:
        """Copy the bound pixel buffer into the texture."""
        GL.glActiveTexture(GL.GL_TEXTURE0)
        GL.glBindTexture(GL.GL_TEXTURE_2D, self._texture.texture)
        GL.glPixelStorei(GL.GL_UNPACK_ALIGNMENT, 1)  # rows of RGB are not padded
        GL.glTexSubImage2D(
            *(GL.GL_TEXTURE_2D, 0, 0, 0, width, height),
            *(GL.GL_RGB, GL.GL_UNSIGNED_BYTE, ctypes.c_void_p(0)),
        )
        GL.glPixelStorei(GL.GL_UNPACK_ALIGNMENT, 4)
        GL.glBindTexture(GL.GL_TEXTURE_2D, 0)

    def release(self) -> None:
        GL.glDeleteBuffers(1, [self._pixels])
        super().release()
