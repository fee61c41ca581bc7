"""Scenes that play one after the other, without a window."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from streamstgs.app.player.errors import SceneFailed
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.app.player.position.clock import PlaybackClock
from streamstgs.app.player.status import PlaybackState
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.codec.errors import NotAScene

from tests.scripted_scene import ScriptedScene

WAIT_S = 60.0


def scripted(location: str, clock: PlaybackClock) -> Playback:
    def open_scripted(location: str) -> ScriptedScene:
        if location.startswith("broken"):
            raise NotAScene(f"{location} is no scene. Choose another one.")
        return ScriptedScene()

    return Playback(location, PlaybackSettings(), opener=open_scripted, clock=clock)


@pytest.fixture
def model() -> Iterator[ViewerModel]:
    made = ViewerModel(scripted)
    yield made
    made.close()


def shown(model: ViewerModel) -> str:
    return model.scene.location if model.scene is not None else ""


def wait_for_scene(model: ViewerModel, location: str) -> None:
    end_s = time.monotonic() + WAIT_S
    while shown(model) != location:
        assert time.monotonic() < end_s, f"{shown(model)} instead of {location}"
        model.tick()
        time.sleep(0.002)


def go_to_end(model: ViewerModel) -> None:
    """Play the last frame."""
    model.settle(WAIT_S)
    assert model.status is not None
    model.transport.seek(model.status.duration_s)
    model.settle(WAIT_S)
    model.transport.play()


def test_the_next_scene_opens_at_the_end_and_the_first_after_the_last(model: ViewerModel) -> None:
    model.playlist.play(["one", "two"])
    wait_for_scene(model, "one")
    assert model.status is None or not model.status.loop
    end_s = time.monotonic() + WAIT_S
    model.settle(WAIT_S)
    while shown(model) == "one":  # it plays to its end by itself
        assert time.monotonic() < end_s
        model.tick()
        time.sleep(0.002)
    assert shown(model) == "two"
    wait_for_scene(model, "one")


def test_steps_go_on_and_back_and_around(model: ViewerModel) -> None:
    model.playlist.step(1)  # no list: nothing happens
    assert model.pending is None
    model.playlist.play(["one", "two", "three"])
    wait_for_scene(model, "one")
    model.playlist.step(1)
    wait_for_scene(model, "two")
    model.playlist.step(-2)
    wait_for_scene(model, "three")
    assert model.playlist.index == 2


def test_scenes_that_cannot_be_opened_are_skipped_but_not_for_ever(model: ViewerModel) -> None:
    failures: list[str] = []
    model.failed.connect(failures.append)
    model.playlist.play(["broken-1", "one", "broken-2"])
    wait_for_scene(model, "one")
    assert len(failures) == 1
    model.playlist.play(["broken-1", "broken-2"])
    end_s = time.monotonic() + WAIT_S
    while len(failures) < 3 or model.pending is not None:
        assert time.monotonic() < end_s
        model.tick()
        time.sleep(0.002)
    for _ in range(50):
        model.tick()
    assert len(failures) == 3
    assert shown(model) == "one"  # the former scene stays


def test_another_scene_ends_the_list(model: ViewerModel) -> None:
    changes: list[int] = []
    model.playlist.changed.connect(lambda: changes.append(len(model.playlist.locations)))
    model.playlist.play(["one", "two"])
    wait_for_scene(model, "one")
    model.open("elsewhere", play=False)
    wait_for_scene(model, "elsewhere")
    assert model.playlist.locations == ()
    assert changes[-1] == 0


def test_a_looped_scene_stays(model: ViewerModel) -> None:
    model.playlist.play(["one", "two"])
    wait_for_scene(model, "one")
    model.transport.set_loop(True)
    go_to_end(model)
    for _ in range(100):
        model.tick()
        time.sleep(0.002)
    assert shown(model) == "one"
    assert model.status is not None
    assert model.status.state is not PlaybackState.ENDED


def test_errors_of_a_single_scene_are_those_of_opening_it(model: ViewerModel) -> None:
    model.playlist.play(["broken"])
    with pytest.raises(SceneFailed, match="broken"):
        model.settle(WAIT_S)
