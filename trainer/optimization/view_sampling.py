"""Which training cameras make a batch."""

from __future__ import annotations

from collections.abc import Sequence

from streamstgs.renderer import Camera
from streamstgs.trainer.rng import Rng


def draw_views(cameras: Sequence[Camera], count: int, rng: Rng) -> list[int]:
    """Indices of at most `count` random cameras whose pictures have one size, as a batch needs.

    Each camera is drawn as often as the others, if no size has fewer cameras than `count`.
    """
    sizes = [(camera.width, camera.height) for camera in cameras]
    if len(set(sizes)) == 1:
        return rng.choice(count, len(cameras))
    chosen = sizes[rng.integer(len(cameras))]
    alike = [k for k, size in enumerate(sizes) if size == chosen]
    return [alike[k] for k in rng.choice(count, len(alike))]
