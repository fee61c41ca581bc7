"""The tiles of a feature grid in the picture of the video. Imports no video library."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

TIMESCALE = 90_000  # ticks per second of the video track
VIDEO_MULTIPLE_PX = 16  # macroblocks of H.264: no cropping in either codec
VIDEO_MINIMUM_PX = 64  # x265 and many hardware decoders refuse smaller pictures


@dataclass(frozen=True)
class TileLayout:
    """The tiles of a feature grid in the picture: tile f is in row f // columns.

    Args:
        height, width: the grid, cells.
        features: F, one tile each.
        columns: tiles side by side.
    """

    height: int
    width: int
    features: int
    columns: int

    @staticmethod
    def of(height: int, width: int, features: int) -> TileLayout:
        """Return the layout with the fewest empty tiles, then the most nearly square one."""
        candidates = range(math.ceil(math.sqrt(features)), features + 1)
        columns = min(candidates, key=lambda c: (-(-features // c) * c - features, c))
        return TileLayout(height, width, features, columns)

    @property
    def rows(self) -> int:
        return -(-self.features // self.columns)

    @property
    def video_width(self) -> int:
        return _video_side(self.columns * self.width)

    @property
    def video_height(self) -> int:
        return _video_side(self.rows * self.height)

    def tile(self, grid: np.ndarray) -> np.ndarray:
        """Return a [F, h, w] uint8 grid as [video_height, video_width] luma, padded by its edge."""
        tiles = np.full((self.rows * self.columns, self.height, self.width), 128, np.uint8)
        tiles[: self.features] = grid
        rows = tiles.reshape(self.rows, self.columns, self.height, self.width)
        plane = rows.transpose(0, 2, 1, 3).reshape(self.rows * self.height, -1)
        spare = (self.video_height - plane.shape[0], self.video_width - plane.shape[1])
        return np.pad(plane, ((0, spare[0]), (0, spare[1])), mode="edge")

    def untile(self, luma: np.ndarray) -> np.ndarray:
        """Return [video_height, video_width] luma as [F, h * w] codes."""
        tiles = luma[: self.rows * self.height, : self.columns * self.width]
        tiles = tiles.reshape(self.rows, self.height, self.columns, self.width)
        cells = self.height * self.width
        return tiles.transpose(0, 2, 1, 3).reshape(-1, cells)[: self.features]


def _video_side(pixels: int) -> int:
    return max(-(-pixels // VIDEO_MULTIPLE_PX) * VIDEO_MULTIPLE_PX, VIDEO_MINIMUM_PX)
