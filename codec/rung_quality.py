"""How good a rung looks: PSNR of drawn pictures against those of a reference, per rung and GOP.

The PSNR of feature codes (`SegmentEntry.psnr_db`) says how well the video was coded, not what a
viewer loses: the field amplifies some features and ignores others. So a few frames are drawn from a
few cameras, once from what was trained and once from what a player would decode.
"""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from codec.quality_config import QualitySettings
from codec.scene import Scene
from codec.source import SceneMeta, SceneSource
from renderer import Camera, Gop, RenderError, RenderSettings
from renderer.backends import choose_backend, close_backend
from renderer.backends.base import Backend

log = logging.getLogger(__name__)
QUALITY_CAP_DB = 100.0


@torch.no_grad()
def measure_rungs(
    scene: Scene, source: SceneSource, settings: QualitySettings
) -> list[tuple[float, ...]] | None:
    """What each rung of each GOP shows of what was trained: all losses of the encoding together.

    Args:
        scene: the encoded scene, opened.
        source: the trained scene it was made of.

    Returns:
        For each GOP the PSNR in dB of each rung of `scene.rungs`; None where nothing is measured.

    Raises:
        CodecError: the scene cannot be decoded.
    """
    if settings.cameras < 1:
        return None
    backend = choose_backend(None if torch.cuda.is_available() else "cpu").backend
    try:
        return [
            _measure_gop(scene, source, index, backend, settings)
            for index in range(scene.gop_count)
        ]
    except RenderError as error:
        log.warning("The quality of the rungs is not measured: %s", error)
        return None
    finally:
        close_backend(backend)


def _measure_gop(
    scene: Scene, source: SceneSource, index: int, backend: Backend, settings: QualitySettings
) -> tuple[float, ...]:
    trained = trained_gop(source, index, backend.device)
    meter = QualityMeter(trained, scene.meta, backend, settings)
    return tuple(
        round(meter.quality_db(scene.decode_gop(index, qp, backend.device)), 2)
        for qp in scene.rungs
    )


def trained_gop(source: SceneSource, index: int, device: torch.device) -> Gop:
    """A GOP as it was trained, nothing of it quantised."""
    gop = source.gop(index)
    channels = gop.features.shape[-1]
    return Gop(
        static=source.static.activate().to(device),
        canonical=gop.canonical.to(device),
        features=gop.features.detach().float().to(device),
        feature_offset=torch.zeros(channels, device=device),
        feature_step=torch.ones(channels, device=device),
        field=copy.deepcopy(gop.field).to(device).eval(),
        frames=gop.frames,
    )


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
