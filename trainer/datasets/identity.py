"""What a training run was begun with of its capture, so that a changed capture is not resumed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from streamstgs.trainer.datasets.capture import Capture, CapturedView
from streamstgs.trainer.datasets.readers import ImageFolderReader, VideoReader

SAMPLE_BYTES = 65_536  # of the beginning and the end of each file; a whole video takes too long


def capture_identity(capture: Capture) -> dict[str, str]:
    """A digest of each part of a capture that training reads, by the name of the part."""
    parts = {
        "frame rate": repr(capture.fps),
        "number of frames": repr(capture.frames),
        "up axis": repr(capture.up),
        "centre": repr(capture.center),
        "points": _file_digest(capture.points_path) if capture.points_path else "none",
    }
    for view in capture.views:
        camera = view.camera
        calibration: list[Any] = [
            camera.viewmat.tolist(),
            camera.K.tolist(),
            camera.width,
            camera.height,
        ]
        calibration += _reading(view)
        parts[f"calibration of camera {view.name}"] = _digest(json.dumps(calibration).encode())
        parts[f"split of camera {view.name}"] = view.split
        parts[f"frames of camera {view.name}"] = _recording(view)
    return parts


def _reading(view: CapturedView) -> list[Any]:
    """What is done to the frames of a view while they are read; empty where nothing is."""
    reader = view.reader
    done: list[Any] = []
    if isinstance(reader, (VideoReader, ImageFolderReader)) and reader.undistortion is not None:
        done.append(repr(reader.undistortion.lens))
    if isinstance(reader, VideoReader) and reader.offset:
        done.append(reader.offset)
    return done


def changed_parts(begun: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Names of the parts that differ, in the order of the capture."""
    names = [*now, *(name for name in begun if name not in now)]
    return [name for name in names if begun.get(name) != now.get(name)]


def _recording(view: CapturedView) -> str:
    """Digest of the names, sizes and samples of the files that hold the frames of a view."""
    if isinstance(view.reader, VideoReader):
        return _file_digest(view.reader.path)
    if isinstance(view.reader, ImageFolderReader):
        sizes = [(path.name, path.stat().st_size) for path in view.reader.paths]
        return _digest(json.dumps(sizes).encode() + _file_digest(view.reader.paths[0]).encode())
    return "unknown"


def _file_digest(path: Path) -> str:
    size = path.stat().st_size
    with path.open("rb") as file:
        first = file.read(SAMPLE_BYTES)
        file.seek(max(size - SAMPLE_BYTES, 0))
        return _digest(f"{size} ".encode() + first + file.read(SAMPLE_BYTES))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
