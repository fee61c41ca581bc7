"""The film preview, markers and repeated parts of the viewer model."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from streamstgs.app.player.camera.keyframes import CameraKeyframe
from streamstgs.app.player.film.markers import Marker, MarkerTrack
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.app.player.position.clock import PlaybackClock
from streamstgs.app.player.position.time_mapping import WHOLE_SCENE, SceneTimeMapping
from streamstgs.app.player.status import PlaybackState
from streamstgs.app.player.time_track import TimeKey
from streamstgs.app.player.viewer_model import ViewerModel

from tests.scripted_scene import ScriptedScene

WAIT_S = 60.0
FRONT = CameraKeyframe(0.0, (0.0, 0.0, -4.0), (0.0, 0.0, 0.0), (0.0, -1.0, 0.0), 0.8)
SIDE = CameraKeyframe(0.6, (3.0, -1.0, -1.0), (0.0, 0.0, 0.0), (0.0, -1.0, 0.0), 0.7)


def scripted(location: str, clock: PlaybackClock) -> Playback:
    settings = PlaybackSettings(loop=False)
    return Playback(location, settings, opener=lambda _: ScriptedScene(), clock=clock)


@pytest.fixture
def opened() -> Iterator[ViewerModel]:
    model = ViewerModel(scripted)
    model.open("ball", play=False)
    model.settle(WAIT_S)
    yield model
    model.close()


def state(model: ViewerModel) -> PlaybackState:
    assert model.status is not None
    return model.status.state


def play_to_the_end(model: ViewerModel) -> list[tuple[float, float, float]]:
    """Ticks until the film has ended: (time of the film, content time, x of the camera)."""
    seen, end_s = [], time.monotonic() + WAIT_S
    while state(model) is not PlaybackState.ENDED:
        assert time.monotonic() < end_s, "the film did not end"
        before_s = model.film.position_s
        frame = model.tick()
        if frame is not None and model.film.playing:
            moment_s = (10 * (frame.index // 10) + frame.frame) / 10.0
            seen.append((before_s, moment_s, model.camera.position[0]))
        time.sleep(0.004)
    return seen


def test_preview_plays_both_tracks_and_shows_equal_moments_in_bullet_time(
    opened: ViewerModel,
) -> None:
    opened.track.add(FRONT)
    opened.track.add(SIDE)
    for key in (TimeKey(0.0, 0.5), TimeKey(0.2, 0.7), TimeKey(0.4, 0.7), TimeKey(0.6, 0.5)):
        opened.time_track.add(key)
    assert opened.film.duration_s == pytest.approx(0.6)
    opened.film.play()
    assert opened.film.active
    seen = play_to_the_end(opened)
    assert len(seen) > 10
    held = {moment for film_s, moment, _ in seen if 0.22 < film_s < 0.36}
    assert len(held) == 1  # bullet time
    assert held.pop() == pytest.approx(0.7)
    moving = {x for film_s, _, x in seen if 0.22 < film_s < 0.36}
    assert len(moving) > 3
    assert opened.camera.position == pytest.approx(SIDE.position, abs=1e-6)
    assert opened.film.position_s == pytest.approx(0.6)
    assert opened.film.content_at(0.6) == pytest.approx(0.5)


def test_a_seek_or_stop_ends_the_preview_where_it_was(opened: ViewerModel) -> None:
    opened.track.add(FRONT)
    opened.track.add(SIDE)
    opened.film.play()
    opened.tick()
    assert opened.film.active
    opened.film.stop()
    assert not opened.film.active
    assert state(opened) is PlaybackState.PAUSED
    opened.film.play()
    opened.transport.seek(2.0)
    assert not opened.film.active
    opened.settle(WAIT_S)
    assert opened.frame is not None
    assert opened.film.position_s == pytest.approx(opened.frame.index / 10.0, abs=0.2)
    opened.film.seek(0.3)
    opened.settle(WAIT_S)
    assert opened.frame.index == 3


def test_film_time_is_its_own_with_a_time_track(opened: ViewerModel) -> None:
    opened.time_track.add(TimeKey(0.0, 2.0))
    opened.time_track.add(TimeKey(4.0, 1.0))
    opened.film.seek(2.0)
    opened.settle(WAIT_S)
    assert opened.film.position_s == pytest.approx(2.0)
    assert opened.frame is not None
    assert opened.frame.index == 15
    opened.film.seek(100.0)
    assert opened.film.content_at(opened.film.position_s) == pytest.approx(1.0)


def test_part_and_ping_pong_share_one_time_mapping_and_end_with_the_scene(
    opened: ViewerModel,
) -> None:
    assert opened.scene is not None
    clock = opened.scene.clock.clock
    opened.transport.set_part((1.0, 2.0))
    opened.transport.set_bounces(True)
    assert clock.time_mapping == SceneTimeMapping((1.0, 2.0), True)
    with pytest.raises(ValueError, match="does not end later"):
        opened.transport.set_part((2.0, 1.0))
    opened.film.play()
    opened.film.stop()
    assert clock.time_mapping == SceneTimeMapping((1.0, 2.0), True)
    opened.open("another", play=False)
    opened.settle(WAIT_S)
    assert opened.transport.part_s is None
    assert opened.scene.clock.clock.time_mapping is WHOLE_SCENE


def test_shuttle_doubles_and_turns(opened: ViewerModel) -> None:
    speeds = []
    for direction in (1, 1, 1, 1, 1, -1, -1):
        opened.transport.shuttle(direction)
        opened.tick()
        assert opened.status is not None
        speeds.append(opened.status.speed)
    assert speeds == [1.0, 2.0, 4.0, 8.0, 8.0, -1.0, -2.0]


def test_markers_are_found_kept_and_refused() -> None:
    markers = MarkerTrack([Marker(2.0, "jump"), Marker(0.5, "start")])
    after, before = markers.after(0.5), markers.before(2.0)
    assert after is not None
    assert after.name == "jump"
    assert before is not None
    assert before.name == "start"
    assert markers.after(2.0) is None
    assert markers.at(2.04, within_s=0.1) == 1
    assert markers.at(1.0, within_s=0.1) is None
    again = MarkerTrack()
    assert again.read_json(markers.to_json())
    assert list(again) == list(markers)
    for text in ("", "[", "{}", '[{"time_s": -1.0}]', '[{"time_s": 1e9}]', "[" * 100_000):
        assert not again.read_json(text)
    assert list(again) == list(markers)
    again.undo()
    assert len(again) == 0
