"""Floors: what a stage cannot take less than on this machine, measured in the same run.

They also tell how busy the machine was: none of them but `raster_alone_ms` runs code of ours.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from streamstgs.app.player.bench.opening import Opening, finish
from streamstgs.app.player.rendering.stage_timer import summary
from streamstgs.codec.scene import Scene
from streamstgs.codec.video.feature_video import count_pictures, decode_segment
from streamstgs.renderer import Camera

MATRIX = 512  # rows and columns of the product that stands for plain arithmetic


class Floors:
    """Collects the floors of a run.

    Args:
        opening: The open scene; its first frame is kept for drawing it alone.
    """

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        gaussians, _ = opening.renderer.gaussians(opening.gop, 0)
        self._frozen = gaussians.clone()
        width, height = opening.size
        image = torch.zeros(height, width, 3, dtype=torch.uint8, device=opening.device)
        self._image, self._copy = image, torch.empty_like(image)
        self._matrix = torch.ones(MATRIX, MATRIX, device=opening.device)
        self._product = torch.empty_like(self._matrix)
        self._ms: dict[str, list[float]] = {}

    def draw(self, camera: Camera) -> None:
        """Rasterise frozen Gaussians, copy an image, multiply matrices."""
        self._time("raster_alone_ms", lambda: self._opening.draw(self._frozen, camera))
        self._time("copy_ms", lambda: self._copy.copy_(self._image))
        self._time("arithmetic_ms", lambda: torch.mm(self._matrix, self._matrix, out=self._product))

    def decode(self, gop: int, frames: int) -> None:
        """Decode the feature video of a GOP to codes, and by libavcodec alone."""
        scene, quality = self._opening.scene, self._opening.quality
        if not isinstance(scene, Scene):
            return
        packet, manifest = scene.fetch_features(gop, quality), scene.manifest
        k = [entry.qp for entry in manifest.representations].index(quality.qp)
        entry = manifest.gops[gop]
        shape = (entry.feature_frames, entry.moving_count(k), manifest.tiles.features)
        if not all(shape):
            return
        video = (packet.init, packet.media)
        codec = manifest.representations[k].codec
        self._time(
            "feature_decode_ms_per_frame",
            lambda: decode_segment(*video, manifest.tiles_of(k), shape, codec, "features"),
            frames,
        )
        self._time("bare_decode_ms_per_frame", lambda: count_pictures(*video), frames)

    def figures(self) -> dict[str, Any]:
        """`floors`, and `feature_decode_ms_per_frame`, which has one of them."""
        names = ("raster_alone_ms", "copy_ms", "arithmetic_ms", "bare_decode_ms_per_frame")
        found = {name: summary(values) for name, values in self._ms.items()}
        return {
            "feature_decode_ms_per_frame": found.get("feature_decode_ms_per_frame"),
            "floors": {name: found.get(name) for name in names},
        }

    def _time(self, name: str, work: Callable[[], object], parts: int = 1) -> None:
        start_s = time.perf_counter()
        work()
        finish(self._opening.device)
        self._ms.setdefault(name, []).append(1000 * (time.perf_counter() - start_s) / parts)
