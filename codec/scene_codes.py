"""The step of decoding that needs no torch: from the files of a scene to codes."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
from streamstgs.codec.attributes.attribute_images import CHANNELS, decode_attribute_images
from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.package.manifest import LayerEntry, Manifest
from streamstgs.codec.time_budget import TimeBudget
from streamstgs.codec.video.feature_video import decode_segment


def layer_samples(entry: LayerEntry) -> int:
    """Numbers in the images of a layer."""
    return entry.height * entry.width * sum(CHANNELS[name] for name in entry.quantisers)


def layer_key(entry: LayerEntry) -> Hashable:
    """Equal for layers with the same codes."""
    bits = tuple(entry.bits.items())
    return entry.file, bits, entry.count, entry.height, entry.width


def decode_layer_codes(
    entry: LayerEntry, data: bytes, cancel: CancelToken | None = None
) -> dict[str, np.ndarray]:
    """As of `decode_attribute_images`.

    Args:
        cancel: None for the time budget of this layer alone.
    """
    cancel = cancel or TimeBudget(layer_samples(entry), NEVER)
    shape = (entry.count, entry.height, entry.width)
    return decode_attribute_images(data, entry.bits, *shape, entry.file.name, cancel)


def features_samples(manifest: Manifest, gop: int, place: int) -> int:
    """Pixels of the feature video of a GOP at the quality at a place, 0 the best."""
    tiles = manifest.tiles_of(place)
    return manifest.gops[gop].feature_frames * tiles.video_width * tiles.video_height


def features_key(manifest: Manifest, gop: int, place: int) -> Hashable:
    """Equal for GOPs with the same feature codes."""
    file, codec = manifest.gops[gop].segments[place].file, manifest.representations[place].codec
    init = manifest.representations[place].init
    return file, init, codec, manifest.tiles_of(place), features_shape(manifest, gop, place)


def features_shape(manifest: Manifest, gop: int, place: int) -> tuple[int, int, int]:
    """(E, M, F) of the feature codes."""
    entry = manifest.gops[gop]
    return entry.feature_frames, entry.moving_count(place), manifest.tiles.features


def decode_features(
    manifest: Manifest,
    gop: int,
    place: int,
    init: bytes,
    media: bytes,
    threads: int = 1,
    cancel: CancelToken | None = None,
) -> np.ndarray:
    """[E, M, F] codes; as of `decode_segment`.

    Args:
        place: of the quality in the manifest, 0 the best.
        cancel: None for the time budget of this video alone.
    """
    return decode_segment(
        init,
        media,
        manifest.tiles_of(place),
        features_shape(manifest, gop, place),
        manifest.representations[place].codec,
        manifest.gops[gop].segments[place].file.name,
        threads,
        cancel or TimeBudget(features_samples(manifest, gop, place), NEVER),
    )
