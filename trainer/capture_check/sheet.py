"""One image with a frame of each camera, so that a person sees what will be read."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from streamstgs.codec.output import output_file
from streamstgs.trainer.datasets import CapturedView
from streamstgs.trainer.datasets.reduction import reduced

TILE_WIDTH_PX, GAP_PX, CAPTION_PX = 320, 6, 22
PAPER, INK, WARNING = (255, 255, 255), (32, 32, 32), (196, 32, 32)


def write_sheet(
    path: Path,
    views: Sequence[CapturedView],
    pictures: Sequence[np.ndarray],
    wrong: Collection[str],
) -> None:
    """Write a PNG of all cameras with their names; those in `wrong` have a red caption.

    Args:
        pictures: [H, W, 3] uint8 of each view.

    Raises:
        WriteError: the file cannot be written.
    """
    tiles = [_tile(picture) for picture in pictures]
    height = max(tile.shape[0] for tile in tiles) + CAPTION_PX
    columns = max(1, math.ceil(math.sqrt(len(tiles) * height / TILE_WIDTH_PX)))
    rows = math.ceil(len(tiles) / columns)
    step_x, step_y = TILE_WIDTH_PX + GAP_PX, height + GAP_PX
    sheet = Image.new("RGB", (columns * step_x + GAP_PX, rows * step_y + GAP_PX), PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    for number, (view, tile) in enumerate(zip(views, tiles, strict=True)):
        left = GAP_PX + number % columns * step_x
        top = GAP_PX + number // columns * step_y
        sheet.paste(Image.fromarray(tile), (left, top + CAPTION_PX))
        held_out = ", held out" if view.split == "test" else ""
        size = f"{view.camera.width}x{view.camera.height}"
        color = WARNING if view.name in wrong else INK
        pen.text((left, top + 1), f"{view.name}  {size}{held_out}", fill=color, font=font)
    with output_file(path) as partial:
        sheet.save(partial, format="PNG")


def _tile(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    if width <= TILE_WIDTH_PX:
        return picture
    return reduced(picture, TILE_WIDTH_PX, max(1, round(height * TILE_WIDTH_PX / width)))
