"""COLMAP models: lenses and poses of images, and points; binary or text.

A model may come from anywhere. A declared count is compared with the bytes that are left before
anything is allocated for it, and errors name the file.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from streamstgs.trainer.datasets.files import short
from streamstgs.trainer.datasets.lens import MODELS, Lens
from streamstgs.trainer.errors import CaptureError

MODEL_NAMES = {number: name for name, (number, _) in MODELS.items()}
CAMERA = struct.Struct("<iiQQ")  # id, model, width, height
IMAGE = struct.Struct("<I4d3dI")  # id, rotation wxyz, translation, camera
POINT = struct.Struct("<Q3d3Bd")  # id, position, colour, error
COUNT = struct.Struct("<Q")
POINT_2D_BYTES, TRACK_BYTES = 24, 8
NAME_MAX_BYTES = 4096
BAD = (ValueError, IndexError, OverflowError, struct.error)


@dataclass(frozen=True)
class ModelImage:
    """An image of a model.

    Args:
        name: its path below the folder of the images, with forward slashes.
        lens: of its camera.
        viewmat: [4, 4] float64, world to camera, OpenCV axes.
    """

    name: str
    lens: Lens
    viewmat: np.ndarray


def read_model(folder: Path) -> list[ModelImage]:
    """The registered images of a model in the order of their names.

    Raises:
        CaptureError: files are missing, damaged, or of a lens model that is not known.
    """
    suffix = model_suffix(folder)
    if suffix is None:
        raise CaptureError(f"{folder} lacks cameras.bin and images.bin, or both as .txt")
    cameras, images = folder / f"cameras{suffix}", folder / f"images{suffix}"
    if suffix == ".bin":
        lenses = _parsed(cameras, lambda: dict(_binary_cameras(_Binary(cameras))))
        found = _parsed(images, lambda: list(_binary_images(_Binary(images), lenses)))
    else:
        lenses = _parsed(cameras, lambda: dict(_text_cameras(cameras)))
        found = _parsed(images, lambda: list(_text_images(images, lenses)))
    if not found:
        raise CaptureError(f"{images} has no images")
    return sorted(found, key=lambda image: image.name)


def model_suffix(folder: Path) -> str | None:
    """ ".bin" or ".txt" where a folder holds a model of that kind; None where it holds none."""
    for suffix in (".bin", ".txt"):
        if all((folder / f"{part}{suffix}").is_file() for part in ("cameras", "images")):
            return suffix
    return None


def read_model_points(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Positions [N, 3] float32 and colours [N, 3] float32, 0..1, of `points3D.bin` or `.txt`.

    Points that are not finite are left out. Raises CaptureError.
    """
    if path.suffix == ".bin":
        positions, colors = _parsed(path, lambda: _binary_points(_Binary(path)))
    else:
        positions, colors = _parsed(path, lambda: _text_points(path))
    with np.errstate(over="ignore"):
        positions = positions.astype(np.float32)
    finite = np.isfinite(positions).all(axis=1)
    return positions[finite], colors[finite].astype(np.float32) / 255


def _parsed(path: Path, read: Any) -> Any:
    try:
        return read()
    except CaptureError:
        raise
    except OSError as error:
        raise CaptureError(f"{path} cannot be read: {error.strerror}") from error
    except BAD as error:
        raise CaptureError(f"{path} is no file of a COLMAP model: {short(error)}") from error


class _Binary:
    """Reads a binary file from its beginning. Raises ValueError where it ends too early."""

    def __init__(self, path: Path) -> None:
        self.data = path.read_bytes()
        self.place = 0

    def take(self, layout: struct.Struct) -> tuple[Any, ...]:
        return layout.unpack_from(self.data, self._passed(layout.size))

    def count(self, least_bytes: int) -> int:
        """A number of records of at least so many bytes, which are there."""
        (count,) = self.take(COUNT)
        if count * least_bytes > len(self.data) - self.place:
            raise ValueError(f"it declares {count} records, and ends before them")
        return int(count)

    def skip(self, record_bytes: int) -> None:
        """Pass by a list of records that its number precedes."""
        self._passed(self.count(record_bytes) * record_bytes)

    def name(self) -> str:
        end = self.data.find(b"\0", self.place, self.place + NAME_MAX_BYTES)
        if end < 0:
            raise ValueError("the name of an image does not end")
        start = self._passed(end + 1 - self.place)
        return self.data[start:end].decode("utf-8")

    def _passed(self, size: int) -> int:
        start = self.place
        if start + size > len(self.data):
            raise ValueError("it ends too early")
        self.place = start + size
        return start


def _binary_cameras(file: _Binary) -> Iterator[tuple[int, Lens]]:
    for _ in range(file.count(CAMERA.size)):
        number, model, width, height = file.take(CAMERA)
        if model not in MODEL_NAMES:
            raise ValueError(f"camera {number} has lens model {model}, which is not known")
        name = MODEL_NAMES[model]
        params = file.take(struct.Struct(f"<{len(MODELS[name][1].split())}d"))
        yield number, Lens(name, width, height, params)


def _binary_images(file: _Binary, lenses: dict[int, Lens]) -> Iterator[ModelImage]:
    for _ in range(file.count(IMAGE.size + 1 + COUNT.size)):
        _, *pose, camera = file.take(IMAGE)
        name = file.name()
        file.skip(POINT_2D_BYTES)
        yield _image(name, camera, pose, lenses)


def _binary_points(file: _Binary) -> tuple[np.ndarray, np.ndarray]:
    count = file.count(POINT.size + COUNT.size)
    positions, colors = np.empty((count, 3)), np.empty((count, 3), np.uint8)
    for row in range(count):
        _, *values, _ = file.take(POINT)
        positions[row], colors[row] = values[:3], values[3:]
        file.skip(TRACK_BYTES)
    return positions, colors


def _lines(path: Path) -> Iterator[str]:
    """Lines that are no comments."""
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        if not line.startswith("#"):
            yield line.strip()


def _text_cameras(path: Path) -> Iterator[tuple[int, Lens]]:
    for line in filter(None, _lines(path)):
        number, model, width, height, *params = line.split()
        yield int(number), Lens(model, int(width), int(height), tuple(map(float, params)))


def _text_images(path: Path, lenses: dict[int, Lens]) -> Iterator[ModelImage]:
    lines = _lines(path)
    for line in lines:
        if not line:
            continue
        _, *pose, camera, name = line.split(maxsplit=9)
        next(lines, None)  # its points, which may be an empty line
        yield _image(name, int(camera), [float(p) for p in pose], lenses)


def _text_points(path: Path) -> tuple[np.ndarray, np.ndarray]:
    rows = [line.split(maxsplit=7)[1:7] for line in _lines(path) if line]
    values = np.array(rows, dtype=np.float64).reshape(-1, 6)
    colors = values[:, 3:]
    if not ((colors >= 0) & (colors <= 255)).all():
        raise ValueError("a colour is no number from 0 to 255")
    return values[:, :3], colors.astype(np.uint8)


def _image(name: str, camera: int, pose: list[float], lenses: dict[int, Lens]) -> ModelImage:
    """Args: pose: rotation wxyz and translation, world to camera."""
    if camera not in lenses:
        raise ValueError(f"image {name} is of camera {camera}, which the model lacks")
    length = math.hypot(*pose[:4])
    if not (all(map(math.isfinite, pose)) and length > 0):
        raise ValueError(f"image {name} has no pose")
    w, x, y, z = (value / length for value in pose[:4])
    viewmat = np.eye(4)
    viewmat[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    viewmat[:3, 3] = pose[4:]
    return ModelImage(name.replace("\\", "/"), lenses[camera], viewmat)
