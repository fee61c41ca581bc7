"""From canonical Gaussians to the codes of a layer: order in the grid, quantisers, codes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from streamstgs.codec.attributes.quantisation import Quantiser, SinhCurve, fit_quantiser
from streamstgs.codec.encoder.config import AttributeBits
from streamstgs.codec.encoder.grid_sorting import sort_grid
from streamstgs.renderer import CanonicalGaussians
from torch import Tensor

# What makes neighbours alike, relative to one standard deviation of the means.
COLOR_WEIGHT = 1.0
SCALE_WEIGHT = 0.5
OPACITY_WEIGHT = 0.3
FEATURE_WEIGHT = 4.0
LIFETIME_WEIGHT = 4.0
VELOCITY_UNIT = 0.25  # speed up to which velocities are coded evenly, units of the means per GOP
FEATURE_COMPONENTS = 24  # principal components that stand for the features of all frames


def split_sizes(count: int, parts: int, growth: float) -> list[int]:
    """Return the sizes of at most `parts` parts of `count` items; each is about `growth` times as
    large as the one before."""
    weights = [growth**k for k in range(parts)]
    edges = [round(count * sum(weights[:k]) / sum(weights)) for k in range(parts + 1)]
    return [b - a for a, b in pairwise(edges) if b > a]


def sorting_values(
    gaussians: CanonicalGaussians,
    features: Tensor | None = None,
    lifetimes: Tensor | None = None,
) -> Tensor:
    """Return the [N, D] values that `sort_grid` compares.

    Args:
        gaussians: all attributes but rotations are compared.
        features: [E, N, F].
        lifetimes: [N, 2] frames; neighbours whose features move in the same frames cost less.
    """
    center = gaussians.means.median(dim=0).values
    offset = gaussians.means - center
    reach = offset.norm(dim=-1).median().clamp(min=1e-9)  # what lies far beyond it is pulled in
    parts = [
        _standardised(torch.asinh(offset / reach)),
        COLOR_WEIGHT * _standardised(gaussians.colors.clamp(-0.5, 1.5)),
        SCALE_WEIGHT * _standardised(gaussians.log_scales),
        OPACITY_WEIGHT * _standardised(gaussians.opacity_logits[:, None]),
    ]
    if features is not None:
        over_time = features.permute(1, 0, 2).flatten(1)
        share = features.shape[-1] ** 0.5  # so that all channels together weigh as one attribute
        parts.append(FEATURE_WEIGHT * share * _principal(_standardised(over_time)))
    if lifetimes is not None:
        parts.append(LIFETIME_WEIGHT * _standardised(lifetimes))
    return torch.cat([part.float() for part in parts], dim=-1).detach()


def _standardised(values: Tensor) -> Tensor:
    """Return values with zero mean and a joint standard deviation of 1 over all channels."""
    centred = values - values.mean(dim=0)
    return centred / centred.square().mean().sqrt().clamp(min=1e-9)


def _principal(values: Tensor) -> Tensor:
    """Return [N, FEATURE_COMPONENTS] principal components of [N, D] values."""
    values = values.double()
    _, axes = torch.linalg.eigh(values.T @ values)  # the largest come last
    return values @ axes[:, -FEATURE_COMPONENTS:] / values.shape[-1] ** 0.5


def grid_order(values: Tensor, height: int, width: int, sort: bool, seed: int) -> Tensor:
    """Return the [N] items of the first N cells, on the CPU.

    A GPU sorts where there is one: on a processor it takes most of the time of encoding.
    """
    count = len(values)
    if not sort:
        return torch.arange(count)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return sort_grid(values.to(device), height, width, seed)[:count]


def quantisers_for(
    values: dict[str, Tensor], bits: AttributeBits, center: tuple[float, ...], unit: float
) -> dict[str, Quantiser]:
    """Return attribute -> the quantiser that spans its values.

    Means and velocities get the sinh curve: a few of them are far larger than the others. The four
    components of quaternions get the same step, as an error in each rotates a Gaussian equally.
    """
    curves = {
        "means": SinhCurve(center, unit),
        "velocities": SinhCurve((0.0, 0.0, 0.0), VELOCITY_UNIT * unit),
    }
    return {
        name: fit_quantiser(v, getattr(bits, name), curves.get(name), one_step=name == "quats")
        for name, v in values.items()
    }


def encode_layer(
    values: dict[str, Tensor], quantisers: dict[str, Quantiser]
) -> dict[str, np.ndarray]:
    """Return attribute -> [N, C] codes."""
    return {name: quantisers[name].encode(v) for name, v in values.items()}
