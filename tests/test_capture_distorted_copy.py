"""A distorted copy of a capture, read without distortion, is the original again."""

from __future__ import annotations

import json
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import torch
from streamstgs.trainer.datasets import CaptureConfig, check_capture, load_frames, open_capture
from streamstgs.trainer.datasets.undistortion import undistortion
from streamstgs.trainer.points.point_cloud import PointCloud, read_point_file, write_ply

from benchmarks.distorted_capture import distorting_lens, write_copy
from tests.capture_scene import ring_cameras
from tests.test_capture_undistortion import pattern, pixels, psnr

pytest.importorskip("pycolmap")
W, H, FRAMES = 160, 120, 2
DISTORTION = (-0.5, 0.1, 0.004, -0.002)


@pytest.fixture
def original(tmp_path: Path) -> Path:
    """Three cameras, one with its principal point off the middle; camera 1 is held out."""
    entries = []
    for number, camera in enumerate(c.resized(W, H) for c in ring_cameras(3)):
        if number == 2:
            camera.K[0, 2] += 11
        K = camera.K.numpy()
        seen = (pixels(W, H) - (K[0, 2], K[1, 2])) / (K[0, 0], K[1, 1])
        for frame in range(FRAMES):
            path = tmp_path / "a" / "ims" / str(number) / f"{frame}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            iio.imwrite(path, pattern(seen + 0.3 * frame + number).reshape(H, W, 3))
        split = "test" if number == 1 else "train"
        pose = camera.viewmat.tolist()
        entries.append({"id": number, "w": W, "h": H, "K": K.tolist(), "w2c": pose, "split": split})
    document = {"fps": 25, "frames": FRAMES, "cameras": entries}
    (tmp_path / "a" / "cameras.json").write_text(json.dumps(document))
    points = PointCloud(torch.tensor([[0.1, 0.2, 0.3], [0, 0, 0]]), torch.rand(2, 3))
    write_ply(tmp_path / "a" / "points3D.ply", points)
    return tmp_path / "a"


def test_copy_is_read_as_the_original(original: Path, tmp_path: Path) -> None:
    capture = open_capture(original)
    write_copy(capture, tmp_path / "b", DISTORTION)
    copy = open_capture(tmp_path / "b", CaptureConfig(held_out=("1",)))
    check_capture(copy)
    assert (copy.fps, copy.frames) == (capture.fps, capture.frames)
    raw = [v.reader.small(H).read(range(FRAMES)) for v in copy.views]
    for number, (one, other) in enumerate(zip(capture.views, copy.views, strict=True)):
        assert (one.name, one.split) == (other.name, other.split)
        assert torch.allclose(one.camera.K, other.camera.K, atol=1e-3)
        assert torch.allclose(one.camera.viewmat, other.camera.viewmat, atol=1e-5)
        frames, again = (load_frames((v,), range(FRAMES))[0].numpy() for v in (one, other))
        assert psnr(again, frames) > 42
        assert psnr(raw[number], frames) < 32  # the copy is distorted
    points = [read_point_file(c.points_path) for c in (capture, copy) if c.points_path]
    assert torch.allclose(points[0].positions, points[1].positions)
    assert torch.allclose(points[0].colors, points[1].colors, atol=1 / 255)


@pytest.mark.parametrize("distortion", [(-0.3, 0.1, 0, 0), (0.1, 0, 0, 0), (-0.1, 0, 2e-3, 2e-3)])
def test_lens_shows_the_picture_of_the_camera(distortion: tuple[float, ...]) -> None:
    camera = ring_cameras(1)[0].resized(640, 480)
    found = undistortion(distorting_lens(camera, distortion))
    assert found is not None
    assert np.abs(found.K - camera.K.double().numpy()).max() < 1e-3


def test_too_strong_distortion_is_refused() -> None:
    with pytest.raises(ValueError, match="lens"):
        distorting_lens(ring_cameras(1)[0], (-0.9, -0.9, 0.3, 0.3))
