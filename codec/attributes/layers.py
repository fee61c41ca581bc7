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
    """Return attribute -> [N, C] float values."""
    return {
        name: getattr(gaussians, name).detach().reshape(len(gaussians), channels)
        for name, channels in ATTRIBUTE_CHANNELS.items()
    }


def canonical_from(values: dict[str, Tensor]) -> CanonicalGaussians:
    """Return the Gaussians of [N, C] values, the inverse of `attributes`."""
    return CanonicalGaussians(**{**values, "opacity_logits": values["opacity_logits"][:, 0]})


def concatenate(parts: list[CanonicalGaussians]) -> CanonicalGaussians:
    """Return the Gaussians of several layers as one; no layers give no Gaussians."""
    if not parts:
        return CanonicalGaussians.empty()
    return CanonicalGaussians(
        *(torch.cat([getattr(p, f.name) for p in parts]) for f in fields(CanonicalGaussians))
    )


def decode_layer(
    codes: dict[str, np.ndarray], quantisers: dict[str, Quantiser]
) -> CanonicalGaussians:
    """Return the Gaussians of [N, C] codes of each attribute."""
    return canonical_from({name: quantisers[name].decode(c) for name, c in codes.items()})
