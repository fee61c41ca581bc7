"""When moving Gaussians are visible. Neighbours in the grid that are visible in the same frames
make cheaper video."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from streamstgs.codec.encoder.source import TrainedGop
from streamstgs.renderer.settings import ALPHA_MIN
from torch import Tensor

SHOWN_OPACITY = 0.02  # a Gaussian that never reaches it adds nothing that can be seen
COUNTED_EVERY = 2  # frames between those in which shown Gaussians are counted


def visible_frames(gop: TrainedGop) -> Tensor:
    """[G, M] bool, true where the opacity of a Gaussian is high enough to be rendered."""
    return _opacities(gop, range(gop.frames)) >= ALPHA_MIN


def shown_count(gop: TrainedGop) -> int:
    """Number of moving Gaussians that add to the image in some frame; 0 where a GOP shows no more
    than its static layer."""
    if len(gop.canonical) == 0:
        return 0
    opacities = _opacities(gop, range(0, gop.frames, COUNTED_EVERY))
    return int((opacities.amax(dim=0) >= SHOWN_OPACITY).sum())


@torch.no_grad()
def _opacities(gop: TrainedGop, frames: Iterable[int]) -> Tensor:
    """[T, M] at some frames."""
    window = gop.field.config.window
    rows = []
    for frame in frames:
        windowed = gop.features[frame : frame + window].permute(1, 0, 2).flatten(1)
        logits = gop.field.opacity_logits(gop.canonical, windowed, frame / gop.frames)
        rows.append(logits.sigmoid())
    return torch.stack(rows)


def lifetimes(visible: Tensor) -> Tensor:
    """[M, 2] first and last visible frame; Gaussians never visible get the middle of the GOP.

    Args:
        visible: [G, M] bool, as `visible_frames` returns.
    """
    frames, _ = visible.shape
    time = torch.arange(frames, dtype=torch.float32)[:, None]
    first = torch.where(visible, time, torch.inf).amin(dim=0)
    last = torch.where(visible, time, -torch.inf).amax(dim=0)
    return torch.stack([first, last], dim=-1).nan_to_num(posinf=frames / 2, neginf=frames / 2)
