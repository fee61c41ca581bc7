"""OpenGL without a window, for tests of code that draws into a given context."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from streamstgs.renderer import BackendUnavailable
from streamstgs.renderer.present.egl_context import EglContext


@contextmanager
def headless_context(cuda_device: int | None = None) -> Iterator[EglContext]:
    """A context of its own, current inside `with`; skips the test where there is no EGL."""
    _release_window_context()
    try:
        context = EglContext(cuda_device)
    except BackendUnavailable as reason:
        pytest.skip(str(reason))
    context.make_current()
    try:
        yield context
    finally:
        context.release_current()
        context.destroy()


def _release_window_context() -> None:
    """Qt leaves a window's context current after painting; a thread has only one."""
    qt_gui = sys.modules.get("PySide6.QtGui")
    current = qt_gui.QOpenGLContext.currentContext() if qt_gui else None
    if current is not None:
        current.doneCurrent()
