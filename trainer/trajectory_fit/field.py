"""A deformation field whose weights are computed: it maps each feature by a curve, then linearly.

    change of a Gaussian = sum over features k of  curve(feature k) * direction k

The curve is odd, flat near 0 and steep at -1 and 1, made of straight pieces: small changes get more
of the codes of a feature than large ones, as in telephony (companding). Both layers of the temporal
network and the first layer of each head only pass on what the first layer made.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from streamstgs.renderer import DeformationField, FieldConfig
from streamstgs.trainer.trajectory_fit.frames import COLORS, LOG_SCALES, LOGIT, MEANS, QUATS
from torch import Tensor

STEEPNESS = 3.5
KNOTS = np.array([0.0, 0.25, 0.5, 0.7, 0.85, 1.0])
HEADS = {
    "means": MEANS,
    "quats": QUATS,
    "log_scales": LOG_SCALES,
    "opacity_logits": slice(LOGIT, LOGIT + 1),
    "colors": COLORS,
}


def curve_values() -> NDArray[np.float64]:
    """Values of the curve at `KNOTS`, from 0 to 1."""
    return np.sinh(STEEPNESS * KNOTS) / np.sinh(STEEPNESS)


def companded(shares: Tensor) -> Tensor:
    """Features whose curve gives `shares`, both within -1..1."""
    found = np.interp(shares.abs().cpu().numpy(), curve_values(), KNOTS)
    return shares.sign() * torch.from_numpy(found).to(shares)


def computed_field(directions: Tensor, extent: float) -> DeformationField:
    """The field of directions.

    Args:
        directions: [F, 14] change of a Gaussian for a feature of 1, before activation.
        extent: World units, about the largest change of a centre; keeps weights near 1.
    """
    features = len(directions)
    pieces = len(KNOTS) - 1
    width = 2 * features * pieces
    config = FieldConfig(
        features=features, window=1, width=width, time_frequencies=1, extent=extent
    )
    field = DeformationField(config)
    slopes = np.diff(curve_values()) / np.diff(KNOTS)
    bends = torch.from_numpy(np.diff(slopes, prepend=0.0)).float()  # of each piece
    weights = {name: torch.zeros_like(value) for name, value in field.state_dict().items()}
    weights["temporal.2.weight"] = torch.eye(width)
    for feature in range(features):
        for side, sign in enumerate((1.0, -1.0)):
            at = (2 * feature + side) * pieces
            weights["temporal.0.weight"][at : at + pieces, feature] = sign
            weights["temporal.0.bias"][at : at + pieces] = -torch.from_numpy(KNOTS[:-1]).float()
    signs = torch.tensor([1.0, -1.0])
    for name, columns in HEADS.items():
        wanted = directions[:, columns].cpu() / (extent if name == "means" else 1.0)  # [F, C]
        parts = torch.einsum("fc,s,p->cfsp", wanted, signs, bends)
        weights[f"heads.{name}.0.weight"] = torch.eye(width)
        weights[f"heads.{name}.2.weight"] = parts.reshape(wanted.shape[1], width)
    field.load_state_dict(weights)
    return field.eval().requires_grad_(False)
