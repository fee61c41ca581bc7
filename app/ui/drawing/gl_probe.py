"""Finds out which OpenGL the window system offers, on a surface that is never shown."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QOffscreenSurface, QOpenGLContext
from streamstgs.renderer.present.egl_context import is_software_renderer

_GL_RENDERER = 0x1F01  # of the OpenGL headers


@dataclass(frozen=True)
class WindowGl:
    """OpenGL as windows get it.

    Args:
        renderer: name of the driver's renderer; empty where there is no OpenGL 4.1.
        software: it draws on the CPU.
    """

    renderer: str = ""
    software: bool = False


def probe() -> WindowGl:
    """Ask for a context like the viewport's. Needs the QApplication."""
    surface = QOffscreenSurface()
    surface.create()
    context = QOpenGLContext()
    if not context.create() or not context.makeCurrent(surface):
        return WindowGl()
    try:
        if context.format().version() < (4, 1):
            return WindowGl()
        name = str(context.functions().glGetString(_GL_RENDERER))  # PyOpenGL takes long to load
        return WindowGl(name, is_software_renderer(name))
    finally:
        context.doneCurrent()
