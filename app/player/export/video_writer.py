"""Writing PNG images and MP4 videos (H.264 that plays everywhere), with progress for a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from streamstgs.app.player.errors import OutputError
from streamstgs.codec.output import check_output, output_file

SUFFIXES = (".mp4", ".png")
SIZE_PX_MAX = 8192
LOG_SHARE = 0.1  # without a terminal, a line is printed for each tenth
# imageio has no public way to pass the rate factor to the encoder. The colour matrix is that of
# the conversion to yuv; it is declared because players otherwise guess it from the picture size.
X264_OPTIONS = {"crf": "18", "x264-params": "colormatrix=smpte170m:range=tv"}

ReportProgress = Callable[[int, int], None]  # (frames done, frames in all)


class VideoWriter:
    """Appends frames to a video; made by `open_video`.

    Attributes:
        frames: how many were written.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self.frames = 0

    def write(self, rgb8: NDArray[np.uint8]) -> None:
        """Append one frame: [H, W, 3] uint8, all frames of one even size."""
        self._file.write_frame(rgb8)
        self.frames += 1


@contextmanager
def open_video(path: Path, fps: float) -> Iterator[VideoWriter]:
    """A writer of an MP4 file, which appears when it is complete. Raises WriteError."""
    with output_file(path) as partial, imageio.imopen(partial, "w", plugin="pyav") as opened:
        file: Any = opened
        file.init_video_stream("libx264", fps=fps, pixel_format="yuv420p")
        file._video_stream.options = X264_OPTIONS
        yield VideoWriter(file)


def write_png(path: Path, rgb8: NDArray[np.uint8]) -> None:
    """Write an image: [H, W, 3] uint8. Raises WriteError."""
    with output_file(path) as partial:
        imageio.imwrite(partial, rgb8, extension=".png")


def checked_output(path: Path) -> Path:
    """Where the file will be written, if its suffix names a format that can be written.

    Raises:
        OutputError: neither .mp4 nor .png.
        WriteError: it must not be replaced, or there is no permission.
    """
    if path.suffix.lower() not in SUFFIXES or path.is_dir():
        raise OutputError(f"{path} should be a file that ends in .mp4 or .png.")
    return check_output(path)


def checked_size(size: tuple[int, int], video: bool) -> tuple[int, int]:
    """(width, height) in px; made even for videos, because H.264 with 4:2:0 needs it.

    Raises:
        OutputError: a side is not 1 to 8192 px long.
    """
    if not all(1 <= side <= SIZE_PX_MAX for side in size):
        raise OutputError(f"A picture of {size[0]}x{size[1]} is not 1 to {SIZE_PX_MAX} px a side.")
    return (size[0] + size[0] % 2, size[1] + size[1] % 2) if video else size


@contextmanager
def console_progress(title: str, report: ReportProgress | None) -> Iterator[ReportProgress]:
    """A function to call with (done, total), which shows them on standard error.

    Args:
        title: Name of what is written.
        report: Yielded unchanged if given; nothing is shown then.
    """
    console = Console(stderr=True)
    if report is not None:
        yield report
    elif not console.is_terminal:
        yield _lines(console, title)
    else:
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
        with Progress(*columns, TimeRemainingColumn(), console=console) as bar:
            task = bar.add_task(title, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)


def _lines(console: Console, title: str) -> ReportProgress:
    printed = 0.0

    def report(done: int, total: int) -> None:
        nonlocal printed
        share = done / max(total, 1)
        if share >= min(printed + LOG_SHARE, 1.0):
            printed = share
            console.print(f"{title}: {done} of {total}")

    return report
