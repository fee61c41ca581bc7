"""Writing PNG images and MP4 videos (H.264 that plays everywhere), with progress for a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import imageio.v3 as imageio
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from streamstgs.app.player.errors import OutputError
from streamstgs.codec.output import check_output, output_file

SUFFIXES = (".mp4", ".png")
SIZE_PX_MAX = 8192
LOG_SHARE = 0.1  # without a terminal, a line is printed for each tenth
X264_OPTIONS = {"crf": "18"}
# Numbers of ITU-T H.273. They are declared because players otherwise guess them from the size.
BT709, LIMITED_RANGE = 1, 1

ReportProgress = Callable[[int, int], None]  # (frames done, frames in all)


class VideoWriter:
    """Appends frames to an H.264 video; made by `open_video`.

    Attributes:
        frames: how many were written.
    """

    def __init__(self, container: av.container.OutputContainer, fps: float) -> None:
        self._container, self._fps = container, Fraction(fps).limit_denominator(100_000)
        self._stream: av.VideoStream | None = None
        self.frames = 0

    def write(self, rgb8: NDArray[np.uint8]) -> None:
        """Append one frame: [H, W, 3] uint8, all frames of one even size."""
        if self._stream is None:
            self._stream = self._begun(rgb8.shape[1], rgb8.shape[0])
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb8), format="rgb24")
        shown = frame.reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        shown.pts, shown.time_base = self.frames, 1 / self._fps
        self._container.mux(self._stream.encode(shown))
        self.frames += 1

    def finish(self) -> None:
        """Write what the encoder still holds."""
        if self._stream is not None:
            self._container.mux(self._stream.encode())

    def _begun(self, width: int, height: int) -> av.VideoStream:
        stream = self._container.add_stream("libx264", rate=self._fps, options=X264_OPTIONS)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        codec = stream.codec_context
        codec.colorspace = codec.color_primaries = codec.color_trc = BT709
        codec.color_range = LIMITED_RANGE
        return stream


@contextmanager
def open_video(path: Path, fps: float) -> Iterator[VideoWriter]:
    """A writer of an MP4 file, which appears when it is complete. Raises WriteError."""
    with output_file(path) as partial, av.open(str(partial), "w", format="mp4") as container:
        writer = VideoWriter(container, fps)
        yield writer
        writer.finish()


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
