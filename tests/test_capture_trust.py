"""Captures are read right or refused: the right frame, upright, in the right colour and pose."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from PIL import Image, ImageCms
from streamstgs.trainer.datasets import CaptureConfig, load_frames
from streamstgs.trainer.datasets.files import frame_numbers, read_json
from streamstgs.trainer.datasets.timing import PictureTimes
from streamstgs.trainer.errors import CaptureError

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
    write_video,
)

Write = Callable[..., Path]


@pytest.fixture
def videos(tmp_path: Path) -> Write:
    return partial(video_capture, tmp_path)


@pytest.fixture
def images(tmp_path: Path) -> Write:
    return partial(image_capture, tmp_path)


# Time


def test_video_of_twice_the_rate_is_read_by_its_times(
    videos: Write, caplog: pytest.LogCaptureFixture
) -> None:
    folder = videos(rate=2 * FPS, pts=list(range(2 * FRAMES)))
    write_cameras(folder, frames=3)
    with caplog.at_level(logging.WARNING):
        assert shown_frames(folder) == [0, 2, 4]
    assert "one in 2" in caplog.text


def test_frame_missing_from_the_time_stamps_is_named(videos: Write) -> None:
    refused(videos(pts=[0, 1, 2, 5, 6, 7]), "camera 2", "frame 3")


def test_video_that_starts_late_is_named(videos: Write) -> None:
    folder = videos(pts=[2, 3, 4, 5, 6, 7])
    refused(folder, "camera 2", "frame 0", "starts 2 frames after")
    assert shown_frames(folder, config=CaptureConfig(ignore_start=True)) == list(range(FRAMES))


def test_declared_rate_that_no_video_has_is_refused(videos: Write) -> None:
    folder = videos()
    write_cameras(folder, fps=60)
    refused(folder, "camera 0", "24", "60")


def test_slower_camera_is_named(videos: Write) -> None:
    refused(videos(rate=FPS // 2), "camera 2", "12", "24")


def test_uneven_time_stamps_are_named(videos: Write) -> None:
    refused(videos(rate=1000, pts=[0, 42, 60, 125, 167, 208]), "camera 2", "constant frame rate")


def test_two_pictures_at_one_time_are_named(videos: Write) -> None:
    refused(videos(rate=1000, pts=[0, 42, 83, 84, 125, 167]), "camera 2")


def test_short_video_is_named(videos: Write) -> None:
    refused(videos(pts=[0, 1, 2, 3]), "camera 2", "4 frames", "6 are needed")


def test_longer_video_is_told(videos: Write, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert shown_frames(videos(pts=list(range(FRAMES + 1)))) == list(range(FRAMES))
    assert "differ in length" in caplog.text


def test_rates_that_round_differently_are_the_same() -> None:
    stamps = tuple(round(k * 1000 * 1001 / 24000) for k in range(600))  # 23.976 in milliseconds
    times = PictureTimes("0", "a.mkv", stamps, tuple(s / 1000 for s in stamps))
    assert times.fps == pytest.approx(23.976, abs=1e-3)
    assert times.placed(24.0, 600, 0.0) == stamps
    assert times.placed(23.976, 600, 0.0) == stamps


def test_image_numbers_with_a_gap_are_refused(images: Write) -> None:
    folder = images()
    for camera in range(CAMERAS):
        path = folder / "ims" / str(camera) / "000005.png"
        path.rename(path.with_name("000007.png"))
    refused(folder, "camera 0", "after frame 4 comes 7")


# Orientation


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_turned_video_is_read_upright(videos: Write, rotation: int) -> None:
    on_side = rotation % 180 != 0
    folder = videos(rotation=rotation, size=(HEIGHT, WIDTH) if on_side else (WIDTH, HEIGHT))
    read = load_frames(opened(folder).views[2:3], [0])[0].numpy()[0].astype(int)
    stored = picture(2, 0).swapaxes(0, 1) if on_side else picture(2, 0)
    expected = np.rot90(stored, {90: 1, 180: 2, -90: -1}[rotation]).astype(int)
    assert read.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(read - expected).mean() < 6


def test_turned_video_of_the_calibrated_size_is_named(videos: Write) -> None:
    refused(videos(rotation=90), "camera 2", "24x32", "swapped")


@pytest.mark.parametrize("orientation", range(2, 9))
def test_turned_image_is_read_upright(images: Write, orientation: int) -> None:
    folder = images()
    upright = Image.fromarray(picture(1, 0))
    turns = Image.Transpose
    stored_as = {
        2: turns.FLIP_LEFT_RIGHT, 3: turns.ROTATE_180, 4: turns.FLIP_TOP_BOTTOM,
        5: turns.TRANSPOSE, 6: turns.ROTATE_90, 7: turns.TRANSVERSE, 8: turns.ROTATE_270,
    }  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = folder / "ims" / "1" / "000000.png"
    upright.transpose(stored_as[orientation]).save(path, exif=exif)
    assert np.array_equal(load_frames(opened(folder).views[1:2], [0])[0][0], picture(1, 0))


# Colour


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG"), (8, "linear")])
def test_transfer_function_of_a_video_is_named(videos: Write, transfer: int, name: str) -> None:
    refused(videos(tags={"color_trc": transfer}), "camera 2", name)


def test_wide_primaries_of_a_video_are_named(videos: Write) -> None:
    refused(videos(tags={"color_primaries": 9}), "camera 2", "BT.2020")


def test_tagged_matrix_of_a_video_is_applied(tmp_path: Path) -> None:
    red = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    red[..., 0] = 220
    for number in range(CAMERAS):
        with av.open(str(tmp_path / f"{number}.mp4"), "w") as container:
            stream = container.add_stream("libx264", rate=FPS, options={"qp": "1"})
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            stream.codec_context.colorspace = 1 if number == 1 else 2
            for _ in range(2):
                frame = av.VideoFrame.from_ndarray(red, format="rgb24")
                shown = frame.reformat(format="yuv420p", dst_colorspace="ITU709")
                container.mux(stream.encode(shown))
            container.mux(stream.encode())
    write_cameras(tmp_path, frames=2)
    first = [load_frames(opened(tmp_path).views, [0])[k][0, 9, 9] for k in (1, 2)]
    assert (first[0].int() - torch.tensor([220, 0, 0])).abs().max() <= 4
    assert (first[1].int() - torch.tensor([220, 0, 0])).abs().max() > 10  # taken as BT.601
    asked = opened(tmp_path, CaptureConfig(untagged_matrix="bt709"))
    untagged = load_frames(asked.views[2:3], [0])[0][0, 9, 9]
    assert (untagged.int() - torch.tensor([220, 0, 0])).abs().max() <= 4


def test_guessed_matrix_is_told(videos: Write, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        opened(videos())
    assert "bt601 is assumed" in caplog.text
    assert "--capture.untagged-matrix" in caplog.text


def test_transparent_video_is_named(tmp_path: Path) -> None:
    for number in range(CAMERAS):
        with av.open(str(tmp_path / f"{number}.mov"), "w") as container:
            stream = container.add_stream("qtrle", rate=FPS)
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "argb"
            pixels = np.full((HEIGHT, WIDTH, 4), 255, np.uint8)
            pixels[:5, :5, 0] = 100 if number == 2 else 255
            for _ in range(2):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="argb")))
            container.mux(stream.encode())
    write_cameras(tmp_path, frames=2)
    refused(tmp_path, "camera 2", "transparent")


def test_colour_profile_of_an_image_is_converted(images: Write) -> None:
    folder = images()
    path = folder / "ims" / "1" / "000000.png"
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(picture(1, 0)).save(path, icc_profile=lab.replace(b"sRGB", b"gRGB"))
    read = load_frames(opened(folder).views[1:2], [0])[0][0].numpy().astype(int)
    assert np.abs(read - picture(1, 0)).max() <= 2  # the same colours by another name


def test_broken_colour_profile_is_named(images: Write) -> None:
    folder = images()
    path = folder / "ims" / "1" / "000000.png"
    Image.fromarray(picture(1, 0)).save(path, icc_profile=b"no profile" * 20)
    refused(folder, "camera 1", "000000.png")


# Which file is which


@pytest.mark.parametrize(
    "template",
    [
        "frame{frame}_cam8.png", "{frame:04d}_rgb8.png", "shot_{frame}-1080.png",
        "{frame}.000.png", "cam{camera}-{frame}.png", "{frame:03d}.PNG",
    ],
)  # fmt: skip
def test_frame_number_is_the_group_of_digits_that_differs(images: Write, template: str) -> None:
    assert shown_frames(images(template)) == list(range(FRAMES))


def test_many_frames_are_sorted_by_number() -> None:
    names = [f"take2_{k}" for k in range(12)]
    assert frame_numbers(names, "camera 0") == list(range(12))


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["a1_b2", "a2_b3"], ["2 or 3"]),
        (["frame_1", "mask_1"], ["2 kinds", "'frame_1'", "'mask_1'"]),
        (["left", "left"], ["no frame numbers"]),
    ],
)
def test_names_with_two_readings_are_refused(names: list[str], words: list[str]) -> None:
    with pytest.raises(CaptureError) as refusal:
        frame_numbers(names, "camera 0")
    assert all(word in str(refusal.value) for word in words)


def test_hidden_files_are_no_frames(images: Write) -> None:
    folder = images()
    (folder / "ims" / "2" / "._000000.png").write_bytes(b"resource fork")
    assert shown_frames(folder) == list(range(FRAMES))


def test_masks_beside_frames_are_refused(images: Write) -> None:
    folder = images()
    for frame in range(FRAMES):
        Image.fromarray(picture(0, frame)).save(folder / "ims" / "2" / f"{frame:06d}_mask.png")
    refused(folder, "camera 2", "000000", "mask")


def test_frame_number_given_twice_is_named(images: Write) -> None:
    folder = images()
    Image.fromarray(picture(2, 3)).save(folder / "ims" / "2" / "3.png")
    refused(folder, "camera 2", "3.png", "000003.png", "frame 3")


def test_video_beside_images_is_refused(images: Write) -> None:
    folder = images()
    write_video(folder / "2.mp4", 3)
    refused(folder, "camera 2", "2.mp4", "ims/2")
    write_cameras(folder, [entry(k, video="2.mp4" if k == 2 else ...) for k in range(CAMERAS)])
    opened(folder)


def test_named_video_that_is_missing_is_not_replaced_by_images(images: Write) -> None:
    folder = images()
    write_cameras(folder, [entry(k, video="lost.mp4" if k == 2 else ...) for k in range(CAMERAS)])
    refused(folder, "camera 2", "lost.mp4")


@pytest.mark.parametrize(
    ("named", "stored"),
    [
        ("Kamera_2.mp4", "kamera_2.MP4"), ("clips\\2.mp4", "clips/2.mp4"),
        (unicodedata.normalize("NFD", "höhe.mp4"), unicodedata.normalize("NFC", "höhe.mp4")),
    ],
)  # fmt: skip
def test_names_are_found_as_people_write_them(videos: Write, named: str, stored: str) -> None:
    folder = videos()
    (folder / stored).parent.mkdir(exist_ok=True)
    (folder / "2.mp4").rename(folder / stored)
    write_cameras(folder, [entry(k, video=named if k == 2 else ...) for k in range(CAMERAS)])
    assert shown_frames(folder) == list(range(FRAMES))


@pytest.mark.parametrize("suffix", ["webp", "tif", "bmp", "JPG"])
def test_other_image_formats_are_found(images: Write, suffix: str) -> None:
    assert shown_frames(images(f"{{frame:03d}}.{suffix}")) == list(range(FRAMES))


def test_two_cameras_with_one_file_are_named(videos: Write) -> None:
    folder = videos()
    write_cameras(folder, [entry(k, video=f"{min(k, 2)}.mp4") for k in range(CAMERAS)])
    refused(folder, "cameras 2 and 3", "2.mp4")


def test_two_cameras_with_one_recording_are_told(
    videos: Write, caplog: pytest.LogCaptureFixture
) -> None:
    folder = videos()
    (folder / "3.mp4").write_bytes((folder / "2.mp4").read_bytes())
    with caplog.at_level(logging.WARNING):
        opened(folder)
    assert "cameras 2 and 3: 2.mp4 and 3.mp4 are the same recording" in caplog.text


def test_two_cameras_with_one_pose_are_named(videos: Write) -> None:
    folder = videos()
    pose = entry(2)["w2c"]
    write_cameras(folder, [entry(k) | ({"w2c": pose} if k > 1 else {}) for k in range(CAMERAS)])
    refused(folder, "cameras 2 and 3", "same pose")


# Calibration


@pytest.mark.parametrize(
    "changes",
    [{"k1": 0.1}, {"distortion": [0, 0, 0.01]}, {"D": {"p1": 1e-3}}, {"camera_model": "FISHEYE"}],
)
def test_lens_distortion_is_not_ignored(images: Write, changes: dict[str, Any]) -> None:
    folder = images()
    write_cameras(folder, [entry(k, **(changes if k == 1 else {})) for k in range(CAMERAS)])
    refused(folder, "camera 1", "undistort")


def test_lens_distortion_of_nothing_is_accepted(images: Write) -> None:
    folder = images()
    write_cameras(folder, [entry(k, k1=0.0, distortion=[0, 0]) for k in range(CAMERAS)])
    opened(folder)


@pytest.mark.parametrize(
    ("K", "words"),
    [
        ([[90, 0, 48], [0, 90, 36], [0, 0, 1]], ["96x72"]),
        ([[15, 0, 8], [0, 15, 6], [0, 0, 1]], ["16x12"]),
        ([[0.9, 0, 0.5], [0, 1.2, 0.5], [0, 0, 1]], ["normalised"]),
        ([[30, 0, 40], [0, 30, 12], [0, 0, 1]], ["principal point", "outside"]),
    ],
)
def test_K_of_another_picture_is_named(
    images: Write, K: list[list[float]], words: list[str]
) -> None:
    folder = images()
    write_cameras(folder, [entry(k, K=K) for k in range(CAMERAS)])
    refused(folder, "camera 0", *words)


FLIP = np.diag([1.0, -1, -1, 1])


@pytest.mark.parametrize(
    ("wrong", "reading"),
    [
        (np.linalg.inv, "camera-to-world"),
        (lambda m: FLIP @ m, "world-to-camera with the axes of OpenGL"),
        (lambda m: np.linalg.inv(FLIP @ m), "camera-to-world with the axes of OpenGL"),
    ],
)
def test_poses_of_another_convention_are_recognised(
    images: Write, wrong: Callable[[np.ndarray], np.ndarray], reading: str
) -> None:
    folder = images()
    entries = [entry(k) for k in range(CAMERAS)]
    for camera in entries:
        camera["w2c"] = wrong(np.array(camera["w2c"])).tolist()
    write_cameras(folder, entries)
    refused(folder, reading)
    opened(folder, CaptureConfig(trust_poses=True))


def test_camera_that_looks_elsewhere_is_named(
    images: Write, caplog: pytest.LogCaptureFixture
) -> None:
    folder = images()
    entries = [entry(k) for k in range(CAMERAS)]
    away = np.array(entries[3]["w2c"])
    away[:3] = np.diag([-1, 1, -1]) @ away[:3]  # turned around
    entries[3]["w2c"] = away.tolist()
    write_cameras(folder, entries)
    with caplog.at_level(logging.WARNING):
        opened(folder)
    assert "not seen by camera 3" in caplog.text


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_encodings_of_other_editors_are_read(images: Write, encoding: str) -> None:
    folder = images()
    path = folder / "cameras.json"
    path.write_text(path.read_text(), encoding=encoding)
    assert shown_frames(folder) == list(range(FRAMES))


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x80\x81", b"{" * 10_000, b"\xef\xbb\xbf["])
def test_what_is_no_json_is_one_short_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "cameras.json").write_bytes(content)
    with pytest.raises(CaptureError) as refusal:
        read_json(tmp_path / "cameras.json")
    assert len(str(refusal.value)) < 300 + len(str(tmp_path))


def test_folder_that_does_not_exist_is_said(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere", "does not exist")
    (tmp_path / "file").touch()
    refused(tmp_path / "file", "is a file")


# Neural 3D Video


@pytest.fixture
def neural(tmp_path: Path) -> Write:
    """Writes 12 videos without leading zeros, cam0.mp4 to cam11.mp4, beside `poses_bounds.npy`."""

    def write(suffix: str = "mp4", **changes: Any) -> Path:
        rows = []
        for camera in range(12):
            own = changes if camera == 2 else {}
            write_video(tmp_path / f"cam{camera}.{suffix}", camera % 4, **own)
            pose = np.zeros((3, 5))
            pose[:, 0], pose[:, 1], pose[:, 2] = (0, -1, 0), (1, 0, 0), (0, 0, 1)
            pose[:, 3] = (camera, 0, 4)
            pose[:, 4] = (2 * HEIGHT, 2 * WIDTH, 60)
            rows.append(np.concatenate([pose.ravel(), [1, 10]]))
        np.save(tmp_path / "poses_bounds.npy", np.stack(rows))
        return tmp_path

    return write


def test_neural_cameras_are_in_the_order_of_their_numbers(neural: Write) -> None:
    capture = opened(neural())
    assert [v.name for v in capture.views] == [f"cam{k}" for k in range(12)]
    assert [round(v.camera.position[0].item()) for v in capture.views] == list(range(12))


def test_neural_video_of_another_rate_is_named(neural: Write) -> None:
    refused(neural(rate=30), "camera cam2", "30", "24")


def test_neural_videos_in_capitals_are_found(neural: Write) -> None:
    assert len(opened(neural("MP4")).views) == 12


def test_neural_poses_of_another_aspect_ratio_are_named(neural: Write) -> None:
    folder = neural()
    poses = np.load(folder / "poses_bounds.npy")
    swapped = poses.copy()
    swapped[:, [4, 9]] = poses[:, [9, 4]]
    np.save(folder / "poses_bounds.npy", swapped)
    refused(folder, "camera cam0", "calibration says 48x64")


def test_neural_frame_missing_from_the_time_stamps_is_named(neural: Write) -> None:
    refused(neural(pts=[0, 1, 2, 4, 5, 6]), "camera cam2", "frame 3")


@pytest.mark.parametrize("focal", [1e308, np.finfo(np.float64).max])
def test_neural_focal_length_beyond_numbers_is_refused(neural: Write, focal: float) -> None:
    folder = neural()
    poses = np.load(folder / "poses_bounds.npy")
    poses[:, 14] = focal
    poses[:, 9] = 1e-3
    poses[:, 4] = 1e-3 * HEIGHT / WIDTH
    np.save(folder / "poses_bounds.npy", poses)
    refused(folder, "camera cam0", "poses_bounds.npy")
