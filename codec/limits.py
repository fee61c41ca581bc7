"""Bounds on what a scene may declare, checked before memory is allocated for it.

Generous for real scenes (the paper's have 150,000 Gaussians and 60 frames per GOP), small enough
that no declared number can exhaust memory.
"""

from __future__ import annotations

from dataclasses import dataclass

SEGMENT_BYTES = 256 << 20
GOPS = 100_000
PAGED_GOPS = 4_000_000  # of a scene with pages: 115 days of GOPs of 2.5 s
GOPS_PER_PAGE = 256
PAGES = 100_000  # of a scene; their index then takes 5.6 MB
PAGE_BYTES = 4 << 20
TIME_RUNS = 10_000  # stretches of GOPs of equal length
ARCHIVE_BYTES = 1 << 50
FRAMES_PER_GOP = 1_000
QUALITIES = 32
LAYERS = 64  # static ones of a scene, and moving ones of a GOP
GAUSSIANS_PER_LAYER = 4_000_000
STATIC_GAUSSIANS = 8_000_000  # of a scene; 450 MB as they are rendered
MOVING_GAUSSIANS = 1_000_000  # of a GOP
FIELD_MULTIPLICATIONS = 100e9  # per frame: seconds on a processor, not hours
GRID_SIDE = 4_096
FEATURES = 64
WINDOW = 15
FIELD_WIDTH = 1_024
FIELD_FREQUENCIES = 32
VIDEO_SIDE_PX = 16_384
VIDEO_PIXELS = 1 << 25
FEATURE_CODES_BYTES = 2 << 30  # of one GOP
DECODE_S = 10.0  # for a part of a scene, and ...
DECODE_SAMPLES_PER_S = 500_000.0  # ... a fiftieth of the speed of one core of a laptop
PRESETS = 1_000
SOUND_SEGMENTS = 20_000
SOUND_SEGMENT_BYTES = 4 << 20
SOUND_SEGMENT_SAMPLES = 480_000  # 10 s
SOUND_DELAY = 9_600  # samples
FILMED_VIEWS = 1_000  # cameras of a capture
TEXT_LENGTH = 10_000
MANIFEST_BYTES = 1 << 20  # of scene.json, and ...
MANIFEST_BYTES_PER_GOP = 64 << 10  # ... for each GOP; a usual one takes 2 kB
POSTER_BYTES = 1 << 20
POSTER_SIDE_PX = 4_096
INDEX_BYTES = 1 << 20  # of a scene index
INDEX_SCENES = 1_000
GAUSSIANS_PER_FILE = 16_000_000  # of a splat file: one frame of a scene of another program
SPLAT_FILE_BYTES = 4 << 30
SEQUENCE_FRAMES = 100_000
CONVERTER_BYTES = 12 << 30  # of address space for the process that runs native decoders
CONVERTER_S = 120.0  # for one file


@dataclass(frozen=True)
class Limits:
    """Bounds on what is read before anything is known of a scene.

    Args:
        manifest_bytes: length of scene.json, and of the directory of an archive.
        archive_entries: files in an archive.
    """

    manifest_bytes: int = 32 << 20
    archive_entries: int = 200_000
