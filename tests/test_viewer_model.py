"""The viewer model without Qt and without a display."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from streamstgs.app.player.buffer.scene_buffer import still_gop
from streamstgs.app.player.camera.keyframes import CameraKeyframe
from streamstgs.app.player.camera.track import CameraTrack, apply_keyframe, capture
from streamstgs.app.player.errors import NoSceneError, SceneFailed
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.app.player.position.clock import PlaybackClock
from streamstgs.app.player.rendering.view_settings import ViewPass, ViewSettings
from streamstgs.app.player.status import PlaybackFrame, PlaybackState
from streamstgs.app.player.viewer.open_scene import (
    TRANSITIONS,
    OpenScene,
    SceneEvent,
    SceneState,
)
from streamstgs.app.player.viewer.render_options import RenderOptions
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.codec.errors import NotAScene
from streamstgs.codec.quality import Quality
from streamstgs.renderer import Camera, Gaussians, RenderSettings
from streamstgs.renderer.backends.reference import ReferenceBackend

from tests.scripted_scene import ScriptedScene

WAIT_S = 60.0
SLOW: list[ScriptedScene] = []  # scenes of the location "slow", whose decoding waits
FRONT = CameraKeyframe(0.0, (0.0, 0.0, -4.0), (0.0, 0.0, 0.0), (0.0, -1.0, 0.0), 0.8)


def scripted(location: str, clock: PlaybackClock) -> Playback:
    """A playback of a scripted scene; the location "broken" cannot be opened."""

    def open_scripted(location: str) -> ScriptedScene:
        if location == "slow":
            SLOW.append(ScriptedScene(open_gate=False))
            return SLOW[-1]
        if location == "broken":
            raise NotAScene("broken is no scene. Choose another one.")
        return ScriptedScene()

    return Playback(location, PlaybackSettings(), opener=open_scripted, clock=clock)


@pytest.fixture
def model() -> Iterator[ViewerModel]:
    before = set(threading.enumerate())
    made = ViewerModel(scripted)
    yield made
    made.close()
    end_s = time.monotonic() + WAIT_S
    while left := set(threading.enumerate()) - before:
        assert time.monotonic() < end_s, left
        time.sleep(0.01)


@pytest.fixture
def opened(model: ViewerModel) -> ViewerModel:
    """A model whose scene is open and paused at its start."""
    model.open("ball", play=False)
    model.settle(WAIT_S)
    return model


def tick_until(model: ViewerModel, condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end_s
        model.tick(0.01)
        time.sleep(0.001)


# Scenes


def test_transition_table_leads_from_request_to_end() -> None:
    """A walk over the table: every state is reached and can be closed, and CLOSED is final."""
    reached, waiting = {SceneState.REQUESTED}, [SceneState.REQUESTED]
    while waiting:
        state = waiting.pop()
        for event in SceneEvent:
            following = TRANSITIONS[state].get(event)
            if following is not None and following not in reached:
                reached.add(following)
                waiting.append(following)
    assert reached == set(SceneState)
    for state in set(SceneState) - {SceneState.CLOSED}:
        assert TRANSITIONS[state][SceneEvent.CLOSED] is SceneState.CLOSED
    assert not TRANSITIONS[SceneState.CLOSED]


def test_scene_walks_through_its_states(model: ViewerModel) -> None:
    seen: list[SceneState] = []
    model.scene_changed.connect(lambda scene: seen.append(scene.state))
    model.open("ball")
    frame = model.settle(WAIT_S)
    assert seen == [SceneState.REQUESTED, SceneState.OPENING, SceneState.DECODED]
    model.frame_painted(replace(frame))  # of another scene
    assert seen[-1] is SceneState.DECODED
    model.frame_painted(frame)
    assert seen[-1] is SceneState.READY
    model.close()
    assert seen[-1] is SceneState.CLOSED


def test_scene_waits_in_requested_until_opening_is_allowed() -> None:
    model = ViewerModel()
    scene = model.open("ball")
    model.tick()
    assert scene.state is SceneState.REQUESTED
    model.allow_opening(scripted)
    assert model.pending is scene
    assert scene.state is SceneState.OPENING
    model.close()


def test_scene_plays_once_its_first_frame_is_painted() -> None:
    model = ViewerModel(scripted, waits_for_paint=True)
    scene = model.open("ball")
    tick_until(model, lambda: scene.state is SceneState.DECODED)
    for _ in range(20):
        model.tick()
    assert scene.held
    assert model.frame is not None
    assert model.frame.index == 0
    model.frame_painted(model.frame)
    tick_until(model, lambda: model.frame is not None and model.frame.index > 0)
    model.close()


def test_pause_before_first_paint_holds() -> None:
    model = ViewerModel(scripted, waits_for_paint=True)
    scene = model.open("ball")
    tick_until(model, lambda: scene.state is SceneState.DECODED)
    model.transport.toggle()
    assert model.frame is not None
    model.frame_painted(model.frame)
    model.tick()
    assert model.status is not None
    assert model.status.state is PlaybackState.PAUSED
    model.close()


def test_shown_scene_goes_on_when_another_one_fails(opened: ViewerModel) -> None:
    failures: list[str] = []
    opened.failed.connect(failures.append)
    shown = opened.scene
    opened.open("broken")
    with pytest.raises(SceneFailed, match="no scene"):
        opened.settle(WAIT_S)
    opened.settle(WAIT_S)
    assert len(failures) == 1
    assert failures[0].startswith("broken is no scene.")
    assert opened.scene is shown
    assert opened.pending is None


def test_second_scene_replaces_the_first(opened: ViewerModel) -> None:
    first = opened.scene
    assert first is not None
    second = opened.open("other", play=False)
    assert opened.scene is first  # until the first frame of the second is decoded
    opened.settle(WAIT_S)
    assert opened.scene is second
    assert first.state is SceneState.CLOSED


def test_cancelled_scene_is_closed(opened: ViewerModel) -> None:
    shown = opened.scene
    pending = opened.open("other")
    opened.cancel_opening()
    assert pending.state is SceneState.CLOSED
    assert opened.scene is shown


def test_model_without_scene_says_so(model: ViewerModel) -> None:
    with pytest.raises(NoSceneError):
        model.settle(1.0)
    with pytest.raises(NoSceneError):
        model.camera.look_at = (0.0, 0.0, 0.0)
    model.transport.toggle()
    model.camera.frame_all()
    assert model.tick() is None


# Scenes that share a clock


def test_scenes_beside_each_other_show_the_same_time(opened: ViewerModel) -> None:
    opened.transport.seek(1.0)
    opened.settle(WAIT_S)
    companion = opened.open_beside("other")
    tick_until(opened, lambda: companion.frame is not None)
    assert opened.frame is not None
    assert companion.frame is not None
    assert companion.frame.index == opened.frame.index == 10
    opened.transport.play()
    tick_until(opened, lambda: opened.frame is not None and opened.frame.index >= 13)
    assert abs(opened.frame.index - companion.frame.index) <= 1
    opened.transport.seek(3.0)
    opened.transport.pause()
    opened.settle(WAIT_S)
    tick_until(opened, lambda: companion.frame is not None and companion.frame.index >= 30)
    assert companion.frame.index == opened.frame.index
    opened.close_beside(companion)
    assert companion.state is SceneState.CLOSED
    opened.transport.play()
    tick_until(opened, lambda: opened.frame is not None and opened.frame.index > 32)


def test_scene_that_buffers_holds_the_other(opened: ViewerModel) -> None:
    companion = opened.open_beside("slow")
    opened.transport.play()
    assert opened.scene is not None
    clock = opened.scene.clock.clock
    tick_until(opened, lambda: companion.meta is not None)
    tick_until(opened, lambda: clock.paused)
    for _ in range(30):
        opened.tick()
    assert clock.paused
    SLOW[-1].open_the_gate()
    tick_until(opened, lambda: not clock.paused)


def test_failed_companion_is_closed(opened: ViewerModel) -> None:
    failures: list[str] = []
    opened.failed.connect(failures.append)
    companion = opened.open_beside("broken")
    tick_until(opened, lambda: bool(failures))
    assert companion.state is SceneState.CLOSED
    assert opened.companions == ()
    opened.settle(WAIT_S)


# Transport and quality


def test_seek_and_step(opened: ViewerModel) -> None:
    opened.transport.seek(3.0)
    assert opened.settle(WAIT_S).index == 30
    opened.transport.step(-1)
    assert opened.settle(WAIT_S).index == 29
    opened.transport.seek_frame(1 << 40)
    assert opened.settle(WAIT_S).index == 44


def test_statuses_are_published_at_once_after_a_command(opened: ViewerModel) -> None:
    positions: list[float] = []
    opened.transport.status_changed.connect(lambda status: positions.append(status.position_s))
    opened.transport.seek(1.0)
    opened.transport.seek(2.0)
    assert positions == [1.0, 2.0]


def test_toggle_plays_and_pauses(opened: ViewerModel) -> None:
    opened.transport.toggle()
    assert opened.status is not None
    assert opened.status.wants_play
    opened.transport.toggle()
    assert not opened.status.wants_play


def test_quality_is_chosen_by_hand_and_automatically(opened: ViewerModel) -> None:
    best, worst = opened.quality.available[-1], opened.quality.available[0]
    opened.quality.choice = worst
    assert opened.settle(WAIT_S).quality == worst
    opened.quality.step(5)
    assert opened.settle(WAIT_S).quality == best
    opened.tick()
    assert opened.quality.choice == opened.quality.shown == best
    opened.quality.toggle_automatic()
    assert opened.quality.choice is None


# Camera


def test_camera_properties_move_the_camera(opened: ViewerModel) -> None:
    camera, moves = opened.camera, []
    camera.changed.connect(lambda: moves.append(camera.view))
    eye = camera.position
    camera.look_at = (0.5, 0.0, 0.0)
    assert camera.look_at == (0.5, 0.0, 0.0)
    assert camera.position == pytest.approx(eye)
    camera.position = (1.0, -2.0, -5.0)
    assert camera.position == pytest.approx((1.0, -2.0, -5.0))
    assert camera.look_at == (0.5, 0.0, 0.0)
    camera.fov_y_rad = 0.6
    camera.roll_rad = 0.2
    assert len(moves) == 4
    assert camera.shown == camera.view
    assert camera.position == pytest.approx((1.0, -2.0, -5.0))
    camera.reset()
    assert camera.roll_rad == 0.0
    with pytest.raises(ValueError, match="look at"):
        camera.look_at = camera.position


def test_roll_turns_the_image(opened: ViewerModel) -> None:
    upright = opened.screenshot(64, 64, backend="reference")
    opened.camera.roll_rad = math.pi
    upside_down = opened.screenshot(64, 64, backend="reference")
    assert np.abs(upside_down[::-1, ::-1].astype(int) - upright).max() <= 2
    assert np.abs(upside_down.astype(int) - upright).max() > 20


def test_positive_roll_is_counter_clockwise(opened: ViewerModel) -> None:
    camera = opened.camera
    right_before = camera.to_camera(64, 64).viewmat[0, :3]
    camera.roll_rad = 0.3
    viewmat = camera.to_camera(64, 64).viewmat[:3, :3]
    # What was right of the middle is now right and above it (y grows downwards).
    assert float(viewmat[1] @ right_before) < 0 < float(viewmat[0] @ right_before)


def test_drags_follow_the_pointer_when_rolled(opened: ViewerModel) -> None:
    camera = opened.camera
    camera.roll_rad = math.pi / 2
    before = camera.view
    camera.drag_orbit(10.0, 0.0, (640, 360))
    assert camera.view.yaw_rad == pytest.approx(before.yaw_rad, abs=1e-9)
    assert camera.view.pitch_rad != before.pitch_rad


def test_glide_ends_where_the_camera_was_sent() -> None:
    model = ViewerModel(scripted, glides=True)
    model.open("ball", play=False)
    model.settle(WAIT_S)
    camera = model.camera
    before = camera.shown
    camera.roll_rad = 0.5
    assert camera.shown == before
    model.tick(0.02)
    assert 0.0 < camera.shown.roll_rad < 0.5
    for _ in range(100):
        model.tick(0.05)
    assert camera.shown == camera.view
    assert not camera.gliding
    model.close()


def test_picked_point_is_on_the_scene(opened: ViewerModel) -> None:
    point = opened.pick(160, 90, 320, 180)
    assert point is not None
    assert max(abs(value) for value in point) < 1.5


# Camera track


def test_track_is_edited_and_restored() -> None:
    track, changes = CameraTrack(), []
    track.changed.connect(lambda: changes.append(len(track)))
    assert track.add(replace(FRONT, time_s=2.0)) == 0
    assert track.add(FRONT) == 0
    before = track.snapshot()
    assert track.copy(0, 4.0) == 2
    assert track.move(0, 3.0) == 1
    assert [key.time_s for key in track] == [2.0, 3.0, 4.0]
    assert track.duration_s == 4.0
    assert track.replace(1, replace(FRONT, time_s=3.0, fov_y_rad=0.5)) == 1
    assert track[1].fov_y_rad == 0.5
    assert track.add(replace(FRONT, time_s=3.0)) == 1  # the same time: replaced
    assert len(track) == 3
    track.remove(0)
    with pytest.raises(IndexError):
        track.remove(7)
    track.restore(before)
    assert track.snapshot() == before
    assert len(changes) == 8
    track.clear()
    with pytest.raises(ValueError, match="no keyframe"):
        track.keyframe_at(0.0)


def test_track_meets_its_keyframes_with_their_roll(opened: ViewerModel) -> None:
    camera = opened.camera
    track = CameraTrack()
    for time_s, roll_rad in ((0.0, 0.0), (1.0, math.pi), (2.0, 0.4)):
        camera.look_from((time_s, -1.0, -4.0), (0.0, 0.0, 0.0), 0.7 + 0.1 * time_s, roll_rad)
        track.add(capture(camera, time_s))
        expected = camera.to_camera(64, 36).viewmat
        found = track.path(16 / 9).camera_at(time_s, 64, 36).viewmat
        assert torch.allclose(found, expected, atol=1e-6)
    for step in range(41):
        key = track.keyframe_at(step / 20)
        assert torch.isfinite(track.path(1.0).camera_at(step / 20, 64, 36).viewmat).all()
        assert math.hypot(*key.up) > 0.5
    apply_keyframe(camera, track.keyframe_at(2.0))
    assert camera.roll_rad == pytest.approx(0.4, abs=1e-6)
    assert camera.fov_y_rad == pytest.approx(0.9)


def test_camera_follows_its_track_while_time_runs(opened: ViewerModel) -> None:
    opened.track.add(FRONT)
    opened.track.add(replace(FRONT, time_s=2.0, position=(2.0, -1.0, -4.0)))
    opened.transport.seek(1.0)
    opened.settle(30.0)
    unmoved = opened.camera.position
    opened.follows_track = True
    opened.tick()
    assert opened.camera.position == pytest.approx(opened.track.keyframe_at(1.0).position)
    assert opened.camera.position != pytest.approx(unmoved)
    opened.camera.position = (0.0, -2.0, -5.0)  # time stands still: a person may look around
    opened.tick()
    assert opened.camera.position == pytest.approx((0.0, -2.0, -5.0))
    opened.transport.seek(2.0)
    opened.settle(30.0)
    assert opened.camera.position == pytest.approx((2.0, -1.0, -4.0))


# Images


def test_screenshot_is_what_the_reference_draws(opened: ViewerModel) -> None:
    opened.transport.seek(2.0)
    opened.camera.orbit(40.0, 10.0, (640, 360))
    rgb8 = opened.screenshot(96, 54, backend="reference")
    assert rgb8.shape == (54, 96, 3)
    assert rgb8.dtype == np.uint8
    frame = opened.frame
    assert frame is not None
    assert frame.index == 20
    camera = opened.camera.to_camera(96, 54)
    truth = ReferenceBackend().render(
        frame.gop.gaussians_at(frame.frame), camera, opened.render_settings()
    )
    expected = (truth.clamp(0, 1) * 255).round().byte().numpy()
    assert np.abs(rgb8.astype(int) - expected).max() <= 1
    assert np.ptp(rgb8) > 50


def test_background_option_changes_the_image(opened: ViewerModel) -> None:
    opened.options.background = "white"
    white = opened.screenshot(64, 36, backend="cpu")
    opened.options.background = "black"
    black = opened.screenshot(64, 36, backend="cpu")
    assert white[0, 0].tolist() == [255, 255, 255]
    assert black[0, 0].tolist() == [0, 0, 0]


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_modes_show_coverage_and_depth(opened: ViewerModel, backend: str) -> None:
    frame, camera = opened.settle(WAIT_S), opened.camera.to_camera(64, 36)
    channels = ReferenceBackend().render_channels(
        frame.gop.gaussians_at(frame.frame), camera, opened.render_settings()
    )
    opened.options.mode = "alpha"
    coverage = opened.screenshot(64, 36, backend=backend)
    assert np.abs(coverage[..., 0] / 255.0 - channels.alpha.numpy()).max() < 0.02
    opened.options.mode = "depth"
    depth = opened.screenshot(64, 36, backend=backend)
    alpha = channels.alpha.numpy()
    solid = alpha > 0.3
    nearness = depth[..., 1][solid] / alpha[solid]
    assert np.corrcoef(nearness, channels.depth.numpy()[solid])[0, 1] < -0.95
    assert np.ptp(nearness) > 50
    assert depth[0, 0].tolist() == [0, 0, 0]


def test_exposure_scales_scene_and_background(opened: ViewerModel) -> None:
    normal = opened.screenshot(64, 36, backend="reference")
    opened.options.exposure = -1.0
    dark = opened.screenshot(64, 36, backend="reference")
    assert np.abs(dark - normal / 2.0).max() <= 1.0
    assert not opened.options.is_plain


def test_exposure_scales_spherical_harmonics() -> None:
    sh = torch.rand(5, 4, 3)
    plain = Gaussians(
        torch.tensor([[0.1 * i, 0.0, 0.0] for i in range(5)]),
        torch.tensor([[1.0, 0.0, 0.0, 0.0]]).repeat(5, 1),
        torch.full((5, 3), 0.2),
        torch.full((5,), 0.8),
        torch.ones(5, 3),
        sh,
    )
    up = torch.tensor([0.0, -1.0, 0.0])
    camera = Camera.look_at(torch.tensor([0.0, 0.0, -3.0]), torch.zeros(3), up, 0.8, 48, 27)
    frame = PlaybackFrame(still_gop(plain), 0, 0, Quality(0, 20, 1.0, 40.0), 0)
    gaussians, settings = ViewPass().prepared(plain, camera, ViewSettings(exposure=-1.0), frame)
    dark = ReferenceBackend().render(gaussians, camera, settings)
    bright = ReferenceBackend().render(plain, camera, RenderSettings())
    assert torch.allclose(dark, bright / 2, atol=1e-4)
    assert torch.equal(plain.sh, sh)


def test_render_options_refuse_unknown_values() -> None:
    options, changes = RenderOptions(), []
    options.changed.connect(lambda: changes.append(options.background))
    with pytest.raises(ValueError, match="black, white"):
        options.background = "plaid"
    with pytest.raises(ValueError, match="color, alpha, depth"):
        options.mode = "thermal"
    with pytest.raises(ValueError, match="exposure"):
        options.exposure = 9.0
    for scale in (0.0, 1.5):
        with pytest.raises(ValueError, match="scale"):
            options.scale = scale
    options.background, options.scale = "black", 0.5
    assert len(changes) == 2


def test_scene_is_closed_once() -> None:
    scene = OpenScene("ball")
    scene.start(scripted)
    assert scene.state is SceneState.OPENING
    scene.close()
    scene.close()
    scene.join()
    assert scene.state is SceneState.CLOSED
    assert not scene.closing
    assert scene.tick() is None
