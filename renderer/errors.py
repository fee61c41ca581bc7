"""The error tree of `renderer` (drawn in the package docstring)."""


class RenderError(RuntimeError):
    """Base of every error the renderer raises on purpose."""


class BackendUnavailable(RenderError):
    """The machine cannot run the asked-for backend; the message says why."""


class InteropUnavailable(RenderError):
    """Pictures cannot stay on the GPU on their way to OpenGL; copy them through the host."""
