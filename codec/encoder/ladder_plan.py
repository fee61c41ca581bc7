"""How many Gaussians each quality has, so that the worst one reaches a bitrate.

All qualities share the field. The rest of the bits of the worst one goes to static layers and to
moving Gaussians; how many of these fit is measured on a sample of the first GOP. Between the worst
and the best quality, numbers rise by the same factor from each quality to the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from streamstgs.codec.attributes.attribute_images import encode_attribute_images
from streamstgs.codec.attributes.field_weights import encode_field
from streamstgs.codec.attributes.layers import attributes
from streamstgs.codec.encoder.config import EncoderConfig
from streamstgs.codec.encoder.feature_encoding import feature_grid, quantise_features
from streamstgs.codec.encoder.grid_sorting import grid_shape
from streamstgs.codec.encoder.layer_encoding import (
    encode_layer,
    grid_order,
    quantisers_for,
    sorting_values,
)
from streamstgs.codec.encoder.source import TrainedGop
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.codec.video.feature_video import VideoSettings, encode_segment
from streamstgs.codec.video.tile_layout import TIMESCALE, TileLayout

SAMPLE = 6_144  # moving Gaussians that bytes are measured on
IMPORTANT_COST = 1.15  # bytes of the most important moving Gaussians, relative to those of any
STATIC_SHARE = 0.5  # of the bits that the worst quality has beside the field
MANIFEST_BYTES = 12_000  # of a scene, about, and in addition:
MANIFEST_BYTES_OF_SEGMENT = 1_500  # for each GOP and quality
MOST_OF_MANIFEST = 0.1  # of the bytes of the worst quality; scenes of a second have no more room
MARGIN = 0.97  # of the bitrate that is planned for, as sizes are estimated from a sample


@dataclass(frozen=True)
class LadderPlan:
    """What each quality has, best first.

    Args:
        shares: share of the moving Gaussians; the first is 1.
        static_layers: number of static layers; the first is all of them.
    """

    shares: tuple[float, ...]
    static_layers: tuple[int, ...]


def plan_ladder(
    gops: Sequence[tuple[int, int]],
    sample: TrainedGop | None,
    static_bytes: Sequence[int],
    meta: SceneMeta,
    config: EncoderConfig,
) -> LadderPlan:
    """Return the plan of a scene.

    Args:
        gops: number of moving Gaussians and of frames of each GOP.
        sample: a GOP that moves, on the CPU; None where nothing does.
        static_bytes: size of each static layer.
    """
    qualities = len(config.qps)
    everything = LadderPlan((1.0,) * qualities, (len(static_bytes),) * qualities)
    if qualities < 2 or config.lowest_mbps <= 0 or sample is None:
        return everything
    duration_s = sum(frames for _, frames in gops) / meta.fps
    field_bytes = len(gops) * len(encode_field(sample.field))
    allowed = MARGIN * config.lowest_mbps * 1e6 / 8 * duration_s
    manifest_bytes = MANIFEST_BYTES + MANIFEST_BYTES_OF_SEGMENT * len(gops) * qualities
    room = allowed - field_bytes - min(manifest_bytes, MOST_OF_MANIFEST * allowed)
    moving_bytes = sum(count for count, _ in gops) * bytes_per_gaussian(sample, meta, config)
    every_static = sum(static_bytes)
    if moving_bytes + every_static <= room:
        return everything
    least_static = sum(static_bytes[: _layers_within(static_bytes, STATIC_SHARE * room)])
    share = (room - least_static) / max(IMPORTANT_COST * moving_bytes, 1.0)
    lowest = min(max(share, config.moving.least_share), 1.0)
    steps = [k / (qualities - 1) for k in range(qualities)]
    falling = least_static / max(every_static, 1)
    budgets = [every_static * falling**step for step in steps]
    return LadderPlan(
        tuple(lowest**step for step in steps),
        (len(static_bytes), *(_layers_within(static_bytes, b + 0.5) for b in budgets[1:])),
    )


def _layers_within(sizes: Sequence[int], most: float) -> int:
    """Return how many of the first layers have at most so many bytes together; the first counts
    always."""
    total, count = 0, 0
    for size in sizes:
        total += size
        if total > most and count:
            break
        count += 1
    return count


def bytes_per_gaussian(gop: TrainedGop, meta: SceneMeta, config: EncoderConfig) -> float:
    """Return the bytes of keyframe and features of a moving Gaussian at the worst quality, as a
    sample of a GOP has them."""
    every = max(1, -(-len(gop.canonical) // SAMPLE))
    chosen = torch.arange(0, len(gop.canonical), every)
    height, width = grid_shape(len(chosen))
    canonical, features = gop.canonical[chosen], gop.features[:, chosen]
    values = sorting_values(canonical, features)
    order = grid_order(values, height, width, config.sort, config.seed)
    canonical, features = canonical[order], features[:, order]
    values_of = attributes(canonical)
    unit = max(meta.radius, 1e-6)
    quantisers = quantisers_for(values_of, config.moving_bits, tuple(meta.center), unit)
    depths = {name: q.bits for name, q in quantisers.items()}
    keyframe = encode_attribute_images(
        encode_layer(values_of, quantisers), depths, height, width, config.jxl_effort
    )
    _, codes = quantise_features(features)
    tiles = TileLayout.of(height, width, codes.shape[-1])
    settings = VideoSettings(config.codec, max(config.qps), config.preset, config.threads)
    planes = (tiles.tile(feature_grid(frame, tiles)) for frame in codes)
    _, media = encode_segment(planes, len(codes), 0, TIMESCALE, settings)
    return (len(keyframe) + len(media)) / len(chosen)
