"""The order in which static Gaussians are sent: the least important ones come last.

The last layer is what changes the picture least, then the same is asked of what is left: two
Gaussians that hide each other's absence may both look needless, but not once one of them is gone.
"""

from __future__ import annotations

import torch
from streamstgs.codec.attributes.layers import concatenate
from streamstgs.codec.encoder.config import StaticLayerSettings
from streamstgs.codec.encoder.view_cameras import orbit_cameras, preset_cameras
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.renderer import Camera, CanonicalGaussians, RenderSettings
from torch import Tensor

RING_ELEVATIONS_RAD = (0.12, 0.45)


def by_importance(
    gaussians: CanonicalGaussians,
    always: CanonicalGaussians,
    sizes: list[int],
    meta: SceneMeta,
    settings: StaticLayerSettings,
) -> list[Tensor]:
    """Return the members of each part, the most important part first.

    Args:
        gaussians: on the CPU.
        always: drawn together with each part, as they are sent early.
        sizes: of the parts; their sum is the number of Gaussians.
    """
    left, parts = torch.arange(len(gaussians)), []
    for size in reversed(sizes[1:]):
        worth = total_importance(gaussians[left], always, meta, settings)
        kept = len(left) - size
        ranked = worth.argsort(descending=True, stable=True)
        parts.append(left[ranked[kept:]])
        left = left[ranked[:kept].sort().values]
    return [left, *reversed(parts)]


def total_importance(
    gaussians: CanonicalGaussians,
    always: CanonicalGaussians,
    meta: SceneMeta,
    settings: StaticLayerSettings,
) -> Tensor:
    """[N] change of pictures without each Gaussian, over all views; presets weigh half."""
    from streamstgs.renderer.importance import importance_score  # compiled: loaded to encode only

    drawn = concatenate([gaussians, always]).activate()
    drawing = RenderSettings(meta.background, meta.near)
    total = torch.zeros(len(drawn), dtype=torch.float64)
    for cameras in order_cameras(meta, settings):
        for camera in cameras:
            total += importance_score(drawn, camera, drawing) / len(cameras)
    return total[: len(gaussians)]


def order_cameras(
    meta: SceneMeta, settings: StaticLayerSettings
) -> tuple[tuple[Camera, ...], tuple[Camera, ...]]:
    """Return cameras for the presets, and cameras on rings around the scene."""
    presets = preset_cameras(meta, settings.height_px, settings.presets)
    rings = [
        orbit_cameras(meta, settings.height_px, settings.ring_views, elevation, turn=k / 2)
        for k, elevation in enumerate(RING_ELEVATIONS_RAD)
    ]
    return presets, tuple(camera for ring in rings for camera in ring)
