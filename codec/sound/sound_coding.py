"""Encodes sound as Opus in CMAF segments, and decodes it.

Opus is free of royalties and its encoder of a GPL (AAC has patents, and FFmpeg's own encoder needs
more bits for the same sound). The only module of this folder that knows PyAV.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import CorruptSegment, EncodeError
from streamstgs.codec.package.sound_track import PACKET_SAMPLES, RATE_HZ
from streamstgs.codec.video.mp4_boxes import (
    MOVIE_TO_SAMPLE_DESCRIPTION,
    STSD_HEADER_BYTES,
    boxes,
    find,
    split_segments,
    with_times,
)
from streamstgs.codec.video.segment_check import check_boxes

Samples = NDArray[np.int16]  # [n, channels]

BITS_PER_CHANNEL = 64_000  # per second; transparent for most sounds
SEGMENT_PACKETS = 100  # 2 s
ONE_FRAGMENT_US = 1_000_000_000  # longer than any segment
AUDIO_ENTRY_BYTES = 28  # fixed fields of an audio sample entry, before its own boxes
MOVFLAGS = "empty_moov+default_base_moof+skip_trailer"


def read_sound(path: Path, seconds: float) -> Samples:
    """Return the first seconds of the sound of an audio or video file, at `RATE_HZ`.

    Raises:
        EncodeError: the file cannot be read, or it has no sound.
    """
    wanted, parts, count = round(seconds * RATE_HZ), [], 0
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise EncodeError(f"{path} has no sound. Name an audio file.")
            stream = container.streams.audio[0]
            channels = 1 if stream.codec_context.channels == 1 else 2
            layout = "mono" if channels == 1 else "stereo"
            resampler = av.AudioResampler(format="s16", layout=layout, rate=RATE_HZ)
            for frame in container.decode(stream):
                for part in resampler.resample(frame):
                    parts.append(_interleaved(part, channels))
                    count += len(parts[-1])
                if count >= wanted:
                    break
            else:
                parts += [_interleaved(part, channels) for part in resampler.resample(None)]
    except (OSError, av.FFmpegError, ValueError) as error:
        raise EncodeError(f"The sound of {path} cannot be read: {error}.") from error
    samples = np.concatenate(parts)[:wanted] if parts else np.empty((0, 1), np.int16)
    if not len(samples):
        raise EncodeError(f"{path} has no sound. Name an audio file.")
    return samples


def encode_sound(samples: Samples) -> tuple[bytes, int, list[tuple[bytes, int]]]:
    """Encode sound at `RATE_HZ`.

    Args:
        samples: [n, channels], 1 or 2 channels.

    Returns:
        The initialisation segment, the delay in samples, and each media segment with its number
        of samples.
    """
    output = io.BytesIO()
    microseconds = 1_000_000 * SEGMENT_PACKETS * PACKET_SAMPLES // RATE_HZ
    options = {"movflags": MOVFLAGS, "frag_duration": str(microseconds)}
    with av.open(output, "w", format="mp4", options=options) as container:
        stream = _opus_stream(container, samples.shape[1])
        for begin in range(0, len(samples), PACKET_SAMPLES):
            container.mux(stream.encode(_frame(samples[begin : begin + PACKET_SAMPLES], begin)))
        container.mux(stream.encode(None))
    init, media = split_segments(output.getvalue())
    brands = find(media, ("styp",))
    head, rest = media[: brands.end], media[brands.end :]
    found = [rest[begin:end] for begin, end in _fragments(rest)]
    segments = [(head + part, _packets(part) * PACKET_SAMPLES) for part in found]
    return init, _pre_skip(init), segments


def encode_packets(samples: Samples, first: int, lead: int) -> bytes:
    """Encode a segment of a track whose other segments are encoded by themselves.

    Args:
        samples: [n, channels], those of the packets before included; n is a multiple of
            `PACKET_SAMPLES`.
        first: number of the first packet of the segment in the track.
        lead: packets at the beginning that are left out: they bring the encoder into step.

    Returns:
        The media segment.
    """
    output = io.BytesIO()
    options = {"movflags": MOVFLAGS, "frag_duration": str(ONE_FRAGMENT_US)}
    with av.open(output, "w", format="mp4", options=options) as container:
        stream = _opus_stream(container, samples.shape[1])
        for number, begin in enumerate(range(0, len(samples), PACKET_SAMPLES)):
            for packet in stream.encode(_frame(samples[begin : begin + PACKET_SAMPLES], begin)):
                packet.pts = packet.dts = (number - lead) * PACKET_SAMPLES
                if number >= lead:
                    container.mux(packet)
    _, media = split_segments(output.getvalue())
    return with_times(media, first * PACKET_SAMPLES)


def _opus_stream(container: av.container.OutputContainer, channels: int) -> av.AudioStream:
    stream = container.add_stream("libopus", rate=RATE_HZ)
    assert isinstance(stream, av.AudioStream)
    stream.layout = "mono" if channels == 1 else "stereo"
    stream.bit_rate = BITS_PER_CHANNEL * channels
    return stream


def decode_sound(
    init: bytes,
    before: bytes | None,
    media: bytes,
    expected: tuple[int, int, int],
    name: str,
    cancel: CancelToken = NEVER,
) -> Samples:
    """Decode a segment of sound.

    Args:
        init: the initialisation segment.
        before: the media segment before, which brings the decoder into step; None for the first.
        media: the media segment.
        expected: declared channels, samples of the segment before and of this one.
        name: file name for messages.
        cancel: checked once per packet.

    Returns:
        [samples, channels] int16.

    Raises:
        CorruptSegment: not the declared sound.
        Cancelled: the caller asked for it.
    """
    channels, earlier, count = expected
    parts: list[Samples] = []
    try:
        _check_entry(init, channels)
        check_boxes(init, media, _packets_of(count))
        if before is not None:
            check_boxes(init, before, _packets_of(earlier))
        most, found = count + (earlier if before is not None else 0), 0
        for part in _decoded(init + (before or b"") + media, channels):
            cancel.raise_if_cancelled(f"decoding {name}")
            parts.append(part)
            found += len(part)
            if found > most:
                raise ValueError(f"more than the declared {most} samples")
    except (av.FFmpegError, ValueError, IndexError, EOFError) as error:
        raise CorruptSegment(f"{name} is not readable sound: {error}.") from error
    samples = np.concatenate(parts)[-count:] if parts else np.empty((0, channels), np.int16)
    missing = count - len(samples)  # a decoder leaves out what it needs to start
    if missing > PACKET_SAMPLES:
        raise CorruptSegment(f"{name} holds {len(samples)} samples, scene.json says {count}.")
    return np.pad(samples, ((missing, 0), (0, 0)))


def _decoded(movie: bytes, channels: int) -> Iterator[Samples]:
    with av.open(io.BytesIO(movie), "r", format="mp4") as container:
        if len(container.streams) != 1 or len(container.streams.audio) != 1:
            raise ValueError("not exactly one track of sound")
        stream = container.streams.audio[0]
        if stream.codec_context is None or stream.codec_context.name not in ("opus", "libopus"):
            raise ValueError("a track that is not Opus")
        layout = "mono" if channels == 1 else "stereo"
        resampler = av.AudioResampler(format="s16", layout=layout, rate=RATE_HZ)
        for frame in container.decode(stream):
            if frame.sample_rate != RATE_HZ or frame.layout.nb_channels != channels:
                raise ValueError(f"{frame.layout.nb_channels} channels at {frame.sample_rate} Hz")
            for part in resampler.resample(frame):
                yield _interleaved(part, channels)


def _interleaved(frame: av.AudioFrame, channels: int) -> Samples:
    return np.asarray(frame.to_ndarray(), np.int16).reshape(-1, channels)


def _frame(samples: Samples, begin: int) -> av.AudioFrame:
    """A frame of PACKET_SAMPLES; the last one is filled with silence."""
    channels = samples.shape[1]
    whole = np.zeros((PACKET_SAMPLES, channels), np.int16)
    whole[: len(samples)] = samples
    layout = "mono" if channels == 1 else "stereo"
    frame = av.AudioFrame.from_ndarray(whole.reshape(1, -1), format="s16", layout=layout)
    frame.sample_rate, frame.pts = RATE_HZ, begin
    return frame


def _packets_of(samples: int) -> int:
    packets, rest = divmod(samples, PACKET_SAMPLES)
    if rest:
        raise ValueError(f"{samples} samples are no whole number of packets")
    return packets


def _fragments(data: bytes) -> Iterator[tuple[int, int]]:
    """The ranges of fragments: each a moof and the mdat behind it."""
    begin = None
    for box in boxes(data):
        if box.kind == "moof":
            begin = box.begin
        elif box.kind == "mdat" and begin is not None:
            yield begin, box.end
            begin = None


def _packets(fragment: bytes) -> int:
    run = find(fragment, ("moof", "traf", "trun"))
    return int(struct.unpack_from(">I", fragment, run.start + 4)[0])


def _entry(init: bytes) -> tuple[int, int]:
    """The range of the content of the only sample entry, which must be Opus."""
    table = find(init, MOVIE_TO_SAMPLE_DESCRIPTION)
    entry = next(boxes(init, table.start + STSD_HEADER_BYTES, table.end), None)
    if entry is None or entry.kind != "Opus" or entry.end - entry.start < AUDIO_ENTRY_BYTES:
        raise ValueError("no Opus sample entry")
    return entry.start, entry.end


def _pre_skip(init: bytes) -> int:
    start, end = _entry(init)
    head = find(init, ("dOps",), start + AUDIO_ENTRY_BYTES, end)
    return int(struct.unpack_from(">H", init, head.start + 2)[0])


def _check_entry(init: bytes, channels: int) -> None:
    start, end = _entry(init)
    head = find(init, ("dOps",), start + AUDIO_ENTRY_BYTES, end)
    if head.end - head.start < 11 or init[head.start + 10] != 0:
        raise ValueError("Opus channels that are mapped")
    if init[head.start + 1] != channels:
        raise ValueError(f"{init[head.start + 1]} channels, scene.json says {channels}")
