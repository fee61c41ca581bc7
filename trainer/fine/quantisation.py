"""Quantisation in training: the moving Gaussians are drawn as a player will decode them.

Values are rounded in the forward pass, and gradients go through as if they were not (straight-
through estimator; QuARC-GS, arXiv 2608.18285, has it in training too). Small changes of features
fall into the zero bin: a Gaussian whose features would hardly move learns to do without.

Attributes are rounded to their bits, as `codec.encoder.layer_encoding` does. Features are coded by
a video encoder, which rounds coefficients of a transform. It is stood for by an orthonormal cosine
transform along time, rounded with the quantiser step of the QP, 2^((QP - 4) / 6) codes. On the
bundled scene the root mean square error of codes is 1.4, 2.1, 3.3, 4.7 and 6.3 at QP 16, 20, 24, 28
and 32; rounding with that step gives 1.2, 1.8, 2.9, 4.6 and 7.3 where no coefficient is zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from streamstgs.codec.encoder.config import MOVING_BITS
from streamstgs.codec.encoder.feature_encoding import FEATURE_BITS
from streamstgs.codec.encoder.layer_encoding import VELOCITY_UNIT
from streamstgs.renderer import CanonicalGaussians
from streamstgs.trainer.setting_checks import Share, check_ranges, require
from torch import Tensor

QP_MOST = 51


@dataclass(frozen=True)
class QuantisationConfig:
    """Quantisation in the fine stage.

    Args:
        enabled: Draw the moving Gaussians with features and attributes rounded as the encoder
            rounds them.
        qp: QP of the feature video that training expects; 0 leaves the features as they are.
        start: Share of the iterations before it begins.
    """

    enabled: bool = False
    qp: int = 28
    start: Share = 0.5

    def __post_init__(self) -> None:
        check_ranges(self, "gop.quantisation")
        wanted = f"from 0 to {QP_MOST}"
        require(0 <= self.qp <= QP_MOST, "gop.quantisation.qp", self.qp, wanted)

    def is_active(self, progress: float) -> bool:
        """Whether values are rounded at this share of the iterations."""
        return self.enabled and progress >= self.start


def quantised_canonical(canonical: CanonicalGaussians, unit: float) -> CanonicalGaussians:
    """The Gaussians with each attribute rounded to its bits; gradients pass unchanged.

    Args:
        unit: Distance from the middle over which positions are coded evenly, world units.
    """
    curves = {"means": unit, "velocities": VELOCITY_UNIT * unit}
    rounded = {
        name: through(value, rounded_values(value, getattr(MOVING_BITS, name), curves.get(name),
                                            one_step=name == "quats"))
        for name, value in canonical.tensors().items()
    }  # fmt: skip
    return CanonicalGaussians.of_tensors(rounded)


def through(values: Tensor, rounded: Tensor) -> Tensor:
    """The rounded values, with the gradient of the values (straight-through estimator)."""
    return values + (rounded - values).detach()


@torch.no_grad()
def rounded_values(
    values: Tensor, bits: int, curve_unit: float | None = None, one_step: bool = False
) -> Tensor:
    """Values [N] or [N, C] after coding with so many bits a channel and decoding.

    Args:
        curve_unit: Unit of the sinh curve, as `codec.attributes.quantisation` has it; None for
            even steps.
        one_step: All channels get the step of the widest channel.
    """
    if not len(values):
        return values
    middle = values.mean(dim=0)
    bent = values if curve_unit is None else torch.asinh((values - middle) / curve_unit)
    low, high = bent.amin(dim=0), bent.amax(dim=0)
    step = (high - low) / ((1 << bits) - 1)
    step = (step.max().expand_as(step) if one_step else step).clamp(min=1e-12)
    bent = low + step * ((bent - low) / step).round()
    return bent if curve_unit is None else middle + curve_unit * torch.sinh(bent)


def quantised_window(features: Tensor, frame: int, window: int, qp: int) -> Tensor:
    """[N, W, F] features of the window of a frame, as the video brings them; gradients pass.

    Args:
        features: [N, E, F] of all frames, within -1..1.
    """
    seen = features[:, frame : frame + window]
    return through(seen, _coded_window(features.detach(), frame, window, qp)) if qp else seen


@torch.no_grad()
def _coded_window(features: Tensor, frame: int, window: int, qp: int) -> Tensor:
    if not len(features):
        return features[:, frame : frame + window]
    spread = features.amax(dim=(0, 1)) - features.amin(dim=(0, 1))
    step = (spread / ((1 << FEATURE_BITS) - 1) * quantiser_step(qp)).clamp(min=1e-12)
    basis = cosine_basis(features.shape[1], features.device)
    coefficients = torch.einsum("ke,nef->nkf", basis, features / step).round()
    return torch.einsum("kw,nkf->nwf", basis[:, frame : frame + window], coefficients) * step


def quantiser_step(qp: int) -> float:
    """Step of the video quantiser, codes."""
    return 2.0 ** ((qp - 4) / 6)


@lru_cache(maxsize=8)
def cosine_basis(length: int, device: torch.device) -> Tensor:
    """[K, E] orthonormal cosine transform (DCT-II) of `length` frames, lowest frequency first."""
    time = (torch.arange(length, device=device) + 0.5) * (math.pi / length)
    basis = (torch.arange(length, device=device)[:, None] * time).cos() * math.sqrt(2 / length)
    basis[0] /= math.sqrt(2)
    return basis
