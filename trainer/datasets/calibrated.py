"""Captures with a `cameras.json`: OpenCV K and world-to-camera beside images or videos."""

from __future__ import annotations

import json
import logging
import math
import re
from pathlib import Path, PurePath
from typing import Any

import torch
from streamstgs.renderer import Camera
from streamstgs.trainer.datasets.capture import (
    Capture,
    CapturedView,
    FrameReader,
    mean_up,
    point_of_attention,
)
from streamstgs.trainer.datasets.readers import ImageFolderReader, VideoReader
from streamstgs.trainer.datasets.reduction import CaptureConfig
from streamstgs.trainer.errors import CaptureError

log = logging.getLogger("streamstgs.trainer")
IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png"}
SIDE_MAX_PX = 16_384
WRONG_DOCUMENT = (
    OSError, TypeError, ValueError, OverflowError, RuntimeError,  # too deeply nested
)  # fmt: skip
SPLITS = ("train", "test")
SKEW_MAX = 1e-3  # of R R^T from the identity; calibrations are often printed with few digits


def read_calibrated(folder: Path, config: CaptureConfig) -> Capture:
    """Read `folder/cameras.json`; frames are `<video>` or `ims/<id>/<frame>.jpg`."""
    try:
        document = json.loads((folder / "cameras.json").read_text())
        entries = enumerate(document["cameras"])
        views = tuple(_view(folder, k, entry, config) for k, entry in entries)
        frames = _count(document["frames"])
        if not views:
            raise ValueError("no cameras")
        _check_names(views)
        _check_moments(views, frames)
        cameras = [v.camera for v in views]
        points = folder / "points3D.ply"
        return Capture(
            title=str(document.get("name", folder.name)),
            views=views,
            fps=_positive(document["fps"]),
            frames=frames,
            up=_direction(document.get("up")) or mean_up(cameras),
            center=_center(document.get("center"), cameras),
            points_path=points if points.exists() else None,
        )
    except CaptureError:
        raise
    except KeyError as error:
        raise CaptureError(f"{folder / 'cameras.json'} has no {error}") from error
    except WRONG_DOCUMENT as error:
        raise CaptureError(f"{folder / 'cameras.json'}: {error!r}") from error


def _view(folder: Path, number: int, entry: dict[str, Any], config: CaptureConfig) -> CapturedView:
    name = f"number {number} of cameras.json"
    try:
        name = str(entry["id"])
        camera = Camera(
            viewmat=torch.tensor(entry["w2c"], dtype=torch.float32).reshape(4, 4),
            K=torch.tensor(entry["K"], dtype=torch.float32).reshape(3, 3),
            width=int(entry["w"]),
            height=int(entry["h"]),
        )
        _check_calibration(camera)
        split = str(entry.get("split", "train"))
        if split not in SPLITS:
            raise ValueError(f"split {split!r} is neither train nor test")
        shown = config.applied(camera)
        return CapturedView(name, split, shown, _reader(folder, entry, name, camera, shown))
    except CaptureError:
        raise
    except KeyError as error:
        raise CaptureError(f"camera {name} has no {error}") from error
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise CaptureError(f"camera {name}: {error}") from error


def _check_calibration(camera: Camera) -> None:
    rotation = camera.viewmat[:3, :3]
    skew = (rotation @ rotation.T - torch.eye(3)).abs().max()
    if not (camera.viewmat.isfinite().all() and skew < SKEW_MAX and rotation.det() > 0):
        raise ValueError("w2c is no rotation and translation")
    if not torch.equal(camera.viewmat[3].abs(), torch.tensor([0.0, 0.0, 0.0, 1.0])):
        raise ValueError("the last row of w2c is not 0 0 0 1")
    if not camera.K.isfinite().all() or camera.K[0, 0] <= 0 or camera.K[1, 1] <= 0:
        raise ValueError("K has no positive focal lengths")
    rest = camera.K[[0, 1, 2, 2, 2], [1, 0, 0, 1, 2]]
    if not torch.allclose(rest, torch.tensor([0.0, 0, 0, 0, 1]), atol=1e-6):
        raise ValueError("K is no pinhole: [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]")
    if not (0 < camera.width <= SIDE_MAX_PX and 0 < camera.height <= SIDE_MAX_PX):
        raise ValueError(f"no picture is {camera.width}x{camera.height}")


def _reader(
    folder: Path, entry: dict[str, Any], name: str, recorded: Camera, shown: Camera
) -> FrameReader:
    size = shown.width, shown.height
    video = folder / _inside(str(entry.get("video", f"{name}.mp4")))
    if video.exists():
        return VideoReader(name, video, recorded.width, recorded.height, size)
    images = folder / "ims" / _inside(name)
    paths = [p for p in images.glob("*") if p.suffix.lower() in IMAGE_SUFFIXES]
    if not paths:
        raise CaptureError(f"camera {name}: neither {video} nor images in {images}")
    ordered = tuple(sorted(paths, key=_frame_number))
    return ImageFolderReader(name, ordered, recorded.width, recorded.height, size)


def _frame_number(path: Path) -> tuple[int, str]:
    """Sorts 2.jpg before 10.jpg, whether or not the numbers are padded."""
    digits = re.findall(r"\d+", path.stem)
    return (int(digits[-1]) if digits else -1, path.name)


def _inside(name: str) -> PurePath:
    """A relative path that does not lead out of the capture."""
    path = PurePath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{name!r} leads out of the capture")
    return path


def _check_names(views: tuple[CapturedView, ...]) -> None:
    names = [v.name for v in views]
    for name in names:
        if names.count(name) > 1:
            raise CaptureError(f"camera {name} is listed more than once")


def _check_moments(views: tuple[CapturedView, ...], frames: int) -> None:
    """A gap in the images of one camera would shift its later frames in time."""
    recorded = {
        v.name: {p.stem for p in v.reader.paths[:frames]}
        for v in views
        if isinstance(v.reader, ImageFolderReader)
    }
    moments = set().union(*recorded.values())
    gaps = [(min(moments - stems), name) for name, stems in recorded.items() if moments - stems]
    if gaps:
        frame, name = min(gaps)
        raise CaptureError(f"camera {name}: frame {frame} is missing, other cameras have it")


def _positive(value: Any) -> float:
    number = float(value)
    if not (math.isfinite(number) and number > 0):
        raise ValueError(f"{value!r} is not a positive number")
    return number


def _count(value: Any) -> int:
    if int(value) != float(value) or int(value) < 1:
        raise ValueError(f"{value!r} is no number of frames")
    return int(value)


def _direction(values: Any) -> tuple[float, float, float] | None:
    triple = _triple(values)
    if triple is None:
        return None
    length = _positive(math.hypot(*triple))
    return (triple[0] / length, triple[1] / length, triple[2] / length)


def _center(values: Any, cameras: list[Camera]) -> tuple[float, float, float]:
    """The given middle of the scene, which tells its scale, too.

    One that no camera sees belongs to other axes; then it is the point that the cameras look at.
    """
    given, found = _triple(values), point_of_attention(cameras)
    if given is None:
        return found
    if any(_shows(camera, given) for camera in cameras):
        return given
    log.warning("no camera sees the center %s of cameras.json: %s is taken", given, found)
    return found


def _shows(camera: Camera, point: tuple[float, float, float]) -> bool:
    x, y, depth = (camera.viewmat[:3, :3] @ torch.tensor(point) + camera.viewmat[:3, 3]).tolist()
    column = camera.K[0, 0].item() * x + camera.K[0, 2].item() * depth
    row = camera.K[1, 1].item() * y + camera.K[1, 2].item() * depth
    return depth > 0 and 0 <= column <= camera.width * depth and 0 <= row <= camera.height * depth


def _triple(values: Any) -> tuple[float, float, float] | None:
    if values is None:
        return None
    x, y, z = (float(v) for v in values)
    if not all(map(math.isfinite, (x, y, z))):
        raise ValueError(f"{values!r} is not finite")
    return (x, y, z)
