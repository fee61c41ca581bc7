"""Encodes and decodes temporal features as video: channels of a grid are tiles of one luma plane.

The only module of the codec that knows PyAV. Chroma carries nothing (constant 128): 4:2:0 plays
where hardware decoders refuse monochrome.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream
from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import CorruptSegment
from streamstgs.codec.video.codecs import SAMPLE_ENTRIES, Codec
from streamstgs.codec.video.mp4_boxes import sample_entry, split_segments, with_times
from streamstgs.codec.video.segment_check import check_boxes
from streamstgs.codec.video.tile_layout import TIMESCALE, TileLayout

STRIDE_ALIGN_PX = 128  # FFmpeg counts pixels of rows rounded up to at most this
NEUTRAL_CHROMA = 128
FULL_RANGE = 2  # FFmpeg's number for it: codes are 0..255, not 16..235
ENCODERS = {"hevc": "libx265", "h264": "libx264"}
# Codes are numbers, not pictures for people: no bits for what looks sharp. Of what the slower
# presets do only the exact choice of coefficients (rdoq) pays, and `rect` is not deterministic.
EXACT_CODES = "psy-rd=0:psy-rdoq=0:rdoq-level=2"
MOVFLAGS = "empty_moov+default_base_moof+frag_keyframe+skip_trailer"


@dataclass(frozen=True)
class VideoSettings:
    """How feature video is encoded.

    Args:
        codec: hevc or h264.
        qp: constant quantiser of the predicted frames.
        preset: of x264 or x265.
        b_pictures: most of them in a row, HEVC only: x264 writes other headers for short GOPs.
        tuning: more parameters of x265.
        threads: of the encoder.
    """

    codec: Codec = "hevc"
    qp: int = 20
    preset: str = "medium"
    b_pictures: int = 8
    tuning: str = EXACT_CODES
    threads: int = 1


def encode_segment(
    planes: Iterator[np.ndarray], frames: int, start_ticks: int, ticks: int, settings: VideoSettings
) -> tuple[bytes, bytes]:
    """Encode a closed GOP as CMAF, with exactly one IDR picture at its start.

    Args:
        planes: `frames` luma planes [height, width] uint8, all of one size.
        frames: E.
        start_ticks, ticks: begin and duration of the segment in `TIMESCALE`; frame k is shown at
            start + k * ticks // E.

    Returns:
        The initialisation segment (equal for all segments of equal size and settings) and the
        media segment.
    """
    output = io.BytesIO()
    options = {"movflags": MOVFLAGS, "video_track_timescale": str(TIMESCALE)}
    edges = [k * ticks // frames for k in range(frames + 1)]
    with av.open(output, "w", format="mp4", options=options) as container:
        stream = _add_stream(container, frames, settings)
        packets: list[av.Packet] = []
        for k, plane in enumerate(planes):
            if k == 0:
                stream.height, stream.width = plane.shape
            picture = _picture(plane)
            picture.pts, picture.time_base = edges[k], Fraction(1, TIMESCALE)
            packets += stream.encode(picture)
        packets += stream.encode(None)
        delay = _set_times(packets, edges)
        container.mux(packets)
    init, media = split_segments(output.getvalue())
    return init, with_times(media, start_ticks, -delay)


def _add_stream(container: OutputContainer, frames: int, settings: VideoSettings) -> VideoStream:
    options = _encoder_options(frames, settings)
    stream = container.add_stream(ENCODERS[settings.codec], rate=25, options=options)
    if not isinstance(stream, VideoStream):
        raise TypeError(f"{ENCODERS[settings.codec]} is no video encoder")
    stream.codec_context.time_base = Fraction(1, TIMESCALE)
    stream.pix_fmt = "yuv420p"
    stream.codec_context.color_range = FULL_RANGE
    stream.codec_context.thread_count = settings.threads
    stream.codec_context.codec_tag = SAMPLE_ENTRIES[settings.codec]
    return stream


def _set_times(packets: list[av.Packet], edges: list[int]) -> int:
    """Set decode times and durations of packets in the order of decoding.

    Packet k is decoded at edges[k], less a delay that lets no picture be shown before it is
    decoded, as FFmpeg's muxer wants it.

    Returns:
        The delay, ticks; 0 where pictures are shown in the order of decoding.
    """
    shown = [packet.pts for packet in packets if packet.pts is not None]
    delay = max((edge - pts for edge, pts in zip(edges, shown, strict=False)), default=0)
    for packet, (edge, following) in zip(packets, pairwise(edges), strict=True):
        packet.dts, packet.duration = edge - delay, following - edge
    return delay


def _encoder_options(frames: int, settings: VideoSettings) -> dict[str, str]:
    gop = f"keyint={frames + 1}:min-keyint={frames + 1}:scenecut=0:open-gop=0"
    if settings.codec == "h264":
        gop = f"{gop}:bframes=0:psy=0"
        return {"preset": settings.preset, "qp": str(settings.qp), "x264-params": gop}
    # x265 refuses to look ahead over fewer pictures than may be B; the fast presets would.
    ahead = f"bframes={settings.b_pictures}:b-adapt=2:rc-lookahead={settings.b_pictures + 12}"
    exact = f"{ahead}:{settings.tuning}"
    quiet = "log-level=none:info=0:repeat-headers=0"
    return {"preset": settings.preset, "x265-params": f"qp={settings.qp}:{gop}:{exact}:{quiet}"}


def _picture(luma: np.ndarray) -> av.VideoFrame:
    height, width = luma.shape
    picture = av.VideoFrame(width, height, "yuv420p")
    row_bytes = picture.planes[0].line_size
    padded = np.zeros((height, row_bytes), np.uint8)
    padded[:, :width] = luma
    picture.planes[0].update(padded.tobytes())
    for chroma in picture.planes[1:]:
        chroma.update(bytes([NEUTRAL_CHROMA]) * chroma.buffer_size)
    return picture


def decode_segment(
    init: bytes,
    media: bytes,
    layout: TileLayout,
    shape: tuple[int, int, int],
    codec: Codec,
    name: str,
    threads: int = 1,
    cancel: CancelToken = NEVER,
) -> np.ndarray:
    """Decode the feature codes of one GOP.

    Args:
        init, media: the two segments.
        layout: the declared tiling.
        shape: declared E, M, F.
        codec: the declared codec.
        name: file name for messages.
        threads: of the decoder.
        cancel: checked once per frame.

    Returns:
        [E, M, F] uint8.

    Raises:
        CorruptSegment: not the declared video: codec, picture size, number of frames.
        Cancelled: the caller asked for it.
    """
    frames, count, _ = shape
    _check_declared(init, media, layout, codec, frames, name)
    codes = np.empty(shape, np.uint8)
    decoded = 0
    try:
        for luma in _decoded_lumas(init + media, layout, codec, threads):
            cancel.raise_if_cancelled(f"decoding {name}")
            if decoded == frames:
                raise ValueError(f"more than the declared {frames} frames")
            codes[decoded] = layout.untile(luma)[:, :count].T
            decoded += 1
    except (av.FFmpegError, ValueError, IndexError, EOFError) as error:
        raise CorruptSegment(f"{name} is not a readable feature video: {error}.") from error
    if decoded != frames:
        raise CorruptSegment(f"{name} holds {decoded} frames, scene.json says {frames}.")
    return codes


def count_pictures(init: bytes, media: bytes) -> int:
    """Decode a feature video by libavcodec alone, in one thread, and return how many pictures it
    has: the floor that benchmarks compare `decode_segment` with. Only for checked segments."""
    with av.open(io.BytesIO(init + media), "r", format="mp4") as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        return sum(1 for _ in container.decode(stream))


def _check_declared(
    init: bytes, media: bytes, layout: TileLayout, codec: Codec, frames: int, name: str
) -> None:
    try:
        entry = sample_entry(init)
        check_boxes(init, media, frames)
    except ValueError as error:
        raise CorruptSegment(f"{name} is not a readable feature video: {error}.") from error
    declared = (SAMPLE_ENTRIES[codec], layout.video_width, layout.video_height)
    found = (entry.kind, entry.width, entry.height)
    if found != declared:
        raise CorruptSegment(f"{name} holds {found} video, scene.json says {declared}.")


def _decoded_lumas(
    movie: bytes, layout: TileLayout, codec: Codec, threads: int
) -> Iterator[np.ndarray]:
    """Yield [video_height, video_width] planes; the decoder refuses larger pictures."""
    allocated_width = -(-layout.video_width // STRIDE_ALIGN_PX) * STRIDE_ALIGN_PX
    options = {"max_pixels": str(allocated_width * layout.video_height)}
    with av.open(io.BytesIO(movie), "r", format="mp4", options=options) as container:
        if len(container.streams) != 1 or len(container.streams.video) != 1:
            raise ValueError("not exactly one video stream")
        stream = container.streams.video[0]
        context = stream.codec_context  # None for a codec that FFmpeg has no decoder for
        if context is None or context.name != codec:
            raise ValueError(f"the stream is {context.name if context else 'of an unknown codec'}")
        stream.codec_context.options = options
        stream.codec_context.thread_count = threads
        for picture in container.decode(stream):
            yield _luma(picture, layout)


def _luma(picture: av.VideoFrame, layout: TileLayout) -> np.ndarray:
    if (picture.height, picture.width) != (layout.video_height, layout.video_width):
        raise ValueError(f"a picture of {picture.width} x {picture.height}")
    if picture.format.name not in ("yuv420p", "yuvj420p"):
        raise ValueError(f"pictures of format {picture.format.name}")
    plane = picture.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: picture.height, : picture.width]
