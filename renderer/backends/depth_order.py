"""Sorts splats by depth for backends that draw back to front."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FAR = 1e10  # gsplat's far plane


def back_to_front(depths: NDArray[np.float32], near: float) -> NDArray[np.uint32]:
    """Indices of the Gaussians from `near` to `FAR`, farthest first.

    The key is the top 16 bits in which the depths differ, read as bits of float32. They grow like
    the logarithm of the depth, so one far outlier does not spoil the order of the others. NumPy
    sorts 16-bit integers by radix, about ten times faster than floats. Of equal keys the higher
    index comes first, the mirror of gsplat's front-to-back order.

    Args:
        depths: [N] float32, along the viewing axis, finite.
        near: nearest depth to keep, > 0.
    """
    kept = np.flatnonzero((depths >= near) & (depths <= FAR))
    if len(kept) == 0:
        return np.empty(0, np.uint32)
    bits = depths[kept].view(np.uint32)
    lowest = bits.min()
    spare_bits = max(0, int(bits.max() - lowest).bit_length() - 16)
    keys = ((bits - lowest) >> np.uint32(spare_bits)).astype(np.uint16)
    return kept[np.argsort(keys, kind="stable")[::-1]].astype(np.uint32)
