"""Shows finished pictures through OpenGL: one upload, one textured triangle."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray
from OpenGL import GL
from PySide6.QtCore import Signal
from PySide6.QtGui import QImage
from PySide6.QtOpenGLWidgets import QOpenGLWidget
from PySide6.QtWidgets import QWidget

from app.ui import theme
from renderer.present.texture_blit import TextureBlit


class TextureSurface(QOpenGLWidget):
    """Owner: the GUI thread and its GL context."""

    name = "OpenGL texture"
    presented = Signal(float)  # ms that painting took on the CPU's side

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rgb8: NDArray[np.uint8] | None = None
        self._waiting = False  # a picture is there that is not in the texture yet
        self._texture = 0
        self._texture_px = (0, 0)
        self._blit: TextureBlit | None = None

    def show_picture(self, rgb8: NDArray[np.uint8]) -> None:
        """[H, W, 3] uint8, contiguous; not copied, so it must not change any more."""
        self._rgb8, self._waiting = rgb8, True
        self.update()

    def grab_picture(self) -> QImage:
        if self._rgb8 is None:
            return QImage()
        height, width, _ = self._rgb8.shape
        kind = QImage.Format.Format_RGB888
        return QImage(self._rgb8.tobytes(), width, height, 3 * width, kind).copy()

    def initializeGL(self) -> None:
        self._blit = TextureBlit()
        self._texture, self._texture_px = int(GL.glGenTextures(1)), (0, 0)
        self._waiting = self._rgb8 is not None
        self.context().aboutToBeDestroyed.connect(self._release)

    def paintGL(self) -> None:
        start_s = time.perf_counter()
        stage = tuple(int(theme.STAGE[i : i + 2], 16) / 255 for i in (1, 3, 5))
        GL.glClearColor(*stage, 1.0)
        GL.glClear(GL.GL_COLOR_BUFFER_BIT)
        if self._rgb8 is None or self._blit is None:
            return
        if self._waiting:
            self._upload(self._rgb8)
            self._waiting = False
        ratio = self.devicePixelRatioF()
        place = (0, 0, round(self.width() * ratio), round(self.height() * ratio))
        framebuffer = self.defaultFramebufferObject()
        self._blit.draw(self._texture, self._texture_px, framebuffer, place)
        self.presented.emit(1000 * (time.perf_counter() - start_s))

    def _upload(self, rgb8: NDArray[np.uint8]) -> None:
        height, width, _ = rgb8.shape
        GL.glBindTexture(GL.GL_TEXTURE_2D, self._texture)
        GL.glPixelStorei(GL.GL_UNPACK_ALIGNMENT, 1)
        rgb, byte = GL.GL_RGB, GL.GL_UNSIGNED_BYTE
        if (width, height) == self._texture_px:
            GL.glTexSubImage2D(GL.GL_TEXTURE_2D, 0, 0, 0, width, height, rgb, byte, rgb8)
            return
        for name in (GL.GL_TEXTURE_MIN_FILTER, GL.GL_TEXTURE_MAG_FILTER):
            GL.glTexParameteri(GL.GL_TEXTURE_2D, name, GL.GL_LINEAR)
        for name in (GL.GL_TEXTURE_WRAP_S, GL.GL_TEXTURE_WRAP_T):
            GL.glTexParameteri(GL.GL_TEXTURE_2D, name, GL.GL_CLAMP_TO_EDGE)
        GL.glTexImage2D(GL.GL_TEXTURE_2D, 0, GL.GL_RGB8, width, height, 0, rgb, byte, rgb8)
        self._texture_px = (width, height)

    def _release(self) -> None:
        self.makeCurrent()
        if self._blit is not None:
            self._blit.release()
            self._blit = None
        GL.glDeleteTextures([self._texture])
        self.doneCurrent()
