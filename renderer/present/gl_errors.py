"""Turns errors of OpenGL into errors of the renderer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from OpenGL.error import Error, GLError
from streamstgs.renderer.errors import RenderError


@contextmanager
def gl_errors_as_render_errors() -> Iterator[None]:
    """Context manager or decorator for code that calls OpenGL.

    PyOpenGL asks glGetError after every call. That stays switched on, because a picture takes only
    about forty calls.

    Raises:
        RenderError: OpenGL refused a call (out of memory, or a function that an old driver lacks);
            says which and why.
    """
    try:
        yield
    except GLError as error:
        call = getattr(error.baseOperation, "__name__", "a call")
        raise RenderError(f"OpenGL refuses {call}: {_reason(error)}") from error
    except Error as error:
        raise RenderError(f"OpenGL is too old or incomplete: {error}") from error


def _reason(error: GLError) -> str:
    description = error.description or f"error 0x{error.err or 0:04x}"
    return description.decode(errors="replace") if isinstance(description, bytes) else description
