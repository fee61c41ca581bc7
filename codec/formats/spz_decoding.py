"""The attributes of `.spz` files of versions 1 to 3, one byte or a few for each value.

    centres      3 float16 (version 1), or 3 integers of 24 bits
    opacity      uint8, 255 is 1
    colour       3 uint8: first coefficient 0.15 steps of 1 / 255 around 0.5
    scales       3 uint8: natural logarithm, 16 steps for 1, from -10 on
    rotation     x, y, z as uint8 (versions 1 and 2), or 4 bytes with all but the largest component
    harmonics    uint8: 128 steps for 1, around 128; red, green and blue of each coefficient

Source: `load-spz.cc` of nianticlabs/spz.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from streamstgs.codec.formats.raw_gaussians import FloatArray, RawGaussians
from streamstgs.codec.formats.spz import HEADER, HIGHER, SpzStream

CODES = np.arange(256, dtype=np.float64)
with np.errstate(divide="ignore"):
    LOGITS = np.log(CODES / (255 - CODES)).astype(np.float32)
MAGNITUDES = np.arange(512) * np.sqrt(0.5) / 511
SMALL = np.concatenate([MAGNITUDES, -MAGNITUDES]).astype(np.float32)
# Columns of quaternions wxyz, by which of x, y, z, w is the largest.
STORED = np.array([[0, 3, 2], [0, 3, 1], [0, 2, 1], [3, 2, 1]])
LARGEST = np.array([[1], [2], [3], [0]])


def read_spz(stream: SpzStream) -> RawGaussians:
    """The Gaussians of an unpacked file, in its own axes."""
    at, count, higher = HEADER.size, stream.count, HIGHER[stream.degree]

    def column(width: int) -> NDArray[np.uint8]:
        nonlocal at
        values = np.frombuffer(stream.content, np.uint8, count * width, at)
        at += count * width
        return values.reshape(count, width)

    means = _means(column(6 if stream.version == 1 else 9), stream)
    logits = LOGITS[column(1)[:, 0]]
    colors = (column(3) / np.float32(255) - np.float32(0.5)) / np.float32(0.15)
    log_scales = (column(3) / np.float32(16) - np.float32(10)).astype(np.float32, copy=False)
    quats = _smallest_three(column(4)) if stream.version == 3 else _first_three(column(3))
    sh = np.empty((count, 1 + higher, 3), np.float32)
    sh[:, 0] = colors
    harmonics = column(3 * higher) / np.float32(128) - np.float32(1)
    sh[:, 1:] = harmonics.reshape(count, higher, 3)
    return RawGaussians(means, quats, log_scales, logits, sh)


def _means(packed: NDArray[np.uint8], stream: SpzStream) -> FloatArray:
    """[N, 3] centres: half floats, or numbers of 24 bits of which so many are a fraction."""
    if stream.version == 1:
        return packed.copy().view("<f2").astype(np.float32)
    wide = np.zeros((len(packed), 3, 4), np.uint8)
    wide[:, :, 1:] = packed.reshape(-1, 3, 3)
    return (wide.view("<i4")[:, :, 0] >> 8).astype(np.float32) * np.float32(2.0**-stream.bits)


def _first_three(packed: NDArray[np.uint8]) -> FloatArray:
    """[N, 4] quaternions wxyz of x, y and z; w is not negative."""
    xyz = packed.astype(np.float32) / np.float32(127.5) - np.float32(1)
    w = np.sqrt(np.maximum(1 - (xyz * xyz).sum(axis=1, keepdims=True), 0))
    return np.concatenate([w, xyz], axis=1)


def _smallest_three(packed: NDArray[np.uint8]) -> FloatArray:
    """[N, 4] quaternions wxyz of all components but the largest, which is positive.

    The two highest bits tell which of x, y, z, w it is. The others follow from the lowest bits on,
    w first, with 9 bits each and a sign.
    """
    codes = packed.copy().view("<u4")
    largest = (codes[:, 0] >> 30).astype(np.intp)
    small = SMALL[codes >> np.array([0, 10, 20], np.uint32) & 1023]
    quats = np.empty((len(packed), 4), np.float32)
    np.put_along_axis(quats, STORED[largest], small, axis=1)
    rest = np.sqrt(np.maximum(1 - (small * small) @ np.ones(3, np.float32), 0))
    np.put_along_axis(quats, LARGEST[largest], rest[:, None], axis=1)
    return quats
