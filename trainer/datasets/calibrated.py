"""Captures with a `cameras.json`: OpenCV K and world-to-camera beside images or videos."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from renderer import Camera
from trainer.datasets.capture import (
    Capture,
    CapturedView,
    FrameReader,
    mean_up,
    point_of_attention,
)
from trainer.datasets.readers import ImageFolderReader, VideoReader
from trainer.errors import CaptureError

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png"}


def read_calibrated(folder: Path) -> Capture:
    """Read `folder/cameras.json`; frames are `<video>` or `ims/<id>/<frame>.jpg`."""
    try:
        document = json.loads((folder / "cameras.json").read_text())
        views = tuple(_view(folder, entry) for entry in document["cameras"])
        cameras = [v.camera for v in views]
        points = folder / "points3D.ply"
        return Capture(
            title=str(document.get("name", folder.name)),
            views=views,
            fps=float(document["fps"]),
            frames=int(document["frames"]),
            up=_triple(document.get("up")) or mean_up(cameras),
            center=_triple(document.get("center")) or point_of_attention(cameras),
            points_path=points if points.exists() else None,
        )
    except (OSError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, CaptureError):
            raise
        raise CaptureError(f"{folder / 'cameras.json'}: {error!r}") from error


def _view(folder: Path, entry: dict[str, Any]) -> CapturedView:
    width, height = int(entry["w"]), int(entry["h"])
    name = str(entry["id"])
    camera = Camera(
        viewmat=torch.tensor(entry["w2c"], dtype=torch.float32).reshape(4, 4),
        K=torch.tensor(entry["K"], dtype=torch.float32).reshape(3, 3),
        width=width,
        height=height,
    )
    return CapturedView(name, entry["split"], camera, _reader(folder, entry, name, width, height))


def _reader(folder: Path, entry: dict[str, Any], name: str, width: int, height: int) -> FrameReader:
    video = folder / entry.get("video", f"{name}.mp4")
    if video.exists():
        return VideoReader(video, width, height)
    images = folder / "ims" / name
    paths = tuple(sorted(p for p in images.glob("*") if p.suffix.lower() in IMAGE_SUFFIXES))
    if not paths:
        raise CaptureError(f"camera {name}: neither {video} nor images in {images}")
    return ImageFolderReader(paths, width, height)


def _triple(values: Any) -> tuple[float, float, float] | None:
    if values is None:
        return None
    x, y, z = (float(v) for v in values)
    return (x, y, z)
