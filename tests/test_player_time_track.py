"""Time tracks: hold, slow, reverse, ramp, loop, edits and files."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from streamstgs.app.player.errors import TimeTrackError
from streamstgs.app.player.time_track import (
    TimeCurve,
    TimeKey,
    TimeTrack,
    parse_time_track,
    read_time_track,
    time_track_json,
    time_track_schema,
)

SCHEMA = Path(__file__).parents[1] / "docs" / "guide" / "time-track.schema.json"


def contents(curve: TimeCurve, *times: float, duration_s: float | None = None) -> list[float]:
    return [curve.content_at(time_s, duration_s) for time_s in times]


def test_bullet_time_shows_equal_content_times() -> None:
    curve = TimeCurve.of_speeds([(2.0, 1.0), (3.0, 0.0), (2.0, 0.25)], start_s=0.1)
    held = {curve.content_at(time_s) for time_s in np.linspace(2.0, 5.0, 91)}
    assert held == {curve.content_at(2.0)}
    assert contents(curve, 1.0, 7.0, 9.0) == pytest.approx([1.1, 2.6, 2.6])


def test_reverse_runs_backwards() -> None:
    curve = TimeCurve.of_speeds([(2.0, -1.0)], start_s=3.0)
    assert contents(curve, -1.0, 0.0, 0.5, 2.0) == [3.0, 3.0, 2.5, 1.0]


def test_smooth_ramp_changes_speed_gradually_and_never_turns_back() -> None:
    keys = ((0.0, 0.0), (2.0, 2.0), (4.0, 2.2), (6.0, 2.2), (7.0, 3.2))
    curve = TimeCurve(tuple(TimeKey(*key, easing="smooth") for key in keys))
    times = np.linspace(0.0, 7.0, 701)
    content = np.array([curve.content_at(time_s) for time_s in times])
    steps = np.diff(content)
    assert steps.min() >= 0.0
    assert np.abs(np.diff(steps)).max() < 0.1 * steps.max()
    assert {curve.content_at(time_s) for time_s in np.linspace(4.0, 6.0, 50)} == {2.2}
    for time_s, content_s in keys:
        assert curve.content_at(time_s) == pytest.approx(content_s)


@pytest.mark.parametrize(
    ("easing", "middle"),
    [("linear", 2.0), ("ease-in", 1.0), ("ease-out", 3.0), ("ease-in-out", 2.0), ("hold", 0.0)],
)
def test_easings_shape_a_stretch(easing: Any, middle: float) -> None:
    curve = TimeCurve((TimeKey(0.0, 0.0, easing), TimeKey(2.0, 4.0)))
    assert contents(curve, 0.0, 1.0, 2.0) == [0.0, middle, 4.0]


def test_loop_repeats_the_scene_both_ways() -> None:
    forward = TimeCurve.of_speeds([(5.0, 1.0)], loop=True)
    assert contents(forward, 1.0, 2.5, 4.5, duration_s=2.0) == [1.0, 0.5, 0.5]
    backward = TimeCurve.of_speeds([(5.0, -1.0)], loop=True)
    assert contents(backward, 0.5, duration_s=2.0) == [1.5]


def test_inserted_hold_moves_later_keys_and_is_undone() -> None:
    track = TimeTrack.of(TimeCurve.of_speeds([(4.0, 1.0), (2.0, -0.5)]))
    before = track.curve()
    track.insert_hold(at_s=1.0, for_s=3.0)
    after = track.curve()
    assert after.duration_s == 9.0
    for time_s in np.linspace(0.0, 6.0, 25):
        shifted = time_s if time_s <= 1.0 else time_s + 3.0
        assert after.content_at(shifted) == pytest.approx(before.content_at(time_s))
    assert set(contents(after, 1.0, 2.0, 4.0)) == {1.0}
    track.insert_hold(at_s=7.0, for_s=1.0)  # at a key
    assert track.curve().content_at(9.0) == pytest.approx(before.content_at(5.0))
    assert track.undo()
    assert track.undo()
    assert track.curve() == before
    track.loop = True
    assert (track.curve().loop, track.undo(), track.curve().loop) == (True, True, False)


def test_files_round_trip_and_agree_with_the_schema(tmp_path: Path) -> None:
    curve = TimeCurve((TimeKey(0.0, 1.0, "smooth"), TimeKey(2.0, 0.5)), loop=True)
    file = tmp_path / "time.json"
    file.write_text(time_track_json(curve))
    assert read_time_track(file) == curve
    schema = json.loads(SCHEMA.read_text())
    assert schema == time_track_schema()
    jsonschema.validate(json.loads(file.read_text()), schema)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "no time track"),
        ("[" * 100_000, "no time track"),
        ("[]", "no time track"),
        ('{"keys": []}', "keys must have at least 1 entry"),
        ('{"keys": 3}', "keys must be a list"),
        ('{"keys": [{"time_s": 0}]}', r"content_s"),
        ('{"keys": [{"time_s": 0, "content_s": 1e99}]}', r"content_s must be at most 1000000"),
        ('{"keys": [{"time_s": 0, "content_s": NaN}]}', "no time track"),
        ('{"keys": [{"time_s": 0, "content_s": 0, "easing": "up"}]}', "easing"),
        ('{"keys": [{"time_s": 0, "content_s": 0, "eassing": "up"}]}', "'eassing' is no name"),
        ('{"keys": [{"time_s": 0, "content_s": 0}, {"time_s": 0, "content_s": 1}]}', "not after"),
    ],
)
def test_hostile_files_give_one_clear_error(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "time.json"
    file.write_text(text)
    with pytest.raises(TimeTrackError, match=words) as caught:
        read_time_track(file)
    assert str(file) in str(caught.value)


def test_missing_files_and_empty_tracks_are_named(tmp_path: Path) -> None:
    with pytest.raises(TimeTrackError, match=r"none\.json cannot be read"):
        read_time_track(tmp_path / "none.json")
    with pytest.raises(TimeTrackError, match="no key"):
        TimeTrack().curve()
    with pytest.raises(TimeTrackError, match="not above 0"):
        TimeCurve.of_speeds([(0.0, 1.0)])
    curve = TimeCurve.of_speeds([(1.0, 1.0), (1.0, 2.0)])
    assert all(one.time_s < other.time_s for one, other in pairwise(curve.keys))
    assert parse_time_track(time_track_json(curve)) == curve
