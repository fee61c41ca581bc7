"""When Gaussians are seen, and features that hold still while theirs are not.

Most moving Gaussians are drawn in a part of a GOP only. Neighbours in the grid that are seen at the
same time make cheaper video. While the opacity of one is below what backends draw, its features may
be anything that keeps it there, such as no change at all; features that a visible frame looks at
stay as they were trained. On decoded features, holding lost more quality than bytes once the grid
was sorted by lifetimes (benchmarks/reports/format.md), so it is not the default.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from streamstgs.codec.encoder.source import TrainedGop
from torch import Tensor


@dataclass(frozen=True)
class SmoothingSettings:
    """When features may be replaced.

    Args:
        hold: replace features that nobody sees.
        invisible: opacity below which a Gaussian is not drawn.
        margins: frames around the visible ones that keep their features, tried in this order for
            the Gaussians that the held features would make visible; all features of those that
            no margin helps stay.
    """

    hold: bool = False
    invisible: float = 1 / 255
    margins: tuple[int, ...] = (0, 1, 2, 4, 8)


@torch.no_grad()
def visible_frames(gop: TrainedGop, invisible: float) -> Tensor:
    """[G, M] bool: where the opacity of a Gaussian reaches what is drawn."""
    window = gop.field.config.window
    rows = []
    for frame in range(gop.frames):
        windowed = gop.features[frame : frame + window].permute(1, 0, 2).flatten(1)
        logits = gop.field.opacity_logits(gop.canonical, windowed, frame / gop.frames)
        rows.append(logits.sigmoid() >= invisible)
    return torch.stack(rows)


def lifetimes(visible: Tensor) -> Tensor:
    """[M, 2] first and last visible frame; whom nobody sees gets the middle of the GOP."""
    frames, _ = visible.shape
    time = torch.arange(frames, dtype=torch.float32)[:, None]
    first = torch.where(visible, time, torch.inf).amin(dim=0)
    last = torch.where(visible, time, -torch.inf).amax(dim=0)
    return torch.stack([first, last], dim=-1).nan_to_num(posinf=frames / 2, neginf=frames / 2)


def hold_unseen(gop: TrainedGop, visible: Tensor, settings: SmoothingSettings) -> Tensor:
    """[E, M, F] features that change nothing that is drawn at whole frames.

    Args:
        gop: on the CPU, features in float32.
        visible: [G, M] of its Gaussians as trained.
    """
    result = gop.features.clone()
    pending = torch.arange(result.shape[1])
    needed = seen_features(visible, gop.field.config.window)
    for margin in settings.margins:
        if not len(pending):
            break
        result[:, pending] = hold(gop.features[:, pending], widened(needed[:, pending], margin))
        held = replace(gop, canonical=gop.canonical[pending], features=result[:, pending])
        appears = visible_frames(held, settings.invisible) & ~visible[:, pending]
        pending = pending[appears.any(dim=0)]
    result[:, pending] = gop.features[:, pending]
    return result


def seen_features(visible: Tensor, window: int) -> Tensor:
    """[E, M] bool: features in the window of a visible frame; E = G + W - 1."""
    frames, count = visible.shape
    seen = torch.zeros(frames + window - 1, count, dtype=torch.bool)
    for shift in range(window):
        seen[shift : shift + frames] |= visible
    return seen


def widened(kept: Tensor, margin: int) -> Tensor:
    """[E, M] bool with `margin` more frames on both sides of each run."""
    wide = kept.clone()
    for shift in range(1, margin + 1):
        wide[shift:] |= kept[:-shift]
        wide[:-shift] |= kept[shift:]
    return wide


def hold(features: Tensor, kept: Tensor) -> Tensor:
    """Features [E, M, F] where those that are not kept repeat the last kept, or else the next.

    Where nothing is kept the first frame stays throughout.
    """
    frames, count = kept.shape
    index = torch.arange(frames)[:, None].expand(frames, count)
    last = torch.where(kept, index, -1).cummax(dim=0).values
    following = torch.where(kept, index, frames).flip(0).cummin(dim=0).values.flip(0)
    source = torch.where(last >= 0, last, following % frames)
    return features.gather(0, source[..., None].expand_as(features))
