"""Captures on disk: what is read, and errors that name the camera before training starts."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import av
import imageio.v3 as iio
import numpy as np
import pytest
import torch
from PIL import Image
from streamstgs.renderer import Camera
from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.datasets import CaptureConfig, check_capture, load_frames, open_capture
from streamstgs.trainer.datasets.capture import point_of_attention, up_direction
from streamstgs.trainer.datasets.readers import VideoReader
from streamstgs.trainer.errors import CaptureError
from streamstgs.trainer.points.initial_points import InitialPointsConfig
from streamstgs.trainer.points.point_cloud import PointCloud, write_ply
from streamstgs.trainer.points.projection import project
from streamstgs.trainer.train import train

WIDTH, HEIGHT, FRAMES, CAMERAS = 32, 24, 5, 4


def picture(camera: int, frame: int, width: int = WIDTH) -> np.ndarray:
    """Grey says which camera and frame; the top half is brighter, the left edge is red."""
    pixels = np.full((HEIGHT, width, 3), 40 * camera + 10 * frame, np.uint8)
    pixels[: HEIGHT // 2] += 40
    pixels[:, :8] = (250, 0, 0)
    return pixels


def write_video(path: Path, frames: list[np.ndarray]) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=12, options={"qp": "8"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())


def entry(number: int) -> dict[str, Any]:
    """A camera at (number, 0, -4) that looks along z with -y up."""
    viewmat = np.eye(4)
    viewmat[:3, 3] = (-number, 0, 4)
    return {
        "id": number,
        "split": "train" if number else "test",
        "w": WIDTH,
        "h": HEIGHT,
        "K": [[30, 0, WIDTH / 2], [0, 30, HEIGHT / 2], [0, 0, 1]],
        "w2c": viewmat.tolist(),
    }


def write_json(folder: Path, **changes: Any) -> None:
    document = {"name": "plain", "fps": 12, "frames": FRAMES}
    document |= {"cameras": [entry(k) for k in range(CAMERAS)]} | changes
    (folder / "cameras.json").write_text(json.dumps(document))


@pytest.fixture
def images(tmp_path: Path) -> Path:
    for camera in range(CAMERAS):
        (tmp_path / "ims" / str(camera)).mkdir(parents=True)
        for frame in range(FRAMES):
            path = tmp_path / "ims" / str(camera) / f"{frame:06d}.png"
            iio.imwrite(path, picture(camera, frame))
    write_json(tmp_path)
    return tmp_path


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    for camera in range(CAMERAS):
        frames = [picture(camera, frame) for frame in range(FRAMES)]
        write_video(tmp_path / f"cam{camera:02d}.mp4", frames)
    cameras = [entry(k) | {"video": f"cam{k:02d}.mp4"} for k in range(CAMERAS)]
    write_json(tmp_path, cameras=cameras)
    return tmp_path


def test_images_are_read_frame_by_frame(images: Path) -> None:
    capture = open_capture(images)
    check_capture(capture)
    assert (capture.title, capture.fps, capture.frames) == ("plain", 12, FRAMES)
    assert [v.name for v in capture.split("train")] == ["1", "2", "3"]
    assert [v.name for v in capture.split("test")] == ["0"]
    assert len(capture.split("all")) == CAMERAS
    first, second = load_frames(capture.views[:2], range(1, 4))
    assert np.array_equal(first, np.stack([picture(0, k) for k in (1, 2, 3)]))
    assert np.array_equal(second, np.stack([picture(1, k) for k in (1, 2, 3)]))


def test_videos_are_read_frame_by_frame(videos: Path) -> None:
    capture = open_capture(videos)
    check_capture(capture)
    found = load_frames(capture.views, [0, 2, 4])[2].numpy().astype(int)
    expected = np.stack([picture(2, k) for k in (0, 2, 4)]).astype(int)
    assert np.abs(found - expected)[:, :, 12:].max() < 8  # away from the edge of the red
    assert (found[:, :, :6] - [250, 0, 0]).max() < 40


@pytest.mark.parametrize(("option", "first"), [((), [1, 2, 0, 1]), (("1=0", "3=2"), [1, 1, 0, 3])])
def test_offsets_of_the_file_move_cameras(
    images: Path, option: tuple[str, ...], first: list[int]
) -> None:
    offsets = {1: 1, 2: -1}
    cameras = [entry(k) | ({"offset": offsets[k]} if k in offsets else {}) for k in range(CAMERAS)]
    write_json(images, cameras=cameras)
    capture = open_capture(images, CaptureConfig(offset=option))
    assert capture.frames == FRAMES - max(first)
    for camera, view in enumerate(capture.views):
        found = view.reader.read([0, 1])
        assert (found == [picture(camera, first[camera] + k) for k in (0, 1)]).all()


def test_frames_are_sorted_by_number_not_by_letter(images: Path) -> None:
    for camera in range(CAMERAS):
        for frame in range(FRAMES):
            path = images / "ims" / str(camera) / f"{frame:06d}.png"
            path.rename(path.with_name(f"{frame + 8}.png"))  # 8, 9, 10, 11, 12
    frames = load_frames(open_capture(images).views[:1], range(FRAMES))[0]
    assert frames[:, -1, -1, 0].tolist() == [0, 10, 20, 30, 40]


def test_up_and_centre_come_from_the_cameras_if_the_file_does_not_say(images: Path) -> None:
    capture = open_capture(images)
    assert capture.up == pytest.approx((0, -1, 0))
    write_json(images, up=[0, 0, 5], center=[1, 2, 3])
    capture = open_capture(images)
    assert capture.up == (0, 0, 1)
    assert capture.center == (1, 2, 3)


def test_a_centre_that_no_camera_sees_is_not_believed(
    tiny_capture: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It would make the scene a hundred times as large, and the near plane would hide all of it."""
    document = json.loads((tiny_capture / "cameras.json").read_text())
    (tmp_path / "ims").symlink_to(tiny_capture / "ims")
    for center, believed in (([0, 0.2, 0], True), ([0, 0, 900], False)):
        (tmp_path / "cameras.json").write_text(json.dumps(document | {"center": center}))
        found = open_capture(tmp_path).center
        assert found == pytest.approx(center if believed else (0, 0, 0), abs=1e-5)
        assert bool(caplog.messages) != believed
    assert "no camera sees the center (0.0, 0.0, 900.0)" in caplog.text


def test_cameras_look_at_the_point_of_attention(tiny_capture: Path) -> None:
    cameras = [v.camera for v in open_capture(tiny_capture).views]
    assert point_of_attention(cameras) == pytest.approx((0, 0, 0), abs=1e-5)
    assert up_direction(cameras) == pytest.approx((0, 0, 1), abs=1e-5)


@pytest.mark.parametrize("angles", [(0.0, 0.3, 0.6), (0.2, 0.2), (0.0, 2.0, 4.0)])
def test_up_does_not_lean_where_cameras_look_down_from_one_side(angles: tuple[float, ...]) -> None:
    up = torch.tensor([0.0, 0.0, 1.0])
    places = [torch.tensor([math.cos(a), math.sin(a), 0.7]) for a in angles]
    cameras = [Camera.look_at(p, torch.zeros(3), up, 0.7, WIDTH, HEIGHT) for p in places]
    found = torch.tensor(up_direction(cameras))
    leaning = math.degrees(math.acos(min(float(found @ up), 1.0)))
    if len(set(angles)) > 1:
        assert leaning < 0.1
    else:  # from one direction alone it cannot be known how steep that is
        assert leaning == pytest.approx(35.0, abs=0.1)


def test_up_of_cameras_held_in_all_ways_is_a_direction() -> None:
    ups = [torch.tensor(v) for v in ([0.0, 1.0, 0], [0.0, -1.0, 0], [0.0, 0, 1.0], [0.0, 0, -1.0])]
    place = torch.tensor([3.0, 0.0, 0.0])
    cameras = [Camera.look_at(place, torch.zeros(3), up, 0.7, WIDTH, HEIGHT) for up in ups]
    assert up_direction(cameras) == pytest.approx((0, 1, 0))


def array_of_cameras(turn_rad: float, place: tuple[float, float, float]) -> list[Camera]:
    """Two rows of three, 1 apart, that look along +y; outer columns turn to the middle one."""
    cameras = []
    for k in range(6):
        position = torch.tensor([k % 3 - 1.0, 0.0, k // 3 - 0.5]) + torch.tensor(place)
        angle = turn_rad * (k % 3 - 1)
        ahead = torch.tensor([-math.sin(angle), math.cos(angle), 0.0])
        up = torch.tensor([0.0, 0.0, 1.0])
        cameras.append(Camera.look_at(position, position + ahead, up, 0.7, WIDTH, HEIGHT))
    return cameras


@pytest.mark.parametrize("place", [(0.0, 0.0, 0.0), (300.0, -100.0, 50.0)])
@pytest.mark.parametrize("turn_rad", [0.0, -0.2])  # side by side; away from each other
def test_attention_of_parallel_cameras_lies_in_front_of_them(
    turn_rad: float, place: tuple[float, float, float]
) -> None:
    apart = math.hypot(2, 1)
    mean_axis = (1 + 2 * math.cos(turn_rad)) / 3
    found = torch.tensor(point_of_attention(array_of_cameras(turn_rad, place)))
    expected = torch.tensor(place) + torch.tensor([0.0, 2 * apart * mean_axis, 0.0])
    assert torch.allclose(found, expected, atol=1e-3)
    found = torch.tensor(point_of_attention(array_of_cameras(turn_rad, place), reach=9.0))
    assert (found - torch.tensor(place))[1].item() == pytest.approx(9 * mean_axis, abs=1e-3)


def check_refused(folder: Path, *words: str) -> None:
    """Training stops with these words before it writes anything."""
    out = folder / "run"
    with pytest.raises(CaptureError) as refusal:
        train(TrainConfig(folder, out, device="cpu"))
    assert [word for word in words if word not in str(refusal.value)] == []
    assert not out.exists()


def test_a_missing_frame_is_named(images: Path) -> None:
    (images / "ims" / "2" / "000003.png").unlink()
    check_refused(images, "camera 2", "000003", "missing")


def test_too_few_frames_are_named(images: Path) -> None:
    write_json(images, frames=FRAMES + 1)
    check_refused(images, "camera 0", "has 5 frames, 6 are needed")


def test_a_camera_without_images_is_named(images: Path) -> None:
    shutil.rmtree(images / "ims" / "3")
    check_refused(images, "camera 3", "images")


def test_another_picture_size_is_named(images: Path) -> None:
    iio.imwrite(images / "ims" / "1" / "000002.png", picture(1, 2, WIDTH + 2))
    check_refused(images, "camera 1", "000002.png", "34", "32")


@pytest.mark.parametrize("camera", [0, 2], ids=["held out", "training"])
def test_a_camera_may_be_of_another_size(images: Path, camera: int) -> None:
    cameras = [entry(k) for k in range(CAMERAS)]
    cameras[camera] |= {"w": WIDTH + 2}
    for frame in range(FRAMES):
        path = images / "ims" / str(camera) / f"{frame:06d}.png"
        iio.imwrite(path, picture(camera, frame, WIDTH + 2))
    write_json(images, cameras=cameras)
    check_capture(open_capture(images))


@pytest.mark.parametrize(("kind", "name"), [("L", "png"), ("P", "png"), ("CMYK", "jpg")])
def test_other_kinds_of_8_bit_pixels_are_read_as_colours(
    images: Path, kind: str, name: str
) -> None:
    folder = images / "ims" / "1"
    flat = Image.new("RGB", (WIDTH, HEIGHT), (204, 102, 51)).convert(kind)
    for frame in range(FRAMES):
        (folder / f"{frame:06d}.png").unlink()
        flat.save(folder / f"{frame:06d}.{name}")
    (frames,) = load_frames(open_capture(images).views[1:2], [2])
    expected = [127] * 3 if kind == "L" else [204, 102, 51]
    assert frames.shape == (1, HEIGHT, WIDTH, 3)
    assert (frames[0].float() - torch.tensor(expected)).abs().max() <= 3


def test_an_image_of_16_bits_is_named(images: Path) -> None:
    deep = np.full((HEIGHT, WIDTH), 40_000, np.uint16)
    Image.fromarray(deep).save(images / "ims" / "1" / "000002.png")
    check_refused(images, "camera 1", "000002.png has pixels of kind I;16", "8 bits")


def test_an_empty_image_is_named(images: Path) -> None:
    (images / "ims" / "1" / "000002.png").write_bytes(b"")
    check_refused(images, "camera 1", "000002.png cannot be read as an image")


def test_an_alpha_that_says_nothing_is_left_out(images: Path) -> None:
    path = images / "ims" / "1" / "000002.png"
    opaque = np.full((HEIGHT, WIDTH, 1), 255, np.uint8)
    iio.imwrite(path, np.concatenate([picture(1, 2), opaque], axis=-1))
    (frames,) = load_frames(open_capture(images).views[1:2], [2])
    assert np.array_equal(frames[0], picture(1, 2))


def test_a_transparent_image_is_named(images: Path) -> None:
    path = images / "ims" / "1" / "000002.png"
    alpha = np.full((HEIGHT, WIDTH, 1), 255, np.uint8)
    alpha[3, 4] = 100
    iio.imwrite(path, np.concatenate([picture(1, 2), alpha], axis=-1))
    check_refused(images, "camera 1", "000002.png is transparent")


def test_a_camera_of_no_split_is_trained_on(images: Path) -> None:
    cameras = [entry(k) for k in range(CAMERAS)]
    for camera in cameras:
        del camera["split"]
    write_json(images, cameras=cameras)
    assert len(open_capture(images).split("train")) == CAMERAS


@pytest.mark.parametrize("key", ["K", "w2c", "w"])
def test_what_a_camera_lacks_is_named(images: Path, key: str) -> None:
    cameras = [entry(k) for k in range(CAMERAS)]
    del cameras[2][key]
    write_json(images, cameras=cameras)
    check_refused(images, f"camera 2 has no '{key}'")


@pytest.mark.parametrize("key", ["fps", "frames", "cameras"])
def test_what_a_document_lacks_is_named(images: Path, key: str) -> None:
    document = json.loads((images / "cameras.json").read_text())
    del document[key]
    (images / "cameras.json").write_text(json.dumps(document))
    check_refused(images, f"cameras.json has no '{key}'")


def test_a_damaged_cloud_is_named_before_training(images: Path) -> None:
    (images / "points3D.ply").write_bytes(b"ply\nformat ascii 1.0\n")
    check_refused(images, "points3D.ply is no PLY")


def test_a_missing_cloud_is_named_before_training(images: Path) -> None:
    points = InitialPointsConfig(path=images / "cloud.ply")
    with pytest.raises(CaptureError, match=r"cloud.ply cannot be read: No such file"):
        train(TrainConfig(images, images / "run", device="cpu", points=points))
    assert not (images / "run").exists()


def test_a_cloud_that_no_camera_sees_is_named(images: Path) -> None:
    behind = PointCloud(torch.tensor([[0.0, 0.0, -9.0]]), torch.zeros(1, 3))
    write_ply(images / "points3D.ply", behind)
    check_refused(images, "points3D.ply", "no training camera sees one of its 1 points")


@pytest.mark.parametrize(("asked", "found"), [(3, 3), (FRAMES, FRAMES), (99, FRAMES)])
def test_only_the_first_frames_are_taken(images: Path, asked: int, found: int) -> None:
    capture = open_capture(images, CaptureConfig(frames=asked))
    check_capture(capture)
    assert capture.frames == found


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("kept", [0, 3, 60, 0.5, -40])
def test_a_damaged_image_is_named(images: Path, suffix: str, kept: float) -> None:
    old = images / "ims" / "1" / "000002.png"
    path = old.with_suffix(f".{suffix}")
    content = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    old.unlink()
    iio.imwrite(path, content)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept) if 0 < kept < 1 else kept])
    check_refused(images, "camera 1", path.name)


def test_a_short_video_is_named(videos: Path) -> None:
    write_video(videos / "cam02.mp4", [picture(2, k) for k in range(3)])
    check_refused(videos, "camera 2", "cam02.mp4", "has 3 frames, 5 are needed")


def test_a_video_of_another_size_is_named(videos: Path) -> None:
    write_video(videos / "cam03.mp4", [picture(3, k, WIDTH + 2) for k in range(FRAMES)])
    check_refused(videos, "camera 3", "cam03.mp4 is 34x24", "32x24")


@pytest.mark.parametrize("size", [0, 10, 500])
def test_a_damaged_video_is_named(videos: Path, size: int) -> None:
    path = videos / "cam01.mp4"
    path.write_bytes(path.read_bytes()[:size])
    check_refused(videos, "camera 1", "cam01.mp4")


def test_a_picture_that_the_decoder_had_to_guess_is_named(tmp_path: Path) -> None:
    """Bytes that were overwritten rarely stop a decoder: it makes up what they hid."""
    path = tmp_path / "cam.mp4"
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (96, 128, 3), dtype=np.uint8) for _ in range(4)]
    write_video(path, frames)
    data = bytearray(path.read_bytes())
    middle = data.index(b"mdat") + int(path.stat().st_size * 0.6)
    data[middle : middle + 30] = rng.bytes(30)
    path.write_bytes(data)
    reader = VideoReader("7", path, 128, 96)
    reader.check(4)
    with pytest.raises(CaptureError, match=r"camera 7: cam.mp4 (is damaged at frame|cannot be)"):
        reader.read([3])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"w2c": np.zeros((4, 4)).tolist()}, ["camera 1", "w2c"]),
        ({"w2c": np.diag([1.0, 1, -1, 1]).tolist()}, ["camera 1", "w2c"]),
        ({"w2c": [1, 2, 3]}, ["camera 1"]),
        ({"w2c": "eye"}, ["camera 1"]),
        ({"w2c": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1]]}, ["camera 1", "w2c"]),
        ({"K": [[-1, 0, 1], [0, 1, 1], [0, 0, 1]]}, ["camera 1", "K"]),
        ({"K": [[9, 0.5, 1], [0, 9, 1], [0, 0, 1]]}, ["camera 1", "no pinhole"]),
        ({"K": [[9, 0, 1], [0, 9, 1], [0, 0, 2]]}, ["camera 1", "no pinhole"]),
        ({"K": [[math.nan, 0, 1], [0, 9, 1], [0, 0, 1]]}, ["camera 1", "K"]),
        ({"split": "trian"}, ["camera 1", "trian"]),
        ({"w": 10**9}, ["camera 1", "1000000000x24"]),
        ({"h": 0}, ["camera 1", "32x0"]),
        ({"video": "../../secret.mp4"}, ["camera 1", "leads out"]),
        ({"id": "../1"}, ["camera ../1", "leads out"]),
        ({"id": 2}, ["camera 2", "more than once"]),
        ({"offset": 1.5}, ["camera 1", "offset 1.5"]),
        ({"offset": "soon"}, ["camera 1", "soon"]),
        ({"offset": 10**9}, ["camera 1", "offset 1000000000"]),
        ({"offset": True}, ["camera 1", "offset True"]),
        ({"offset": FRAMES}, ["leave none"]),
    ],
)
def test_a_wrong_entry_is_named(images: Path, change: dict[str, Any], words: list[str]) -> None:
    cameras = [entry(k) for k in range(CAMERAS)]
    cameras[1] |= change
    write_json(images, cameras=cameras)
    check_refused(images, *words)


def test_a_camera_without_a_name_is_counted(images: Path) -> None:
    cameras = [entry(k) for k in range(CAMERAS)]
    del cameras[2]["id"]
    write_json(images, cameras=cameras)
    check_refused(images, "camera number 2 of cameras.json", "id")


@pytest.mark.parametrize(
    "change",
    [
        {"fps": 0},
        {"fps": "nan"},
        {"frames": -3},
        {"frames": None},
        {"frames": 0.5},
        {"frames": 2.5},
        {"center": [math.nan, 0, 0]},
        {"up": [0, 0, 0]},
        {"center": [1, 2]},
        {"cameras": 7},
        {"cameras": []},
        {"cameras": [entry(0), entry(1)]},
        {"cameras": [entry(k) | {"w2c": entry(1)["w2c"]} for k in range(CAMERAS)]},
    ],
)
def test_a_wrong_document_is_refused(images: Path, change: dict[str, Any]) -> None:
    write_json(images, **change)
    check_refused(images)


@pytest.mark.parametrize("text", ["", "[]", "{}", "no JSON", '{"cameras": [1]}', "[" * 10**5])
def test_what_is_no_document_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "cameras.json").write_text(text)
    check_refused(tmp_path, "cameras.json")


def test_a_folder_without_a_capture_is_refused(tmp_path: Path) -> None:
    check_refused(tmp_path, "cameras.json", "poses_bounds.npy")


# The layout of Neural 3D Video


def llff_row(center: list[float]) -> np.ndarray:
    """A camera that looks along +x with +z up: right is -y, down is -z, back is -x."""
    pose = np.zeros((3, 5))
    pose[:, 0], pose[:, 1], pose[:, 2] = (0, 0, -1), (0, -1, 0), (-1, 0, 0)
    pose[:, 3], pose[:, 4] = center, (2 * HEIGHT, 2 * WIDTH, 90)  # recorded at twice the size
    return np.concatenate([pose.ravel(), [0.1, 100]])


@pytest.fixture
def neural(tmp_path: Path) -> Path:
    for camera in range(CAMERAS):
        frames = [picture(camera, frame) for frame in range(FRAMES)]
        write_video(tmp_path / f"cam{camera:02d}.mp4", frames)
    rows = [llff_row([0.5, float(k), 2.0]) for k in range(CAMERAS)]
    np.save(tmp_path / "poses_bounds.npy", np.stack(rows))
    return tmp_path


def test_neural_3d_video_is_read(neural: Path) -> None:
    capture = open_capture(neural)
    check_capture(capture)
    assert (capture.fps, capture.frames, capture.points_path) == (12, FRAMES, None)
    assert [v.name for v in capture.split("test")] == ["cam00"]
    assert len(capture.split("train")) == CAMERAS - 1
    assert capture.up == pytest.approx((0, 0, 1), abs=1e-6)
    assert load_frames(capture.views[3:], [4])[0][0, -1, -1, 0] == pytest.approx(160, abs=6)


def test_an_llff_pose_puts_a_known_point_into_its_pixel(neural: Path) -> None:
    camera = open_capture(neural).views[1].camera
    assert torch.allclose(camera.position, torch.tensor([0.5, 1.0, 2.0]), atol=1e-6)
    # 4 in front, 0.4 to the right (-y), 0.2 below (-z); the focal length is 90 / 2 px.
    point = torch.tensor([[0.5 + 4, 1.0 - 0.4, 2.0 - 0.2]])
    pixels, depth = project(point, camera)
    assert depth.item() == pytest.approx(4)
    expected = (WIDTH / 2 + 45 * 0.4 / 4, HEIGHT / 2 + 45 * 0.2 / 4)
    assert pixels[0].tolist() == pytest.approx(expected, abs=1e-4)


def test_a_short_video_of_neural_3d_video_is_named(neural: Path) -> None:
    write_video(neural / "cam00.mp4", [picture(0, k) for k in range(3)])
    check_refused(neural, "camera cam00", "has 3 frames, 5 are needed")


def test_a_neural_video_of_another_size_is_named(neural: Path) -> None:
    write_video(neural / "cam02.mp4", [picture(2, k, WIDTH + 2) for k in range(FRAMES)])
    check_refused(neural, "camera cam02", "34x24")


def test_a_damaged_neural_video_is_named(neural: Path) -> None:
    (neural / "cam01.mp4").write_bytes(b"\0" * 100)
    check_refused(neural, "camera cam01")


@pytest.mark.parametrize(
    "poses",
    [
        np.zeros((CAMERAS, 15)),
        np.zeros((CAMERAS - 1, 17)),
        np.full((CAMERAS, 17), np.nan),
        np.zeros((CAMERAS, 17)),
        np.zeros((CAMERAS, 17), np.complex64),
        np.array([{"a": 1}], dtype=object),
    ],
)
def test_wrong_poses_are_refused(neural: Path, poses: np.ndarray) -> None:
    np.save(neural / "poses_bounds.npy", poses, allow_pickle=True)
    check_refused(neural, "poses_bounds.npy")


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY\x01\x00", b"PK\x03\x04", b"no array"])
def test_a_damaged_pose_file_is_refused(neural: Path, content: bytes) -> None:
    (neural / "poses_bounds.npy").write_bytes(content)
    check_refused(neural, "poses_bounds.npy")


def test_poses_without_videos_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "poses_bounds.npy", np.zeros((0, 17)))
    check_refused(tmp_path, "cam*.mp4")


# The real captures, where they are at hand


def test_tokyo_is_read_with_its_colours(data_folder: Path) -> None:
    if not (data_folder / "tokyo").is_dir():
        pytest.skip(f"no tokyo in {data_folder}")
    capture = open_capture(data_folder / "tokyo")
    check_capture(capture)
    assert (capture.frames, capture.fps, len(capture.split("test"))) == (240, 24, 3)
    assert capture.points_path is not None
    corner = load_frames(capture.views[:1], [1])[0][0, :20, :20].float().mean(dim=(0, 1))
    assert corner.tolist() == pytest.approx([209, 222, 239], abs=4)


def test_basketball_is_read(data_folder: Path) -> None:
    if not (data_folder / "basketball").is_dir():
        pytest.skip(f"no basketball in {data_folder}")
    capture = open_capture(data_folder / "basketball")
    assert [v.name for v in capture.split("test")] == ["0", "10", "15", "30"]
    assert capture.up[1] < -0.9
    frames = load_frames(capture.views[:3], [0, 74])
    assert [f.shape for f in frames] == [(2, 360, 640, 3)] * 3
