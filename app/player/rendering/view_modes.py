"""View modes: Gaussians recoloured or reshaped, so that every backend shows the same.

Each function takes the Gaussians that are drawn and returns others. Colours follow one scale: dark
blue is little, yellow is much (an approximation of the colour map cividis, which people with colour
blindness read as well).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from streamstgs.renderer import Camera, Gaussians, Gop, RenderSettings
from streamstgs.renderer.gaussians import rotation_matrices
from streamstgs.renderer.importance import importance_score
from streamstgs.renderer.trajectories import present
from torch import Tensor

POINT_PX = 1.3  # standard deviation of a point on the screen
ELLIPSOID_SCALE = 0.6  # opaque ellipsoids of this size cover about what the Gaussians cover
STATIC_COLOR, MOVING_COLOR = (0.30, 0.42, 0.62), (1.0, 0.60, 0.15)
TINT = 0.7  # of the colour of a layer; the rest is the brightness of the Gaussian
DARK = 0.12  # grey of what never moves, where motion is shown
SCORE_HEIGHT_PX = 180  # importance is measured on pictures of this height
SCORE_DECADES = 4.0  # the least important Gaussians shown as such, below the most important
OPAQUE = 1.0
_SCALE = torch.tensor(
    [
        [0.00, 0.13, 0.30], [0.18, 0.24, 0.42], [0.34, 0.36, 0.43], [0.49, 0.48, 0.47],
        [0.65, 0.61, 0.45], [0.82, 0.75, 0.38], [1.00, 0.91, 0.27],
    ]
)  # fmt: skip


def heat(values: Tensor) -> Tensor:
    """[N, 3] colours of values [N], 0 (dark blue) to 1 (yellow); others are limited."""
    table = _SCALE.to(values.device)
    place = values.nan_to_num(0.0).clamp(0.0, 1.0) * (len(table) - 1)
    first = place.long().clamp(max=len(table) - 2)
    return torch.lerp(table[first], table[first + 1], (place - first)[:, None])


def depth(gaussians: Gaussians, camera: Camera, center: float, spread: float) -> Gaussians:
    """Grey by depth: a sigmoid, bright is near."""
    viewmat = camera.viewmat.to(gaussians.means.device)
    away = gaussians.means @ viewmat[2, :3] + viewmat[2, 3]
    grey = ((center - away) / spread).sigmoid()
    return gaussians.painted(grey[:, None].expand(-1, 3).contiguous())


def coverage(gaussians: Gaussians) -> Gaussians:
    """White Gaussians: over black the picture shows how much of the background is covered."""
    return gaussians.painted(torch.ones_like(gaussians.means))


def opacity(gaussians: Gaussians) -> Gaussians:
    """Coloured by the opacity of each Gaussian."""
    return gaussians.painted(heat(gaussians.opacities))


def normals(gaussians: Gaussians, camera: Camera) -> Gaussians:
    """Coloured by the shortest axis, turned to the camera, in the camera's axes.

    Red grows to the right, green upwards and blue towards the camera.
    """
    device = gaussians.means.device
    axes = rotation_matrices(gaussians.quats)
    shortest = gaussians.scales.argmin(dim=1)
    normal = axes.gather(2, shortest[:, None, None].expand(-1, 3, 1))[..., 0]
    seen_from = gaussians.means - camera.position.to(device)
    away = (normal * seen_from).sum(dim=1, keepdim=True) > 0.0
    normal = torch.where(away, -normal, normal) @ camera.viewmat[:3, :3].T.to(device)
    towards = normal * torch.tensor([1.0, -1.0, -1.0], device=device)
    return gaussians.painted(0.5 + 0.5 * towards)


def points(gaussians: Gaussians, camera: Camera) -> Gaussians:
    """Opaque dots of the same size on the screen, in the Gaussians' own colours."""
    viewmat = camera.viewmat.to(gaussians.means.device)
    away = (gaussians.means @ viewmat[2, :3] + viewmat[2, 3]).clamp(min=1e-6)
    radius = POINT_PX * away / float(camera.K[1, 1])
    scales = radius[:, None].expand(-1, 3).contiguous()
    return replace(gaussians, scales=scales, opacities=_visible(gaussians))


def ellipsoids(gaussians: Gaussians) -> Gaussians:
    """Opaque and smaller, so that size and direction of each Gaussian are seen."""
    scales = gaussians.scales * ELLIPSOID_SCALE
    return replace(gaussians, scales=scales, opacities=_visible(gaussians))


def layers(gaussians: Gaussians, static: int) -> Gaussians:
    """Blue where Gaussians never move, orange where they may.

    Args:
        static: How many Gaussians at the front never move.
    """
    bright = gaussians.colors.clamp(0.0, 1.0).mean(dim=1, keepdim=True)
    tint = gaussians.colors.new_tensor(STATIC_COLOR).repeat(len(gaussians), 1)
    tint[static:] = gaussians.colors.new_tensor(MOVING_COLOR)
    return gaussians.painted(TINT * tint + (1.0 - TINT) * bright)


def motion(gaussians: Gaussians, speeds: Tensor, fast: float) -> Gaussians:
    """Coloured by speed; dark grey where nothing moves by design.

    Args:
        speeds: [M] world units per second of the last M Gaussians.
        fast: The speed that is shown as yellow.
    """
    colors = torch.full_like(gaussians.means, DARK)
    colors[len(gaussians) - len(speeds) :] = heat(speeds / max(fast, 1e-9))
    return gaussians.painted(colors)


@torch.no_grad()
def speeds_at(gop: Gop, frame: float, fps: float, drawn: int) -> Tensor:
    """World units per second of the moving Gaussians of a frame.

    Measured from this frame to the next one, at the end of the segment from the one before.

    Args:
        drawn: How many moving Gaussians the frame has: all, or those present at that time.
    """
    canonical = gop.canonical
    if len(canonical) == 0 or gop.frames < 2:
        return canonical.means.new_zeros(len(canonical))
    start = min(max(frame, 0.0), gop.frames - 2.0)
    means = [
        gop.field(canonical, gop.windowed_features(moment), moment / gop.frames).means
        for moment in (start, start + 1.0)
    ]
    speeds = (means[1] - means[0]).norm(dim=1) * fps
    if canonical.trajectories is not None and drawn < len(canonical):
        time = min(max(frame, 0.0), gop.frames - 1.0) / gop.frames
        speeds = speeds[present(canonical.at(time).opacity_logits)]
    return speeds


def importance(gaussians: Gaussians, camera: Camera, settings: RenderSettings) -> Gaussians:
    """Coloured by the importance score in this view, on a logarithmic scale.

    It is measured on a small picture, on the processor; this takes a moment.
    """
    height = min(SCORE_HEIGHT_PX, camera.height)
    small = camera.resized(max(round(camera.width * height / camera.height), 1), height)
    scores: Any = importance_score(gaussians.to("cpu"), small, settings)
    best = float(scores.max()) if len(scores) else 0.0
    decades = torch.log10((scores / max(best, 1e-12)).clamp(min=1e-12)) / SCORE_DECADES
    return gaussians.painted(heat((1.0 + decades).float().to(gaussians.means.device)))


def _visible(gaussians: Gaussians) -> Tensor:
    """[N] opacity 1 where a Gaussian is drawn at all, else 0."""
    return (gaussians.opacities > 1.0 / 255.0).to(gaussians.opacities.dtype) * OPAQUE
