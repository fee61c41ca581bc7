"""Canonical Gaussians as named attributes, and from the codes of a layer back to Gaussians."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import torch
from streamstgs.codec.attributes.attribute_images import ATTRIBUTE_CHANNELS
from streamstgs.codec.attributes.quantisation import Quantiser
from streamstgs.renderer import CanonicalGaussians
from torch import Tensor


def attributes(gaussians: CanonicalGaussians) -> dict[str, Tensor]:
    """Attribute -> [N, C] float values."""
    return {
        name: getattr(gaussians, name).detach().reshape(len(gaussians), channels)
        for name, channels in ATTRIBUTE_CHANNELS.items()
    }


def canonical_from(values: dict[str, Tensor]) -> CanonicalGaussians:
    """[N, C] values -> Gaussians; the inverse of `attributes`."""
    return CanonicalGaussians(**{**values, "opacity_logits": values["opacity_logits"][:, 0]})


def concatenate(parts: list[CanonicalGaussians]) -> CanonicalGaussians:
    """Layers one after the other; none at all gives no Gaussians."""
    if not parts:
        return CanonicalGaussians.empty()
    return CanonicalGaussians(
        *(torch.cat([getattr(p, f.name) for p in parts]) for f in fields(CanonicalGaussians))
    )


def decode_layer(
    codes: dict[str, np.ndarray], quantisers: dict[str, Quantiser]
) -> CanonicalGaussians:
    """[N, C] codes of each attribute -> Gaussians."""
    return canonical_from({name: quantisers[name].decode(c) for name, c in codes.items()})
