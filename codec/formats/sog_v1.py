"""The first version of .sog, "SOGS": images whose codes lie evenly between minima and maxima.

    centre     sign(v) (exp(|v|) - 1), v from 16 bits in two images
    rotation   three components in 0..255, the alpha channel minus 252 tells the largest one
    scale      logarithm of the standard deviations      colour, opacity logit  in one image
    harmonics  rows of a palette of 64 entries each, and their labels

Source: `gsplat-sogs-data.js` of playcanvas/engine.
"""

from __future__ import annotations

import io

import msgspec
import numpy as np
from PIL import Image
from streamstgs.codec.errors import CorruptSegment, NotAScene
from streamstgs.codec.formats.counts import check_count
from streamstgs.codec.formats.raw_gaussians import FloatArray, RawGaussians
from streamstgs.codec.package.checked_json import decode_json

PALETTE_ROW = 64  # entries in a row of the palette
WIDTHS = {192: 3, 512: 8, 960: 15}  # width of the palette -> coefficients of a colour
LARGEST = 252  # alpha of a rotation whose largest component is w
# Where components a, b, c and the largest, d, go: rows of wxyz for the largest being w, x, y, z.
ORDER = np.array([[3, 0, 1, 2], [0, 3, 1, 2], [0, 1, 3, 2], [0, 1, 2, 3]])


class Ranged(msgspec.Struct):
    files: list[str]
    mins: list[float] = []
    maxs: list[float] = []
    shape: list[int] = []


class Palette(msgspec.Struct):
    files: list[str]
    mins: float
    maxs: float


class Meta(msgspec.Struct):
    means: Ranged
    scales: Ranged
    quats: Ranged
    sh0: Ranged
    shN: Palette | None = None


def read_meta(data: bytes, name: str) -> tuple[Meta, int]:
    """The meta.json of a file, and how many Gaussians it declares; raises CorruptSegment."""
    try:
        meta = decode_json(data, Meta, "meta.json")
    except NotAScene as error:
        raise CorruptSegment(f"{name}: {error}") from error
    parts = ((meta.means, 2, 3), (meta.scales, 1, 3), (meta.quats, 1, 0), (meta.sh0, 1, 4))
    fits = all(
        len(part.files) == files and min(len(part.mins), len(part.maxs)) >= channels
        for part, files, channels in parts
    )
    if not fits or not meta.means.shape or (meta.shN is not None and len(meta.shN.files) != 2):
        raise CorruptSegment(f"{name}: its meta.json does not fit together.")
    check_count(meta.means.shape[0], name)
    return meta, meta.means.shape[0]


def read_images(meta: Meta, count: int, images: dict[str, bytes], name: str) -> RawGaussians:
    """The Gaussians of the images, by their names, whose sizes were checked.

    Raises:
        CorruptSegment: an image is damaged, or they do not fit together.
    """

    def codes(file: str) -> np.ndarray:
        return _pixels(images[file], name).reshape(-1, 4)[:count]

    low, high = (codes(file)[:, :3].astype(np.float64) for file in meta.means.files)
    logs = _between(meta.means, (256 * high + low) / 65_535)
    sh0 = _between(meta.sh0, codes(meta.sh0.files[0]) / 255.0)
    with np.errstate(over="ignore"):
        means = (np.sign(logs) * np.expm1(np.abs(logs))).astype(np.float32)
    return RawGaussians(
        means=means,
        quats=_rotations(codes(meta.quats.files[0])),
        log_scales=_between(meta.scales, codes(meta.scales.files[0])[:, :3] / 255.0),
        logits=sh0[:, 3],
        sh=np.concatenate([sh0[:, None, :3], _harmonics(meta.shN, count, images, name)], axis=1),
    )


def _between(part: Ranged, shares: np.ndarray) -> FloatArray:
    """Values of shares from 0 to 1 between the minima and the maxima of a part."""
    width = shares.shape[1]
    low, high = np.array(part.mins[:width]), np.array(part.maxs[:width])
    with np.errstate(over="ignore", invalid="ignore"):
        return (low + (high - low) * shares).astype(np.float32)


def _rotations(codes: np.ndarray) -> FloatArray:
    small = (codes[:, :3] / 255.0 - 0.5) * np.sqrt(2.0)
    largest = np.sqrt(np.maximum(0.0, 1.0 - (small**2).sum(axis=1)))
    parts = np.concatenate([small, largest[:, None]], axis=1)
    order = ORDER[np.clip(codes[:, 3].astype(np.int64) - LARGEST, 0, 3)]
    return np.take_along_axis(parts, order, axis=1).astype(np.float32)


def _harmonics(
    palette: Palette | None, count: int, images: dict[str, bytes], name: str
) -> FloatArray:
    """[N, K, 3] coefficients beyond the first."""
    if palette is None:
        return np.zeros((count, 0, 3), np.float32)
    entries = _pixels(images[palette.files[0]], name)
    height, width = entries.shape[:2]
    coefficients = WIDTHS.get(width)
    if coefficients is None:
        raise CorruptSegment(f"{name}: its palette of harmonics is {width} pixels wide.")
    table = entries[..., :3].reshape(height * PALETTE_ROW, coefficients, 3)
    labels = _pixels(images[palette.files[1]], name).reshape(-1, 4)[:count].astype(np.int64)
    chosen = labels[:, 0] + 256 * labels[:, 1]
    if len(chosen) < count or int(chosen.max(initial=0)) >= len(table):
        raise CorruptSegment(f"{name}: a label names no entry of the palette of harmonics.")
    values = palette.mins + (palette.maxs - palette.mins) * (table / 255.0)
    return values.astype(np.float32)[chosen]


def _pixels(data: bytes, name: str) -> np.ndarray:
    """[H, W, 4] bytes of an image."""
    try:
        with Image.open(io.BytesIO(data), formats=["WEBP", "PNG"]) as image:
            return np.asarray(image.convert("RGBA"))
    except (OSError, ValueError, SyntaxError, MemoryError, Image.DecompressionBombError) as error:
        raise CorruptSegment(f"{name}: one of its images is damaged: {error}.") from error
