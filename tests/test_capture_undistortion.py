"""Lens distortion is undone while a capture is read: right pixels, no empty ones, same poses."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import torch
from streamstgs.trainer.datasets import CaptureConfig, check_capture, load_frames, open_capture
from streamstgs.trainer.datasets.lens import LIKE_PINHOLE, MODELS, Lens
from streamstgs.trainer.datasets.resampling import resampled
from streamstgs.trainer.datasets.undistortion import Undistortion, undistortion
from streamstgs.trainer.errors import CaptureError

from tests.capture_samples import names, viewmat_of, write_colmap
from tests.capture_scene import ring_cameras

pycolmap = pytest.importorskip("pycolmap")
W, H = 96, 72
FOCAL = 80.0
STRENGTH = {"omega": 0.6, "alpha": 0.6, "beta": 1.1, "k": -0.2, "k1": -0.12, "k2": 0.02, "p1": 2e-3}
STRENGTH |= {"k0": 0.02, "p0": 1e-3, "sx1": 1e-3, "s0": 1e-3}


def bent(model: str, width: int = W, height: int = H) -> Lens:
    """A lens of the model with its principal point off the middle."""
    inner = {"f": FOCAL, "fx": FOCAL, "fy": FOCAL * 1.02, "cx": width / 2 + 3, "cy": height / 2 - 2}
    parameters = MODELS[model][1].split()
    return Lens(model, width, height, tuple((inner | STRENGTH).get(p, 0.0) for p in parameters))


def pattern(directions: np.ndarray) -> np.ndarray:
    """[N, 3] uint8 that a camera sees in directions x / z, y / z [N, 2]; smooth."""
    x, y = directions.T
    waves = [np.sin(9 * x + 4 * y), np.cos(7 * y - 2 * x), np.sin(5 * x * y + 3 * x)]
    return np.rint(127.5 + 110 * np.stack(waves, axis=-1)).astype(np.uint8)


def pixels(width: int, height: int) -> np.ndarray:
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return np.stack([x.ravel(), y.ravel()], axis=-1)


def recorded(lens: Lens) -> np.ndarray:
    """What the lens records of `pattern`, [H, W, 3]."""
    camera = pycolmap.Camera(
        model=lens.model, width=lens.width, height=lens.height, params=list(lens.params)
    )
    seen = np.nan_to_num(camera.cam_from_img(pixels(lens.width, lens.height)))
    return pattern(seen).reshape(lens.height, lens.width, 3)


def expected(found: Undistortion) -> np.ndarray:
    seen = (pixels(found.lens.width, found.lens.height) - (found.cx, found.cy)) / (
        found.fx,
        found.fy,
    )
    return pattern(seen).reshape(found.lens.height, found.lens.width, 3)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / ((a.astype(float) - b) ** 2).mean().clip(1e-9)))


@pytest.mark.parametrize("model", [m for m in MODELS if "PINHOLE" not in m])
def test_picture_of_each_lens_model_is_straightened(model: str) -> None:
    lens = bent(model)
    found = undistortion(lens)
    assert found is not None
    straight = psnr(found.applied(recorded(lens)), expected(found))
    assert straight > 45
    assert psnr(recorded(lens), expected(found)) < straight - 8  # there was something to undo


@pytest.mark.parametrize("model", [m for m in MODELS if "PINHOLE" not in m])
def test_no_pixel_lies_outside_and_little_is_cropped(model: str) -> None:
    lens = bent(model)
    found = undistortion(lens)
    assert found is not None
    source = found.source(pixels(W, H))
    assert (source >= -0.1).all()
    assert (source <= [W + 0.1, H + 0.1]).all()
    near_border = np.minimum(source, [W, H] - source).min(axis=0)
    assert near_border.min() < 1.5  # no more is cropped than has to be
    assert 0.5 < found.kept <= 1


@pytest.mark.parametrize("model", sorted(LIKE_PINHOLE))
def test_lens_without_distortion_is_left_alone(model: str) -> None:
    values = {"f": FOCAL, "fx": FOCAL, "fy": FOCAL, "cx": 40.0, "cy": 30.0}
    params = tuple(values.get(p, 0.0) for p in MODELS[model][1].split())
    assert undistortion(Lens(model, W, H, params)) is None


@pytest.mark.parametrize(
    "extra", [(0, 0, 0.5, 0.5), (1e9, 0, 0, 0), (-1e300, 0, 0, 0), (1e200, -1e200, 1e200, 1e200)]
)
def test_lens_that_cannot_be_undone_is_refused(extra: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="OPENCV"):
        undistortion(Lens("OPENCV", W, H, (FOCAL, FOCAL, W / 2, H / 2, *extra)))


def test_without_pycolmap_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycolmap", None)
    with pytest.raises(ValueError, match=r"pip install 'streamstgs\[train\]'"):
        undistortion(Lens("OPENCV", W, H, (FOCAL, FOCAL, 47.5, 35.25, -0.1, 0, 0, 0)))


def test_resampling_at_the_centres_changes_nothing() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    columns, rows = np.meshgrid(np.arange(9, dtype=np.float32), np.arange(7, dtype=np.float32))
    assert np.array_equal(resampled(picture, columns, rows), picture)
    assert np.array_equal(resampled(picture, columns + 1, rows)[:, :-1], picture[:, 1:])
    assert np.array_equal(resampled(picture, columns + 99, rows)[:, 0], picture[:, -1])


def distorted_capture(folder: Path, lens: Lens) -> Path:
    """Four cameras with this lens, which all see the same pattern."""
    for name in names():
        for frame in range(2):
            path = folder / "images" / name / f"{frame}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            iio.imwrite(path, recorded(lens) // (frame + 1))
    cameras = zip(names(), ring_cameras(4), strict=True)
    write_colmap(folder / "sparse", [(f"{n}.png", lens, viewmat_of(c)) for n, c in cameras])
    return folder


def test_capture_is_read_without_distortion(tmp_path: Path) -> None:
    lens = bent("OPENCV")
    capture = open_capture(distorted_capture(tmp_path, lens), CaptureConfig(fps=25))
    check_capture(capture)
    found = undistortion(lens)
    assert found is not None
    view, original = capture.views[2], ring_cameras(4)[2]
    assert torch.allclose(view.camera.K, torch.tensor(found.K, dtype=torch.float32))
    assert torch.allclose(view.camera.viewmat, original.viewmat, atol=1e-5)
    assert psnr(load_frames((view,), [0])[0][0].numpy(), expected(found)) > 45
    small = open_capture(tmp_path, CaptureConfig(fps=25, height_px=H // 2)).views[2]
    assert (small.camera.width, small.camera.height) == (W // 2, H // 2)
    assert torch.allclose(small.camera.K[:2], view.camera.K[:2] / 2)
    assert load_frames((small,), [1])[0].shape == (1, H // 2, W // 2, 3)


def test_crop_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    distorted_capture(tmp_path, bent("OPENCV_FISHEYE"))
    with caplog.at_level(logging.INFO):
        check_capture(open_capture(tmp_path, CaptureConfig(fps=25)))
    assert "OPENCV_FISHEYE" in caplog.text
    assert "% of the recorded pictures, the rest is cropped" in caplog.text


def test_camera_with_an_impossible_lens_is_named(tmp_path: Path) -> None:
    lens = Lens("OPENCV", W, H, (FOCAL, FOCAL, W / 2, H / 2, 1e9, 0, 0, 0))
    for name in names():
        (tmp_path / "images" / name).mkdir(parents=True)
        iio.imwrite(tmp_path / "images" / name / "0.png", np.zeros((H, W, 3), np.uint8))
    cameras = zip(names(), ring_cameras(4), strict=True)
    write_colmap(tmp_path / "sparse", [(f"{n}.png", lens, viewmat_of(c)) for n, c in cameras])
    with pytest.raises(CaptureError, match=r"camera cam00: its lens OPENCV .* calibrate it again"):
        open_capture(tmp_path, CaptureConfig(fps=25))
