"""Importance score of each Gaussian: how much a picture would change without it.

It is not the amount of light: a Gaussian before others of the same colour has a low score although
it covers them. The compiled loop runs on the CPU in one thread, so that the result is the same on
every machine and in every run.
"""

# mypy: ignore-errors
# (numba finds the types of compiled functions itself)

from __future__ import annotations

import numpy as np
import torch
from streamstgs.renderer.backends.cpu.kernels import compiled, inlined
from streamstgs.renderer.backends.reference import Splats, is_visible, project
from streamstgs.renderer.camera import Camera
from streamstgs.renderer.gaussians import Gaussians
from streamstgs.renderer.settings import ALPHA_MAX, ALPHA_MIN, TRANSMITTANCE_MIN, RenderSettings
from torch import Tensor

# Pixels are finished later than in a picture: without the most opaque Gaussian of a pixel, those
# behind it are seen.
HIDDEN = TRANSMITTANCE_MIN * (1 - ALPHA_MAX)


@torch.no_grad()
def importance_score(gaussians: Gaussians, camera: Camera, settings: RenderSettings) -> Tensor:
    """[N] float64 importance scores: sums of changes over all pixels and channels.

    The change of a pixel is T alpha |color - behind|. T is the transmittance of the Gaussians in
    front, and `behind` the colour of the Gaussians and the background behind this one.

    Args:
        gaussians: on the CPU; those that are not drawn have a score of 0.
    """
    splats = project(gaussians, camera)
    drawn = torch.nonzero(is_visible(gaussians, splats, camera, settings)).flatten()
    drawn = drawn[torch.argsort(splats.depths[drawn], stable=True)]
    fields = _fields(splats[drawn])
    picture = np.zeros((camera.height, camera.width, 3))
    passed = np.ones((camera.height, camera.width))
    _composite(fields, picture, passed)
    picture += passed[..., None] * np.array(settings.background)
    changes = np.zeros(len(drawn))
    _measure_changes(fields, picture, np.ones_like(passed), changes)
    found = torch.zeros(len(gaussians), dtype=torch.float64)
    found[drawn] = torch.from_numpy(changes)
    return found


def _fields(splats: Splats) -> np.ndarray:
    """[V, 11] float64: mean 2, conic 3, radii 2, opacity, color 3."""
    parts = (splats.means, splats.conics, splats.radii, splats.opacities[:, None], splats.colors)
    return torch.cat(parts, dim=1).double().numpy()


@inlined
def _box(fields, i, axis, size):
    """(first, one past the last) pixel of splat i along an axis: 0 for x, 1 for y."""
    center, radius = fields[i, axis] - 0.5, fields[i, 5 + axis]
    first = max(np.ceil(center - radius), 0.0)
    return int(first), int(min(np.floor(center + radius) + 1.0, size))


@inlined
def _alpha(fields, i, x, y):
    """Alpha of splat i at a pixel; 0 where it is not drawn."""
    dx, dy = x + 0.5 - fields[i, 0], y + 0.5 - fields[i, 1]
    xx, xy, yy = fields[i, 2], fields[i, 3], fields[i, 4]
    power = 0.5 * (xx * dx * dx + yy * dy * dy) + xy * dx * dy
    alpha = min(fields[i, 7] * np.exp(-power), ALPHA_MAX)
    return alpha if alpha >= ALPHA_MIN and power >= 0.0 else 0.0


@compiled
def _composite(fields, picture, passed):
    """Add the splats to `picture`, nearest first; `passed` becomes the transmittance."""
    height, width = passed.shape
    for i in range(len(fields)):
        left, right = _box(fields, i, 0, width)
        top, bottom = _box(fields, i, 1, height)
        for y in range(top, bottom):
            for x in range(left, right):
                before = passed[y, x]
                if before < HIDDEN:
                    continue
                alpha = _alpha(fields, i, x, y)
                after = before * (1.0 - alpha)
                for c in range(3):
                    picture[y, x, c] += before * alpha * fields[i, 8 + c]
                passed[y, x] = after


@compiled
def _measure_changes(fields, picture, passed, changes):
    """Subtract the splats again, nearest first, so that `picture` is the part behind each one."""
    height, width = passed.shape
    for i in range(len(fields)):
        left, right = _box(fields, i, 0, width)
        top, bottom = _box(fields, i, 1, height)
        total = 0.0
        for y in range(top, bottom):
            for x in range(left, right):
                before = passed[y, x]
                if before < HIDDEN:
                    continue
                alpha = _alpha(fields, i, x, y)
                after = before * (1.0 - alpha)
                for c in range(3):
                    shown = before * alpha * fields[i, 8 + c]
                    picture[y, x, c] -= shown
                    total += abs(shown - before * alpha * picture[y, x, c] / after)
                passed[y, x] = after
        changes[i] = total
