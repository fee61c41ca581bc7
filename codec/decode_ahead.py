"""Decodes the first images and video of a scene to codes before torch is loaded.

Loading torch keeps one core busy with Python for a second or more. The decoders of images and video
are native code, which another core runs meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any

from streamstgs.codec.codes_ahead import CodesAhead
from streamstgs.codec.errors import CodecError
from streamstgs.codec.scene import Scene, open_scene
from streamstgs.codec.scene_codes import (
    decode_features,
    decode_layer_codes,
    features_key,
    layer_key,
)
from streamstgs.codec.streaming.address import is_url

log = logging.getLogger(__name__)


def decode_ahead(
    ahead: CodesAhead, location: str, position_s: float = 0.0, qp: int | None = None
) -> None:
    """Decode what playing a scene on this machine needs first, in the calling thread.

    An error ends it: opening the scene to play it reports the same one.

    Args:
        ahead: Keeps the codes; `OpenSettings.ahead` of the scene that plays.
        location: Of the scene. One on a server is left to the player, which chooses its quality.
        position_s: Content time at which it begins.
        qp: Of the quality that it is played at; None for the best.
    """
    if is_url(location):
        return
    try:
        with open_scene(location) as scene:
            ahead.decode(_parts(scene, position_s, qp))
    except (CodecError, OSError) as error:
        log.debug("nothing is decoded ahead: %s", error)


def _parts(scene: Scene, position_s: float, qp: int | None) -> dict[Hashable, Callable[[], Any]]:
    """The video first, which takes longest, and the static layers last. The player asks for them
    first, so that both meet in the middle."""
    manifest = scene.manifest
    quality = next((q for q in scene.qualities if q.qp == qp), scene.qualities[-1])
    place = scene.qualities[::-1].index(quality)
    frame = min(max(int(position_s * scene.meta.fps), 0), scene.frame_count - 1)
    gop, _ = manifest.times.locate(frame)
    packet, shared = scene.fetch_features(gop, quality), scene.fetch_keyframe(gop)
    video = partial(decode_features, manifest, gop, place, packet.init, packet.media)
    parts: dict[Hashable, Callable[[], Any]] = {features_key(manifest, gop, place): video}
    moving = zip(manifest.gops[gop].layers, (*shared.layers, *packet.layers), strict=False)
    for layer, data in reversed(list(moving)):
        parts[layer_key(layer)] = partial(decode_layer_codes, layer, data)
    for k, layer in reversed(list(enumerate(manifest.static_at(gop)))):
        parts[layer_key(layer)] = partial(_static_codes, scene, gop, k)
    return parts


def _static_codes(scene: Scene, gop: int, k: int) -> Any:
    return decode_layer_codes(scene.manifest.static_at(gop)[k], scene.fetch_static(k, gop=gop))
