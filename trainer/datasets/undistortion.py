"""Undoes the distortion of a lens: pictures of a pinhole camera, without empty pixels.

The pinhole has the recorded picture's size, so that cameras of one kind stay of one size. Its focal
length is the smallest that shows no pixel from outside of the recorded picture; what does not fit
into its picture is cropped. pycolmap knows all lens models of COLMAP; it is imported where it is
used.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from streamstgs.trainer.datasets.lens import Lens

log = logging.getLogger("streamstgs.trainer")
FOCAL_MIN, FOCAL_MAX = 0.5, 4.0  # of the recorded one: wide fisheyes are cropped at the first
GROWTH, TRIES = 1.01, 60  # of the focal length, until no pixel lies outside
STEP_PX = 8  # of the grid on which a lens is checked
OUTSIDE_PX = 0.51  # from the centres of the outermost pixels
BACK_PX = 0.5  # a pixel whose direction leads elsewhere has no direction that a pinhole sees
ROWS = 64  # of a map that are computed at once
CACHED_MAPS = 16  # one for each file that is read at once


@dataclass(frozen=True)
class Undistortion:
    """From the pictures of a lens to those of a pinhole camera of the same size.

    Args:
        lens: of the recorded pictures.
        fx, fy, cx, cy: of the pinhole, px.
        kept: share of the recorded pixels that the pinhole shows; the others are cropped.
    """

    lens: Lens
    fx: float
    fy: float
    cx: float
    cy: float
    kept: float = 1.0

    @property
    def K(self) -> np.ndarray:
        """[3, 3] float64 of the pinhole."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1]])

    def applied(self, picture: np.ndarray) -> np.ndarray:
        """A recorded picture [H, W, 3] uint8 as the pinhole shows it."""
        from streamstgs.trainer.datasets.resampling import resampled

        return resampled(picture, *_maps(self))

    def source(self, pixels: np.ndarray) -> np.ndarray:
        """Places [N, 2] of the recorded picture for pixels [N, 2] of the pinhole, float64 px; NaN
        where the lens shows nothing."""
        local = (pixels - (self.cx, self.cy)) / (self.fx, self.fy)
        rays = np.concatenate([local, np.ones((len(local), 1))], axis=1)
        return np.asarray(_camera(self.lens).img_from_cam(rays))


@lru_cache(256)
def undistortion(lens: Lens) -> Undistortion | None:
    """How the distortion of a lens is undone; None where it has none.

    Raises:
        ValueError: it cannot be undone, or pycolmap is not installed.
    """
    if lens.is_pinhole:
        return None
    (left, right), (top, bottom) = _valid_directions(lens)
    K, width, height = lens.K, lens.width, lens.height
    fx, fy, cx, cy = (float(K[i, j]) for i, j in ((0, 0), (1, 1), (0, 2), (1, 2)))
    fit = max((width - 1) / (fx * (right - left)), (height - 1) / (fy * (bottom - top)))
    scale = max(fit, FOCAL_MIN)
    for _ in range(TRIES):
        if scale > FOCAL_MAX:
            break
        found = Undistortion(
            lens, fx * scale, fy * scale,
            _shifted(cx, fx * scale, left, right, width),
            _shifted(cy, fy * scale, top, bottom, height),
        )  # fmt: skip
        if _shows_only_the_picture(found):
            return Undistortion(lens, found.fx, found.fy, found.cx, found.cy, _kept(found))
        scale *= GROWTH
    raise ValueError(
        f"its lens {lens.model} {', '.join(f'{p:g}' for p in lens.params)} bends the picture over "
        "itself or shows next to nothing; calibrate it again, or undistort the frames"
    )


def _shifted(center: float, focal: float, first: float, last: float, size: int) -> float:
    """The principal point, moved as little as keeps the picture within the valid directions."""
    most, least = 0.5 - first * focal, size - 0.5 - last * focal
    return float(min(max(center, least), most)) if least <= most else (least + most) / 2


def _valid_directions(lens: Lens) -> tuple[tuple[float, float], tuple[float, float]]:
    """The upright box, x / z and y / z, of directions that the whole border leaves inside.

    Infinite where the border lies beyond what a pinhole can see.
    """
    right, bottom = lens.width - 0.5, lens.height - 0.5
    columns, rows = np.linspace(0.5, right, 256), np.linspace(0.5, bottom, 256)
    sides = [np.stack(np.broadcast_arrays(x, rows), -1) for x in (0.5, right)]
    sides += [np.stack(np.broadcast_arrays(columns, y), -1) for y in (0.5, bottom)]
    found = []
    for pixels, axis, outwards in zip(sides, (0, 0, 1, 1), (-1, 1, -1, 1), strict=True):
        values = directions(lens, pixels)[:, axis] * outwards
        seen = values[np.isfinite(values)]
        found.append(outwards * (float(seen.min()) if len(seen) else np.inf))
    left, right, top, bottom = found
    if left >= right or top >= bottom:
        raise ValueError(f"its lens {lens.model} folds the border of the picture inwards")
    return (left, right), (top, bottom)


def directions(lens: Lens, pixels: np.ndarray) -> np.ndarray:
    """x / z and y / z [N, 2] of recorded pixels; NaN where a pinhole cannot see them."""
    camera = _camera(lens)
    local = np.asarray(camera.cam_from_img(np.ascontiguousarray(pixels)))
    back = np.asarray(camera.img_from_cam(np.concatenate([local, np.ones((len(local), 1))], 1)))
    wrong = ~(np.abs(back - pixels).max(axis=1) <= BACK_PX)
    local[wrong] = np.nan
    return local


def _grid(lens: Lens) -> tuple[np.ndarray, int, int]:
    """Pixels [R * C, 2] spread over the picture, its corners among them; R and C."""
    columns = np.linspace(0.5, lens.width - 0.5, max(2, lens.width // STEP_PX))
    rows = np.linspace(0.5, lens.height - 0.5, max(2, lens.height // STEP_PX))
    x, y = np.meshgrid(columns, rows)
    return np.stack([x.ravel(), y.ravel()], axis=1), len(rows), len(columns)


def _shows_only_the_picture(found: Undistortion) -> bool:
    """Whether each pixel comes from the recorded picture, and neighbours from neighbours."""
    pixels, rows, columns = _grid(found.lens)
    source = found.source(pixels)
    size = np.array([found.lens.width, found.lens.height])
    if not (np.abs(source - size / 2) <= size / 2 - 0.5 + OUTSIDE_PX).all():
        return False
    grid = source.reshape(rows, columns, 2)
    rightwards, downwards = np.diff(grid[..., 0], axis=1), np.diff(grid[..., 1], axis=0)
    return bool((rightwards > 0).all() and (downwards > 0).all())


def _kept(found: Undistortion) -> float:
    """Share of the recorded pixels that the pinhole shows."""
    pixels, _, _ = _grid(found.lens)
    shown = directions(found.lens, pixels) * (found.fx, found.fy) + (found.cx, found.cy)
    size = np.array([found.lens.width, found.lens.height])
    return float((np.abs(shown - size / 2) <= size / 2).all(axis=1).mean())


@lru_cache(CACHED_MAPS)
def _maps(undone: Undistortion) -> tuple[np.ndarray, np.ndarray]:
    """Column and row [H, W] float32 of the recorded picture for each pixel, from its centre."""
    width, height = undone.lens.width, undone.lens.height
    columns, rows = (np.empty((height, width), np.float32) for _ in range(2))
    x = np.arange(width) + 0.5
    for first in range(0, height, ROWS):
        y = np.arange(first, min(first + ROWS, height)) + 0.5
        pixels = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        source = undone.source(pixels).reshape(len(y), width, 2) - 0.5
        columns[first : first + len(y)], rows[first : first + len(y)] = np.moveaxis(source, 2, 0)
    return columns, rows


@lru_cache(256)
def _camera(lens: Lens) -> Any:
    """The lens as pycolmap's camera. Raises ValueError without pycolmap."""
    try:
        import pycolmap
    except ImportError as error:
        raise ValueError(
            f"its lens is {lens.model}; undoing that needs pycolmap: "
            "pip install 'streamstgs[train]'"
        ) from error
    return pycolmap.Camera(
        model=lens.model, width=lens.width, height=lens.height, params=list(lens.params)
    )
