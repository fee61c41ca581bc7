"""Captures with a `cameras.json`: OpenCV K and world-to-camera beside images or videos."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from streamstgs.renderer import Camera
from streamstgs.trainer.datasets.calibration import check_matrix, check_no_distortion
from streamstgs.trainer.datasets.capture import Capture, point_of_attention, up_direction
from streamstgs.trainer.datasets.config import OFFSET_MAX, CaptureConfig
from streamstgs.trainer.datasets.files import (
    IMAGE_SUFFIXES,
    VIDEO_SUFFIXES,
    find,
    numbered_frames,
    read_json,
    short,
)
from streamstgs.trainer.datasets.lens import Lens, pinhole
from streamstgs.trainer.datasets.moments import check_names
from streamstgs.trainer.datasets.recorded import RecordedCamera, recorded_view
from streamstgs.trainer.errors import CaptureError

log = logging.getLogger("streamstgs.trainer")
WRONG_DOCUMENT = (
    OSError, TypeError, ValueError, OverflowError, RuntimeError,  # too deeply nested
)  # fmt: skip
SPLITS = ("train", "test")
FPS_MIN, FPS_MAX = 0.01, 1000.0


def read_calibrated(folder: Path, config: CaptureConfig) -> Capture:
    """Read `folder/cameras.json`; frames are `<video>` or `ims/<id>/<frame>.jpg`."""
    path = folder / "cameras.json"
    document = read_json(path)
    try:
        fps, frames = _frame_rate(document["fps"]), _count(document["frames"])
        check_no_distortion({k: v for k, v in document.items() if k != "cameras"})
        recorded = [_camera(folder, k, entry) for k, entry in enumerate(document["cameras"])]
        if not recorded:
            raise ValueError("no cameras")
        check_names([c.name for c in recorded])
        views = tuple(recorded_view(c, config, fps) for c in recorded)
        cameras = [v.camera for v in views]
        points = find(folder, "points3D.ply")
        return Capture(
            title=str(document.get("name", folder.name)),
            views=views,
            fps=fps,
            frames=frames,
            up=_direction(document.get("up")) or up_direction(cameras),
            center=_center(document.get("center"), cameras),
            points_path=points,
        )
    except CaptureError:
        raise
    except KeyError as error:
        raise CaptureError(f"{path} has no {error}") from error
    except WRONG_DOCUMENT as error:
        raise CaptureError(f"{path}: {type(error).__name__}: {short(error)}") from error


def _camera(folder: Path, number: int, entry: dict[str, Any]) -> RecordedCamera:
    name = f"number {number} of cameras.json"
    try:
        name = str(entry["id"])
        split = str(entry.get("split", "train"))
        if split not in SPLITS:
            raise ValueError(f"split {split!r} is neither train nor test")
        viewmat = np.asarray(entry["w2c"], np.float64).reshape(4, 4)
        lens = _lens(entry)
        video, images = _source(folder, entry, name)
        source = numbered_frames(images, name) if video is None else video
        return RecordedCamera(name, viewmat, lens, source, split, _offset(entry.get("offset", 0)))
    except CaptureError:
        raise
    except KeyError as error:
        raise CaptureError(f"camera {name} has no {error}") from error
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise CaptureError(f"camera {name}: {short(error)}") from error


def _lens(entry: dict[str, Any]) -> Lens:
    """The member `lens`, or else the pinhole `K`."""
    width, height = int(entry["w"]), int(entry["h"])
    given = entry.get("lens")
    check_no_distortion({k: v for k, v in entry.items() if k != "lens"})
    K = None
    if "K" in entry or given is None:
        K = np.asarray(entry["K"], np.float64).reshape(3, 3)
        check_matrix(K)
    if given is None:
        assert K is not None
        return pinhole(K, width, height)
    if not isinstance(given, dict) or given.keys() != {"model", "params"}:
        raise ValueError("lens must have the members model and params; or undistort the frames")
    params = tuple(float(p) for p in given["params"])
    lens = Lens(str(given["model"]).upper(), width, height, params)
    if K is not None and not np.allclose(K, lens.K, rtol=1e-4, atol=1e-3):
        raise ValueError("K and lens differ in focal length or principal point; remove one")
    return lens


def _source(folder: Path, entry: dict[str, Any], name: str) -> tuple[Path | None, Path]:
    """The camera's video, or else the folder of its images. Raises CaptureError if unclear."""
    images = find(folder, f"ims/{name}") or folder / "ims" / name
    has_images = images.is_dir() and any(
        p.suffix.lower() in IMAGE_SUFFIXES and not p.name.startswith(".") for p in images.iterdir()
    )
    if "video" in entry:
        named = find(folder, str(entry["video"]))
        if named is None:
            raise CaptureError(f"camera {name}: there is no {folder / str(entry['video'])}")
        return named, images
    videos = [v for s in sorted(VIDEO_SUFFIXES) if (v := find(folder, f"{name}{s}")) is not None]
    if len(videos) + has_images > 1:
        sources = [v.name for v in videos] + ([f"the images of ims/{name}"] if has_images else [])
        raise CaptureError(
            f"camera {name}: its frames can be {' or '.join(sources)}; name one by "
            '"video" in cameras.json, or move the others away'
        )
    if not videos and not has_images:
        raise CaptureError(f"camera {name}: neither {folder / name}.mp4 nor images in {images}")
    return (videos[0] if videos else None), images


def _positive(value: Any) -> float:
    number = float(value)
    if not (math.isfinite(number) and number > 0):
        raise ValueError(f"{value!r} is not a positive number")
    return number


def _frame_rate(value: Any) -> float:
    rate = _positive(value)
    if not FPS_MIN <= rate <= FPS_MAX:
        raise ValueError(f"{value!r} is no number of frames per second")
    return rate


def _count(value: Any) -> int:
    if int(value) != float(value) or int(value) < 1:
        raise ValueError(f"{value!r} is no number of frames")
    return int(value)


def _offset(value: Any) -> int:
    if isinstance(value, bool) or int(value) != float(value) or abs(int(value)) > OFFSET_MAX:
        raise ValueError(f"offset {value!r} is no whole number of frames")
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
