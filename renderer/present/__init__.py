"""Puts pictures from memory on the screen, in the OpenGL context that is current.

    presenter, reason = make_presenter(backend.device)   # in initializeGL
    texture = presenter.present(picture)                 # when there is a new picture
    presenter.blit(texture, self.defaultFramebufferObject(), (0, 0, width_px, height_px))

Sizes are device pixels: in Qt, `round(self.width() * self.devicePixelRatioF())`. Texture row 0 is
the picture's top row everywhere in this package. Importing the package does not import OpenGL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamstgs.renderer.errors import InteropUnavailable

if TYPE_CHECKING:
    import torch
    from streamstgs.renderer.present.base import Presenter

__all__ = ["make_presenter"]


def make_presenter(device: torch.device) -> tuple[Presenter, str]:
    """(presenter, reason): the fastest way for pictures into the current OpenGL context.

    Args:
        device: device of the pictures.

    Raises:
        RenderError: the context cannot even draw a texture (older than OpenGL 4.1, say).
    """
    from streamstgs.renderer.present.gl_errors import gl_errors_as_render_errors

    with gl_errors_as_render_errors():
        return _fastest(device)


def _fastest(device: torch.device) -> tuple[Presenter, str]:
    from streamstgs.renderer.present.host_copy import HostCopyPresenter

    if device.type != "cuda":
        return HostCopyPresenter(), f"pictures are drawn on {device}"
    try:
        from streamstgs.renderer.present.cuda_gl import CudaGlPresenter

        return CudaGlPresenter(device), "CUDA and OpenGL share the GPU"
    except InteropUnavailable as error:
        return HostCopyPresenter(), f"no CUDA-OpenGL interop: {error}"
