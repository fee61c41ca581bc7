"""Captures in the layouts of other programs: read alike, or refused by name."""

from __future__ import annotations

import json
import logging
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest
import torch
from streamstgs.trainer.datasets import (
    CaptureConfig,
    check_capture,
    colmap,
    load_frames,
    open_capture,
)
from streamstgs.trainer.datasets.colmap_model import read_model, read_model_points
from streamstgs.trainer.datasets.identity import capture_identity, changed_parts
from streamstgs.trainer.datasets.lens import MODELS, Lens
from streamstgs.trainer.errors import CaptureError, SettingError
from streamstgs.trainer.points.point_cloud import read_point_file

from tests.capture_samples import (
    CAMERAS,
    FPS,
    FRAMES,
    colmap_capture,
    dynamic_capture,
    intrinsics,
    lens_of,
    names,
    picture,
    transforms_entry,
    viewmat_of,
    write_colmap,
    write_images,
    write_transforms,
    write_video,
    write_videos,
)
from tests.capture_scene import HEIGHT, WIDTH, ring_cameras

pytest.importorskip("pycolmap")


def opened(folder: Path, **settings: Any) -> Any:
    capture = open_capture(folder, CaptureConfig(**settings))
    check_capture(capture)
    return capture


def refused(folder: Path, *words: str, **settings: Any) -> None:
    with pytest.raises(CaptureError) as refusal:
        opened(folder, **settings)
    message = str(refusal.value)
    assert [word for word in words if word not in message] == [], message
    assert len(message) < 600
    assert "\n" not in message


def is_the_ring(folder: Path, **settings: Any) -> Any:
    """The capture, after a look at its cameras and at all of its frames."""
    capture = opened(folder, **settings)
    assert [v.name for v in capture.views] == names()
    assert capture.frames == FRAMES
    for number, (view, camera) in enumerate(zip(capture.views, ring_cameras(CAMERAS), strict=True)):
        assert torch.allclose(view.camera.viewmat, camera.viewmat, atol=1e-4)
        assert torch.allclose(view.camera.K, camera.K, atol=1e-3)
        shown = load_frames((view,), range(FRAMES))[0].numpy().astype(int)
        expected = np.stack([picture(number, k) for k in range(FRAMES)]).astype(int)
        assert np.abs(shown - expected).max() <= 4
    assert capture.center == pytest.approx((0, 0, 0), abs=1e-3)
    assert capture.up == pytest.approx((0, 0, 1), abs=1e-3)
    return capture


# COLMAP


@pytest.mark.parametrize("text", [False, True])
def test_colmap_model_beside_videos(tmp_path: Path, text: bool) -> None:
    capture = is_the_ring(colmap_capture(tmp_path, text=text))
    assert capture.fps == pytest.approx(FPS)
    assert [v.split for v in capture.views] == ["train"] * CAMERAS
    points = read_point_file(capture.points_path)
    assert points.positions.tolist()[0] == pytest.approx([0.1, 0.2, 0.3])
    assert points.colors.tolist()[0] == pytest.approx([1, 128 / 255, 0])


@pytest.mark.parametrize(
    ("image", "place"),
    [
        ("{}/0002.png", "images"), ("{}.jpg", "ims"), ("{}_frame07.png", "frames"),
        ("images/{}.png", "images"), ("{}/0000.png", "."),
    ],
)  # fmt: skip
def test_images_of_a_model_are_matched_to_cameras(tmp_path: Path, image: str, place: str) -> None:
    write_images(tmp_path / place)
    cameras = zip(names(), ring_cameras(CAMERAS), strict=True)
    model = [(image.format(n), lens_of(c), viewmat_of(c)) for n, c in cameras]
    write_colmap(tmp_path / "sparse", model)
    assert is_the_ring(tmp_path, fps=24.0).fps == 24


def test_frame_rate_of_images_is_guessed_aloud(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    colmap_capture(tmp_path)
    for video in tmp_path.glob("*.mp4"):
        video.unlink()
    write_images(tmp_path / "images")
    with caplog.at_level(logging.WARNING):
        assert opened(tmp_path).fps == 30
    assert "--capture.fps" in caplog.text


def test_name_of_a_camera_is_the_longest_that_fits(tmp_path: Path) -> None:
    cameras = ring_cameras(3)
    for number, name in enumerate(["cam1", "cam10", "cam1_b"]):
        write_video(tmp_path / f"{name}.mp4", [picture(number, 0), picture(number, 1)])
    model = ["cam1_0000.png", "cam10_0000.png", "cam1_b_0000.png"]
    images = [(n, lens_of(c), viewmat_of(c)) for n, c in zip(model, cameras, strict=True)]
    write_colmap(tmp_path / "sparse", images)
    capture = opened(tmp_path)
    assert [v.name for v in capture.views] == ["cam1", "cam1_b", "cam10"]
    found = {v.name: v.camera.viewmat for v in capture.views}
    assert torch.allclose(found["cam10"], cameras[1].viewmat, atol=1e-4)


def test_image_without_a_video_is_named(tmp_path: Path) -> None:
    colmap_capture(tmp_path)
    (tmp_path / "cam02.mp4").unlink()
    refused(tmp_path, "cam02.png", "cam00, cam01, cam03")


def test_images_of_one_moment_are_no_capture(tmp_path: Path) -> None:
    colmap_capture(tmp_path)
    (tmp_path / "images").mkdir()
    for name in names():
        (tmp_path / f"{name}.mp4").unlink()
        iio.imwrite(tmp_path / "images" / f"{name}.png", picture(0, 0))
    refused(tmp_path, "cam00.png", "one moment", "numbered images of each camera")


def test_video_without_an_image_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    colmap_capture(tmp_path)
    write_video(tmp_path / "spare.mp4", [picture(0, k) for k in range(FRAMES)])
    with caplog.at_level(logging.WARNING):
        opened(tmp_path)
    assert "belongs to spare" in caplog.text


def test_images_of_one_camera_that_agree_are_one_camera(tmp_path: Path) -> None:
    write_videos(tmp_path)
    cameras = list(zip(names(), ring_cameras(CAMERAS), strict=True))
    images = [
        (f"{n}_{k}.png", lens_of(c), viewmat_of(c) + 1e-4 * k * np.eye(4, k=3))
        for n, c in cameras for k in (0, 1)
    ]  # fmt: skip
    write_colmap(tmp_path / "sparse", images)
    is_the_ring(tmp_path)


def test_moving_camera_is_named(tmp_path: Path) -> None:
    write_videos(tmp_path)
    cameras = list(zip(names(), ring_cameras(CAMERAS), strict=True))
    images = [(f"{n}.png", lens_of(c), viewmat_of(c)) for n, c in cameras]
    images.append(("cam01_9.png", lens_of(cameras[2][1]), viewmat_of(cameras[2][1])))
    write_colmap(tmp_path / "sparse", images)
    refused(tmp_path, "camera cam01 moves", "cam01_9.png", "degrees")


def test_model_of_another_size_is_named(tmp_path: Path) -> None:
    colmap_capture(tmp_path)
    write_video(tmp_path / "cam01.mp4", [picture(1, k, (64, 48)) for k in range(FRAMES)])
    refused(tmp_path, "camera cam01", "64x48", "32x24")


def test_other_models_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    colmap_capture(tmp_path)
    shutil.copytree(tmp_path / "sparse" / "0", tmp_path / "sparse" / "1")
    with caplog.at_level(logging.WARNING):
        opened(tmp_path)
    assert "could not join it with the model 1" in caplog.text


def test_held_out_cameras_are_named(tmp_path: Path) -> None:
    colmap_capture(tmp_path)
    capture = opened(tmp_path, held_out=("cam00", "cam02"))
    assert [v.name for v in capture.split("test")] == ["cam00", "cam02"]
    refused(tmp_path, "--capture.held-out", "cam07", "cam00, cam01", held_out=("cam07",))


@pytest.mark.parametrize("part", ["cameras", "images", "points3D"])
@pytest.mark.parametrize("size", [0, 3, 9, 40])
def test_cut_model_is_named(tmp_path: Path, part: str, size: int) -> None:
    colmap_capture(tmp_path)
    path = tmp_path / "sparse" / "0" / f"{part}.bin"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(CaptureError, match=f"{part}.bin"):
        read_point_file(opened(tmp_path).points_path)


@pytest.mark.parametrize("part", ["cameras", "images", "points3D"])
@pytest.mark.parametrize("count", [5, 2**31, 2**63, 2**64 - 1])
def test_declared_count_is_compared_with_the_file(tmp_path: Path, part: str, count: int) -> None:
    colmap_capture(tmp_path)
    path = tmp_path / "sparse" / "0" / f"{part}.bin"
    path.write_bytes(struct.pack("<Q", count) + path.read_bytes()[8:])
    with pytest.raises(CaptureError, match=f"{part}.bin"):
        read_point_file(opened(tmp_path).points_path)


def test_count_of_a_track_is_compared_with_the_file(tmp_path: Path) -> None:
    colmap_capture(tmp_path)
    path = tmp_path / "sparse" / "0" / "points3D.bin"
    data = bytearray(path.read_bytes())
    data[51:59] = struct.pack("<Q", 2**61)
    path.write_bytes(data)
    with pytest.raises(CaptureError, match="declares"):
        read_model_points(path)


@pytest.mark.parametrize(
    ("part", "text", "word"),
    [
        ("cameras", "1 OPENCV 32 24 9 9 16 12", "8 parameters"),
        ("cameras", "1 SPHERE 32 24 9 9 16 12", "SPHERE"),
        ("cameras", "1 PINHOLE 32 24 nan 9 16 12", "not finite"),
        ("cameras", "1 PINHOLE 32 24 -9 9 16 12", "focal"),
        ("cameras", "1 PINHOLE 99999999 24 9 9 16 12", "99999999x24"),
        ("cameras", "one PINHOLE 32 24 9 9 16 12", "cameras.txt"),
        ("images", "1 0 0 0 0 0 0 0 1 cam00.png", "no pose"),
        ("images", "1 nan 0 0 0 0 0 0 1 cam00.png", "no pose"),
        ("images", "1 1 0 0 0 0 0 0 77 cam00.png", "camera 77"),
        ("images", "1 1 0 0 0 0 0 0 1 ../cam00.png", "leads out"),
        ("images", "1 1 0 0", "images.txt"),
        ("images", "", "no images"),
    ],
)
def test_wrong_text_of_a_model_is_named(tmp_path: Path, part: str, text: str, word: str) -> None:
    colmap_capture(tmp_path, text=True)
    path = tmp_path / "sparse" / "0" / f"{part}.txt"
    lines = path.read_text().splitlines()
    first = next(k for k, line in enumerate(lines) if not line.startswith("#"))
    kept = lines[first + 1 :] if text and part == "cameras" else lines[first + 2 :] if text else []
    path.write_text("\n".join([*lines[:first], text, *([""] if part == "images" else []), *kept]))
    refused(tmp_path, word)


def test_every_lens_model_has_the_number_that_colmap_gives_it(tmp_path: Path) -> None:
    import pycolmap

    camera = ring_cameras(1)[0]
    for number, (model, (identity, parameters)) in enumerate(MODELS.items()):
        known = pycolmap.Camera.create_from_model_name(1, model, 30.0, WIDTH, HEIGHT)
        assert int(known.model.value) == identity
        assert known.params_info.replace(" ", "").split(",") == parameters.split()
        lens = Lens(model, WIDTH, HEIGHT, tuple(known.params))
        write_colmap(tmp_path / str(number), [("a.png", lens, viewmat_of(camera))])
        (image,) = read_model(tmp_path / str(number))
        assert image.lens == lens
        assert np.allclose(image.viewmat, viewmat_of(camera), atol=1e-9)


# nerfstudio


def test_transforms_of_videos(tmp_path: Path) -> None:
    write_videos(tmp_path / "videos")
    cameras = zip(names(), ring_cameras(CAMERAS), strict=True)
    write_transforms(tmp_path, [transforms_entry(c, f"./videos/{n}.mp4") for n, c in cameras])
    assert is_the_ring(tmp_path).fps == pytest.approx(FPS)


@pytest.mark.parametrize("timed", [False, True])
def test_transforms_of_every_image(tmp_path: Path, timed: bool) -> None:
    write_images(tmp_path / "images")
    entries = [
        transforms_entry(c, f"images/{n}/{k:04d}", **({"time": k / FRAMES} if timed else {}))
        for k in range(FRAMES) for n, c in zip(names(), ring_cameras(CAMERAS), strict=True)
    ]  # fmt: skip
    test = [e["file_path"] for e in entries if "cam01" in e["file_path"]]
    write_transforms(tmp_path, entries, fps=FPS, test_filenames=test)
    capture = is_the_ring(tmp_path)
    assert [v.name for v in capture.split("test")] == ["cam01"]


def test_transforms_of_images_in_one_folder(tmp_path: Path) -> None:
    entries = []
    for number, camera in enumerate(ring_cameras(CAMERAS)):
        for frame in range(FRAMES):
            name = f"cam{number:02d}_{frame:04d}.png"
            (tmp_path / "images").mkdir(exist_ok=True)
            iio.imwrite(tmp_path / "images" / name, picture(number, frame))
            entries.append(transforms_entry(camera, f"images/{name}", **intrinsics(camera)))
    write_transforms(tmp_path, entries, fps=FPS)
    is_the_ring(tmp_path)


def test_transforms_of_one_moment_beside_videos(tmp_path: Path) -> None:
    write_videos(tmp_path)
    (tmp_path / "images").mkdir()
    entries = []
    for number, (name, camera) in enumerate(zip(names(), ring_cameras(CAMERAS), strict=True)):
        iio.imwrite(tmp_path / "images" / f"{name}.png", picture(number, 0))
        entries.append(transforms_entry(camera, f"images/{name}.png"))
    write_transforms(tmp_path, entries)
    is_the_ring(tmp_path)


def test_transforms_of_splits_with_an_angle_of_view(tmp_path: Path) -> None:
    write_videos(tmp_path)
    cameras = list(zip(names(), ring_cameras(CAMERAS), strict=True))
    angle = 2 * np.arctan(WIDTH / (2 * cameras[0][1].K[0, 0].item()))
    for split, chosen in (("train", cameras[1:]), ("test", cameras[:1])):
        entries = [transforms_entry(c, f"{n}.mp4") for n, c in chosen]
        document = {"camera_angle_x": angle, "frames": entries}
        (tmp_path / f"transforms_{split}.json").write_text(json.dumps(document))
    capture = opened(tmp_path)
    assert {v.name: v.split for v in capture.views}["cam00"] == "test"
    assert torch.allclose(capture.views[0].camera.K, cameras[0][1].K, atol=1e-3)


def test_transforms_name_their_points(tmp_path: Path) -> None:
    write_videos(tmp_path)
    cameras = zip(names(), ring_cameras(CAMERAS), strict=True)
    entries = [transforms_entry(c, f"{n}.mp4") for n, c in cameras]
    (tmp_path / "sparse.ply").write_bytes(b"ply\n")
    write_transforms(tmp_path, entries, ply_file_path="sparse.ply")
    assert opened(tmp_path).points_path == tmp_path / "sparse.ply"


def test_moving_camera_of_transforms_is_refused(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    entries = []
    for number, camera in enumerate(ring_cameras(CAMERAS)):
        iio.imwrite(tmp_path / "images" / f"{number}.png", picture(number, 0))
        entries.append(transforms_entry(camera, f"images/{number}.png"))
    write_transforms(tmp_path, entries)
    refused(tmp_path, "moving camera", "one moment")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"camera_model": "EQUIRECTANGULAR"}, ["EQUIRECTANGULAR"]),
        ({"k4": 0.1}, ["k4"]),
        ({"fl_x": 0}, ["focal"]),
        ({"w": 10**7}, ["10000000x24"]),
        ({"fps": -1}, ["-1"]),
        ({"frames": []}, ["no file of transforms lists"]),
        ({"frames": 7}, ["transforms.json"]),
    ],
)
def test_wrong_transforms_are_named(
    tmp_path: Path, change: dict[str, Any], words: list[str]
) -> None:
    write_videos(tmp_path)
    cameras = zip(names(), ring_cameras(CAMERAS), strict=True)
    write_transforms(tmp_path, [transforms_entry(c, f"{n}.mp4") for n, c in cameras])
    path = tmp_path / "transforms.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    refused(tmp_path, *words)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"file_path": "../secret.mp4"}, ["leads out"]),
        ({"file_path": "lost.mp4"}, ["lost.mp4"]),
        ({"transform_matrix": [[1, 2], [3, 4]]}, ["cam01"]),
        ({"transform_matrix": [[float("nan")] * 4] * 4}, ["cam01", "finite"]),
        ({"transform_matrix": np.zeros((4, 4)).tolist()}, ["cam01"]),
        ({"transform_matrix": (2 * np.eye(4)).tolist()}, ["cam01", "rotation"]),
        ({"transform_matrix": np.eye(7).tolist()}, ["cam01"]),
    ],
)
def test_wrong_entry_of_transforms_is_named(
    tmp_path: Path, change: dict[str, Any], words: list[str]
) -> None:
    write_videos(tmp_path)
    cameras = zip(names(), ring_cameras(CAMERAS), strict=True)
    entries = [transforms_entry(c, f"{n}.mp4") for n, c in cameras]
    entries[1] |= change
    write_transforms(tmp_path, entries)
    refused(tmp_path, *words)


# Dynamic 3D Gaussians


def test_dynamic_3d_gaussians(tmp_path: Path) -> None:
    capture = is_the_ring(dynamic_capture(tmp_path), fps=25.0)
    assert [v.name for v in capture.split("test")] == ["cam00"]
    points = read_point_file(capture.points_path)
    assert points.positions.tolist()[0] == pytest.approx([0.1, 0.2, 0.3])
    assert points.colors.tolist()[0] == pytest.approx([1, 0.5, 0])


def _moved(document: dict[str, Any]) -> None:
    document["w2c"] = json.loads(json.dumps(document["w2c"]))
    document["w2c"][2][1][0][3] += 1


def _shorter(document: dict[str, Any]) -> None:
    document["k"] = document["k"][:-1]


def _lost(document: dict[str, Any]) -> None:
    document["fn"][1][0] = "cam01/9999.png"


def _outside(document: dict[str, Any]) -> None:
    document["fn"][1][0] = "../../9999.png"


def _wide(document: dict[str, Any]) -> None:
    document["w"] = 640


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_moved, ["camera cam02", "frame 2", "stand still"]),
        (_shorter, ["k has not"]),
        (_lost, ["camera cam01", "9999.png"]),
        (_outside, ["leads out"]),
        (_wide, ["camera cam01"]),
        (lambda d: d.pop("cam_id"), ["cam_id"]),
    ],
)
def test_wrong_train_meta_is_named(
    tmp_path: Path, change: Callable[[dict[str, Any]], Any], words: list[str]
) -> None:
    path = dynamic_capture(tmp_path) / "train_meta.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    refused(tmp_path, *words)


@pytest.mark.parametrize("data", [b"", b"PK\3\4", None])
def test_wrong_points_of_train_meta_are_named(tmp_path: Path, data: bytes | None) -> None:
    path = tmp_path / "init_pt_cld.npz"
    np.savez(path, data=np.zeros((3, 2)))
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(CaptureError, match=r"init_pt_cld.npz"):
        read_point_file(path)


# All layouts


def test_several_layouts_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    colmap_capture(tmp_path)
    cameras = zip(names(), ring_cameras(CAMERAS), strict=True)
    write_transforms(tmp_path, [transforms_entry(c, f"{n}.mp4") for n, c in cameras])
    with caplog.at_level(logging.WARNING):
        is_the_ring(tmp_path)
    assert "transforms.json and the COLMAP model sparse/0: the first is read" in caplog.text


@pytest.mark.parametrize("make", [colmap_capture, dynamic_capture])
def test_two_cameras_with_one_pose_are_named(tmp_path: Path, make: Callable[..., Path]) -> None:
    make(tmp_path)
    if make is colmap_capture:
        camera = ring_cameras(CAMERAS)[1]
        images = [(f"{n}.png", lens_of(camera), viewmat_of(camera)) for n in names()]
        write_colmap(tmp_path / "sparse" / "0", images)
    else:
        path = tmp_path / "train_meta.json"
        document = json.loads(path.read_text())
        for row in document["w2c"]:
            row[1] = row[0]
        path.write_text(json.dumps(document))
    refused(tmp_path, "same pose")


def test_late_camera_is_moved_by_its_offset(tmp_path: Path) -> None:
    """Camera 1 shows each moment two frames later, camera 3 one frame earlier."""
    late = {1: 2, 3: -1}
    colmap_capture(tmp_path)
    for number, name in enumerate(names()):
        shown = [picture(number, 4 + k - late.get(number, 0)) for k in range(9)]
        write_video(tmp_path / f"{name}.mp4", shown)
    capture = opened(tmp_path, offset=("cam01=2", "cam03=-1"))
    assert capture.frames == 6
    for number, frames in enumerate(load_frames(capture.views, range(6))):
        expected = [int(picture(number, 5 + k)[0, 0, 0]) for k in range(6)]
        assert np.abs(frames[:, 9, 9, 0].numpy().astype(int) - expected).max() <= 2
    plain = open_capture(tmp_path)
    changed = changed_parts(capture_identity(plain), capture_identity(capture))
    assert "calibration of camera cam01" in changed


def test_offset_of_images(tmp_path: Path) -> None:
    dynamic_capture(tmp_path)
    capture = opened(tmp_path, offset=("cam02=1",))
    assert capture.frames == FRAMES - 1
    first, second = (load_frames((capture.views[k],), [0, 3])[0][:, 0, 0, 0] for k in (1, 2))
    assert first.tolist() == [picture(1, k)[0, 0, 0] for k in (0, 3)]
    assert second.tolist() == [picture(2, k)[0, 0, 0] for k in (1, 4)]


def test_offset_beyond_the_recording_is_refused(tmp_path: Path) -> None:
    refused(dynamic_capture(tmp_path), "leave none", offset=(f"cam02={FRAMES}",))


def test_offset_of_no_camera_is_named(tmp_path: Path) -> None:
    refused(dynamic_capture(tmp_path), "--capture.offset", "cam9", offset=("cam9=1",))


@pytest.mark.parametrize("text", ["cam1", "cam1=", "=3", "cam1=x", "cam1=1.5", "a=1000000"])
def test_offset_that_is_none_is_named(text: str) -> None:
    with pytest.raises(SettingError, match=r"--capture\.offset"):
        CaptureConfig(offset=(text,))


def test_cameras_json_may_declare_a_lens(tmp_path: Path) -> None:
    write_videos(tmp_path)
    entries = []
    for name, camera in zip(names(), ring_cameras(CAMERAS), strict=True):
        lens = {"model": "simple_radial", "params": [*lens_of(camera).params[1:], -0.1]}
        pose = camera.viewmat.tolist()
        entries.append({"id": name, "w": WIDTH, "h": HEIGHT, "w2c": pose, "lens": lens})
    document = {"fps": FPS, "frames": FRAMES, "cameras": entries}
    (tmp_path / "cameras.json").write_text(json.dumps(document))
    capture = opened(tmp_path)
    assert capture.views[0].reader.undistortion.lens.model == "SIMPLE_RADIAL"
    assert capture.views[0].reader.undistortion.kept > 0.7
    entries[1]["K"] = [[99, 0, 16], [0, 99, 12], [0, 0, 1]]
    (tmp_path / "cameras.json").write_text(json.dumps(document))
    refused(tmp_path, "camera cam01", "K and lens differ")
    del entries[1]["K"]
    entries[1]["lens"]["params"] = [1, 2]
    (tmp_path / "cameras.json").write_text(json.dumps(document))
    refused(tmp_path, "camera cam01", "SIMPLE_RADIAL has 4 parameters")


def test_model_image_without_a_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="belongs to no video"):
        colmap._camera_of(tmp_path, "", ["cam00"])
