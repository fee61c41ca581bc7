"""Tells whether the pictures of a capture end in background, as those of an object do."""

from __future__ import annotations

import torch
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.renderer import Camera, Gaussians, RenderSettings
from streamstgs.renderer.backends.base import Backend

HEIGHT_PX = 90  # of the pictures that are looked at
FILLED = 0.5  # mean coverage of the edges of a picture that is filled


@torch.no_grad()
def is_isolated(backend: Backend, gaussians: Gaussians, meta: SceneMeta) -> bool:
    """Return whether the edges of the opening view show more background than scene.

    Args:
        gaussians: those of a frame.
        meta: has at least one preset.
    """
    view = meta.presets[0]
    position, target, up = (torch.tensor(v) for v in (view.position, view.target, meta.up))
    width = max(round(HEIGHT_PX * meta.width / meta.height), 2)
    camera = Camera.look_at(position, target, up, view.fov_y_rad, width, HEIGHT_PX)
    drawing = RenderSettings(meta.background, meta.near)
    alpha = backend.render_channels(gaussians, camera, drawing).alpha
    edges = torch.cat([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]])
    return float(edges.float().mean()) < FILLED
