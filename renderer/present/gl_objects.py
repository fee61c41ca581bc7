"""Buffers, textures and framebuffers of the current OpenGL context; their owners release them."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray
from OpenGL import GL
from streamstgs.renderer.errors import RenderError


class TextureBuffer:
    """An array that shaders read with texelFetch.

    Args:
        texel_format: sized format of a texel, e.g. GL_RGB32F.
        components: numbers per texel.
    """

    def __init__(self, texel_format: int, components: int) -> None:
        self._components = components
        self._limit = int(GL.glGetIntegerv(GL.GL_MAX_TEXTURE_BUFFER_SIZE))
        self._buffer = int(GL.glGenBuffers(1))
        self.texture = int(GL.glGenTextures(1))
        GL.glBindBuffer(GL.GL_TEXTURE_BUFFER, self._buffer)
        GL.glBindTexture(GL.GL_TEXTURE_BUFFER, self.texture)
        GL.glTexBuffer(GL.GL_TEXTURE_BUFFER, texel_format, self._buffer)

    def upload(self, values: NDArray[Any]) -> None:
        """Replace the contents. The old storage is orphaned: draws under way keep it.

        Args:
            values: one row for each Gaussian, of one or more texels.

        Raises:
            RenderError: more texels than this driver can address.
        """
        texels = values.size // self._components
        if texels > self._limit:
            most = self._limit * len(values) // texels
            raise RenderError(f"this OpenGL driver addresses no more than {most} such Gaussians")
        values = np.ascontiguousarray(values)
        GL.glBindBuffer(GL.GL_TEXTURE_BUFFER, self._buffer)
        GL.glBufferData(GL.GL_TEXTURE_BUFFER, values.nbytes, _pointer(values), GL.GL_STREAM_DRAW)

    def bind(self, unit: int) -> None:
        GL.glActiveTexture(GL.GL_TEXTURE0 + unit)
        GL.glBindTexture(GL.GL_TEXTURE_BUFFER, self.texture)

    def release(self) -> None:
        GL.glDeleteTextures([self.texture])
        GL.glDeleteBuffers(1, [self._buffer])


class Texture2D:
    """A 2D texture without mipmaps, (re)allocated when its size changes.

    Args:
        internal_format: sized format, e.g. GL_RGBA8.
    """

    def __init__(self, internal_format: int) -> None:
        self._internal_format = internal_format
        self.texture = int(GL.glGenTextures(1))
        self.size_px = (0, 0)

    def resize(self, width: int, height: int) -> bool:
        """Give it this size in px; True if its storage is new (and its contents undefined).

        Raises:
            RenderError: larger than the driver's largest texture, or empty.
        """
        if (width, height) == self.size_px:
            return False
        limit = int(GL.glGetIntegerv(GL.GL_MAX_TEXTURE_SIZE))
        if not (0 < width <= limit and 0 < height <= limit):
            raise RenderError(f"no texture of {width} x {height} px: the limit is {limit} px")
        target = GL.GL_TEXTURE_2D
        GL.glActiveTexture(GL.GL_TEXTURE0)
        GL.glBindTexture(target, self.texture)
        GL.glTexParameteri(target, GL.GL_TEXTURE_MIN_FILTER, GL.GL_LINEAR)
        GL.glTexParameteri(target, GL.GL_TEXTURE_MAG_FILTER, GL.GL_LINEAR)
        GL.glTexParameteri(target, GL.GL_TEXTURE_MAX_LEVEL, 0)
        GL.glTexParameteri(target, GL.GL_TEXTURE_WRAP_S, GL.GL_CLAMP_TO_EDGE)
        GL.glTexParameteri(target, GL.GL_TEXTURE_WRAP_T, GL.GL_CLAMP_TO_EDGE)
        GL.glTexImage2D(
            target, 0, self._internal_format, width, height, 0, GL.GL_RGBA, GL.GL_FLOAT, None
        )
        GL.glBindTexture(target, 0)
        self.size_px = (width, height)
        return True

    def release(self) -> None:
        GL.glDeleteTextures([self.texture])


class PictureTarget:
    """A texture to draw into through `framebuffer`. Row 0 is the top row of the picture.

    Args:
        internal_format: sized colour-renderable format, e.g. GL_RGBA16F.
    """

    def __init__(self, internal_format: int) -> None:
        self._picture = Texture2D(internal_format)
        self.framebuffer = int(GL.glGenFramebuffers(1))

    @property
    def texture(self) -> int:
        return self._picture.texture

    @property
    def size_px(self) -> tuple[int, int]:
        return self._picture.size_px

    def bind(self, width: int, height: int) -> None:
        """Make it the draw target, at this size in px.

        Raises:
            RenderError: the driver cannot draw into this format or size.
        """
        is_new = self._picture.resize(width, height)
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, self.framebuffer)
        GL.glViewport(0, 0, width, height)
        if is_new:
            GL.glFramebufferTexture2D(
                GL.GL_FRAMEBUFFER, GL.GL_COLOR_ATTACHMENT0, GL.GL_TEXTURE_2D, self.texture, 0
            )
            if GL.glCheckFramebufferStatus(GL.GL_FRAMEBUFFER) != GL.GL_FRAMEBUFFER_COMPLETE:
                raise RenderError("this OpenGL driver cannot draw into a float texture")

    def read(self, with_alpha: bool = False) -> NDArray[np.float32]:
        """[height, width, 3 or 4] float32 copy of the picture, top row first."""
        width, height = self.size_px
        kind, channels = (GL.GL_RGBA, 4) if with_alpha else (GL.GL_RGB, 3)
        picture = np.empty((height, width, channels), np.float32)
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, self.framebuffer)
        GL.glPixelStorei(GL.GL_PACK_ALIGNMENT, 4)
        GL.glReadPixels(0, 0, width, height, kind, GL.GL_FLOAT, _pointer(picture))
        return picture

    def release(self) -> None:
        GL.glDeleteFramebuffers(1, [self.framebuffer])
        self._picture.release()


def _pointer(values: NDArray[Any]) -> ctypes.c_void_p:
    """Address of an array; PyOpenGL would convert the array itself, and may copy it."""
    return ctypes.c_void_p(values.ctypes.data)
