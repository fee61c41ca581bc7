"""Dropout: random Gaussians left out of a step, so that no image depends on a single one.

With few cameras some Gaussians serve one training image each and spoil all other views. When any of
them may be missing, the scene rests on those that many images agree on (Park et al. 2025,
DropGaussian).
"""

from __future__ import annotations

from dataclasses import replace

from streamstgs.renderer import Gaussians
from streamstgs.trainer.rng import Rng

MOST_OPAQUE = 0.999


def drop_out(gaussians: Gaussians, share: float, rng: Rng) -> Gaussians:
    """The same Gaussians, a random `share` of them transparent, the others as much denser."""
    if share == 0:
        return gaussians
    kept = (rng.uniform(len(gaussians)) >= share).float() / (1 - share)
    return replace(gaussians, opacities=(gaussians.opacities * kept).clamp(max=MOST_OPAQUE))
