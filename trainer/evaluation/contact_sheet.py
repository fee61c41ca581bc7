"""What a person looks at before reading figures: ground truth, picture and error side by side."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import imageio.v3 as iio
import torch
from streamstgs.codec.output import output_file
from torch import Tensor
from torch.nn.functional import interpolate

ERROR_GAIN = 4
SHOWN_CAMERAS = 4
SHOWN_FRAMES = 3
COLUMN_MAX_PX = 480
GAP_PX = 4
Item = TypeVar("Item")


@dataclass(frozen=True)
class _Row:
    psnr: float
    camera: str
    frame: int
    picture: Tensor


class ContactSheet:
    """Rows of [ground truth | picture | error x 4], the worst first.

    Args:
        cameras: what is evaluated; of a few, spread evenly, the worst frames are shown.
    """

    def __init__(self, cameras: Sequence[str]) -> None:
        self._worst: dict[str, list[_Row]] = {c: [] for c in spread_evenly(cameras, SHOWN_CAMERAS)}

    def add(self, camera: str, frame: int, target: Tensor, picture: Tensor, psnr: float) -> None:
        """Keep pictures [H, W, 3] in 0..1 if they are among the camera's worst so far.

        Args:
            psnr: by which pictures are compared, dB.
        """
        kept = self._worst.get(camera)
        if kept is None or (len(kept) == SHOWN_FRAMES and psnr >= kept[-1].psnr):
            return
        error = ((picture - target).abs() * ERROR_GAIN).clamp(0, 1)
        shown = beside([_small(p.cpu()) for p in (target, picture, error)])
        kept.append(_Row(psnr, camera, frame, shown))
        kept.sort(key=lambda row: row.psnr)
        del kept[SHOWN_FRAMES:]

    @property
    def rows(self) -> list[dict[str, str | int]]:
        """Camera and frame of each row, from above."""
        return [{"camera": row.camera, "frame": row.frame} for row in self._sorted()]

    def _sorted(self) -> list[_Row]:
        return sorted(itertools.chain(*self._worst.values()), key=lambda row: row.psnr)

    def picture(self) -> Tensor:
        """[H, W, 3] in 0..1."""
        rows = [row.picture for row in self._sorted()]
        width = max(row.shape[1] for row in rows)
        return torch.cat([_padded(row, width) for row in rows])

    def write(self, path: Path) -> None:
        """Write the sheet as an image. Raises WriteError."""
        with output_file(path) as partial:
            iio.imwrite(partial, (self.picture() * 255).round().to(torch.uint8).numpy())


def spread_evenly(items: Sequence[Item], count: int) -> list[Item]:
    """At most `count` different items, the first and the last among them."""
    places = torch.linspace(0, len(items) - 1, min(count, len(items))).round().int().tolist()
    return [items[place] for place in places]


def beside(pictures: list[Tensor]) -> Tensor:
    """Pictures [H, W, 3] of one size in a row, with white gaps."""
    gap = torch.ones(pictures[0].shape[0], GAP_PX, 3)
    parts = [part for picture in pictures for part in (picture, gap)][:-1]
    row = torch.cat(parts, dim=1)
    return torch.cat([row, torch.ones(GAP_PX, row.shape[1], 3)])


def _small(picture: Tensor) -> Tensor:
    """No wider than a column; pixels are averaged."""
    height, width = picture.shape[:2]
    if width <= COLUMN_MAX_PX:
        return picture
    size = (max(1, round(height * COLUMN_MAX_PX / width)), COLUMN_MAX_PX)
    return interpolate(picture.permute(2, 0, 1)[None], size=size, mode="area")[0].permute(1, 2, 0)


def _padded(row: Tensor, width: int) -> Tensor:
    return torch.cat([row, torch.ones(row.shape[0], width - row.shape[1], 3)], dim=1)
