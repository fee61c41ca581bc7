"""PLY files of 4D Gaussians (Yang et al. 2024), whose covariance spans space and time.

Beside the properties of 3D Gaussian Splatting, a vertex has

    t                                the time of its centre
    scale_t, scale_t_0 or scale_3    natural logarithm of its standard deviation in time
    rot_r_0..3 or rot_4..7           the right one of two quaternions wxyz; rot_0..3 is the left one

The two quaternions l and r, of length 1, are a rotation R of space and time: R p = l p r' as a
product of quaternions, where p = (x, y, z, t) and r' = (r_w, -r_x, -r_y, -r_z). With the standard
deviations s = exp(scale_0..2, scale_t), d = T - t, and

    R diag(s^2) R^T = [[A, b], [b^T, v]]

a Gaussian is at time T

    centre      = (x, y, z) + b d / v
    covariance  = A - b b^T / v
    opacity     = sigmoid(opacity) exp(-d^2 / (2 v)), 0 where the factor is at most 0.05
    harmonics   = f_0 + cos(2 pi d / D) f_1 + cos(4 pi d / D) f_2

The coefficients f_1 and f_2, each as many as f_0 of degree 3, may be missing; D is the length of
the clip. Files without the right quaternion have b = 0 and v = exp(scale_t).

Source: arXiv 2310.10642, section 3, and `gaussian_model.py` and `sh_utils.py` of the authors'
repository fudan-zvg/4d-gaussian-splatting. The file does not tell when the clip begins and ends;
`clip_of` finds it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from streamstgs.codec.errors import CorruptSegment
from streamstgs.codec.formats.gaussian_ply import Columns, read_columns, stacked
from streamstgs.codec.formats.raw_gaussians import (
    FARTHEST,
    LOG_SCALE_LIMITS,
    FloatArray,
    RawGaussians,
    tensor,
    unit_rotations,
    usable,
)
from streamstgs.codec.limits import SEQUENCE_FRAMES
from streamstgs.codec.ply import PlyHeader
from streamstgs.renderer import Gaussians
from streamstgs.renderer.spherical_harmonics import C0
from torch import Tensor

TEMPORAL_SCALES = ("scale_t", "scale_t_0", "scale_3")
RIGHT_ROTATIONS = ("rot_r_", "rot_")  # followed by 0..3, or by 4..7
COUNTS = {1: 1, 4: 4, 6: 4, 9: 9, 16: 16, 33: 16, 32: 32, 48: 48}  # coefficients: stored, used
DEGREE_3 = 16
FADED = 0.05
AT_ONCE = 1 << 16  # covariances that are decomposed together
CLIPS = ((0.0, 10.0), (0.0, 1.0), (-0.5, 0.5))  # of the authors' settings
CLIP_SHARE, CLIP_ERROR = 0.05, 0.15
SECONDS = 2.0  # a clip of that length tells seconds; a shorter one is a share
FRAMES = 50


def is_4d_ply(header: PlyHeader) -> bool:
    """Whether a PLY holds 4D Gaussians."""
    vertex = header.element("vertex")
    names = vertex.names if vertex is not None else ()
    return "opacity" in names and any(
        name in names for name in (*TEMPORAL_SCALES, "rot_4", "rot_r_0")
    )


def read_4d_ply(data: bytes, name: str, fps: float) -> Gaussians4D:
    """The Gaussians of a file.

    Args:
        fps: content frames per second, where the file has seconds.

    Raises:
        CorruptSegment: it is damaged, incomplete, or has too many Gaussians.
    """
    columns = read_columns(data, name)
    scale_t = next((key for key in TEMPORAL_SCALES if key in columns), "scale_t")
    times = stacked(columns, ["t", scale_t], name)
    log_scales = stacked(columns, [f"scale_{i}" for i in range(3)], name)
    sh = _coefficients(columns, name)
    raw = RawGaussians(
        means=stacked(columns, ["x", "y", "z"], name),
        quats=stacked(columns, [f"rot_{i}" for i in range(4)], name),
        log_scales=log_scales,
        logits=columns["opacity"],
        sh=sh,
    )
    right = _right_rotation(columns, name)
    with np.errstate(invalid="ignore"):
        timed = (np.abs(times[:, 0]) <= FARTHEST) & (times[:, 1] <= LOG_SCALE_LIMITS[1])
        if right is not None:
            timed &= (np.abs(right) <= np.finfo(np.float32).max).all(axis=1)
    kept = usable(raw, name, timed)
    raw, times = raw[kept], times[kept]
    if right is None:
        velocities, variances = np.zeros_like(raw.means), np.exp(_limited(times[:, 1]))
        scales, quats = np.exp(_limited(raw.log_scales)), raw.quats
    else:
        velocities, variances, scales, quats = _sliced(raw, times[:, 1], right[kept])
    start, length = clip_of(times[:, 0])
    frames = round(length * fps) if length >= SECONDS else FRAMES
    if frames > SEQUENCE_FRAMES:
        raise CorruptSegment(f"{name} has times from {start:g} to {start + length:g}: too long.")
    return Gaussians4D(
        means=tensor(raw.means),
        velocities=tensor(velocities),
        quats=unit_rotations(tensor(quats)),
        scales=tensor(scales),
        opacities=torch.sigmoid(tensor(raw.logits)),
        sh=tensor(raw.sh),
        times=tensor(times[:, 0]),
        variances=tensor(np.maximum(variances, np.float32(1e-30))),
        start=start,
        length=length,
        frames=max(frames, 1),
    )


def clip_of(times: FloatArray) -> tuple[float, float]:
    """Begin and length of a clip, in the unit of the times of its Gaussians.

    Training spreads the times over somewhat more than the clip. A clip of the authors' settings is
    taken if the 5 % and 95 % quantiles fit to it, else these quantiles.
    """
    if len(times) == 0:
        return 0.0, 1.0
    low, high = (float(np.quantile(times, share)) for share in (CLIP_SHARE, 1 - CLIP_SHARE))
    for begin, end in CLIPS:
        if max(abs(low - begin), abs(high - end)) <= CLIP_ERROR * (end - begin):
            return begin, end - begin
    return low, high - low if high > low else 1.0


@dataclass(frozen=True)
class Gaussians4D:
    """Implements `AnimatedGaussians` by the formulas above; tensors of one device.

    Args:
        means: [N, 3]. velocities: [N, 3], b / v. quats: [N, 4]. scales: [N, 3]. opacities: [N].
        sh: [N, K, 3], K of 1, 4, 9, 16, or 32 or 48 where colours depend on time.
        times: [N]. variances: [N], v.
        start, length: of the clip, in the unit of the times.
        frames: content frames of the clip; at least 1.
    """

    means: Tensor
    velocities: Tensor
    quats: Tensor
    scales: Tensor
    opacities: Tensor
    sh: Tensor
    times: Tensor
    variances: Tensor
    start: float
    length: float
    frames: int

    def to(self, device: torch.device | str) -> Gaussians4D:
        """As of `AnimatedGaussians`."""
        moved: dict[str, Any] = {
            k: v.to(device) for k, v in vars(self).items() if isinstance(v, Tensor)
        }
        return replace(self, **moved)

    def at(self, frame: float) -> Gaussians:
        """As of `AnimatedGaussians`; Gaussians that leave the range of numbers are transparent."""
        d = self.start + self.length * frame / self.frames - self.times
        means = self.means + self.velocities * d[:, None]
        fading = torch.exp(-0.5 * d * d / self.variances)
        near = (means.abs() <= FARTHEST).all(dim=1)
        sh = self._harmonics(d)
        return Gaussians(
            means=torch.where(near[:, None], means, self.means),
            quats=self.quats.clone(),
            scales=self.scales.clone(),
            opacities=torch.where(near & (fading > FADED), self.opacities * fading, 0.0),
            colors=(0.5 + C0 * sh[:, 0]).clamp(min=0.0),
            sh=sh if sh.shape[1] > 1 else None,
        )

    def _harmonics(self, d: Tensor) -> Tensor:
        sh = self.sh[:, :DEGREE_3].clone()
        for order in range(1, self.sh.shape[1] // DEGREE_3):
            part = self.sh[:, order * DEGREE_3 : (order + 1) * DEGREE_3]
            sh += torch.cos(2 * math.pi * order * d / self.length)[:, None, None] * part
        return sh


def _coefficients(columns: Columns, name: str) -> FloatArray:
    """[N, K, 3] coefficients of the harmonics that are used."""
    rest = [f"f_rest_{i}" for i in range(len([key for key in columns if key[:7] == "f_rest_"]))]
    count = 1 + len(rest) // 3
    if len(rest) % 3 or count not in COUNTS:
        raise CorruptSegment(f"{name} has {len(rest)} coefficients of harmonics, which is unknown.")
    first = stacked(columns, [f"f_dc_{i}" for i in range(3)], name)[:, None]
    if not rest:
        return first
    higher = stacked(columns, rest, name).reshape(len(first), 3, count - 1).transpose(0, 2, 1)
    return np.concatenate([first, higher[:, : COUNTS[count] - 1]], axis=1)


def _right_rotation(columns: Columns, name: str) -> FloatArray | None:
    """[N, 4] quaternions wxyz; None where the file has none."""
    for prefix, first in zip(RIGHT_ROTATIONS, (0, 4), strict=True):
        if f"{prefix}{first}" in columns:
            return stacked(columns, [f"{prefix}{first + i}" for i in range(4)], name)
    return None


def _limited(log_scales: FloatArray) -> FloatArray:
    return np.clip(log_scales, *LOG_SCALE_LIMITS)


def _sliced(
    raw: RawGaussians, scale_t: FloatArray, right: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Velocities, variances in time, standard deviations and rotations of the slices."""
    count = len(raw)
    velocities, variances = np.empty((count, 3), np.float32), np.empty(count, np.float32)
    scales, quats = np.empty((count, 3), np.float32), np.empty((count, 4), np.float32)
    log_scales = np.concatenate([raw.log_scales, scale_t[:, None]], axis=1)
    for first in range(0, count, AT_ONCE):
        some = slice(first, first + AT_ONCE)
        turn = left_matrices(_unit(raw.quats[some])) @ right_matrices(_unit(right[some]))
        deviations = np.exp(_limited(log_scales[some]).astype(np.float64))
        root = turn * deviations[:, None]
        covariance = root @ root.transpose(0, 2, 1)
        across, along = covariance[:, :3, 3], covariance[:, 3, 3]
        inner = covariance[:, :3, :3] - across[:, :, None] * across[:, None] / along[:, None, None]
        squares, axes = np.linalg.eigh(inner)
        axes[np.linalg.det(axes) < 0, :, 0] *= -1  # or it is a reflection
        velocities[some] = np.clip(across / along[:, None], -1e30, 1e30)
        variances[some] = along
        scales[some] = np.sqrt(np.maximum(squares, math.exp(2 * LOG_SCALE_LIMITS[0])))
        quats[some] = quaternions(axes)
    return velocities, variances, scales, quats


def _unit(quats: FloatArray) -> NDArray[np.float64]:
    """[N, 4] quaternions of length 1; the identity for those of length 0."""
    length = np.linalg.norm(quats.astype(np.float64), axis=1, keepdims=True)
    return np.where(length > 1e-12, quats / np.maximum(length, 1e-12), (1.0, 0.0, 0.0, 0.0))


def left_matrices(quats: NDArray[np.float64]) -> NDArray[np.float64]:
    """[N, 4, 4] matrices of the product q p of quaternions."""
    a, b, c, d = quats.T
    return _matrices([[a, -b, -c, -d], [b, a, -d, c], [c, d, a, -b], [d, -c, b, a]])


def right_matrices(quats: NDArray[np.float64]) -> NDArray[np.float64]:
    """[N, 4, 4] matrices of the product p q' of quaternions, where q' is the conjugate of q."""
    a, b, c, d = quats.T
    return _matrices([[a, b, c, d], [-b, a, -d, c], [-c, d, a, -b], [-d, -c, b, a]])


def _matrices(rows: Iterable[Iterable[NDArray[np.float64]]]) -> NDArray[np.float64]:
    return np.stack([np.stack(list(row), axis=-1) for row in rows], axis=-2)


def quaternions(rotations: NDArray[np.float64]) -> NDArray[np.float64]:
    """[N, 4] unit quaternions wxyz of [N, 3, 3] rotation matrices; their signs are arbitrary.

    Each row of 4 q q^T is the quaternion times one of its components; the longest row is taken.
    """
    (a, b, c), (d, e, f), (g, h, i) = rotations.transpose(1, 2, 0)
    one = np.ones_like(a)
    products = _matrices([
        [one + a + e + i, h - f, c - g, d - b],
        [h - f, one + a - e - i, b + d, c + g],
        [c - g, b + d, one + e - a - i, f + h],
        [d - b, c + g, f + h, one + i - a - e],
    ])  # fmt: skip
    longest = np.argmax(np.einsum("njj->nj", products), axis=1)
    found = np.take_along_axis(products, longest[:, None, None], axis=1)[:, 0]
    return found / np.linalg.norm(found, axis=1, keepdims=True)
