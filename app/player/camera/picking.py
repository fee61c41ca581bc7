"""Finds the point of a scene under the pointer."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import torch
from streamstgs.app.player.camera.framing import Vector
from streamstgs.app.player.status import PlaybackFrame
from streamstgs.renderer import Camera, Gaussians

log = logging.getLogger(__name__)

_OPAQUE = 0.5  # the surface is at the depth where half of the light is absorbed
_INFLUENCE_MIN = 0.02
_NEAREST_PX = 40.0


def pick_in_thread(
    frame: PlaybackFrame,
    camera: Camera,
    at: tuple[float, float],
    on_point: Callable[[Vector], None],
) -> threading.Thread:
    """Look for the point of a frame under a pixel in a new thread, and return that thread.

    Moving all Gaussians to the frame and sorting them takes too long for a thread that draws.

    Args:
        at: The pixel (x, y) of `camera`.
        on_point: Called in the new thread with the point; not called if there is none.
    """

    def look() -> None:
        try:
            point = point_under(frame.gop.gaussians_at(frame.frame), camera, *at)
        except Exception:  # the thread boundary
            log.exception("picking")
            return
        if point is not None:
            on_point(point)

    thread = threading.Thread(target=look, name="pick", daemon=True)
    thread.start()
    return thread


@torch.no_grad()
def point_under(
    gaussians: Gaussians, camera: Camera, x: float, y: float, near: float = 0.01
) -> Vector | None:
    """The world point on the ray through pixel (x, y), at the depth of the surface seen there.

    Gaussians count as round. If none covers the pixel, this is the centre of the nearest one on the
    screen; None if none is within 40 px.
    """
    viewmat, K = camera.viewmat.to(gaussians.means.device), camera.K.to(gaussians.means.device)
    seen = gaussians.means @ viewmat[:3, :3].T + viewmat[:3, 3]  # [N, 3] in the camera
    depth = seen[:, 2].clamp_min(near)
    focal = K[0, 0]
    offset_x = seen[:, 0] * focal / depth + K[0, 2] - x
    offset_y = seen[:, 1] * focal / depth + K[1, 2] - y
    away_px = torch.hypot(offset_x, offset_y)  # [N]
    size_px = gaussians.scales.mean(dim=-1) * focal / depth
    influence = gaussians.opacities * torch.exp(-0.5 * (away_px / size_px.clamp_min(0.3)) ** 2)
    usable = (seen[:, 2] > near) & torch.isfinite(influence)
    hits = torch.nonzero(usable & (influence > _INFLUENCE_MIN)).squeeze(-1)
    if len(hits):
        order = hits[torch.argsort(depth[hits])]
        through = torch.cumprod(1 - influence[order].clamp(max=0.99), dim=0)
        place = torch.nonzero(through < _OPAQUE).squeeze(-1)
        chosen = order[place[0]] if len(place) else order[influence[order].argmax()]
        distance = float(depth[chosen])
        ray = torch.tensor([(x - K[0, 2]) / focal, (y - K[1, 2]) / focal, 1.0]) * distance
        return _vector(camera.viewmat[:3, :3].T @ (ray - camera.viewmat[:3, 3]))
    away_px[~usable] = torch.inf
    if not len(away_px) or float(away_px.min()) > _NEAREST_PX:
        return None
    return _vector(gaussians.means[away_px.argmin()].cpu())


def _vector(point: torch.Tensor) -> Vector:
    x, y, z = (float(value) for value in point)
    return (x, y, z)
