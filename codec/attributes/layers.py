"""Canonical Gaussians as named attributes, and from the codes of a layer back to Gaussians."""

from __future__ import annotations

import numpy as np
import torch
from streamstgs.codec.attributes.attribute_images import CHANNELS
from streamstgs.codec.attributes.quantisation import Quantiser
from streamstgs.renderer import CanonicalGaussians
from torch import Tensor


def attributes(gaussians: CanonicalGaussians) -> dict[str, Tensor]:
    """Return attribute -> [N, C] float values; those of trajectories only where there are some."""
    return {
        name: value.detach().reshape(len(gaussians), CHANNELS[name])
        for name, value in gaussians.tensors().items()
    }


def canonical_from(values: dict[str, Tensor]) -> CanonicalGaussians:
    """Return the Gaussians of [N, C] values, the inverse of `attributes`."""
    flat = {name: v if CHANNELS[name] > 1 else v[:, 0] for name, v in values.items()}
    return CanonicalGaussians.of_tensors(flat)


def concatenate(parts: list[CanonicalGaussians]) -> CanonicalGaussians:
    """Return the Gaussians of several layers as one; no layers give no Gaussians."""
    if not parts:
        return CanonicalGaussians.empty()
    tensors = [part.tensors() for part in parts]
    return CanonicalGaussians.of_tensors(
        {name: torch.cat([part[name] for part in tensors]) for name in tensors[0]}
    )


def decode_layer(
    codes: dict[str, np.ndarray], quantisers: dict[str, Quantiser]
) -> CanonicalGaussians:
    """Return the Gaussians of [N, C] codes of each attribute."""
    return canonical_from({name: quantisers[name].decode(c) for name, c in codes.items()})
