"""Writing PNG and OpenEXR images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import imageio.v3 as imageio
import numpy as np
from numpy.typing import NDArray
from streamstgs.codec.output import output_file

EXR_OPTIONS = {"compression": "zip16", "format": "half"}  # 16-bit floats, as video tools expect


def write_png(path: Path, image: NDArray[np.uint8]) -> None:
    """Write an image, whole or not at all: [H, W, 3 or 4] uint8. Raises WriteError."""
    with output_file(path) as partial:
        imageio.imwrite(partial, image, extension=".png")


def image_bytes(format: str, image: NDArray[Any]) -> bytes:
    """A PNG or OpenEXR file of an image.

    Args:
        format: "png" or "exr".
        image: [H, W, 3 or 4] uint8, or [H, W, 4] float32 as of `FrameSource.rgba`.
    """
    if format == "exr":
        return exr_bytes(image)
    encoded = image if image.dtype == np.uint8 else straight_rgba8(image)
    return imageio.imwrite("<bytes>", encoded, extension=".png")


def exr_bytes(image: NDArray[np.float32]) -> bytes:
    """An OpenEXR file of an image.

    Args:
        image: [H, W, 4] float32, display-encoded colours times alpha, and alpha. The file holds
            linear colours with the primaries of BT.709, times alpha, as OpenEXR prescribes.
    """
    alpha = image[..., 3:]
    straight = image[..., :3] / np.where(alpha > 0.0, alpha, 1.0)
    linear = np.concatenate([to_linear(straight) * alpha, alpha], axis=-1)
    frame = av.VideoFrame.from_ndarray(linear.astype(np.float32), format="gbrapf32le")
    encoder: Any = av.CodecContext.create("exr", "w")
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, frame.format.name
    encoder.time_base, encoder.options = 1, EXR_OPTIONS
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


def straight_rgba8(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    """[H, W, 4] uint8 with colours that are not multiplied by alpha, of an image of
    `exr_bytes`."""
    alpha = image[..., 3:]
    straight = image[..., :3] / np.where(alpha > 0.0, alpha, 1.0)
    rgba = np.concatenate([straight, alpha], axis=-1)
    return (np.clip(rgba, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)


def to_linear(encoded: NDArray[Any]) -> NDArray[np.float32]:
    """Linear light of display-encoded colours (the curve of sRGB, IEC 61966-2-1)."""
    clipped = np.maximum(encoded, 0.0)
    curve = ((clipped + 0.055) / 1.055) ** 2.4
    return np.where(clipped <= 0.04045, clipped / 12.92, curve).astype(np.float32)
