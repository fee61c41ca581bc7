"""Writing pictures and films: PNG, or MP4 with H.264 that plays everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import numpy as np
from numpy.typing import NDArray
from streamstgs.app.player.errors import OutputError

SUFFIXES = (".mp4", ".png")
SIZE_PX_MAX = 8192
# The rate factor is imageio's one gap: it has no public way to pass it to the encoder. The colour
# matrix is that of the conversion to yuv; said aloud, since players guess from the picture size.
X264_OPTIONS = {"crf": "18", "x264-params": "colormatrix=smpte170m:range=tv"}


class FilmWriter:
    """Adds pictures to a film; made by `film_writer`."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.frames = 0

    def write(self, rgb8: NDArray[np.uint8]) -> None:
        """[H, W, 3] uint8, all of one even size."""
        self._file.write_frame(rgb8)
        self.frames += 1


@contextmanager
def film_writer(path: Path, fps: float) -> Iterator[FilmWriter]:
    """An MP4 that is there in whole or not at all: a film that breaks off leaves no file."""
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with imageio.imopen(part, "w", plugin="pyav") as opened:
            file: Any = opened
            file.init_video_stream("libx264", fps=fps, pixel_format="yuv420p")
            file._video_stream.options = X264_OPTIONS
            yield FilmWriter(file)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_png(path: Path, rgb8: NDArray[np.uint8]) -> None:
    """[H, W, 3] uint8 -> PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    imageio.imwrite(path, rgb8, extension=".png")


def checked_output(path: Path) -> Path:
    """The path, if its suffix says what to write.

    Raises:
        OutputError: neither .mp4 nor .png, or a directory.
    """
    if path.suffix.lower() not in SUFFIXES or path.is_dir():
        raise OutputError(f"{path} should be a file that ends in .mp4 or .png.")
    return path


def checked_size(size: tuple[int, int], film: bool) -> tuple[int, int]:
    """(width, height); for films made even, as H.264 with 4:2:0 needs it.

    Raises:
        OutputError: not 1 .. 8192 px.
    """
    if not all(1 <= side <= SIZE_PX_MAX for side in size):
        raise OutputError(f"A picture of {size[0]}x{size[1]} is not 1 to {SIZE_PX_MAX} px a side.")
    return (size[0] + size[0] % 2, size[1] + size[1] % 2) if film else size
