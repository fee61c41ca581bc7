"""Captures with a COLMAP model: one pose for each camera, beside its video or images.

Which camera an image of the model belongs to:

1. An image in a folder (`cam00/0000.jpg`), where the capture has a video or a folder of images of
   that name: the folder is the camera.
2. Otherwise the camera is the longest name of a video or of a folder of images that the image's
   name begins with: `cam00.png`, `cam00_0000.png` and `cam00/x.png` all belong to `cam00.mp4`.

Several images of one camera must have the same pose, because the cameras of a capture stand still;
the first in the order of the names counts.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import numpy as np
from streamstgs.trainer.datasets.capture import Capture
from streamstgs.trainer.datasets.colmap_model import ModelImage, model_suffix, read_model
from streamstgs.trainer.datasets.config import CaptureConfig
from streamstgs.trainer.datasets.files import by_numbers, short
from streamstgs.trainer.datasets.recorded import RecordedCamera, assembled
from streamstgs.trainer.datasets.sources import (
    PLACES,
    Source,
    all_sources,
    find_source,
    longest_start,
)
from streamstgs.trainer.errors import CaptureError

log = logging.getLogger("streamstgs.trainer")
MODEL_PLACES = (
    "sparse/0", "sparse", "colmap/sparse/0", "colmap/sparse", "colmap", "sparse_", ".",
)  # fmt: skip
SAME_TURN_DEG = 0.3  # of two poses of one camera
SAME_PLACE = 0.01  # their distance, relative to the largest distance of cameras


def model_folder(folder: Path) -> Path | None:
    """The folder of the COLMAP model of a capture; None where there is none."""
    for place in MODEL_PLACES:
        if model_suffix(folder / place) is not None:
            return folder / place
    return None


def read_colmap(folder: Path, config: CaptureConfig) -> Capture:
    """Read the COLMAP model of a folder, and videos or images beside it.

    All cameras are for training unless the settings hold some out. Raises CaptureError.
    """
    model = model_folder(folder)
    if model is None:
        raise CaptureError(f"{folder} holds no COLMAP model")
    _tell_other_models(model)
    cameras = cameras_of_images(folder, read_model(model))
    points = model / f"points3D{model_suffix(model)}"
    return assembled(folder.name, cameras, config, points if points.is_file() else None)


def cameras_of_images(
    folder: Path, images: list[ModelImage], splits: Mapping[str, str] | None = None
) -> list[RecordedCamera]:
    """One camera for each source that images of a model belong to, in the order of the names.

    Args:
        splits: of images by their names; all others are for training.

    Raises CaptureError: an image has no source, or a camera moves.
    """
    sources = all_sources(folder)
    found: dict[str, list[ModelImage]] = {}
    for image in images:
        found.setdefault(_camera_of(folder, image.name, sources), []).append(image)
    check_still(found)
    unused = [name for name in sources if name not in found]
    if unused:
        log.warning(
            "no image of the model belongs to %s: they are not read", ", ".join(unused[:10])
        )
    given = splits or {}
    return [
        RecordedCamera(
            name, found[name][0].viewmat, found[name][0].lens, _source(folder, name),
            given.get(found[name][0].name, "train"),
        )
        for name in sorted(found, key=by_numbers)
    ]  # fmt: skip


def check_still(poses: dict[str, list[ModelImage]]) -> None:
    """Raises CaptureError where images of one camera have different poses."""
    places = np.array([_place(image) for images in poses.values() for image in images])
    extent = float(np.linalg.norm(places.max(axis=0) - places.min(axis=0)))
    for camera, (first, *others) in poses.items():
        for other in others:
            moved = float(np.linalg.norm(_place(first) - _place(other)))
            turned = _angle_deg(first.viewmat[:3, :3] @ other.viewmat[:3, :3].T)
            if turned > SAME_TURN_DEG or moved > SAME_PLACE * extent:
                raise CaptureError(
                    f"camera {camera} moves: {first.name} and {other.name} differ by "
                    f"{turned:.2f} degrees and {moved:.3g} world units; cameras must stand still"
                )


def _camera_of(folder: Path, image: str, sources: list[str]) -> str:
    path = PurePosixPath(image)
    if path.is_absolute() or ".." in path.parts:
        raise CaptureError(f"image {short(image)} of the model leads out of the capture")
    parent = path.parent.as_posix()
    if parent not in (".", *PLACES) and find_source(folder, parent) is not None:
        return parent
    stem = path.with_suffix("").as_posix() if path.name else ""
    for prefix in PLACES[1:]:
        stem = stem.removeprefix(f"{prefix}/")
    camera = longest_start(stem, sources)
    if camera is None and not sources:
        raise CaptureError(
            f"image {short(image)} of the model belongs to no video and no folder of images, and "
            f"there are none in {folder}. Images of one moment, or of a camera that moves, are no "
            "capture: it needs a video or a folder of numbered images of each camera"
        )
    if camera is None:
        listed = ", ".join(sources[:6])
        raise CaptureError(
            f"image {short(image)} of the model belongs to no video and no folder of images; "
            f"there are {listed}. Name the image after its video, as cam00.png of cam00.mp4"
        )
    return camera


def _source(folder: Path, camera: str) -> Source:
    source = find_source(folder, camera)
    assert source is not None  # the camera is named after it
    return source


def _tell_other_models(model: Path) -> None:
    others = [
        p.name for p in sorted(model.parent.iterdir())
        if model.name.isdecimal() and p.name.isdecimal() and p != model and model_suffix(p)
    ]  # fmt: skip
    if others:
        log.warning(
            "%s is read; COLMAP could not join it with the model %s", model, ", ".join(others)
        )


def _place(image: ModelImage) -> np.ndarray:
    return -image.viewmat[:3, :3].T @ image.viewmat[:3, 3]


def _angle_deg(rotation: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1))))
