"""How good a rung looks: PSNR of drawn pictures against those of a reference, per rung and GOP.

The PSNR of feature codes (`SegmentEntry.psnr_db`) says how well the video was coded, not what a
viewer loses: the field amplifies some features and ignores others. So a few frames are drawn from a
few cameras, once from what was trained and once from what a player would decode.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from codec.source import SceneMeta
from renderer import Camera, Gop, RenderSettings
from renderer.backends.base import Backend

QUALITY_CAP_DB = 100.0


@dataclass(frozen=True)
class QualitySettings:
    """What is drawn to judge a rung.

    Args:
        cameras: the first so many presets of the scene; an orbit where it has none.
        height_px: of the pictures; their width keeps the aspect of the capture.
        frames_per_gop: spread evenly over the GOP.
    """

    cameras: int = 4
    height_px: int = 180
    frames_per_gop: int = 4


def quality_cameras(meta: SceneMeta, settings: QualitySettings) -> tuple[Camera, ...]:
    """The presets of a scene as small cameras, or one from the orbit's edge if it has none."""
    width = max(1, round(settings.height_px * meta.width / meta.height))
    up = torch.tensor(meta.up)
    if not meta.presets:
        return (_edge_camera(meta, width, settings.height_px),)
    return tuple(
        Camera.look_at(
            torch.tensor(preset.position),
            torch.tensor(preset.target),
            up,
            preset.fov_y_rad,
            width,
            settings.height_px,
        )
        for preset in meta.presets[: settings.cameras]
    )


def _edge_camera(meta: SceneMeta, width: int, height: int) -> Camera:
    up, center = torch.tensor(meta.up), torch.tensor(meta.center)
    aside = torch.eye(3)[int(up.abs().argmin())]
    away = torch.nn.functional.normalize(torch.linalg.cross(up, aside), dim=0)
    return Camera.look_at(center + meta.radius * away, center, up, 0.7, width, height)


class QualityMeter:
    """Draws the reference of one GOP once, then judges any number of decoded versions of it.

    Args:
        reference: the GOP as trained, or the best that is at hand.
        backend: its device must be that of the GOPs.
    """

    def __init__(
        self, reference: Gop, meta: SceneMeta, backend: Backend, settings: QualitySettings
    ) -> None:
        self._cameras = quality_cameras(meta, settings)
        self._frames = sample_frames(reference.frames, settings.frames_per_gop)
        self._draw = RenderSettings(meta.background, meta.near)
        self._backend = backend
        self._reference = list(self._pictures(reference))

    def quality_db(self, decoded: Gop) -> float:
        """PSNR over all pixels of all drawn pictures, capped at `QUALITY_CAP_DB`."""
        pairs = zip(self._reference, self._pictures(decoded), strict=True)
        errors = [(a - b).square().mean().item() for a, b in pairs]
        return psnr_of_error(sum(errors) / len(errors))

    def static_prefix_db(self, decoded: Gop, count: int) -> float:
        """The same with only the first `count` of the static Gaussians."""
        return self.quality_db(replace(decoded, static=decoded.static[:count]))

    def _pictures(self, gop: Gop) -> Iterator[Tensor]:
        for frame in self._frames:
            gaussians = gop.gaussians_at(frame)
            for camera in self._cameras:
                yield self._backend.render(gaussians, camera, self._draw).clamp(0.0, 1.0)


def sample_frames(frames: int, count: int) -> Sequence[int]:
    """`count` frames in the middle of equal parts of a GOP, fewer if it is shorter."""
    count = min(count, frames)
    return [int((k + 0.5) * frames / count) for k in range(count)]


def psnr_of_error(mean_square: float) -> float:
    """Of values 0..1, capped at `QUALITY_CAP_DB`."""
    return min(-10.0 * math.log10(max(mean_square, 1e-12)), QUALITY_CAP_DB)
