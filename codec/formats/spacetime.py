"""PLY files of Spacetime Gaussians (Li et al. 2024), the "lite" model, evaluated at a time.

With t from 0 to 1 over the clip, d = t - trbf_center and the properties of a vertex:

    centre    = (x, y, z) + motion_0..2 d + motion_3..5 d^2 + motion_6..8 d^3
    rotation  = rot_0..3 + omega_0..3 d, normalised, wxyz
    opacity   = sigmoid(opacity) exp(-(d / exp(trbf_scale))^2)
    scale     = exp(scale_0..2)
    colour    = f_dc_0..2, plain RGB

Source: arXiv 2312.16812, equations 4 to 8, and `ourslite.py` of the authors' repository
oppo-us-research/SpacetimeGaussians. The full model decodes colours by a network that is not in the
file (properties f_t_...), so it is refused. The file does not tell its duration: 50 frames, the
authors' default.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from streamstgs.codec.errors import CorruptSegment
from streamstgs.codec.formats.gaussian_ply import read_columns, stacked
from streamstgs.codec.formats.raw_gaussians import (
    FARTHEST,
    LOG_SCALE_LIMITS,
    LOGIT_MAX,
    RawGaussians,
    tensor,
    unit_rotations,
    usable,
)
from streamstgs.codec.ply import PlyHeader
from streamstgs.renderer import Gaussians
from torch import Tensor

FRAMES = 50
NEEDED = ("trbf_center", "trbf_scale", "motion_8", "omega_3", "rot_3", "scale_2", "opacity")


def is_spacetime_ply(header: PlyHeader) -> bool:
    """Whether a PLY holds Spacetime Gaussians."""
    vertex = header.element("vertex")
    return vertex is not None and all(name in vertex.names for name in NEEDED)


def read_spacetime_ply(data: bytes, name: str) -> SpacetimeGaussians:
    """The Gaussians of a file.

    Raises:
        CorruptSegment: it is damaged, of the full model, or has too many Gaussians.
    """
    columns = read_columns(data, name)
    if any(key.startswith("f_t_") for key in columns):
        raise CorruptSegment(
            f"{name} is of the full model of Spacetime Gaussians, whose colours need a network "
            "that is not in the file; export the lite model."
        )

    def several(prefix: str, count: int) -> np.ndarray:
        return stacked(columns, [f"{prefix}_{i}" for i in range(count)], name)

    raw = RawGaussians(
        means=stacked(columns, ["x", "y", "z"], name),
        quats=several("rot", 4),
        log_scales=several("scale", 3),
        logits=columns["opacity"],
        sh=several("f_dc", 3)[:, None],
    )
    times = stacked(columns, ["trbf_center", "trbf_scale"], name)
    motion, omega = several("motion", 9), several("omega", 4)
    with np.errstate(invalid="ignore"):
        moves = (np.abs(np.concatenate([times, motion, omega], axis=1)) <= FARTHEST).all(axis=1)
    kept = usable(raw, name, moves)
    return SpacetimeGaussians(
        means=tensor(raw.means[kept]),
        motion=tensor(motion[kept].reshape(-1, 3, 3)),
        quats=tensor(raw.quats[kept]),
        omega=tensor(omega[kept]),
        scales=torch.exp(tensor(np.clip(raw.log_scales[kept], *LOG_SCALE_LIMITS))),
        opacities=torch.sigmoid(tensor(raw.logits[kept])),
        time_centers=tensor(times[kept, 0]),
        time_extents=torch.exp(tensor(times[kept, 1]).clamp(min=-LOGIT_MAX, max=LOGIT_MAX)),
        colors=tensor(raw.sh[kept, 0]).clamp(min=0.0),
    )


@dataclass(frozen=True)
class SpacetimeGaussians:
    """Implements `AnimatedGaussians` by the formulas above; tensors of one device.

    Args:
        means: [N, 3]. motion: [N, 3, 3], first index the power of time less 1.
        quats: [N, 4]. omega: [N, 4]. scales: [N, 3]. opacities: [N]. colors: [N, 3].
        time_centers, time_extents: [N], of the temporal opacity, shares of the clip.
        frames: content frames of the clip; at least 1.
    """

    means: Tensor
    motion: Tensor
    quats: Tensor
    omega: Tensor
    scales: Tensor
    opacities: Tensor
    time_centers: Tensor
    time_extents: Tensor
    colors: Tensor
    frames: int = FRAMES

    def to(self, device: torch.device | str) -> SpacetimeGaussians:
        """As of `AnimatedGaussians`."""
        moved = {k: v.to(device) for k, v in vars(self).items() if isinstance(v, Tensor)}
        return SpacetimeGaussians(**moved, frames=self.frames)

    def at(self, frame: float) -> Gaussians:
        """As of `AnimatedGaussians`; Gaussians that leave the range of numbers are transparent."""
        d = (frame / self.frames - self.time_centers)[:, None]
        powers = torch.stack([d, d * d, d * d * d], dim=1)  # [N, 3, 1]
        means = self.means + (self.motion * powers).sum(dim=1)
        shown = (means.abs() <= FARTHEST).all(dim=1)
        fading = torch.exp(-((d[:, 0] / self.time_extents) ** 2))
        return Gaussians(
            means=torch.where(shown[:, None], means, self.means),
            quats=unit_rotations(self.quats + self.omega * d),
            scales=self.scales.clone(),
            opacities=torch.where(shown, self.opacities * fading, 0.0),
            colors=self.colors.clone(),
        )
