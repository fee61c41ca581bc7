"""What a scene may ask of this machine before anything is allocated for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Upper bounds on what a scene declares; anything beyond is refused as not a scene.

    Generous for real scenes (the paper's have 150,000 Gaussians and 60 frames per GOP), small
    enough that no declared number can exhaust memory.
    """

    manifest_bytes: int = 32 << 20
    segment_bytes: int = 256 << 20
    archive_entries: int = 200_000
    gops: int = 100_000
    frames_per_gop: int = 1_000
    qualities: int = 32
    layers: int = 64
    gaussians_per_layer: int = 4_000_000
    grid_side: int = 4_096
    features: int = 64
    window: int = 15
    field_width: int = 1_024
    field_frequencies: int = 32
    video_side_px: int = 16_384
    video_pixels: int = 1 << 25
    feature_codes_bytes: int = 2 << 30
    presets: int = 1_000
    text_length: int = 10_000
    poster_bytes: int = 1 << 20
    poster_side_px: int = 4_096
