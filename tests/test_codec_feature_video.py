"""Feature video: tiling, closed GOPs of CMAF, times, and refusal of what was not declared."""

from __future__ import annotations

import io
import struct

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamstgs.codec.errors import Cancelled, CorruptSegment
from streamstgs.codec.video.codecs import Codec
from streamstgs.codec.video.feature_video import VideoSettings, decode_segment, encode_segment
from streamstgs.codec.video.mp4_boxes import boxes, find, sample_entry
from streamstgs.codec.video.tile_layout import TileLayout

from tests.cancel_tokens import TokenOfChecks

CODECS: tuple[Codec, ...] = ("hevc", "h264")
LAYOUT = TileLayout.of(24, 32, 5)


def smooth_codes(frames: int, layout: TileLayout, shift: float = 0.0) -> np.ndarray:
    """[E, F, h, w] codes that vary smoothly over the whole range."""
    t, f, y, x = np.meshgrid(
        np.arange(frames),
        np.arange(layout.features),
        np.arange(layout.height),
        np.arange(layout.width),
        indexing="ij",
    )
    wave = np.sin(0.2 * x + 0.1 * y + 0.15 * t + f + shift)
    return np.round(127.5 + 127.5 * wave).astype(np.uint8)


def encoded(codec: Codec, frames: int = 5, qp: int = 16, start: int = 0) -> tuple[bytes, bytes]:
    planes = (LAYOUT.tile(grid) for grid in smooth_codes(frames, LAYOUT))
    return encode_segment(planes, frames, start, 12_345, VideoSettings(codec, qp))


@given(st.integers(1, 20), st.integers(1, 4), st.integers(1, 4))
def test_tiling_is_reversible(features: int, rows: int, columns: int) -> None:
    layout = TileLayout.of(8 * rows, 8 * columns, features)
    grid = np.random.default_rng(features).integers(
        0, 256, (features, layout.height, layout.width), np.uint8
    )
    luma = layout.tile(grid)
    assert luma.shape == (layout.video_height, layout.video_width)
    assert all(side % 16 == 0 and side >= 64 for side in luma.shape)
    assert layout.rows * layout.columns - features <= 1
    np.testing.assert_array_equal(layout.untile(luma), grid.reshape(features, -1))


def test_first_tile_is_at_the_top_left() -> None:
    layout = TileLayout(8, 8, 4, 2)
    grid = np.zeros((4, 8, 8), np.uint8)
    grid[1, 0, 3] = 200  # channel 1, row 0, column 3
    assert np.argwhere(layout.tile(grid) == 200).tolist() == [[0, 11]]


@pytest.mark.parametrize("codec", CODECS)
def test_decoded_features_are_close(codec: Codec) -> None:
    init, media = encoded(codec)
    wanted = smooth_codes(5, LAYOUT).reshape(5, 5, -1).transpose(0, 2, 1)[:, :700]
    codes = decode_segment(init, media, LAYOUT, (5, 700, 5), codec, "x")
    assert codes.shape == (5, 700, 5)
    assert np.abs(codes.astype(int) - wanted).mean() < 1.5


@pytest.mark.parametrize("codec", CODECS)
def test_more_threads_decode_the_same(codec: Codec) -> None:
    init, media = encoded(codec)
    one, two = (
        decode_segment(init, media, LAYOUT, (5, 768, 5), codec, "x", threads=n) for n in (1, 2)
    )
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("codec", CODECS)
def test_segment_is_one_closed_gop_with_exact_times(codec: Codec) -> None:
    init, media = encoded(codec, frames=7, start=90_000 * 10)
    assert [box.kind for box in boxes(init)] == ["ftyp", "moov"]
    assert [box.kind for box in boxes(media)] == ["styp", "moof", "mdat"]
    assert {"cmfc", "iso6"} <= brands(init)
    assert {"msdh", "cmfs", "cmff"} <= brands(media)
    tfdt = find(media, ("moof", "traf", "tfdt"))
    assert struct.unpack(">Q", media[tfdt.start + 4 : tfdt.end])[0] == 900_000
    with av.open(io.BytesIO(init + media)) as container:
        stream = container.streams.video[0]
        assert stream.time_base == 1 / 90_000 or stream.time_base.denominator == 90_000
        packets = [p for p in container.demux(stream) if p.size]
    assert [p.is_keyframe for p in packets] == [True] + [False] * 6
    edges = [900_000 + k * 12_345 // 7 for k in range(8)]
    assert [p.dts for p in packets] == edges[:-1]
    assert sorted(presentation_times(media, edges)) == edges[:-1]
    assert sum(p.duration for p in packets) == 12_345


@pytest.mark.parametrize("preset", ["ultrafast", "medium"])
@pytest.mark.parametrize("frames", [1, 2, 3])
def test_short_gops_are_encoded_by_all_presets(preset: str, frames: int) -> None:
    planes = (LAYOUT.tile(grid) for grid in smooth_codes(frames, LAYOUT))
    settings = VideoSettings("hevc", 20, preset)
    init, media = encode_segment(planes, frames, 0, 900, settings)
    assert decode_segment(init, media, LAYOUT, (frames, 9, 5), "hevc", "x").shape[0] == frames


def brands(segment: bytes) -> set[str]:
    """The compatible brands that its first box names; the major one has to be among them."""
    first = next(boxes(segment))
    names = [segment[k : k + 4].decode() for k in range(first.start, first.end, 4)]
    assert names[0] in names[2:]
    return set(names[2:])


def presentation_times(media: bytes, decoded: list[int]) -> list[int]:
    """By the composition offsets of the file; FFmpeg delays all where one is negative."""
    run = find(media, ("moof", "traf", "trun"))
    version, flags = media[run.start], int.from_bytes(media[run.start + 1 : run.start + 4], "big")
    (count,) = struct.unpack_from(">I", media, run.start + 4)
    if not flags & 0x800:
        return decoded[:count]
    assert version == 1
    each = 4 * bin(flags >> 8).count("1")
    first = run.end - count * each
    return [
        decoded[k] + struct.unpack_from(">i", media, first + (k + 1) * each - 4)[0]
        for k in range(count)
    ]


def test_b_frames_are_returned_in_presentation_order() -> None:
    frames, layout = 20, TileLayout.of(24, 32, 5)
    planes = (layout.tile(grid) for grid in smooth_codes(frames, layout))
    init, media = encode_segment(planes, frames, 0, 9_000, VideoSettings("hevc", 20))
    with av.open(io.BytesIO(init + media)) as container:
        shown = [p.pts for p in container.demux(video=0) if p.size]
    assert shown != sorted(shown)
    assert [pts - shown[0] for pts in sorted(shown)] == [k * 450 for k in range(frames)]
    assert presentation_times(media, [k * 450 for k in range(frames)])[0] == 0
    codes = decode_segment(init, media, layout, (frames, 768, 5), "hevc", "x")
    wanted = smooth_codes(frames, layout).reshape(frames, 5, -1).transpose(0, 2, 1)
    errors = np.abs(codes.astype(int) - wanted).mean(axis=(1, 2))
    assert errors.max() < 2.5  # a picture out of place differs by far more
    assert np.abs(codes[1:].astype(int) - wanted[:-1]).mean() > 5


@pytest.mark.parametrize("codec", CODECS)
def test_gops_of_a_quality_share_a_header(codec: Codec) -> None:
    first, _ = encoded(codec, frames=5)
    second, media = encoded(codec, frames=9, start=500)
    assert first == second
    decode_segment(first, media, LAYOUT, (9, 10, 5), codec, "x")


def test_codec_names_follow_rfc_6381() -> None:
    assert sample_entry(encoded("h264")[0]).codecs.startswith("avc1.64")
    assert sample_entry(encoded("hevc")[0]).codecs.startswith("hvc1.")


@pytest.mark.parametrize("codec", CODECS)
def test_undeclared_video_is_refused(codec: Codec) -> None:
    init, media = encoded(codec)
    other: Codec = "h264" if codec == "hevc" else "hevc"
    wide = TileLayout.of(24, 48, 5)
    for layout, frames, name in (
        (wide, 5, codec),
        (LAYOUT, 4, codec),
        (LAYOUT, 6, codec),
        (LAYOUT, 5, other),
    ):
        with pytest.raises(CorruptSegment, match=r"seg\.m4s"):
            decode_segment(init, media, layout, (frames, 10, 5), name, "seg.m4s")


@pytest.mark.parametrize("codec", CODECS)
def test_frame_size_that_differs_from_the_container_is_refused(codec: Codec) -> None:
    """The sample entry says 64 x 64, the sequence header inside says 1024 x 1024."""
    large = np.zeros((1024, 1024), np.uint8)
    init, media = encode_segment(iter([large] * 2), 2, 0, 100, VideoSettings(codec, 32))
    at = init.find(struct.pack(">HH", 1024, 1024))
    forged = init[:at] + struct.pack(">HH", 64, 64) + init[at + 4 :]
    small = TileLayout(16, 16, 4, 2)
    assert sample_entry(forged).width == small.video_width == 64
    with pytest.raises(CorruptSegment):
        decode_segment(forged, media, small, (2, 10, 4), codec, "x")


def test_segments_of_other_qualities_and_garbage_are_refused() -> None:
    init, media = encoded("hevc")
    for broken in (b"", media[:50], media[:-20], bytes(len(media)), b"#EXTM3U\nfile:///etc/passwd"):
        with pytest.raises(CorruptSegment):
            decode_segment(init, broken, LAYOUT, (5, 10, 5), "hevc", "x")
    with pytest.raises(CorruptSegment):
        decode_segment(init[:100], media, LAYOUT, (5, 10, 5), "hevc", "x")


def test_decoding_stops_when_cancelled() -> None:
    init, media = encoded("hevc")
    token = TokenOfChecks(3)
    with pytest.raises(Cancelled):
        decode_segment(init, media, LAYOUT, (5, 10, 5), "hevc", "x", cancel=token)
