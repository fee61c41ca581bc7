"""Flying with held keys: directions, speed, softness, limits, and looking around."""

from __future__ import annotations

import math

import numpy as np
import pytest
from streamstgs.app.player.camera.controller import CameraController
from streamstgs.app.player.camera.limits.camera_limits import CameraLimits
from streamstgs.app.player.camera.moves.fly import FAST, SPEED, FlyControl, FlyKey
from streamstgs.app.player.camera.orbit import OrbitView
from streamstgs.codec.package.filmed_view import filmed_views

from tests.synthetic import SyntheticSource

VIEWPORT = (640, 360)
META = SyntheticSource().meta  # up is -y, the camera at z = -4 looks at the origin


def flying(limited: bool = False) -> tuple[CameraController, FlyControl]:
    camera = CameraController(glides=False)
    limits = CameraLimits(filmed_views(META), META) if limited else None
    camera.enter_scene(META, limits=limits)
    camera.flies = True
    return camera, FlyControl(camera)


def fly(control: FlyControl, seconds: float) -> None:
    for _ in range(round(seconds / 0.01)):
        control.advance(0.01)


@pytest.mark.parametrize(
    ("key", "direction"),
    [
        (FlyKey.FORWARD, (0, 0, 1)),
        (FlyKey.BACK, (0, 0, -1)),
        (FlyKey.RIGHT, (1, 0, 0)),
        (FlyKey.LEFT, (-1, 0, 0)),
        (FlyKey.UP, (0, -1, 0)),
        (FlyKey.DOWN, (0, 1, 0)),
    ],
)
def test_keys_move_the_eye(key: FlyKey, direction: tuple[int, int, int]) -> None:
    camera, control = flying()
    before = np.array(camera.position)
    control.press(key)
    fly(control, 1.0)
    way = np.array(camera.position) - before
    length = np.linalg.norm(way)
    assert way / length == pytest.approx(np.array(direction), abs=1e-6)
    assert 0.7 < length / (SPEED * META.radius) <= 1.0  # it starts softly
    control.release(key)
    fly(control, 1.0)
    assert not control.moving
    rest = np.array(camera.position)
    fly(control, 1.0)
    assert np.array(camera.position) == pytest.approx(rest)


def test_two_keys_are_no_faster_and_shift_is() -> None:
    ways = []
    for keys, fast in (
        ({FlyKey.FORWARD}, False),
        ({FlyKey.FORWARD, FlyKey.RIGHT}, False),
        ({FlyKey.RIGHT}, True),
    ):
        camera, control = flying()
        control.fast = fast
        for key in keys:
            control.press(key)
        before = np.array(camera.position)
        fly(control, 0.5)
        ways.append(np.linalg.norm(np.array(camera.position) - before))
    assert ways[1] == pytest.approx(ways[0], rel=0.02)
    assert ways[2] == pytest.approx(FAST * ways[0], rel=0.02)


def test_flight_passes_the_pivot_and_pushes_it_ahead() -> None:
    camera, control = flying()
    control.press(FlyKey.FORWARD)
    fly(control, 8.0)
    assert camera.position[2] > 1.0  # beyond the origin, which was the pivot
    assert camera.look_at[2] > camera.position[2]


def test_flight_stops_at_the_edge_of_what_was_filmed() -> None:
    camera, control = flying(limited=True)
    control.press(FlyKey.RIGHT)
    fly(control, 20.0)
    assert camera.at_edge
    inside = np.array(camera.position)
    camera.free_flight = True
    fly(control, 5.0)
    assert np.linalg.norm(np.array(camera.position) - inside) > 1.0


def test_a_window_that_stood_still_does_not_jump() -> None:
    camera, control = flying()
    control.press(FlyKey.FORWARD)
    before = np.array(camera.position)
    control.advance(30.0)
    assert np.linalg.norm(np.array(camera.position) - before) < SPEED * META.radius


def test_drags_turn_around_the_eye_in_fly_mode_and_keep_the_roll() -> None:
    camera, _ = flying()
    camera.view = OrbitView((0.2, 0.1, 0.0), 0.4, 0.2, 3.0, 0.8, roll_rad=0.3)
    eye, target = camera.position, camera.look_at
    camera.drag_orbit(40, 25, VIEWPORT)
    assert camera.position == pytest.approx(eye, abs=1e-6)
    assert camera.look_at != pytest.approx(target, abs=0.05)
    assert camera.roll_rad == pytest.approx(0.3)
    camera.flies = False
    camera.drag_orbit(40, 25, VIEWPORT)
    assert camera.position != pytest.approx(eye, abs=0.05)


def test_what_lies_under_the_pointer_follows_it() -> None:
    camera, _ = flying()
    before = camera.to_camera(*VIEWPORT)
    point = np.array([0.3, -0.2, 1.0])

    def pixel() -> tuple[float, float]:
        shown = camera.to_camera(*VIEWPORT)
        x, y, z = shown.viewmat[:3, :3].numpy() @ point + shown.viewmat[:3, 3].numpy()
        return float(shown.K[0, 0] * x / z + 320), float(shown.K[1, 1] * y / z + 180)

    start = pixel()
    camera.drag_orbit(6, -4, VIEWPORT)
    end = pixel()
    assert end[0] - start[0] == pytest.approx(6, abs=0.5)
    assert end[1] - start[1] == pytest.approx(-4, abs=0.5)
    assert math.isclose(float(before.K[0, 0]), float(camera.to_camera(*VIEWPORT).K[0, 0]))
