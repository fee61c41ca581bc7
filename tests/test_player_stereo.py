"""Stereo pictures: each eye equals its own render, and what is looked at lies on the screen."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from streamstgs.app.player.rendering.frame_renderer import FrameRenderer, RenderRequest, render_rgb8
from streamstgs.app.player.rendering.stereo import StereoCamera, stereo_camera
from streamstgs.app.player.rendering.stereo_layouts import StereoLayout, mono_point
from streamstgs.app.player.status import PlaybackFrame
from streamstgs.app.player.viewer.render_options import RenderOptions
from streamstgs.renderer import Camera, RenderSettings
from streamstgs.renderer.backends.reference import ReferenceBackend

from tests.scripted_scene import ScriptedScene

WIDTH, HEIGHT = 64, 36
LAYOUTS: tuple[StereoLayout, ...] = ("side-by-side", "side-by-side-full", "top-bottom")
SETTINGS = RenderSettings()


def camera() -> Camera:
    eye, up = torch.tensor([0.3, -0.4, -4.0]), torch.tensor([0.0, -1.0, 0.0])
    return Camera.look_at(eye, torch.zeros(3), up, 0.8, WIDTH, HEIGHT)


def stereo(layout: StereoLayout, eye_distance: float = 0.1) -> StereoCamera:
    distance = float(camera().position.norm())
    made = stereo_camera(camera(), layout, eye_distance, distance)
    assert isinstance(made, StereoCamera)
    return made


def pixel(view: Camera, point: tuple[float, float, float]) -> tuple[float, float]:
    """Where a point is seen, as shares of the picture's width and height."""
    seen = view.viewmat[:3, :3] @ torch.tensor(point) + view.viewmat[:3, 3]
    at = view.K @ seen
    return float(at[0] / at[2]) / view.width, float(at[1] / at[2]) / view.height


@pytest.fixture(scope="module")
def frame() -> PlaybackFrame:
    scene = ScriptedScene()
    gop = scene.decode_gop(0, scene.qualities[-1])
    return PlaybackFrame(gop, 1.0, 1, scene.qualities[-1], 0)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_eye_equals_its_own_render(layout: StereoLayout, frame: PlaybackFrame) -> None:
    backend = ReferenceBackend()
    renderer = FrameRenderer(backend)
    both = stereo(layout)
    whole = renderer.render(RenderRequest(frame, both, SETTINGS)).rgb8
    assert whole.shape == (HEIGHT, WIDTH, 3)
    gaussians = frame.gop.gaussians_at(frame.frame)
    parts = []
    for eye, x, y in both.places:
        part = whole[y : y + eye.height, x : x + eye.width]
        assert np.array_equal(part, render_rgb8(backend, gaussians, eye, SETTINGS))
        parts.append(part)
    assert parts[0].shape == parts[1].shape
    assert not np.array_equal(parts[0], parts[1])  # the eyes stand apart
    renderer.close()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_looked_at_lies_on_the_screen(layout: StereoLayout) -> None:
    both = stereo(layout)
    left, right = pixel(both.left, (0.0, 0.0, 0.0)), pixel(both.right, (0.0, 0.0, 0.0))
    assert left == pytest.approx(right, abs=1e-5)
    near = (0.15, -0.2, -2.0)  # half way to the camera: before the screen
    assert pixel(both.left, near)[0] > pixel(both.right, near)[0] + 0.01
    far = (-0.3, 0.4, 4.0)
    assert pixel(both.left, far)[0] < pixel(both.right, far)[0] - 0.01
    assert pixel(both.left, near)[1] == pytest.approx(pixel(both.right, near)[1], abs=1e-5)


def test_half_layouts_are_squeezed_and_full_ones_are_not() -> None:
    whole = camera()
    for layout, across, down in (
        ("side-by-side", 0.5, 1.0),
        ("top-bottom", 1.0, 0.5),
        ("side-by-side-full", 1.0, 1.0),
    ):
        eye = stereo(layout).left  # type: ignore[arg-type]
        assert float(eye.K[0, 0]) == pytest.approx(across * float(whole.K[0, 0]))
        assert float(eye.K[1, 1]) == pytest.approx(down * float(whole.K[1, 1]))


def test_without_distance_both_eyes_see_the_plain_picture() -> None:
    both = stereo("side-by-side", eye_distance=0.0)
    assert torch.allclose(both.left.K, both.right.K)
    assert torch.allclose(both.left.viewmat, camera().viewmat)
    assert torch.allclose(both.left.K, camera().resized(WIDTH // 2, HEIGHT).K)
    plain = camera()
    assert stereo_camera(plain, "off", 0.1, 4.0) is plain


def test_points_of_the_picture_belong_to_points_of_the_view() -> None:
    assert mono_point(10, 20, 64, 36, "off") == (10, 20)
    assert mono_point(10, 20, 64, 36, "side-by-side") == (20, 20)
    assert mono_point(42, 20, 64, 36, "side-by-side") == (20, 20)
    assert mono_point(10, 20, 64, 36, "top-bottom") == (10, 4)
    assert mono_point(16, 20, 64, 36, "side-by-side-full") == (32, 20)


def test_options_refuse_what_there_is_not() -> None:
    options = RenderOptions()
    changes: list[bool] = []
    options.changed.connect(lambda: changes.append(True))
    options.stereo = "top-bottom"
    options.eye_distance = 0.05
    assert len(changes) == 2
    with pytest.raises(ValueError, match="top-bottom"):
        options.stereo = "cross-eyed"
    with pytest.raises(ValueError, match="eye distance"):
        options.eye_distance = 3.0
