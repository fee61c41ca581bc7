"""The orbit camera: points on the screen follow the pointer."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from streamstgs.app.player.camera.moves.gliding import approach
from streamstgs.app.player.camera.orbit import OrbitCamera, OrbitView
from streamstgs.codec.package.scene_meta import CameraPreset
from streamstgs.renderer import Camera

from tests.synthetic import SyntheticSource

UPS = [(0.0, -1.0, 0.0), (0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0), (0.6, 0.0, 0.8)]
VIEWPORT = (640, 360)


def make(up: tuple[float, float, float] = (0.0, -1.0, 0.0)) -> OrbitCamera:
    return OrbitCamera(OrbitView((0.1, 0.2, 0.3), 0.4, 0.2, 4.0, 0.8), up=up)


def project(camera: Camera, point: np.ndarray) -> tuple[float, float, float]:
    """(x px, y px, depth)."""
    seen = camera.viewmat[:3, :3] @ torch.tensor(point).float() + camera.viewmat[:3, 3]
    pixel = camera.K @ seen
    return float(pixel[0] / pixel[2]), float(pixel[1] / pixel[2]), float(seen[2])


@pytest.mark.parametrize("up", UPS)
def test_camera_is_upright_and_looks_at_the_pivot(up: tuple[float, float, float]) -> None:
    orbit = make(up)
    camera = orbit.to_camera(*VIEWPORT)
    rotation = camera.viewmat[:3, :3]
    assert torch.allclose(rotation @ rotation.T, torch.eye(3), atol=1e-5)
    assert torch.linalg.det(rotation) == pytest.approx(1.0, abs=1e-5)
    pivot = np.array(orbit.view.pivot)
    assert project(camera, pivot) == pytest.approx((320, 180, 4.0), abs=1e-2)
    x, y, _ = project(camera, pivot + 0.2 * np.array(up))
    assert x == pytest.approx(320, abs=1e-2)
    assert y < 175  # up in the world is up on the screen
    assert camera.position.tolist() == pytest.approx(orbit.position, abs=1e-4)


@pytest.mark.parametrize("up", UPS)
def test_dragging_turns_the_front_of_the_scene_with_the_pointer(up: tuple) -> None:
    orbit = make(up)
    toward_eye = np.array(orbit.position) - np.array(orbit.view.pivot)
    front = np.array(orbit.view.pivot) + 0.2 * toward_eye
    before = project(orbit.to_camera(*VIEWPORT), front)
    orbit.orbit(30.0, 0.0, VIEWPORT)
    right = project(orbit.to_camera(*VIEWPORT), front)
    assert right[0] > before[0] + 5
    orbit.orbit(-30.0, 20.0, VIEWPORT)
    down = project(orbit.to_camera(*VIEWPORT), front)
    assert down[1] > before[1] + 5
    assert down[0] == pytest.approx(before[0], abs=0.5)


@pytest.mark.parametrize("up", UPS)
def test_pan_keeps_the_point_under_the_pointer(up: tuple) -> None:
    orbit = make(up)
    point = orbit.point_at_pivot_depth((200.0, 100.0), VIEWPORT)
    assert project(orbit.to_camera(*VIEWPORT), point)[:2] == pytest.approx((200, 100), abs=0.01)
    orbit.pan(57.0, -31.0, VIEWPORT)
    assert project(orbit.to_camera(*VIEWPORT), point)[:2] == pytest.approx((257, 69), abs=0.01)


def test_dolly_goes_to_the_pointer_and_back() -> None:
    orbit = make()
    start = orbit.view
    point = orbit.point_at_pivot_depth((500.0, 90.0), VIEWPORT)
    orbit.dolly(3.0, (500.0, 90.0), VIEWPORT)
    assert orbit.view.distance < start.distance
    assert project(orbit.to_camera(*VIEWPORT), point)[:2] == pytest.approx((500, 90), abs=0.01)
    orbit.dolly(-3.0, (500.0, 90.0), VIEWPORT)
    assert orbit.view.pivot == pytest.approx(start.pivot, abs=1e-9)
    assert orbit.view.distance == pytest.approx(start.distance)


def test_limits_of_distance_and_pitch() -> None:
    orbit = make()
    orbit.min_distance = 0.5
    orbit.dolly(500.0, (0.0, 0.0), VIEWPORT)
    assert orbit.view.distance == 0.5
    assert all(math.isfinite(value) for value in orbit.view.pivot)
    for direction in (1.0, -1.0):
        orbit.orbit(0.0, direction * 1e5, VIEWPORT)
        assert abs(orbit.view.pitch_rad) < math.pi / 2
        assert torch.isfinite(orbit.to_camera(*VIEWPORT).viewmat).all()


@pytest.mark.parametrize("up", UPS)
def test_presets_round_trip_and_equal_look_at(up: tuple) -> None:
    preset = CameraPreset("Side", (1.5, -0.7, -3.0), (0.2, 0.1, 0.4), 0.65)
    orbit = make(up)
    orbit.go_to_preset(preset)
    assert orbit.position == pytest.approx(preset.position, abs=1e-9)
    assert orbit.view.pivot == preset.target
    expected = Camera.look_at(
        torch.tensor(preset.position),
        torch.tensor(preset.target),
        torch.tensor(up),
        preset.fov_y_rad,
        *VIEWPORT,
    )
    camera = orbit.to_camera(*VIEWPORT)
    assert torch.allclose(camera.viewmat, expected.viewmat, atol=1e-5)
    assert torch.allclose(camera.K, expected.K, rtol=1e-5)


def test_set_pivot_turns_the_view_but_not_the_eye() -> None:
    orbit = make()
    eye = orbit.position
    orbit.set_pivot((0.5, 0.0, 1.0))
    assert orbit.position == pytest.approx(eye, abs=1e-9)
    x, y, _ = project(orbit.to_camera(*VIEWPORT), np.array([0.5, 0.0, 1.0]))
    assert (x, y) == pytest.approx((320, 180), abs=1e-2)


def test_frame_all_shows_the_scene_from_the_same_side() -> None:
    meta = SyntheticSource().meta
    orbit = make()
    yaw = orbit.view.yaw_rad
    orbit.pan(400.0, 400.0, VIEWPORT)
    orbit.frame_all(meta)
    assert orbit.view.pivot == meta.center
    assert orbit.view.distance == meta.radius
    assert orbit.view.yaw_rad == yaw


def test_narrow_windows_keep_the_horizontal_view() -> None:
    orbit = make()
    wide = orbit.to_camera(1600, 900)
    narrow = orbit.to_camera(400, 900)
    wider = orbit.to_camera(3200, 900)
    assert narrow.width / narrow.K[0, 0] == pytest.approx(float(wide.width / wide.K[0, 0]))
    assert wider.K[1, 1] == wide.K[1, 1]
    assert narrow.K[0, 0] == narrow.K[1, 1]


def test_opening_view_is_the_first_preset() -> None:
    meta = SyntheticSource().meta
    orbit = OrbitCamera.from_meta(meta)
    assert orbit.position == pytest.approx(meta.presets[0].position)
    bare = OrbitCamera.from_meta(replace(meta, presets=(), width=0, height=0))
    assert bare.view.distance == meta.radius
    assert bare.position[2] < 0  # OpenCV captures look along +z


def test_smooth_move_depends_on_time_not_on_steps() -> None:
    shown = OrbitView((0.0, 0.0, 0.0), 3.0, 0.0, 2.0)
    goal = OrbitView((1.0, 2.0, 0.0), -3.0, 0.5, 8.0)
    once = approach(shown, goal, 0.2, 0.1)
    twice = approach(approach(shown, goal, 0.1, 0.1), goal, 0.1, 0.1)
    assert once.pivot == pytest.approx(twice.pivot)
    assert once.distance == pytest.approx(twice.distance)
    assert once.yaw_rad == pytest.approx(twice.yaw_rad)
    assert once.yaw_rad > 3.0  # the short way round
    for _ in range(40):
        shown = approach(shown, goal, 0.1, 0.1)
    assert shown is goal
