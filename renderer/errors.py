"""The errors of this package; their tree is in the docstring of `renderer`."""


class RenderError(RuntimeError):
    """Base of all errors of the renderer."""


class BackendUnavailable(RenderError):
    """This machine cannot run the backend; the message says why."""


class InteropUnavailable(RenderError):
    """Pictures cannot go to OpenGL inside the GPU; they must be copied through the host."""
