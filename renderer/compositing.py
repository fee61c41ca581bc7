"""How a picture is laid over a background that is not the scene's own.

A trained scene is right over the background of its capture. Its ground and walls are often a little
transparent there, because that colour behind them did not disturb. Over another background they
would look like glass. So cover counts in place of alpha: it is alpha for what is mostly transparent
(edges, hair, glass), and 1 from `SOLID_ALPHA` on, with a straight line in between. The scene's own
background fills what cover adds:

    cover = min(1, max(alpha, OPEN_ALPHA + (alpha - OPEN_ALPHA) * slope))
    picture = light + (cover - alpha) * own_background + (1 - cover) * background

where `light` is the sum of weights times colours. Over its own background a scene looks the same
with and without this rule.
"""

from __future__ import annotations

import torch
from streamstgs.renderer.settings import OPEN_ALPHA, SOLID_ALPHA, RenderSettings
from torch import Tensor

SLOPE = (1.0 - OPEN_ALPHA) / (SOLID_ALPHA - OPEN_ALPHA)


def cover_of(alpha: Tensor) -> Tensor:
    """How much of another background is hidden where `alpha` of the own one is, 0..1."""
    return torch.maximum(alpha, OPEN_ALPHA + (alpha - OPEN_ALPHA) * SLOPE).clamp(max=1.0)


def composite(light: Tensor, alpha: Tensor, settings: RenderSettings) -> Tensor:
    """[..., 3] picture over the background of the settings.

    Args:
        light: [..., 3] sum of weights times colours: the picture over black.
        alpha: [...] sum of the weights.
    """
    own = settings.own_background if settings.replaces_background else None
    color, cover = cut_out(light, alpha, own)
    return color + (1.0 - cover)[..., None] * _rgb(settings.background, light)


def cut_out(
    light: Tensor, alpha: Tensor, own_background: tuple[float, float, float] | None
) -> tuple[Tensor, Tensor]:
    """[..., 3] colours times cover and [...] cover, to be laid over any background.

    Without an own background they are light and alpha.
    """
    if own_background is None:
        return light, alpha
    cover = cover_of(alpha)
    return light + (cover - alpha)[..., None] * _rgb(own_background, light), cover


def _rgb(color: tuple[float, float, float], like: Tensor) -> Tensor:
    """[3] on a device, made on the host and sent: the host does not wait for the device."""
    return torch.tensor(color, dtype=like.dtype).to(like.device, non_blocking=True)
