"""A small scene whose qualities have different numbers of moving Gaussians."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

from streamstgs.codec.encoder.config import (
    EncoderConfig,
    MovingLayerSettings,
    PosterSettings,
    QualitySettings,
)
from streamstgs.codec.encoder.encode import encode_scene
from streamstgs.codec.encoder.source import TrainedGop

from tests.synthetic import PathSource

COUNT = 1_000
QPS = (24, 28, 34)


@dataclass(frozen=True)
class BusySource(PathSource):
    """The synthetic scene with more moving Gaussians; the second half is too small to be seen."""

    static_count: int = 60
    dynamic_count: int = COUNT
    frames_per_gop: tuple[int, ...] = (4, 3)

    def gop(self, index: int) -> TrainedGop:
        gop = super().gop(index)
        scales = gop.canonical.log_scales.clone()
        scales[self.dynamic_count // 2 :] = math.log(1e-4)
        return replace(gop, canonical=replace(gop.canonical, log_scales=scales))


LAYERED = EncoderConfig(
    qps=QPS,
    preset="ultrafast",
    sort=False,
    sort_by_lifetime=False,
    lowest_mbps=0.001,
    moving=MovingLayerSettings(0.2, frames=2, presets=1, ring_views=1, height_px=60),
    poster=PosterSettings(width_px=0),
    quality=QualitySettings(cameras=1, height_px=60, frames_per_gop=2),
)


def write_layered(path: Path, config: EncoderConfig = LAYERED) -> Path:
    """Encode it; returns `path`."""
    encode_scene(BusySource(), path, config)
    return path
