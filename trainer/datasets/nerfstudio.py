"""The layout of nerfstudio and instant-ngp: `transforms.json`, or one file for each split.

Poses are camera-to-world with the axes of OpenGL (y up, z backward). An entry of `frames` is the
video of a camera, one of its images, or the image of the moment that was calibrated. Entries with
one pose and one lens are one camera. Where each has its own, the rule of COLMAP models finds the
videos or images (`colmap.py`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from streamstgs.trainer.datasets.capture import Capture
from streamstgs.trainer.datasets.colmap import cameras_of_images
from streamstgs.trainer.datasets.colmap_model import ModelImage
from streamstgs.trainer.datasets.config import CaptureConfig
from streamstgs.trainer.datasets.files import (
    IMAGE_SUFFIXES,
    MALFORMED,
    find,
    frame_numbers,
    read_json,
    refused_if_malformed,
    short,
)
from streamstgs.trainer.datasets.image_file import image_size
from streamstgs.trainer.datasets.lens import Lens
from streamstgs.trainer.datasets.recorded import RecordedCamera, assembled
from streamstgs.trainer.datasets.sources import all_sources, is_video
from streamstgs.trainer.datasets.video_file import VideoFile
from streamstgs.trainer.errors import CaptureError

FILES = {"transforms_train.json": "train", "transforms_test.json": "test"}
FILES |= {"transforms_val.json": "test"}
LISTS = {"train_filenames": "train", "val_filenames": "test", "test_filenames": "test"}
TO_OPENCV = np.diag([1.0, -1.0, -1.0, 1.0])
DISTORTION = ("k1", "k2", "k3", "k4", "p1", "p2")
POLYNOMIALS = {"OPENCV", "PINHOLE", "SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL", "PERSPECTIVE"}


@dataclass(frozen=True)
class _Entry:
    """An entry of `frames`. Args: name: its `file_path`; time: in the file's unit, or None."""

    name: str
    path: Path
    lens: Lens
    viewmat: np.ndarray
    split: str
    time: float | None

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for entries of one camera."""
        return (*self.viewmat.round(6).ravel().tolist(), self.lens)


def transform_files(folder: Path) -> list[Path]:
    """`transforms.json`, or the files of the splits; an empty list where there is none."""
    if (folder / "transforms.json").is_file():
        return [folder / "transforms.json"]
    if (folder / "transforms_train.json").is_file():
        return [folder / name for name in FILES if (folder / name).is_file()]
    return []


def read_nerfstudio(folder: Path, config: CaptureConfig) -> Capture:
    """Read `transforms.json` or the files of the splits. Raises CaptureError."""
    entries: list[_Entry] = []
    points, fps = None, None
    for path in transform_files(folder):
        document = read_json(path)
        with refused_if_malformed(path):
            entries += _entries(folder, document, FILES.get(path.name))
            points = points or _points(folder, document)
            fps = fps or (float(document["fps"]) if "fps" in document else None)
            if fps is not None and not (math.isfinite(fps) and 0.01 <= fps <= 1000):
                raise ValueError(f"{fps} is no number of frames per second")
    if not entries:
        raise CaptureError(f"{folder}: no file of transforms lists any frames")
    return assembled(folder.name, _cameras(folder, entries), config, points, fps)


def _entries(folder: Path, document: dict[str, Any], split: str | None) -> list[_Entry]:
    listed = {_plain(n): s for key, s in LISTS.items() for n in document.get(key, ())}
    shared = {k: v for k, v in document.items() if k != "frames"}
    return [
        _entry(folder, shared | frame, split or listed.get(_plain(frame["file_path"]), "train"))
        for frame in document["frames"]
    ]


def _entry(folder: Path, values: dict[str, Any], split: str) -> _Entry:
    name = _plain(values["file_path"])
    try:
        path = _file(folder, name)
        pose = np.eye(4)
        given = np.asarray(values["transform_matrix"], np.float64)
        pose[: len(given)] = given
        if not np.isfinite(pose).all():
            raise ValueError("transform_matrix is not finite")
        viewmat = np.linalg.inv(pose @ TO_OPENCV)
        time = float(values["time"]) if "time" in values else None
        return _Entry(name, path, _lens(values, path, name), viewmat, split, time)
    except CaptureError:
        raise
    except KeyError as error:
        raise CaptureError(f"frame {name} has no {error}") from error
    except MALFORMED as error:
        raise CaptureError(f"frame {name}: {short(error)}") from error


def _plain(name: Any) -> str:
    return PurePosixPath(str(name).replace("\\", "/")).as_posix()


def _file(folder: Path, name: str) -> Path:
    """The file of an entry; the suffix of an image may be left out."""
    for suffix in ("", *sorted(IMAGE_SUFFIXES)):
        path = find(folder, name + suffix)
        if path is not None and path.is_file():
            return path
    raise ValueError(f"there is no {folder / name}")


def _lens(values: Mapping[str, Any], path: Path, name: str) -> Lens:
    """The lens of an entry; nerfstudio's k1 to k4 are those of a polynomial in r squared."""
    if "w" in values and "h" in values:
        width, height = int(values["w"]), int(values["h"])
    elif is_video(path):
        width, height = VideoFile(name, path).first_size()
    else:
        width, height = image_size(path, name)
    fx = _focal(values, "fl_x", "camera_angle_x", width)
    fy = _focal(values, "fl_y", "camera_angle_y", height)
    if fx is None or fy is None:
        fx = fy = fx if fx is not None else fy
    if fx is None or fy is None:
        raise KeyError("fl_x")
    cx, cy = float(values.get("cx", width / 2)), float(values.get("cy", height / 2))
    inner = (fx, fy, cx, cy)
    k1, k2, k3, k4, p1, p2 = (float(values.get(key, 0)) for key in DISTORTION)
    model = str(values.get("camera_model", "OPENCV")).upper()
    if values.get("is_fisheye") or model == "OPENCV_FISHEYE":
        if p1 or p2:
            raise ValueError("a fisheye lens has no p1 and p2")
        return Lens("OPENCV_FISHEYE", width, height, (*inner, k1, k2, k3, k4))
    if model not in POLYNOMIALS:
        raise ValueError(f"the camera model {model} is none of a pinhole, OPENCV or OPENCV_FISHEYE")
    if k4:
        raise ValueError("k4 is not 0, and programs disagree on its meaning; undistort the frames")
    if k3:
        return Lens("FULL_OPENCV", width, height, (*inner, k1, k2, p1, p2, k3, 0.0, 0.0, 0.0))
    return Lens("OPENCV", width, height, (*inner, k1, k2, p1, p2))


def _focal(values: Mapping[str, Any], key: str, angle_key: str, size: int) -> float | None:
    """A focal length in px, given as such or as the angle of view in radians; None without both."""
    if key in values:
        return float(values[key])
    if angle_key in values:
        return size / (2 * math.tan(float(values[angle_key]) / 2))
    return None


def _points(folder: Path, document: dict[str, Any]) -> Path | None:
    if not document.get("ply_file_path"):
        return None
    return find(folder, str(document["ply_file_path"]))


def _cameras(folder: Path, entries: list[_Entry]) -> list[RecordedCamera]:
    videos = [e for e in entries if is_video(e.path)]
    if videos:
        if len(videos) < len(entries):
            raise CaptureError("transforms list videos and images; only one kind can be read")
        return [RecordedCamera(e.path.stem, e.viewmat, e.lens, e.path, e.split) for e in videos]
    groups: dict[tuple[Any, ...], list[_Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.key, []).append(entry)
    if all(len(group) == 1 for group in groups.values()):
        return _cameras_of_one_moment(folder, entries)
    names = _names(list(groups.values()))
    times = sorted({e.time for e in entries if e.time is not None})
    return [
        _camera_of_images(name, group, times)
        for name, group in zip(names, groups.values(), strict=True)
    ]


def _cameras_of_one_moment(folder: Path, entries: list[_Entry]) -> list[RecordedCamera]:
    if not all_sources(folder):
        raise CaptureError(
            f"each of the {len(entries)} images of {folder.name} has a pose of its own: it shows "
            "one moment or a moving camera. A capture needs a video or numbered images of each "
            "camera, which stands still"
        )
    images = [ModelImage(e.path.relative_to(folder).as_posix(), e.lens, e.viewmat) for e in entries]
    splits = {image.name: e.split for image, e in zip(images, entries, strict=True)}
    return cameras_of_images(folder, images, splits)


def _camera_of_images(name: str, group: list[_Entry], times: list[float]) -> RecordedCamera:
    """The camera of images with one pose, in the order of their times or numbers."""
    splits = {entry.split for entry in group}
    if len(splits) > 1:
        raise CaptureError(
            f"camera {name}: some of its images are for training, some for testing; a whole camera "
            "is held out"
        )
    if all(entry.time is not None for entry in group):
        numbers = [_frame_of(entry.time or 0.0, times) for entry in group]
    else:
        numbers = frame_numbers([PurePosixPath(e.name).stem for e in group], f"camera {name}")
    source: dict[int, Path] = {}
    for number, entry in sorted(zip(numbers, group, strict=True), key=lambda pair: pair[0]):
        if number in source:
            raise CaptureError(
                f"camera {name}: {source[number].name} and {entry.path.name} are of the same time"
            )
        source[number] = entry.path
    return RecordedCamera(name, group[0].viewmat, group[0].lens, source, splits.pop())


def _frame_of(time: float, times: list[float]) -> int:
    """The number of a frame; times are equally spaced, and some may be missing."""
    step = float(np.median(np.diff(times))) if len(times) > 1 else 1.0
    return round((time - times[0]) / step)


def _names(groups: list[list[_Entry]]) -> list[str]:
    """A name for the camera of each group: its folder, else what its files' names share."""
    folders = [{PurePosixPath(e.name).parent.name for e in group} for group in groups]
    if all(len(f) == 1 for f in folders) and len(set().union(*folders)) == len(groups):
        return [name for (name,) in folders]
    found = []
    for number, group in enumerate(groups):
        common = _common_start([PurePosixPath(e.name).stem for e in group])
        found.append(re.sub(r"[\W_]*\d*$", "", common) or f"camera{number:02d}")
    if len(set(found)) == len(found):
        return found
    return [f"camera{number:02d}" for number in range(len(groups))]


def _common_start(texts: list[str]) -> str:
    first, last = min(texts), max(texts)
    same = 0
    while same < min(len(first), len(last)) and first[same] == last[same]:
        same += 1
    return first[:same]
