"""Divides the moving Gaussians of a GOP into keyframe layers, the most important ones first.

A quality has the first few layers and the features of their Gaussians alone. Layers are whole rows
of the feature grid, so that the video of a worse quality is the upper part of a tile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from streamstgs.codec.encoder.config import MovingLayerSettings
from streamstgs.codec.encoder.grid_sorting import GRID_MULTIPLE
from streamstgs.codec.encoder.source import TrainedGop
from streamstgs.codec.encoder.view_cameras import orbit_cameras, preset_cameras
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.codec.video.tile_layout import TileLayout
from streamstgs.renderer import Camera, CanonicalGaussians, Gaussians, RenderSettings
from streamstgs.renderer.trajectories import present
from torch import Tensor

RING_ELEVATION_RAD = 0.25


@dataclass(frozen=True)
class LayerPlan:
    """How many moving Gaussians of a GOP each quality has.

    Args:
        counts: Moving Gaussians of each quality, best first: all of them, then fewer or as many.
    """

    counts: tuple[int, ...]

    @property
    def sizes(self) -> list[int]:
        """Gaussians of each layer, the most important layer first; none is empty."""
        return [b - a for a, b in pairwise(sorted({0, *self.counts}))]

    def layers_of(self, place: int) -> int | None:
        """Number of layers of a quality; None for all."""
        count = sorted({0, *self.counts}).index(self.counts[place])
        return None if count == len(self.sizes) else count


def plan_layers(count: int, shares: Sequence[float], tiles: TileLayout) -> LayerPlan:
    """Return the plan for `count` Gaussians.

    Args:
        shares: for each quality, best first, the share of the moving Gaussians; it has as many as
            fill whole blocks of rows. The first is 1.
        tiles: the feature grid.
    """
    step = GRID_MULTIPLE * tiles.width
    blocks = [max(1, round(share * count / step)) for share in shares]
    return LayerPlan(tuple(min(k * step, count) if s < 1 else count
                           for k, s in zip(blocks, shares, strict=True)))  # fmt: skip


def rows_of(counts: Sequence[int], tiles: TileLayout) -> int:
    """Return the rows of a tile that hold so many Gaussians of each GOP, a multiple of 8."""
    step = GRID_MULTIPLE * tiles.width
    return max(-(-max(counts) // step), 1) * GRID_MULTIPLE


def rows_for(count: int, tiles: TileLayout) -> tuple[int, int]:
    """Return height and width of the rows of the feature grid that one layer fills."""
    return rows_of([count], tiles), tiles.width


def divide_moving(
    gop: TrainedGop,
    static: Gaussians,
    sizes: Sequence[int],
    meta: SceneMeta,
    settings: MovingLayerSettings,
) -> list[Tensor]:
    """Return the members of each layer, the most important layer first.

    The least important Gaussians make the last layer. What is left is then measured again without
    them, because two Gaussians that cover the same place may both look needless.

    Args:
        gop: on the CPU.
        static: the static Gaussians, which are drawn with them.
        sizes: of the layers; their sum is the number of moving Gaussians.
    """
    left, parts = torch.arange(len(gop.canonical)), []
    for size in reversed(sizes[1:]):
        worth = moving_importance(gop, left, static, meta, settings)
        kept = len(left) - size
        ranked = worth.argsort(descending=True, stable=True)
        parts.append(left[ranked[kept:]])
        left = left[ranked[:kept].sort().values]
    return [left, *reversed(parts)]


@torch.no_grad()
def moving_importance(
    gop: TrainedGop,
    chosen: Tensor,
    static: Gaussians,
    meta: SceneMeta,
    settings: MovingLayerSettings,
) -> Tensor:
    """[K] change of pictures without each of the chosen Gaussians, over frames and views."""
    from streamstgs.renderer.importance import importance_score  # compiled: loaded to encode only

    drawing, total = RenderSettings(meta.background, meta.near), torch.zeros(len(chosen)).double()
    cameras = layer_cameras(meta, settings)
    count = min(settings.frames, gop.frames)
    for k in range(count):
        moving, there = gaussians_at(gop, chosen, int((k + 0.5) * gop.frames / count))
        drawn = Gaussians.concatenate([moving, static])
        for camera in cameras:
            total[there] += importance_score(drawn, camera, drawing)[: len(there)]
    return total


def gaussians_at(gop: TrainedGop, chosen: Tensor, frame: int) -> tuple[Gaussians, Tensor]:
    """Return those of the chosen Gaussians that are present at a frame, and [P] which they are."""
    window, time = gop.field.config.window, frame / gop.frames
    canonical = gop.canonical[chosen].at(time)
    there = torch.arange(len(chosen))
    if gop.canonical.trajectories is not None:
        there = present(canonical.opacity_logits)
    features = gop.features[frame : frame + window, chosen[there]]
    moved: CanonicalGaussians = gop.field(
        canonical[there], features.permute(1, 0, 2).flatten(1), time
    )
    return moved.activate(), there


def layer_cameras(meta: SceneMeta, settings: MovingLayerSettings) -> tuple[Camera, ...]:
    """Return small cameras for presets and on a ring around the scene."""
    ring = orbit_cameras(meta, settings.height_px, settings.ring_views, RING_ELEVATION_RAD)
    return (*preset_cameras(meta, settings.height_px, settings.presets), *ring)
