"""Attribute images: each attribute of a layer as lossless JPEG XL images, all in one file.

The file is a safetensors container whose tensors are the JPEG XL codestreams. Attributes of one
or three channels are one image, others have one grey image per channel (`quats.0` ... `quats.3`).
"""

from __future__ import annotations

import imagecodecs
import numpy as np
import safetensors
import safetensors.numpy
from streamstgs.codec.attributes.quantisation import code_dtype
from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import CorruptSegment

ATTRIBUTE_CHANNELS = {
    "means": 3,
    "quats": 4,
    "log_scales": 3,
    "opacity_logits": 1,
    "colors": 3,
}
TRAJECTORY_CHANNELS = {"velocities": 3, "centers": 1, "log_extents": 1}
CHANNELS = ATTRIBUTE_CHANNELS | TRAJECTORY_CHANNELS


def padding_source(count: int, height: int, width: int) -> np.ndarray:
    """Return [height * width] indices of the item in each cell; padding repeats the cell above.

    Raises:
        ValueError: there is no item, or the items do not fit the grid.
    """
    if not 1 <= count <= height * width:
        raise ValueError(f"{count} items do not fit a grid of {height} x {width}")
    cell = np.arange(height * width)
    rows_up = np.maximum(-((count - 1 - cell) // width), 0)
    return np.where(cell < count, cell, np.clip(cell - rows_up * width, 0, count - 1))


def image_names(attribute: str) -> list[str]:
    """Return the names of the images of an attribute, in the order of its channels."""
    channels = CHANNELS[attribute]
    if channels in (1, 3):
        return [attribute]
    return [f"{attribute}.{channel}" for channel in range(channels)]


def encode_attribute_images(
    codes: dict[str, np.ndarray], bits: dict[str, int], height: int, width: int, effort: int
) -> bytes:
    """Return the file of a layer.

    Args:
        codes: attribute -> [N, C] uint8 or uint16, in grid order.
        bits: attribute -> bits of its codes.
        height, width: the grid.
        effort: of the JPEG XL encoder, 1..9.
    """
    tensors = {}
    for attribute, values in codes.items():
        cells = values[padding_source(len(values), height, width)]
        for name, image in _images(attribute, cells, height, width).items():
            stream = imagecodecs.jpegxl_encode(
                image,
                lossless=True,
                effort=effort,
                bitspersample=bits[attribute],
                usecontainer=False,
                numthreads=1,
            )
            tensors[name] = np.frombuffer(stream, np.uint8)
    return safetensors.numpy.save(tensors)


def _images(attribute: str, cells: np.ndarray, height: int, width: int) -> dict[str, np.ndarray]:
    """[H * W, C] codes -> name -> [H, W] or [H, W, 3] image."""
    names = image_names(attribute)
    if len(names) == 1:
        return {attribute: cells.reshape(_image_shape(attribute, height, width))}
    return {
        name: np.ascontiguousarray(cells[:, k].reshape(height, width))
        for k, name in enumerate(names)
    }


def decode_attribute_images(
    data: bytes,
    bits: dict[str, int],
    count: int,
    height: int,
    width: int,
    name: str,
    cancel: CancelToken = NEVER,
) -> dict[str, np.ndarray]:
    """Decode the file of a layer, checked against what scene.json declares.

    Args:
        cancel: looked at before each image.

    Returns:
        attribute -> [count, C] uint8 or uint16.

    Raises:
        CorruptSegment: names, image sizes, sample types or code ranges differ.
        Cancelled: through the token.
    """
    streams = _read_container(data, name)
    codes = {}
    for attribute, depth in bits.items():
        images = []
        for image in image_names(attribute):
            cancel.raise_if_cancelled(f"decoding {name}")
            shape = _image_shape(attribute, height, width)
            images.append(_decode_image(streams, image, shape, depth, name))
        cells = np.concatenate([i.reshape(height * width, -1) for i in images], axis=1)
        codes[attribute] = np.ascontiguousarray(cells[:count])
    return codes


def _read_container(data: bytes, name: str) -> dict[str, bytes]:
    try:
        tensors = safetensors.deserialize(data)
    except safetensors.SafetensorError as error:
        raise CorruptSegment(f"{name} is not a file of attribute images: {error}.") from error
    return {key: bytes(tensor["data"]) for key, tensor in tensors if tensor["dtype"] == "U8"}


def _image_shape(attribute: str, height: int, width: int) -> tuple[int, ...]:
    return (height, width, 3) if CHANNELS[attribute] == 3 else (height, width)


def _decode_image(
    streams: dict[str, bytes], image: str, shape: tuple[int, ...], bits: int, name: str
) -> np.ndarray:
    if image not in streams:
        raise CorruptSegment(f"{name} lacks the image {image}.")
    out = np.zeros(shape, code_dtype(bits))
    try:  # a given `out` makes the decoder compare sizes before it allocates anything
        imagecodecs.jpegxl_decode(streams[image], numthreads=1, out=out)
    except (RuntimeError, ValueError, TypeError) as error:  # JpegxlError is a RuntimeError
        raise CorruptSegment(f"{name}: the image {image} cannot be decoded: {error}.") from error
    if int(out.max()) >> bits:
        raise CorruptSegment(f"{name}: the image {image} holds codes beyond {bits} bits.")
    return out
