"""Gaussians as 3D Gaussian Splatting stores them, and which of them can be drawn."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from streamstgs.codec.errors import CorruptSegment
from streamstgs.renderer import Gaussians
from streamstgs.renderer.rotations import quaternion_of
from streamstgs.renderer.spherical_harmonics import C0, sh_basis, sh_of_colors
from torch import Tensor

log = logging.getLogger(__name__)
FloatArray = NDArray[np.float32]

FARTHEST = 1e9  # world units
LOG_SCALE_LIMITS = (-40.0, 20.7)  # natural logarithm of 4e-18 and 1e9 world units
QUAT_MAX = float(np.finfo(np.float32).max)
SH_MAX = 1e6  # no colour of a real scene comes near it
SHORT = np.float32(1e-12)  # length of a rotation that is none
IDENTITY = np.array([1, 0, 0, 0], np.float32)
UNUSABLE_MOST = 0.9  # of the Gaussians of a file that is not damaged
LOGIT_MAX = 40.0  # its sigmoid is 1 in float32

# Signs of a half turn around x: of the vector part of a rotation, and of the coefficients of
# spherical harmonics of degree 1 to 3.
TURNED_QUAT = np.array([1, 1, -1, -1], np.float32)
TURNED_SH = np.array([1, -1, -1, 1, -1, 1, 1, -1, 1, -1, 1, -1, -1, 1, -1, 1], np.float32)


@dataclass(frozen=True)
class RawGaussians:
    """Gaussians before activation, float32 arrays.

    Args:
        means: [N, 3] centres, world units.
        quats: [N, 4] rotations wxyz, any length.
        log_scales: [N, 3] natural logarithm of the standard deviations in world units.
        logits: [N] inverse sigmoid of the opacities; may be infinite.
        sh: [N, K, 3] spherical harmonics, K of 1, 4, 9 or 16, as of
            `renderer.spherical_harmonics`.
    """

    means: FloatArray
    quats: FloatArray
    log_scales: FloatArray
    logits: FloatArray
    sh: FloatArray

    def __len__(self) -> int:
        return len(self.means)

    def __getitem__(self, index: NDArray[np.bool_] | NDArray[np.int64]) -> RawGaussians:
        """The Gaussians that `index` selects."""
        return RawGaussians(*(values[index] for values in vars(self).values()))


def no_gaussians() -> RawGaussians:
    """What a file of 0 Gaussians holds."""
    shapes = (0, 3), (0, 4), (0, 3), (0,), (0, 1, 3)
    return RawGaussians(*(np.zeros(shape, np.float32) for shape in shapes))


def usable(
    raw: RawGaussians, name: str, also: NDArray[np.bool_] | None = None
) -> NDArray[np.bool_]:
    """[N], which Gaussians can be drawn.

    Left out are those with a value that is no number, with infinite or huge positions (beyond 1e9
    world units), sizes, rotations or colours. Infinite opacity logits are kept: they mean opacities
    of 0 and 1.

    Args:
        name: of the file, for messages.
        also: [N], another condition; None for none.

    Raises:
        CorruptSegment: there are Gaussians, and hardly any of them can be drawn: the file is
            damaged, or its values are of another kind than it says.
    """
    kept = np.ones(len(raw), dtype=bool)
    with np.errstate(invalid="ignore"):  # rows are looked at where a value is out of range
        for values, least, largest in (
            (raw.means, -FARTHEST, FARTHEST),
            (raw.quats, -QUAT_MAX, QUAT_MAX),
            (raw.sh.reshape(len(raw), raw.sh.shape[1] * 3), -SH_MAX, SH_MAX),
            (raw.log_scales, -np.inf, LOG_SCALE_LIMITS[1]),
            (raw.logits[:, None], -np.inf, np.inf),
        ):
            if not (values.min(initial=0) >= least and values.max(initial=0) <= largest):
                kept &= ((values >= least) & (values <= largest)).all(axis=1)
    if also is not None:
        kept &= also
    left_out = len(raw) - int(kept.sum())
    if left_out and left_out == len(raw):
        raise CorruptSegment(f"{name}: none of its {len(raw)} Gaussians has usable numbers.")
    if left_out > UNUSABLE_MOST * len(raw):
        raise CorruptSegment(
            f"{name}: only {len(raw) - left_out} of its {len(raw)} Gaussians have usable numbers, "
            "so the file is damaged."
        )
    if left_out:
        log.warning("%s: %d Gaussians without usable numbers are left out", name, left_out)
    return kept


def activated(raw: RawGaussians, name: str) -> Gaussians:
    """Gaussians that a rasteriser can draw, on the CPU; those that are `usable`.

    Spherical harmonics whose higher coefficients are all 0 become plain colours, which are drawn
    faster. Rotations of length 0 become the identity.

    Raises:
        CorruptSegment: as of `usable`.
    """
    raw = RawGaussians(*map(np.ascontiguousarray, vars(raw).values()))  # columns of a file are slow
    kept = usable(raw, name)
    raw = raw if kept.all() else raw[kept]
    sh = raw.sh
    with np.errstate(over="ignore"):
        opacities = np.float32(1) / (np.float32(1) + np.exp(-raw.logits))
    return Gaussians(  # in NumPy: the threads of torch would compete with those that draw
        means=tensor(raw.means),
        quats=tensor(_unit(raw.quats)),
        scales=tensor(np.exp(np.clip(raw.log_scales, *LOG_SCALE_LIMITS))),
        opacities=tensor(opacities),
        colors=tensor(np.maximum(np.float32(0.5) + np.float32(C0) * sh[:, 0], 0)),
        sh=tensor(sh) if sh.shape[1] > 1 and sh[:, 1:].any() else None,
    )


def _unit(quats: FloatArray) -> FloatArray:
    length = np.sqrt((quats * quats) @ np.ones(4, np.float32))
    unit = quats / np.maximum(length, SHORT)[:, None]
    unit[length <= SHORT] = IDENTITY
    return unit


def turned(raw: RawGaussians) -> RawGaussians:
    """Gaussians after a half turn around the x axis: from the axes of .spz to ours, and back."""
    return replace(
        raw,
        means=raw.means * np.array([1, -1, -1], np.float32),
        quats=raw.quats * TURNED_QUAT,
        sh=raw.sh * TURNED_SH[: raw.sh.shape[1], None],
    )


def moved(
    raw: RawGaussians, rotation: NDArray[np.float64], scale: float, offset: NDArray[np.float64]
) -> RawGaussians:
    """Gaussians after a similarity transform: x becomes `rotation` x `scale` + `offset`.

    Args:
        rotation: [3, 3] rotation matrix. scale: > 0. offset: [3], world units.
    """
    means = raw.means.astype(np.float64) @ rotation.T * scale + offset
    return RawGaussians(
        means=means.astype(np.float32),
        quats=_rotated(raw.quats, rotation),
        log_scales=raw.log_scales + np.float32(np.log(scale)),
        logits=raw.logits,
        sh=_rotated_sh(raw.sh, rotation),
    )


def _rotated(quats: FloatArray, rotation: NDArray[np.float64]) -> FloatArray:
    """[N, 4] quaternions wxyz after a rotation."""
    w, x, y, z = quaternion_of(rotation)
    left = np.array([[w, -x, -y, -z], [x, w, -z, y], [y, z, w, -x], [z, -y, x, w]])
    return (quats @ left.T).astype(np.float32)


def _rotated_sh(sh: FloatArray, rotation: NDArray[np.float64]) -> FloatArray:
    """[N, K, 3] coefficients after a rotation; each degree is a linear map of itself.

    The map is found from the basis in directions before and after the rotation.
    """
    if sh.shape[1] == 1:
        return sh
    degree = int(np.sqrt(sh.shape[1])) - 1
    directions = np.random.default_rng(0).normal(size=(4 * sh.shape[1], 3))
    before = sh_basis(torch.from_numpy(directions @ rotation), degree).numpy()
    after = sh_basis(torch.from_numpy(directions), degree).numpy()
    change = np.linalg.lstsq(after, before, rcond=None)[0]
    return np.einsum("ij,njc->nic", change, sh).astype(np.float32)


def tensor(values: NDArray[np.float32]) -> Tensor:
    """The values in memory that the tensor may write to."""
    return torch.from_numpy(np.require(values, np.float32, ["C", "W"]))


def unit_rotations(quats: Tensor) -> Tensor:
    """[N, 4] quaternions of length 1; the identity for those of length 0."""
    length = quats.norm(dim=-1, keepdim=True)
    identity = torch.tensor([1.0, 0.0, 0.0, 0.0], device=quats.device)
    return torch.where(length > 1e-12, quats / length.clamp(min=1e-12), identity)


def raw_of(gaussians: Gaussians) -> RawGaussians:
    """The inverse of `activated`. Opacities of 0 and 1 become logits of -40 and 40."""
    host = gaussians.detach().to("cpu").map(lambda tensor: tensor.float())
    opacities = host.opacities.double().clamp(0.0, 1.0)
    logits = torch.logit(opacities).clamp(-LOGIT_MAX, LOGIT_MAX)
    sh = host.sh if host.sh is not None else sh_of_colors(host.colors)
    return RawGaussians(
        means=host.means.numpy(),
        quats=host.quats.numpy(),
        log_scales=torch.log(host.scales.clamp(min=1e-17)).numpy(),
        logits=logits.float().numpy(),
        sh=sh.numpy(),
    )
