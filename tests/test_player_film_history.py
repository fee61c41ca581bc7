"""One order of undo for both tracks of a film, kept on the disk for each scene."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamstgs.app.player.camera.keyframes import CameraKeyframe
from streamstgs.app.player.camera.track import CameraTrack
from streamstgs.app.player.edit_track import UNDO_STEPS
from streamstgs.app.player.film.edits import hold
from streamstgs.app.player.film.history import KEPT_STEPS, FilmHistory
from streamstgs.app.player.film.store import FilmStore
from streamstgs.app.player.time_track import TimeKey, TimeTrack

FRONT = CameraKeyframe(0.0, (0.0, 0.0, -4.0), (0.0, 0.0, 0.0), (0.0, -1.0, 0.0), 0.8)


def keyframe(time_s: float) -> CameraKeyframe:
    return CameraKeyframe(time_s, (time_s, 0.0, -4.0), (0.0, 0.0, 0.0), (0.0, -1.0, 0.0), 0.8)


def made() -> tuple[CameraTrack, TimeTrack, FilmHistory]:
    camera, time = CameraTrack(), TimeTrack()
    return camera, time, FilmHistory(camera, time)


def counts(camera: CameraTrack, time: TimeTrack) -> tuple[int, int]:
    return len(camera), len(time)


def test_edits_of_both_lanes_are_taken_back_in_their_order() -> None:
    camera, time, history = made()
    camera.add(keyframe(0.0))
    hold(time, 1.0, 2.0, scene_s=5.0)
    camera.add(keyframe(1.0))
    keys = len(time)
    seen = [counts(camera, time)]
    while history.undo():
        seen.append(counts(camera, time))
    assert seen == [(2, keys), (1, keys), (1, 0), (0, 0)]
    assert not history.can_undo
    while history.redo():
        pass
    assert counts(camera, time) == (2, keys)
    history.undo()
    time.clear()  # another edit than the one that was taken back
    assert not history.can_redo
    assert counts(camera, time) == (1, 0)


def test_undo_of_one_track_is_an_edit_of_the_film() -> None:
    camera, _, history = made()
    camera.add(keyframe(0.0))
    camera.undo()
    assert len(camera) == 0
    assert history.undo()
    assert len(camera) == 1


def test_history_is_bounded() -> None:
    camera, _, history = made()
    for number in range(UNDO_STEPS + 20):
        camera.add(keyframe(float(number)))
    steps = 0
    while history.undo():
        steps += 1
    assert steps == UNDO_STEPS
    for _ in range(UNDO_STEPS):
        history.redo()
    films = json.loads(history.to_json())["films"]
    assert len(films) == KEPT_STEPS + 1


def test_film_and_undo_are_those_of_the_scene_after_a_restart(tmp_path: Path) -> None:
    camera, time, history = made()
    store = FilmStore(history, tmp_path)
    store.enter_scene("a.stgs")
    camera.add(keyframe(0.5))
    camera.constant_speed = True
    hold(time, 1.0, 2.0, scene_s=5.0)
    time.loop = True
    history.undo()
    before = camera.snapshot(), time.snapshot()
    store.enter_scene("b.stgs")
    assert counts(camera, time) == (0, 0)
    assert not history.can_undo
    camera.add(keyframe(7.0))

    camera, time, history = made()
    store = FilmStore(history, tmp_path)
    store.enter_scene("a.stgs")
    assert (camera.snapshot(), time.snapshot()) == before
    assert history.redo()
    assert time.loop
    for _ in range(4):
        assert history.undo()
    assert counts(camera, time) == (0, 0)
    assert not history.can_undo
    store.enter_scene("b.stgs")
    assert [key.time_s for key in camera] == [7.0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"at": 3, "films": []}',
        '{"at": 0, "films": [{"camera": {"keyframes": [{"time_s": 1}]}, "time": null}]}',
        '{"at": 0, "films": [{"camera": {"keyframes": []}, "time": {"keys": 3}, "loop": false}]}',
        '{"at": "x", "films": [1]}',
        "[" * 100_000,
    ],
)
def test_damaged_files_are_empty_films(tmp_path: Path, text: str) -> None:
    camera, time, history = made()
    store = FilmStore(history, tmp_path)
    store.enter_scene("a.stgs")
    camera.add(keyframe(0.0))
    (file,) = tmp_path.iterdir()
    file.write_text(text)
    camera, time, history = made()
    camera.add(FRONT)
    time.add(TimeKey(0.0, 0.0))
    store = FilmStore(history, tmp_path)
    store.enter_scene("a.stgs")
    assert counts(camera, time) == (0, 0)
    assert not history.can_undo
    assert file.read_text() == text
    camera.add(FRONT)
    time.add(TimeKey(0.0, 0.0))
    assert file.with_suffix(".unread").read_text() == text
    camera, time, history = made()
    FilmStore(history, tmp_path).enter_scene("a.stgs")
    assert counts(camera, time) == (1, 1)


def test_a_folder_that_cannot_be_written_loses_no_edit(tmp_path: Path) -> None:
    camera, time, history = made()
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    FilmStore(history, blocked).enter_scene("a.stgs")
    camera.add(keyframe(0.0))
    assert counts(camera, time) == (1, 0)


def test_films_that_cannot_be_kept_are_told_once(tmp_path: Path) -> None:
    folder = tmp_path / "films"
    folder.write_text("a file in the place of the folder")
    camera, _, history = made()
    told: list[str] = []
    store = FilmStore(history, folder, told.append)
    store.enter_scene("a.stgs")
    camera.add(keyframe(0.0))
    camera.add(keyframe(1.0))
    assert len(told) == 1
    assert "The film cannot be kept" in told[0]
    folder.unlink()
    camera.add(keyframe(2.0))
    assert len(list(folder.iterdir())) == 1
    assert len(told) == 1
