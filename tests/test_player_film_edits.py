"""Edits of tracks at the time of the film, snapping, and the camera path as lines."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from streamstgs.app.player.camera.keyframes import CameraKeyframe, KeyframePath
from streamstgs.app.player.film.edits import change_speed, hold, play_once, snapped, split
from streamstgs.app.player.film.path_overlay import PathLines, on_screen
from streamstgs.app.player.time_track import TimeKey, TimeTrack
from streamstgs.renderer import Camera

FRONT = CameraKeyframe(0.0, (0.0, 0.0, -4.0), (0.0, 0.0, 0.0), (0.0, -1.0, 0.0), 0.8)


def test_times_snap_to_frames_and_to_near_times() -> None:
    assert snapped(1.01, 10.0) == pytest.approx(1.0)
    assert snapped(1.06, 10.0, [1.04], within_s=0.05) == 1.04
    assert snapped(1.06, 10.0, [2.0], within_s=0.05) == pytest.approx(1.1)
    assert snapped(-0.3, 10.0) == 0.0
    assert snapped(1.2345, 0.0) == 1.2345


def test_hold_begins_a_track_and_is_one_step_of_undo() -> None:
    track = TimeTrack()
    hold(track, 2.0, 3.0, scene_s=10.0)
    curve = track.curve()
    assert [curve.content_at(t) for t in (1.0, 2.0, 3.5, 5.0, 6.0)] == [1.0, 2.0, 2.0, 2.0, 3.0]
    assert curve.duration_s == 13.0
    track.undo()
    assert len(track) == 0


def test_speeds_keep_what_comes_before_and_move_what_follows() -> None:
    track = TimeTrack([TimeKey(0.0, 0.0), TimeKey(4.0, 4.0), TimeKey(6.0, 6.0)])
    change_speed(track, 2.0, 0.5, scene_s=10.0)
    curve = track.curve()
    assert [curve.content_at(t) for t in (2.0, 4.0, 6.0, 8.0)] == [2.0, 3.0, 4.0, 6.0]
    track.undo()
    change_speed(track, 2.0, -1.0, scene_s=10.0)
    curve = track.curve()
    assert [curve.content_at(t) for t in (2.0, 3.0, 4.0, 6.0)] == [2.0, 1.0, 0.0, 2.0]
    track.undo()
    assert len(track) == 3
    with pytest.raises(ValueError, match="hold"):
        change_speed(track, 2.0, 0.0, scene_s=10.0)


@given(
    at_s=st.floats(0.01, 9.9),
    speed=st.sampled_from([0.25, 0.5, 2.0, -1.0, -0.5]),
    twice=st.booleans(),
)
def test_changed_speeds_never_jump(at_s: float, speed: float, twice: bool) -> None:
    track = TimeTrack()
    play_once(track, 10.0)
    if twice:
        hold(track, 3.0, 1.0, 10.0)
    change_speed(track, at_s, speed, 10.0)
    curve = track.curve()
    times = np.linspace(0.0, curve.duration_s, 400)
    content = np.array([curve.content_at(float(t)) for t in times])
    step_s = times[1]
    assert np.abs(np.diff(content)).max() <= max(abs(speed), 1.0) * step_s + 1e-6


def test_split_keeps_the_curve() -> None:
    track = TimeTrack([TimeKey(0.0, 0.0), TimeKey(4.0, 8.0)])
    index = split(track, 1.0)
    assert track[index] == TimeKey(1.0, 2.0)
    assert split(track, 1.0) == index
    assert len(track) == 3


def test_lines_are_where_the_camera_sees_them() -> None:
    up = torch.tensor([0.0, -1.0, 0.0])
    camera = Camera.look_at(torch.tensor([0.0, 0.0, -4.0]), torch.zeros(3), up, 0.8, 320, 180)
    path = KeyframePath(
        (
            replace(FRONT, position=(-1.0, 0.0, 0.0), target=(0.0, 0.0, 2.0)),
            replace(FRONT, position=(1.0, 0.0, 0.0), target=(0.0, 0.0, 2.0), time_s=1.0),
        ),
        16 / 9,
    )
    lines = PathLines.of(path)
    seen = on_screen(lines.curve, camera, 0.01)
    focal = 90 / math.tan(0.4)
    assert seen[0, 0] == pytest.approx([160 - focal / 4, 90.0])
    assert seen[-1, 1] == pytest.approx([160 + focal / 4, 90.0])
    assert lines.frusta.shape == (2, 9, 2, 3)
    assert np.allclose(lines.frusta[0, 0, 0], (-1.0, 0.0, 0.0))
    upwards = on_screen(lines.frusta[0, 8:], camera, 0.01)
    assert upwards[0, 1, 1] < upwards[0, 0, 1]


def test_lines_behind_the_camera_are_cut_off() -> None:
    camera = Camera(torch.eye(4), torch.tensor([[100.0, 0, 50], [0, 100, 50], [0, 0, 1]]), 100, 100)
    ahead, behind = (0.0, 0.0, 2.0), (0.0, 1.0, -2.0)
    lines = np.array([[ahead, behind], [behind, behind], [behind, ahead]])
    seen = on_screen(lines, camera, 0.1)
    assert len(seen) == 2
    assert np.isfinite(seen).all()
    assert seen[0, 1] == pytest.approx(seen[1, 0])


def test_path_of_one_keyframe_has_a_frustum_and_no_curve() -> None:
    lines = PathLines.of(KeyframePath((FRONT,), 1.5))
    assert len(lines.curve) == 0
    assert len(lines.frusta) == 1
