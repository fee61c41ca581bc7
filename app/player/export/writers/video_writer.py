"""Writing videos through FFmpeg: H.264, HEVC, AV1, ProRes, GIF and WebP, tagged as BT.709."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.filter import Graph
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray
from streamstgs.app.player.errors import OutputError
from streamstgs.app.player.export.settings import ExportFormat
from streamstgs.codec.output import output_file
from streamstgs.codec.package.sound_track import RATE_HZ

# Numbers of ITU-T H.273. They are declared because players otherwise guess them from the size.
BT709, LIMITED_RANGE = 1, 1
# Colours of each frame of a GIF are chosen for that frame, so that no frame waits for the last one.
GIF_PALETTES = {"palettegen": "stats_mode=single", "paletteuse": "new=1:dither=sierra2_4a"}


@dataclass(frozen=True)
class Encoder:
    """How FFmpeg writes a format.

    Args:
        codec: Name of the encoder.
        container: Name of the container.
        pixels: Pixel format.
        alpha_pixels: Pixel format with alpha; None if there is none.
        options: Of the encoder.
        tag: Four characters that name the codec in the container; None for the default.
        video_colors: Whether colours become BT.709 with limited range.
    """

    codec: str
    container: str
    pixels: str
    alpha_pixels: str | None = None
    options: dict[str, str] = field(default_factory=dict)
    tag: str | None = None
    video_colors: bool = True


ENCODERS: dict[ExportFormat, Encoder] = {
    "h264": Encoder("libx264", "mp4", "yuv420p", options={"crf": "18"}),
    "hevc": Encoder(
        "libx265",
        "mp4",
        "yuv420p",
        options={"crf": "20", "x265-params": "log-level=error"},
        tag="hvc1",  # the one that QuickTime plays
    ),
    "av1": Encoder("libsvtav1", "mp4", "yuv420p10le", options={"crf": "28", "preset": "8"}),
    "prores": Encoder(
        "prores_ks", "mov", "yuv444p10le", "yuva444p10le", {"profile": "4444", "vendor": "apl0"}
    ),
    "gif": Encoder("gif", "gif", "pal8", video_colors=False),
    "webp": Encoder("libwebp_anim", "webp", "bgra", "bgra", {"quality": "90"}, video_colors=False),
}
SOUND_CODECS = {"mp4": "aac", "mov": "pcm_s16le"}  # what players and editors expect there
SOUND_BPS = 160_000
CONTAINER_OPTIONS = {"webp": {"loop": "0"}, "gif": {"loop": "0"}, "mp4": {"movflags": "faststart"}}


class VideoWriter:
    """Appends frames to a video; made by `open_video`.

    Attributes:
        frames: How many were written.
    """

    def __init__(
        self,
        container: av.container.OutputContainer,
        fps: float,
        encoder: Encoder,
        alpha: bool,
        sound: bool = False,
    ) -> None:
        self._container, self._fps = container, Fraction(fps).limit_denominator(100_000)
        self._encoder = encoder
        self._pixels = (encoder.alpha_pixels if alpha else None) or encoder.pixels
        self._stream: av.VideoStream | None = None
        self._palettes: Graph | None = None
        self._has_sound = sound
        self._sound: av.AudioStream | None = None
        self._samples = 0
        self.frames = 0

    def write(self, image: NDArray[np.uint8]) -> None:
        """Append one frame: [H, W, 3 or 4] uint8, all frames of one size, even for most formats."""
        if self._stream is None:
            self._stream = self._begun(image.shape[1], image.shape[0])
        source = "rgba" if image.shape[2] == 4 else "rgb24"
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format=source)
        shown = self._converted(frame)
        shown.pts, shown.time_base = self.frames, 1 / self._fps
        self._container.mux(self._stream.encode(shown))
        self.frames += 1

    def write_sound(self, samples: NDArray[np.int16]) -> None:
        """Append sound: [n, 2] at 48 kHz; after the first frame of a video that has sound."""
        if self._sound is None:
            return
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate, frame.pts = RATE_HZ, self._samples
        frame.time_base = Fraction(1, RATE_HZ)
        self._container.mux(self._sound.encode(frame))
        self._samples += len(samples)

    def finish(self) -> None:
        """Write what the encoders still hold."""
        for stream in (self._stream, self._sound):
            if stream is not None:
                self._container.mux(stream.encode())

    def _begun(self, width: int, height: int) -> av.VideoStream:
        encoder = self._encoder
        stream: Any = self._container.add_stream(
            encoder.codec, rate=self._fps, options=dict(encoder.options)
        )
        stream.width, stream.height, stream.pix_fmt = width, height, self._pixels
        codec = stream.codec_context
        if encoder.tag:
            codec.codec_tag = encoder.tag
        if encoder.video_colors:
            codec.colorspace = codec.color_primaries = codec.color_trc = BT709
            codec.color_range = LIMITED_RANGE
        if self._has_sound:
            self._sound = self._begun_sound()
        return stream

    def _begun_sound(self) -> av.AudioStream:
        codec = SOUND_CODECS[self._encoder.container]
        sound: Any = self._container.add_stream(codec, rate=RATE_HZ)
        sound.layout, sound.bit_rate = "stereo", SOUND_BPS
        return sound  # type: ignore[no-any-return]

    def _converted(self, frame: av.VideoFrame) -> av.VideoFrame:
        if self._pixels == "pal8":
            return self._with_palette(frame)
        if not self._encoder.video_colors:
            return frame.reformat(format=self._pixels)
        shown: Any = frame.reformat(
            format=self._pixels,
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )
        shown.color_primaries = shown.color_trc = BT709  # ProRes writes those of the frame
        return shown

    def _with_palette(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The frame in the 256 colours that suit it best."""
        if self._palettes is None:
            self._palettes = _palette_graph(frame, self._fps)
        frame.pts, frame.time_base = self.frames, 1 / self._fps
        self._palettes.push(frame)
        shown: Any = self._palettes.pull()
        return shown


@contextmanager
def open_video(
    path: Path,
    fps: float,
    format: ExportFormat = "h264",
    alpha: bool = False,
    sound: bool = False,
) -> Iterator[VideoWriter]:
    """A writer of a video, which appears when it is complete.

    Args:
        path: The file to write.
        fps: Frames per second.
        format: One of `ENCODERS`.
        alpha: Whether frames have four channels.
        sound: Whether `write_sound` follows each frame.

    Raises:
        WriteError: The file cannot be written.
        OutputError: The encoder refuses the size or the rate.
    """
    encoder = ENCODERS[format]
    if format == "av1":
        os.environ.setdefault("SVT_LOG", "1")  # else SVT-AV1 prints its settings
    options = dict(CONTAINER_OPTIONS.get(encoder.container, {}))
    with (
        output_file(path) as partial,
        av.open(str(partial), "w", format=encoder.container, options=options) as container,
    ):
        writer = VideoWriter(container, fps, encoder, alpha, sound)
        try:
            yield writer
            writer.finish()
        except av.error.FFmpegError as error:
            if isinstance(error, OSError):  # of the file or the disk
                raise
            raise OutputError(
                f"{path} cannot be encoded as {format} at this size and rate: {error.strerror}."
            ) from error


def _palette_graph(frame: av.VideoFrame, fps: Fraction) -> Graph:
    """Filters that choose 256 colours for each frame on its own."""
    graph = Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=1 / fps
    )
    split, sink = graph.add("split"), graph.add("buffersink")
    choose = graph.add("palettegen", GIF_PALETTES["palettegen"])
    use = graph.add("paletteuse", GIF_PALETTES["paletteuse"])
    source.link_to(split)
    split.link_to(use, 0, 0)
    split.link_to(choose, 1, 0)
    choose.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    return graph
