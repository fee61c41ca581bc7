"""Measures the image quality of a package: PSNR of rendered frames, by segment and static layer.

The PSNR of feature codes (`SegmentEntry.psnr_db`) says how well the video was coded, not what a
viewer loses: the field amplifies some features and ignores others. So a few frames are rendered
from a few cameras, once from the trained scene and once as a player decodes them. Frames with only
the first static layers are compared with frames with all of them in the same way.
"""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, chain

import torch
from streamstgs.codec.encoder.config import QualitySettings
from streamstgs.codec.encoder.source import SceneSource, static_at
from streamstgs.codec.encoder.view_cameras import orbit_cameras, preset_cameras
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.codec.scene import Scene
from streamstgs.renderer import Camera, Gop, RenderError, RenderSettings
from streamstgs.renderer.backends import choose_backend
from streamstgs.renderer.backends.base import Backend
from torch import Tensor

log = logging.getLogger(__name__)
QUALITY_CAP_DB = 100.0


@dataclass(frozen=True)
class MeasuredQuality:
    """The PSNR of frames rendered from a package, in dB.

    Args:
        qualities_db: for each GOP, that of each quality (best first), with all static layers,
            against the trained scene.
        static_db: that with only the first k static layers against all layers, k = 0 .. all.
    """

    qualities_db: tuple[tuple[float, ...], ...]
    static_db: tuple[float, ...]


@torch.no_grad()
def measure_quality(
    scene: Scene, source: SceneSource, settings: QualitySettings
) -> MeasuredQuality | None:
    """Measure each quality of each GOP and each static layer.

    Args:
        scene: the encoded scene, opened.
        source: the trained scene that was encoded.

    Returns:
        None if `settings` switch the measurement off, or no backend works.

    Raises:
        CodecError: the scene cannot be decoded.
    """
    if settings.cameras < 1:
        return None
    backend = choose_backend(None if torch.cuda.is_available() else "cpu").backend
    try:
        return _measure(scene, source, backend, settings)
    except RenderError as error:
        log.warning("The quality of the package is not measured: %s", error)
        return None
    finally:
        backend.close()


def _measure(
    scene: Scene, source: SceneSource, backend: Backend, settings: QualitySettings
) -> MeasuredQuality:
    qualities_db, static_errors = [], []
    for index in range(scene.gop_count):
        trained = trained_gop(source, index, backend.device)
        meter = QualityMeter(trained, scene.meta, backend, settings)
        *others, highest = scene.qualities
        best = scene.decode_gop(index, highest, backend.device)
        if scene.own_static(index) is None:  # later periods do not tell the quality of layers
            static_errors.append(static_layer_errors(scene, best, backend, settings))
        rest = (scene.decode_gop(index, quality, backend.device) for quality in reversed(others))
        decoded = chain([best], (replace(gop, static=best.static) for gop in rest))
        qualities_db.append(tuple(_rounded_db(meter.error(gop)) for gop in decoded))
    means = [sum(errors) / len(errors) for errors in zip(*static_errors, strict=True)]
    return MeasuredQuality(tuple(qualities_db), tuple(map(_rounded_db, means)))


def static_layer_errors(
    scene: Scene, gop: Gop, backend: Backend, settings: QualitySettings
) -> list[float]:
    """Return the mean square error of frames with the first k static layers, for k = 0 .. all.

    Fewer frames are rendered than for a quality: static parts differ less from frame to frame.

    Args:
        gop: of this scene, on the device of the backend; its moving Gaussians are rendered too.
    """
    fewer = replace(settings, frames_per_gop=settings.static_frames_per_gop)
    meter = QualityMeter(gop, scene.meta, backend, fewer)
    counts = accumulate((layer.count for layer in scene.manifest.static), initial=0)
    return [meter.error(replace(gop, static=gop.static[:count])) for count in counts]


def _rounded_db(error: float) -> float:
    return round(psnr_of_error(error), 2)


def trained_gop(source: SceneSource, index: int, device: torch.device) -> Gop:
    """Return a GOP as trained, without quantisation."""
    gop = source.gop(index)
    channels = gop.features.shape[-1]
    return Gop(
        static=static_at(source, index).activate().to(device),
        canonical=gop.canonical.to(device),
        features=gop.features.detach().float().to(device),
        feature_offset=torch.zeros(channels, device=device),
        feature_step=torch.ones(channels, device=device),
        field=copy.deepcopy(gop.field).to(device).eval(),
        frames=gop.frames,
    )


def quality_cameras(meta: SceneMeta, settings: QualitySettings) -> tuple[Camera, ...]:
    """Return small cameras for the presets of a scene, or one on the orbit if it has none."""
    presets = preset_cameras(meta, settings.height_px, settings.cameras)
    return presets or orbit_cameras(meta, settings.height_px, 1)


class QualityMeter:
    """Renders the reference of one GOP once, then compares any number of decoded versions with it.

    Args:
        reference: the GOP as trained, or its best quality.
        backend: renders; its device must be that of the GOPs.
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
        """Return the PSNR over all pixels of all frames in dB, at most `QUALITY_CAP_DB`."""
        return psnr_of_error(self.error(decoded))

    def error(self, decoded: Gop) -> float:
        """Return the mean square error over all pixels of all frames."""
        pairs = zip(self._reference, self._pictures(decoded), strict=True)
        errors = [(a - b).square().mean().item() for a, b in pairs]
        return sum(errors) / len(errors)

    def _pictures(self, gop: Gop) -> Iterator[Tensor]:
        for frame in self._frames:
            gaussians = gop.gaussians_at(frame)
            for camera in self._cameras:
                yield self._backend.render(gaussians, camera, self._draw).clamp(0.0, 1.0)


def sample_frames(frames: int, count: int) -> Sequence[int]:
    """Return `count` frames in the middles of equal parts of a GOP, fewer if it is shorter."""
    count = min(count, frames)
    return [int((k + 0.5) * frames / count) for k in range(count)]


def psnr_of_error(mean_square: float) -> float:
    """Return the PSNR of values 0..1 in dB, at most `QUALITY_CAP_DB`."""
    return min(-10.0 * math.log10(max(mean_square, 1e-12)), QUALITY_CAP_DB)
