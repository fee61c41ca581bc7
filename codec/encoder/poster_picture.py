"""Renders the poster of a scene from decoded Gaussians, as a player shows them."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import imagecodecs
import numpy as np
import torch
from numpy.typing import NDArray
from streamstgs.codec.encoder.config import PosterSettings
from streamstgs.codec.encoder.opening_frame import is_isolated
from streamstgs.codec.package.file_entry import FileEntry
from streamstgs.codec.package.manifest import Manifest
from streamstgs.codec.package.poster_entry import POSTER_NAME, PosterEntry
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.codec.scene import Scene
from streamstgs.renderer import Camera, Gaussians, RenderError, RenderSettings
from streamstgs.renderer.backends import choose_backend
from streamstgs.renderer.backends.base import Backend

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MadePoster:
    """A poster, and what drawing it told of the scene.

    Args:
        entry, jpeg: its entry in the manifest, and its file.
        isolated: as of `SceneMeta`.
    """

    entry: PosterEntry
    jpeg: bytes
    isolated: bool


def make_poster(scene: Scene, settings: PosterSettings) -> MadePoster | None:
    """Return the poster of an open scene and its JPEG; None if the scene has no opening view.

    Raises:
        CodecError: the scene cannot be decoded.
    """
    if not scene.meta.presets or settings.width_px < 1:
        return None
    try:
        picture, fov_y_rad, isolated = _draw(scene, settings)
    except RenderError as error:
        log.warning("The scene gets no poster: %s", error)
        return None
    jpeg = _compress(picture, settings)
    height, width, _ = picture.shape
    entry = PosterEntry(FileEntry.of(POSTER_NAME, jpeg), width, height, fov_y_rad)
    return MadePoster(entry, jpeg, isolated)


def with_poster(
    manifest: Manifest,
    scene: Scene,
    settings: PosterSettings,
    write: Callable[[str, bytes], FileEntry],
) -> Manifest:
    """Return the manifest of an open scene with a poster, whose file is written by `write`, and
    with what drawing it told; the same where the scene gets no poster. Raises as `make_poster`."""
    made = make_poster(scene, settings)
    if made is None:
        return manifest
    write(made.entry.file.name, made.jpeg)
    if manifest.meta.filmed:  # players fit the opening view to what was filmed
        manifest = replace(manifest, meta=replace(manifest.meta, isolated=made.isolated))
    return replace(manifest, poster=made.entry)


def poster_camera(meta: SceneMeta, settings: PosterSettings) -> tuple[Camera, float]:
    """Return a camera for the opening view, wide enough for common windows, and its vertical angle.

    Windows show at least the capture's own frame, and more at the sides or above and below where
    their aspect ratio is another one; so does the poster.
    """
    aspect, view = meta.width / meta.height, meta.presets[0]
    narrow, broad = settings.window_aspects
    across = min(max(broad / aspect, 1.0), settings.most_margin)
    down = min(max(aspect / narrow, 1.0), settings.most_margin)
    width = min(settings.width_px, round(meta.width * across))
    height = max(round(width / across / aspect * down), 1)
    fov_y_rad = 2 * math.atan(math.tan(view.fov_y_rad / 2) * height * across * aspect / width)
    position, target, up = (torch.tensor(v) for v in (view.position, view.target, meta.up))
    return Camera.look_at(position, target, up, fov_y_rad, width, height), fov_y_rad


def _draw(scene: Scene, settings: PosterSettings) -> tuple[NDArray[np.uint8], float, bool]:
    """Render [H, W, 3] uint8 of the first frame; return it, its vertical angle and `isolated`."""
    camera, fov_y_rad = poster_camera(scene.meta, settings)
    backend = choose_backend(None if torch.cuda.is_available() else "cpu").backend
    try:
        gop = scene.decode_gop(0, scene.qualities[-1], backend.device)
        drawing = RenderSettings(scene.meta.background, scene.meta.near)
        gaussians = gop.gaussians_at(0)
        isolated = is_isolated(backend, gaussians, scene.meta)
        return _pixels(backend, gaussians, camera, drawing), fov_y_rad, isolated
    finally:
        backend.close()


@torch.no_grad()
def _pixels(
    backend: Backend, gaussians: Gaussians, camera: Camera, drawing: RenderSettings
) -> NDArray[np.uint8]:
    picture = backend.render(gaussians, camera, drawing)
    rgb8 = (picture.clamp(0.0, 1.0) * 255.0 + 0.5).to(torch.uint8)
    return np.ascontiguousarray(rgb8.cpu().numpy())


def _compress(picture: NDArray[np.uint8], settings: PosterSettings) -> bytes:
    """Return a JPEG; its quality is reduced if it would be too long."""
    quality = settings.quality
    jpeg = imagecodecs.jpeg8_encode(picture, level=quality, optimize=True)
    while len(jpeg) > settings.most_bytes and quality > 50:
        quality -= 5
        jpeg = imagecodecs.jpeg8_encode(picture, level=quality, optimize=True)
    return bytes(jpeg)
