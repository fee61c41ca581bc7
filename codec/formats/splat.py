"""`.splat` files: 32 bytes for each Gaussian, without a header and without spherical harmonics.

    3 float32  centre          3 float32  standard deviations
    4 uint8    RGB and opacity, 255 is 1
    4 uint8    rotation wxyz, (value - 128) / 128

Nothing in the file tells its kind, so the suffix and the length decide; and most of the rotations
and standard deviations must be such, or a web page of a fitting length would be a scene.
"""

from __future__ import annotations

import numpy as np
from streamstgs.codec.errors import CorruptSegment
from streamstgs.codec.formats.counts import check_count
from streamstgs.codec.formats.raw_gaussians import FARTHEST, FloatArray, RawGaussians
from streamstgs.renderer.spherical_harmonics import C0

SAMPLES = 10_000
ROTATION_ERROR = 0.1  # of its length; 8 bits make less than 0.02
MOST = 0.5
LAYOUT = np.dtype(
    [("means", "<f4", 3), ("scales", "<f4", 3), ("rgba", "u1", 4), ("quats", "u1", 4)]
)


def read_splat(data: bytes, name: str) -> RawGaussians:
    """The Gaussians of a file.

    Raises:
        CorruptSegment: its length is no multiple of 32, or it holds too many.
    """
    count, rest = divmod(len(data), LAYOUT.itemsize)
    if rest or not count:
        raise CorruptSegment(f"{name} is no .splat file: {len(data)} bytes are not 32 for each.")
    check_count(count, name)
    records = np.frombuffer(data, LAYOUT)
    if not _are_gaussians(records):
        raise CorruptSegment(f"{name} is no .splat file: most of its values are no Gaussians.")
    rgba = records["rgba"].astype(np.float32) / np.float32(255)
    with np.errstate(divide="ignore", invalid="ignore"):
        return RawGaussians(
            means=records["means"].astype(np.float32),
            quats=(records["quats"].astype(np.float32) - np.float32(128)) / np.float32(128),
            log_scales=np.log(records["scales"].astype(np.float32)),
            logits=np.log(rgba[:, 3] / (1 - rgba[:, 3])),
            sh=(rgba[:, None, :3] - np.float32(0.5)) / np.float32(C0),
        )


def _are_gaussians(records: np.ndarray) -> bool:
    """Whether most of some records have a rotation of length 1, and standard deviations >= 0."""
    some = records[:: max(1, len(records) // SAMPLES)]
    lengths = np.linalg.norm((some["quats"].astype(np.float32) - 128) / 128, axis=1)
    with np.errstate(invalid="ignore"):
        sizes = ((some["scales"] >= 0) & (some["scales"] < FARTHEST)).all(axis=1)
    return bool((sizes & (np.abs(lengths - 1) < ROTATION_ERROR)).mean() >= MOST)


def write_splat(raw: RawGaussians) -> bytes:
    """A `.splat` file, the largest and most opaque Gaussians first, as viewers expect."""
    opacities = 1 / (1 + np.exp(-raw.logits.astype(np.float64)))
    order = np.argsort(-opacities * np.exp(raw.log_scales.sum(axis=1, dtype=np.float64)))
    records = np.empty(len(raw), LAYOUT)
    records["means"] = raw.means
    records["scales"] = np.exp(raw.log_scales)
    records["rgba"][:, :3] = _bytes((0.5 + C0 * raw.sh[:, 0]) * 255)
    records["rgba"][:, 3] = _bytes(opacities * 255)
    length = np.maximum(np.linalg.norm(raw.quats, axis=1, keepdims=True), 1e-12)
    records["quats"] = _bytes(raw.quats / length * 128 + 128)
    return records[order].tobytes()


def _bytes(values: FloatArray | np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
