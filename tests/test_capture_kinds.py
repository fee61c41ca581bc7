"""More inputs of the kinds in `test_capture_trust`: what files declare in less usual ways."""

from __future__ import annotations

import json
import logging
import struct
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image, ImageCms
from streamstgs.trainer.datasets import load_frames
from streamstgs.trainer.datasets.files import in_camera_order, read_json
from streamstgs.trainer.datasets.timing import PictureTimes, check_clocks
from streamstgs.trainer.errors import CaptureError
from streamstgs.trainer.points.point_cloud import read_ply

from tests.written_captures import (
    CAMERAS,
    FPS,
    FRAMES,
    HEIGHT,
    WIDTH,
    entry,
    image_capture,
    opened,
    picture,
    refused,
    shown_frames,
    video_capture,
    write_cameras,
)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return image_capture(tmp_path)


def video_of(
    path: Path, codec: str = "libx264", size: tuple[int, int] = (WIDTH, HEIGHT), **how: Any
):
    """Writes a video of FRAMES pictures; `how` are attributes of the encoder, or its options."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=FPS, options=how.pop("options", {}))
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.metadata.update(how.pop("metadata", {}))
        color_range = how.pop("color_range", 1)
        stream.codec_context.color_range = color_range
        for frame in range(FRAMES):
            image = Image.fromarray(picture(2, frame)).resize(size, Image.Resampling.NEAREST)
            shown = av.VideoFrame.from_image(image)
            shown = shown.reformat(format="yuv420p", dst_color_range=color_range)
            shown.color_range = color_range
            shown.pts, shown.time_base = frame, Fraction(1, FPS)
            container.mux(stream.encode(shown))
        container.mux(stream.encode())


# Time


def times(fps: float, camera: str = "2") -> PictureTimes:
    seconds = tuple(k / fps for k in range(1000))
    return PictureTimes(camera, f"{camera}.mp4", tuple(range(1000)), seconds)


def test_camera_that_runs_ahead_is_named() -> None:
    """0.8 % are within the tolerance of a rate, and 8 frames in a thousand."""
    with pytest.raises(CaptureError, match=r"camera 2: .* frame 999 .* 8\.\d frames off"):
        check_clocks([times(25, "0"), times(25, "1"), times(24.8)], 25, 1000)
    check_clocks([times(25, "0"), times(25, "1"), times(24.8)], 25, 50)
    check_clocks([times(24000 / 1001, str(k)) for k in range(3)], 24, 1000)


def test_rate_other_than_declared_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        check_clocks([times(24.8, str(k)) for k in range(3)], 25, 1000)
    assert "24.8 frames per second, the capture is played at 25" in caplog.text


def test_interlaced_video_is_named(tmp_path: Path) -> None:
    folder = video_capture(tmp_path)
    video_of(folder / "2.mp4", options={"x264-params": "interlaced=1:tff=1"})
    refused(folder, "camera 2", "interlaced")


def test_images_of_every_other_frame_are_refused_beside_all(images: Path) -> None:
    for path in (images / "ims" / "2").iterdir():
        path.rename(path.with_name(f"x{2 * int(path.stem):06d}.png"))
    refused(images, "camera 2", "frame 000001 is missing")


# Colour


@pytest.mark.parametrize("color_range", [1, 2])
def test_range_of_a_video_is_applied(tmp_path: Path, color_range: int) -> None:
    folder = video_capture(tmp_path)
    video_of(folder / "2.mp4", options={"qp": "1"}, color_range=color_range)
    assert shown_frames(folder) == list(range(FRAMES))
    read = load_frames(opened(folder).views[2:3], [3])[0][0].numpy().astype(int)
    assert np.abs(read - picture(2, 3)).mean() < 2


@pytest.mark.parametrize("name", ["2.webm", "2.mkv"])
def test_alpha_of_a_second_stream_is_named(tmp_path: Path, name: str) -> None:
    folder = video_capture(tmp_path)
    (folder / "2.mp4").unlink()
    video_of(folder / name, "libvpx-vp9", metadata={"alpha_mode": "1"})
    refused(folder, "camera 2", "transparent")


def test_dolby_vision_is_named(tmp_path: Path) -> None:
    folder = video_capture(tmp_path)
    path = folder / "2.mp4"
    video_of(path, "libx265", size=(64, 64), options={"x265-params": "log-level=none"})
    path.write_bytes(path.read_bytes().replace(b"hev1", b"dvhe"))
    refused(folder, "camera 2", "Dolby Vision")


def test_file_with_two_videos_is_named(tmp_path: Path) -> None:
    folder = video_capture(tmp_path)
    with av.open(str(folder / "2.mp4"), "w") as container:
        streams = [container.add_stream("libx264", rate=FPS) for _ in range(2)]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for stream in streams:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(2, 0), format="rgb24")))
            container.mux(stream.encode())
    refused(folder, "camera 2", "more than one video")


def with_chunk(png: bytes, kind: bytes, content: bytes) -> bytes:
    """A PNG with a chunk behind its header."""
    chunk = struct.pack(">I", len(content)) + kind + content
    chunk += struct.pack(">I", zlib.crc32(kind + content))
    return png[:33] + chunk + png[33:]


P3_CHROMATICITY = struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)


@pytest.mark.parametrize(
    ("kind", "content", "word"),
    [
        (b"tRNS", struct.pack(">HHH", *picture(1, 0)[0, 9].tolist()), "transparent"),
        (b"cICP", bytes([12, 13, 0, 1]), "Display P3"),
        (b"cICP", bytes([9, 1, 0, 1]), "BT.2020"),
        (b"cICP", bytes([9, 16, 0, 1]), "PQ"),
        (b"cHRM", P3_CHROMATICITY, "primaries"),
        (b"gAMA", struct.pack(">I", 100_000), "gamma"),
    ],
)
def test_what_a_png_declares_is_named(images: Path, kind: bytes, content: bytes, word: str) -> None:
    path = images / "ims" / "1" / "000000.png"
    path.write_bytes(with_chunk(path.read_bytes(), kind, content))
    refused(images, "camera 1", "000000.png", word)


def test_adobe_rgb_of_a_camera_is_named(images: Path) -> None:
    def directory(tag: int, kind: int, count: int, value: bytes) -> bytes:
        return struct.pack("<HHHI", 1, tag, kind, count) + value + bytes(4)

    exif = b"Exif\0\0II*\0" + struct.pack("<I", 8) + directory(0x8769, 4, 1, struct.pack("<I", 26))
    exif += directory(0xA005, 4, 1, struct.pack("<I", 44)) + directory(1, 2, 4, b"R03\0")
    path = images / "ims" / "1" / "000000.png"
    Image.fromarray(picture(1, 0)).save(path, exif=exif)
    refused(images, "camera 1", "Adobe RGB")


def test_name_of_a_colour_profile_is_not_believed(images: Path) -> None:
    """A profile called sRGB of linear light, as one of Elle Stone's is."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    tags = struct.unpack_from(">I", profile, 128)[0]
    for k in range(tags):
        kind, at, size = struct.unpack_from(">4sII", profile, 132 + 12 * k)
        if kind in (b"rTRC", b"gTRC", b"bTRC"):
            profile[at : at + size] = (
                b"para" + bytes(4) + struct.pack(">HHI", 0, 0, 1 << 16) + bytes(size - 16)
            )
    path = images / "ims" / "1" / "000000.png"
    Image.fromarray(picture(1, 0)).save(path, icc_profile=bytes(profile))
    read = load_frames(opened(images).views[1:2], [0])[0][0].numpy().astype(float)
    linear = picture(1, 0) / 255.0
    srgb = np.where(linear < 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.abs(read - 255 * srgb).max() <= 2


# Orientation


@pytest.mark.parametrize("suffix", ["png", "webp", "tif", "jpg"])
def test_orientation_in_each_kind_of_file_is_applied(tmp_path: Path, suffix: str) -> None:
    folder = image_capture(tmp_path, f"{{frame:03d}}.{suffix}")
    exif = Image.Exif()
    exif[0x0112] = 3
    path = folder / "ims" / "1" / f"000.{suffix}"
    turned = Image.fromarray(picture(1, 0)[::-1, ::-1])
    turned.save(path, exif=exif, quality=100)
    read = load_frames(opened(folder).views[1:2], [0])[0][0].numpy().astype(int)
    assert np.abs(read - picture(1, 0)).mean() < 8


# Which file is which


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["cam0", "cam1", "cam0_mask"], ["2 kinds", "cam0_mask"]),
        (["cam00", "cam00 (1)", "cam02"], ["2 kinds", "cam00 (1)"]),
        (["cam1", "cam01", "cam2"], ["cam01.mp4 and cam1.mp4"]),
        (["cam3_1", "cam1_2", "cam2_3"], ["cam1_2.mp4", "or cam3_1.mp4"]),
        (["camA", "cama"], ["camA.mp4", "cama.mp4"]),
    ],
)
def test_order_of_cameras_with_two_readings_is_refused(
    tmp_path: Path, names: list[str], words: list[str]
) -> None:
    with pytest.raises(CaptureError) as refusal:
        in_camera_order(tmp_path / f"{name}.mp4" for name in names)
    assert [word for word in words if word not in str(refusal.value)] == []


def test_one_camera_of_two_formats_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=r"cam1\.mov and cam1\.mp4"):
        in_camera_order([tmp_path / "cam1.mp4", tmp_path / "cam1.mov", tmp_path / "cam2.mp4"])


@pytest.mark.parametrize(
    "names", [["cam2", "cam10"], ["camA", "camB"], ["cam2_30fps", "cam10_60fps"], ["cam1_1080"]]
)
def test_order_of_cameras_is_natural(tmp_path: Path, names: list[str]) -> None:
    found = in_camera_order(tmp_path / f"{name}.mp4" for name in reversed(names))
    assert [path.stem for path in found] == names


def test_member_given_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cameras.json"
    path.write_text('{"fps": 24, "frames": 6, "fps": 30, "cameras": []}')
    with pytest.raises(CaptureError, match="'fps' is given twice"):
        read_json(path)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_encodings_without_a_mark_are_read(images: Path, encoding: str) -> None:
    path = images / "cameras.json"
    path.write_text(path.read_text(), encoding=encoding)
    opened(images)


# Calibration


@pytest.mark.parametrize(
    "changes",
    [
        {"distortion_coeffs": [0.1]}, {"kc": [0, 0.2]}, {"dist_coef": [0.1]}, {"k1": "0.1"},
        {"lens": {"k2": 0.1}}, {"intrinsics": {"camera_model": "fisheye"}}, {"is_fisheye": True},
        {"camera_model": "OPENCV", "params": [30, 30, 16, 12, 0.1, 0, 0, 0]},
        {"camera_model": "SIMPLE_RADIAL", "params": [30, 16, 12, -0.05]},
        {"camera_model": 5}, {"projection": "equirectangular"}, {"radial_params": [0.1]},
    ],
)  # fmt: skip
def test_lens_distortion_by_other_names_is_not_ignored(
    images: Path, changes: dict[str, Any]
) -> None:
    write_cameras(images, [entry(k, **(changes if k == 1 else {})) for k in range(CAMERAS)])
    refused(images, "camera 1", "undistort")
    write_cameras(images, **changes)
    refused(images, "undistort")


def test_members_that_are_no_distortion_are_accepted(images: Path) -> None:
    others = {"distance": 3.5, "params": [30, 30, 16, 12], "serial": "K1-20", "camera_model": 1}
    write_cameras(images, [entry(k, **others) for k in range(CAMERAS)])
    opened(images)


@pytest.mark.parametrize("scale", [0.9, 1.1, 1.2])
def test_K_of_a_slightly_other_size_is_named(images: Path, scale: float) -> None:
    K = [[30 * scale, 0, WIDTH * scale / 2], [0, 30 * scale, HEIGHT * scale / 2], [0, 0, 1]]
    write_cameras(images, [entry(k, K=K) for k in range(CAMERAS)])
    refused(images, f"{WIDTH * scale:.0f}x{HEIGHT * scale:.0f}")


def test_one_lens_may_be_off_the_middle(images: Path) -> None:
    K = [[30, 0, 17.5], [0, 30, 13.125], [0, 0, 1]]
    write_cameras(images, [entry(k, **({"K": K} if k == 1 else {})) for k in range(CAMERAS)])
    opened(images)


def test_focal_length_in_millimetres_is_named(images: Path) -> None:
    K = [[3.5, 0, 16], [0, 3.5, 12], [0, 0, 1]]
    write_cameras(images, [entry(k, K=K) for k in range(CAMERAS)])
    refused(images, "camera 0", "degrees", "px")


# Points


@pytest.mark.parametrize(
    ("kind", "levels", "told"),
    [("float", (255, 0, 51), True), ("int", (255, 0, 51), True), ("float", (1, 0, 0.2), False),
     ("double", (255, 0, 51), True), ("ushort", (65535, 0, 13107), False)],
)  # fmt: skip
def test_colours_of_points_in_any_range_are_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str, levels: tuple, told: bool
) -> None:
    path = tmp_path / "points.ply"
    properties = [f"property float {k}" for k in "xyz"]
    properties += [f"property {kind} {k}" for k in ("red", "green", "blue")]
    header = ["ply", "format ascii 1.0", "element vertex 1", *properties, "end_header"]
    path.write_text("\n".join([*header, "1 2 3 " + " ".join(map(str, levels))]) + "\n")
    with caplog.at_level(logging.WARNING):
        colors = read_ply(path).colors
    assert np.allclose(colors.numpy(), [[1, 0, 0.2]], atol=1e-4)
    assert ("0 to 255" in caplog.text) == told


def test_unused_names_stay_out(images: Path) -> None:
    """A document with members of other programs is read; those that change the picture are not."""
    document = json.loads((images / "cameras.json").read_text())
    (images / "cameras.json").write_text(json.dumps(document | {"version": 2, "author": "x"}))
    assert shown_frames(images) == list(range(FRAMES))
