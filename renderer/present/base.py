"""The contract of a presenter: from a picture in memory to a texture to the window."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from numpy.typing import NDArray
from OpenGL import GL
from streamstgs.renderer.backends.base import to_rgb8
from streamstgs.renderer.present.gl_objects import Texture2D
from streamstgs.renderer.present.texture_blit import TextureBlit, Viewport
from torch import Tensor

Picture = Tensor | NDArray[Any]


class Presenter(ABC):
    """Puts pictures into one RGBA8 texture and draws it. Its context must be current in each call.

    Attributes:
        name: the way that pixels take, for the statistics panel.
    """

    name: str

    def __init__(self) -> None:
        self._texture = Texture2D(GL.GL_RGBA8)
        self._blit = TextureBlit()

    @abstractmethod
    def present(self, picture: Picture) -> int:
        """Name of a texture with the picture in 8 bits, row 0 on top; valid until the next call.

        Args:
            picture: [H, W, 3] float32 tensor on any device (clipped to 0..1), or uint8.

        Raises:
            ValueError: another shape or type.
            RenderError: larger than the driver allows.
            InteropUnavailable: CUDA refused the copy; present through the host instead.
        """

    def blit(self, texture: int, framebuffer: int, viewport: Viewport, flip: bool = False) -> None:
        """Fill a part of a framebuffer with what `present` returned, upright and letterboxed.

        Args:
            viewport: x, y of the lower left corner, width, height in device px.
            flip: draw the top row at the bottom, for targets that are read back row 0 first.
        """
        self._blit.draw(texture, self._texture.size_px, framebuffer, viewport, flip)

    def release(self) -> None:
        """Free everything held in the context."""
        self._blit.release()
        self._texture.release()


def display_bytes(picture: Picture) -> Tensor:
    """[H, W, 3] uint8 on the picture's device, clipped and rounded like `Backend.render_rgb8`.

    Raises:
        ValueError: not [H, W, 3] or neither float nor uint8.
    """
    tensor = picture if isinstance(picture, Tensor) else torch.tensor(picture)
    if tensor.ndim != 3 or tensor.shape[2] != 3 or tensor.numel() == 0:
        raise ValueError(f"a picture is [H, W, 3], not {list(tensor.shape)}")
    if tensor.dtype == torch.uint8:
        return tensor
    if not tensor.is_floating_point():
        raise ValueError(f"a picture is float or uint8, not {tensor.dtype}")
    return to_rgb8(tensor)
