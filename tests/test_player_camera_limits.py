"""The camera stays near what was filmed, above the ground and off surfaces."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from streamstgs.app.player.camera.controller import CameraController
from streamstgs.app.player.camera.framing import focal_px, opening_fov_y_rad
from streamstgs.app.player.camera.limits.camera_limits import CameraLimits
from streamstgs.app.player.camera.limits.surfaces import find_surfaces
from streamstgs.codec.package.filmed_view import FilmedView, OpeningView, filmed_views
from streamstgs.codec.package.scene_meta import CameraPreset, SceneMeta
from streamstgs.renderer import Gaussians

VIEWPORT = (960, 540)
UP = (0.0, 0.0, 1.0)
RADIUS = 10.0


def ring(turns_deg: range, height: float = 3.0) -> tuple[FilmedView, ...]:
    """Cameras on a part of a circle that look at its middle."""
    views = []
    for turn in turns_deg:
        angle = math.radians(turn)
        place = (RADIUS * math.cos(angle), RADIUS * math.sin(angle), height)
        view = FilmedView.looking_at(place, (0.0, 0.0, 1.0), UP, 0.5, 16 / 9)
        assert view is not None
        views.append(view)
    return tuple(views)


def scene(filmed: tuple[FilmedView, ...]) -> SceneMeta:
    front = CameraPreset("Front", (RADIUS, 0.0, 3.0), (0.0, 0.0, 1.0), 0.5)
    return SceneMeta(
        "Ring", 24.0, UP, (0.0, 0.0, 1.0), RADIUS, (0.0, 0.0, 0.0), 1280, 720,
        near=0.1, presets=(front,), filmed=filmed,
    )  # fmt: skip


def controller(filmed: tuple[FilmedView, ...], surfaces: bool = False) -> CameraController:
    meta = scene(filmed)
    limits = CameraLimits(filmed_views(meta), meta)
    if surfaces:
        limits.surfaces = find_surfaces(house(), meta.center, meta.radius, UP)
    camera = CameraController(glides=False)
    camera.enter_scene(meta, limits=limits)
    return camera


def house() -> Gaussians:
    """A box of 4 x 4 x 4 that stands on a floor of 16 x 16 at height 0."""
    random = torch.Generator().manual_seed(3)
    floor = torch.rand(20_000, 3, generator=random) * torch.tensor(
        [16.0, 16.0, 0.0]
    ) - torch.tensor([8.0, 8.0, 0.0])
    walls = torch.rand(20_000, 3, generator=random) * 4 - torch.tensor([2.0, 2.0, 0.0])
    side, sign = (
        torch.randint(0, 2, (20_000,), generator=random),
        torch.rand(20_000, generator=random),
    )
    walls[torch.arange(20_000), side] = torch.where(sign < 0.5, -2.0, 2.0)
    means = torch.cat([floor, walls])
    count = len(means)
    return Gaussians(
        means=means,
        quats=torch.tensor([1.0, 0.0, 0.0, 0.0]).expand(count, 4).contiguous(),
        scales=torch.full((count, 3), 0.06),
        opacities=torch.full((count,), 0.9),
        colors=torch.zeros(count, 3),
    )


def turn_deg(camera: CameraController) -> float:
    x, y, _ = camera.position
    return math.degrees(math.atan2(y, x))


def test_orbit_stops_softly_beyond_the_last_camera() -> None:
    camera = controller(ring(range(-40, 41, 10)))
    stops: list[bool] = []
    camera.stopped.connect(lambda: stops.append(True))
    turns = [turn_deg(camera)]
    for _ in range(120):
        camera.drag_orbit(-12, 0, VIEWPORT)
        turns.append(turn_deg(camera))
    steps = np.diff(turns)
    assert 40 < turns[-1] < 56  # a little beyond the camera at 40 degrees
    assert (steps >= -1e-9).all()
    assert steps[-1] < 0.05 * steps[0]  # it has nearly stopped ...
    slowing = steps[steps < 0.95 * steps[0]]
    assert len(slowing) > 5  # ... over several steps
    assert (np.diff(slowing) <= 1e-6).all()
    assert camera.at_edge
    assert stops
    camera.drag_orbit(12, 0, VIEWPORT)  # the way back is free
    assert turns[-1] - turn_deg(camera) == pytest.approx(steps[0], rel=1e-6)
    assert not camera.at_edge


def test_camera_slides_along_the_edge() -> None:
    camera = controller(ring(range(0, 360, 30)))
    for _ in range(60):
        camera.drag_orbit(0, 12, VIEWPORT)  # up, to the edge
    assert camera.at_edge
    before = camera.view
    for _ in range(10):
        camera.drag_orbit(10, 10, VIEWPORT)
    assert camera.view.yaw_rad != pytest.approx(before.yaw_rad, abs=0.1)
    assert camera.view.pitch_rad == pytest.approx(before.pitch_rad, abs=0.05)


def test_wheel_stops_before_the_wall_and_above_the_floor() -> None:
    camera = controller(ring(range(0, 360, 30)), surfaces=True)
    for _ in range(40):
        camera.dolly(1)
    assert 2.1 < camera.position[0] < 3.2  # the wall is at 2
    blocked = controller(ring(range(0, 360, 30)))
    blocked.free_flight = True
    for _ in range(40):
        blocked.dolly(1)
    assert blocked.position[0] < 0.5  # through the wall
    camera.reset()
    for _ in range(80):
        camera.drag_orbit(0, -12, VIEWPORT)
    assert 0.2 < camera.position[2] < 1.5  # the floor is at 0


def test_one_large_step_does_not_jump_over_a_wall() -> None:
    camera = controller(ring(range(0, 360, 30)), surfaces=True)
    camera.dolly(16)
    assert camera.position[0] > 2.1


def test_pan_stops_where_no_camera_looked() -> None:
    camera = controller(ring(range(-20, 21, 10)))
    for _ in range(200):
        camera.drag_pan(20, 0, VIEWPORT)
    assert camera.at_edge
    assert np.linalg.norm(camera.look_at) < RADIUS


def test_moves_back_in_are_free_from_outside() -> None:
    camera = controller(ring(range(-40, 41, 10)))
    camera.look_from((-RADIUS, 0.1, 3.0), (0.0, 0.0, 1.0), 0.5)  # a typed pose goes anywhere
    outside = turn_deg(camera)
    camera.drag_orbit(-12, 0, VIEWPORT)
    farther = turn_deg(camera)
    camera.drag_orbit(12, 0, VIEWPORT)
    assert abs(farther - outside) < 0.01 or abs(outside - turn_deg(camera)) > 1.0
    camera.go_to_filmed_side()
    assert abs(turn_deg(camera)) <= 41
    assert not camera.at_edge


def test_old_scenes_derive_their_region_from_the_presets() -> None:
    meta = scene(())
    views = filmed_views(meta)
    assert len(views) == 1
    assert views[0].position == meta.presets[0].position
    assert views[0].fov_x_rad == pytest.approx(2 * math.atan(math.tan(0.25) * 16 / 9))
    camera = controller(())
    for _ in range(200):
        camera.drag_orbit(12, 0, VIEWPORT)
    assert camera.at_edge
    assert abs(turn_deg(camera)) < 60
    assert filmed_views(replace(meta, presets=())) == ()


def test_free_flight_costs_no_look_at_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = controller(ring(range(-40, 41, 10)))
    camera.free_flight = True

    def fail(*_: object) -> float:
        raise AssertionError("looked at")

    monkeypatch.setattr(CameraLimits, "margin", fail)
    for _ in range(60):
        camera.drag_orbit(-12, 0, VIEWPORT)
        camera.advance(0.01)
        camera.to_camera(*VIEWPORT)
    assert abs(turn_deg(camera)) > 60 or camera.view.yaw_rad > 1.0


def test_surfaces_know_walls_ground_and_free_space() -> None:
    surfaces = find_surfaces(house(), (0.0, 0.0, 1.0), RADIUS, UP)
    assert surfaces.ground == pytest.approx(0.0, abs=0.2)
    assert surfaces.distance((2.0, 0.0, 2.0)) < surfaces.cell
    assert surfaces.distance((5.0, 0.0, 2.0)) == pytest.approx(2.0, abs=2 * surfaces.cell)
    assert surfaces.distance((100.0, 0.0, 0.0)) == math.inf
    nothing = find_surfaces(house()[:0], (0.0, 0.0, 1.0), RADIUS, UP)
    assert nothing.ground is None
    assert nothing.distance((0.0, 0.0, 1.0)) > RADIUS


@pytest.mark.parametrize("size", [(1600, 400), (500, 900), (1280, 720)])
def test_opening_view_shows_only_what_was_filmed(size: tuple[int, int]) -> None:
    filmed = ring(range(-40, 41, 20))
    view = filmed[2]
    opening = OpeningView(view, 10.0, filmed)
    alone = OpeningView(view, 10.0, (view,))
    aspect, (width, height) = 16 / 9, size
    whole = focal_px(view.fov_y_rad, aspect, width, height)
    cut = focal_px(opening_fov_y_rad(alone, aspect, width, height), aspect, width, height)
    # A single camera: the window shows nothing beyond its picture.
    assert width / cut <= 2 * math.tan(view.fov_x_rad / 2) + 1e-6
    assert height / cut <= 2 * math.tan(view.fov_y_rad / 2) + 1e-6
    # More cameras saw more, and the window never shows less than it has to.
    fitted = focal_px(opening_fov_y_rad(opening, aspect, width, height), aspect, width, height)
    assert whole - 1e-6 <= fitted <= cut + 1e-6


def test_window_size_fits_the_opening_view_until_the_camera_moves() -> None:
    meta = replace(scene(ring(range(-40, 41, 20))[2:3]), isolated=False)
    camera = CameraController(glides=False)
    camera.set_viewport(1600, 400)
    camera.enter_scene(meta)
    wide = camera.fov_y_rad
    assert wide < 0.5
    camera.set_viewport(1280, 720)
    assert camera.fov_y_rad == pytest.approx(0.5)
    camera.drag_orbit(5, 0, VIEWPORT)
    camera.set_viewport(1600, 400)
    assert camera.fov_y_rad == pytest.approx(0.5)  # a person's view stays
    camera.reset()
    assert camera.fov_y_rad == pytest.approx(wide)
    objects = CameraController(glides=False)
    objects.set_viewport(1600, 400)
    objects.enter_scene(replace(meta, isolated=True))
    assert objects.fov_y_rad == 0.5  # around an object there is background
