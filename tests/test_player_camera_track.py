"""Camera tracks: interpolation, undo, and the path files of other programs."""

from __future__ import annotations

import base64
import json
import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import torch
from streamstgs.app.player.camera.files.path_files import (
    PathFormat,
    parse_camera_path,
    read_camera_path,
    write_camera_path,
)
from streamstgs.app.player.camera.keyframes import EASINGS, CameraKeyframe, Easing, KeyframePath
from streamstgs.app.player.camera.track import CameraTrack
from streamstgs.app.player.edit_track import UNDO_STEPS
from streamstgs.app.player.errors import CameraPathError

from tests.synthetic import SyntheticSource

META = replace(SyntheticSource().meta, width=160, height=90)
ASPECT = 16 / 9
SCHEMA = Path(__file__).parents[1] / "docs" / "guide" / "camera-path.schema.json"
LEVEL = (0.0, -1.0, 0.0)


def key(time_s: float, x: float = 0.0, **change: Any) -> CameraKeyframe:
    return replace(CameraKeyframe(time_s, (x, -1.0, -4.0), (0.0, 0.0, 0.0), LEVEL, 0.8), **change)


def eyes(path: KeyframePath, times: Any) -> np.ndarray:
    return np.array([path.keyframe_at(time_s).position for time_s in times])


def same_camera(one: KeyframePath, other: KeyframePath, times: Any, atol: float = 1e-4) -> None:
    for time_s in times:
        a, b = one.camera_at(time_s, 64, 36), other.camera_at(time_s, 64, 36)
        assert torch.allclose(a.viewmat, b.viewmat, atol=atol)
        assert torch.allclose(a.K, b.K, rtol=1e-4)


# Interpolation


@pytest.mark.parametrize(
    ("easing", "quarter"),
    [("linear", 0.25), ("ease-in", 0.0), ("ease-out", 0.5), ("ease-in-out", 0.0), ("hold", 0.0)],
)
def test_easing_shapes_a_segment(easing: Easing, quarter: float) -> None:
    path = KeyframePath((key(0.0, easing=easing), key(4.0, 8.0)), ASPECT)
    early, late = eyes(path, [1.0, 3.0])[:, 0] / 8.0
    if easing == "hold":
        assert (early, late) == (0.0, 0.0)
    elif easing == "linear":
        assert (early, late) == pytest.approx((0.25, 0.75))
    elif easing == "ease-in":
        assert early < 0.05
    elif easing == "ease-out":
        assert early > 0.3
    else:
        assert early < 0.1
        assert early + late == pytest.approx(1.0)
    assert eyes(path, [4.0])[0, 0] == 8.0
    assert quarter <= early + 0.2


def test_every_easing_meets_its_keyframes() -> None:
    keyframes = tuple(
        key(float(number), float(number**2), easing=easing) for number, easing in enumerate(EASINGS)
    )
    path = KeyframePath(keyframes, ASPECT)
    for keyframe in keyframes:
        assert path.keyframe_at(keyframe.time_s).position == pytest.approx(keyframe.position)


def test_constant_speed_takes_equal_steps() -> None:
    keyframes = (key(0.0), key(0.5, 1.0), key(4.0, 9.0, easing="ease-in"), key(5.0, 3.0))
    for constant_speed, spread in ((True, 0.01), (False, 0.5)):
        path = KeyframePath(keyframes, ASPECT, constant_speed)
        times = np.linspace(0.0, 5.0, 101)
        steps = np.linalg.norm(np.diff(eyes(path, times), axis=0), axis=1)
        middle = np.sort(steps)[3:-3]  # a turning point of the curve has a shorter chord
        if constant_speed:
            assert np.ptp(middle) < spread * middle.mean()
        else:
            assert np.ptp(middle) > spread * middle.mean()
        assert eyes(path, [0.0, 5.0])[:, 0].tolist() == [0.0, 3.0]


def test_constant_speed_skips_held_keyframes_and_allows_turns() -> None:
    held = KeyframePath((key(0.0, easing="hold"), key(1.0, 2.0), key(3.0, 4.0)), ASPECT, True)
    assert np.isfinite(eyes(held, np.linspace(0, 3, 20))).all()
    turning = KeyframePath((key(0.0), key(2.0, target=(1.0, 0.0, 0.0))), ASPECT, True)
    assert turning.keyframe_at(1.0).target[0] == pytest.approx(0.5)


def test_opposite_views_have_a_camera_between_them() -> None:
    start = CameraKeyframe(0.0, (0.0, 0.0, 0.0), (0.0, 0.0, 1.0), LEVEL, 0.8)
    end = replace(start, time_s=2.0, target=(0.0, 0.0, -1.0), up=(0.0, 1.0, 0.0))
    path = KeyframePath((start, end), ASPECT)
    for time_s in np.linspace(0.0, 2.0, 21):
        assert torch.isfinite(path.camera_at(float(time_s), 64, 36).viewmat).all()


# Undo


def test_undo_and_redo_walk_through_edits() -> None:
    track = CameraTrack()
    track.add(key(0.0))
    track.add(key(2.0, 2.0))
    track.set_easing(0, "linear")
    track.constant_speed = True
    track.move(1, 3.0)
    states = [track.snapshot()]
    while track.can_undo:
        assert track.undo()
        states.append(track.snapshot())
    assert len(states) == 6
    assert (len(track), track.constant_speed, track.undo()) == (0, False, False)
    for state in reversed(states[:-1]):
        assert track.redo()
        assert track.snapshot() == state
    assert not track.redo()
    track.undo()
    track.remove(0)
    assert not track.can_redo
    assert track.undo()
    assert [keyframe.time_s for keyframe in track] == [0.0, 2.0]


def test_drag_is_one_undo_step_and_errors_change_nothing() -> None:
    track, changes = CameraTrack([key(0.0), key(2.0)]), []
    track.changed.connect(lambda: changes.append(None))
    with track.one_edit():
        for step in range(5):
            track.move(1, 3.0 + step)
    assert (len(changes), track.duration_s) == (1, 7.0)
    with pytest.raises(IndexError):
        remove_both(track, 0, 9)
    assert len(track) == 2
    track.undo()
    assert (track.duration_s, track.can_undo) == (2.0, False)


def remove_both(track: CameraTrack, *indices: int) -> None:
    with track.one_edit():
        for index in indices:
            track.remove(index)


def test_undo_is_bounded() -> None:
    track = CameraTrack()
    for step in range(UNDO_STEPS + 50):
        track.add(key(float(step)))
    assert sum(track.undo() for _ in range(UNDO_STEPS + 50)) == UNDO_STEPS
    assert len(track) == 50


# Path files


ROLLED = (0.3, -1.0, 0.1)
TRACK = (
    key(0.0, up=ROLLED, easing="ease-in-out"),
    key(1.0, 2.0, fov_y_rad=0.6),
    key(2.5, 3.0, target=(0.5, 0.2, 1.0)),
)


def written(folder: Path, path: KeyframePath, format: PathFormat) -> KeyframePath:
    file = folder / "path.json"
    write_camera_path(file, path, format, fps=30.0)
    return read_camera_path(file, META)


def test_own_files_round_trip(tmp_path: Path) -> None:
    path = KeyframePath(TRACK, ASPECT, constant_speed=True)
    back = written(tmp_path, path, "streamstgs")
    assert back == path
    assert CameraTrack.of(back).path(ASPECT) == path


def test_nerfstudio_files_round_trip_each_frame(tmp_path: Path) -> None:
    path = KeyframePath(TRACK, ASPECT)
    back = written(tmp_path, path, "nerfstudio")
    assert back.duration_s == pytest.approx(2.5)
    same_camera(path, back, np.arange(76) / 30.0)


def test_nerfstudio_keyframes_are_read_without_frames(tmp_path: Path) -> None:
    write_camera_path(tmp_path / "a.json", KeyframePath(TRACK, ASPECT), "nerfstudio")
    data = json.loads((tmp_path / "a.json").read_text())
    del data["camera_path"]
    back = parse_camera_path(data, META.up, ASPECT)
    assert [keyframe.time_s for keyframe in back.keyframes] == pytest.approx([0.0, 1.0, 2.5])
    same_camera(KeyframePath(TRACK, ASPECT), back, [0.0, 1.0, 2.5])
    for entry in data["keyframes"]:  # an older viewer writes columns
        entry["matrix"] = np.reshape(entry["matrix"], (4, 4)).T.flatten().tolist()
    assert parse_camera_path(data, META.up, ASPECT).keyframes == back.keyframes


def test_nerfstudio_camera_looks_along_minus_z() -> None:
    matrix = [1, 0, 0, 5, 0, 1, 0, 6, 0, 0, 1, 7, 0, 0, 0, 1]
    data = {"camera_path": [{"camera_to_world": matrix, "fov": 90.0}], "fps": 24}
    (keyframe,) = parse_camera_path(data, META.up, ASPECT).keyframes
    assert keyframe.position == pytest.approx((5, 6, 7))
    assert keyframe.target == pytest.approx((5, 6, 6))
    assert keyframe.up == pytest.approx((0, 1, 0))
    assert keyframe.fov_y_rad == pytest.approx(math.pi / 2)


@pytest.mark.parametrize("reader", ["editor", "viewer"])
def test_supersplat_files_round_trip_level_cameras(tmp_path: Path, reader: str) -> None:
    level = tuple(replace(keyframe, up=LEVEL, easing="smooth") for keyframe in TRACK)
    path = KeyframePath(level, ASPECT)
    write_camera_path(tmp_path / "a.json", path, "supersplat")
    data = json.loads((tmp_path / "a.json").read_text())
    del data["animTracks" if reader == "editor" else "poseSets"]
    back = parse_camera_path(data, META.up, ASPECT)
    assert [keyframe.time_s for keyframe in back.keyframes] == [0.0, 1.0, 2.5]
    same_camera(path, back, np.arange(76) / 30.0)


def test_supersplat_axes_and_fields_of_view() -> None:
    poses = [{"name": "camera_0", "position": [1, 2, 3], "target": [0, 0, 0], "fov": 90}]
    data = {"poseSets": [{"name": "set0", "poses": poses}], "timeline": {"frameRate": 24}}
    (keyframe,) = parse_camera_path(data, META.up, 2.0).keyframes
    assert keyframe.position == (-1.0, -2.0, 3.0)
    assert math.tan(keyframe.fov_y_rad / 2) == pytest.approx(0.5)


def test_gltf_holds_the_camera_of_each_frame(tmp_path: Path) -> None:
    path = KeyframePath(TRACK, ASPECT)
    write_camera_path(tmp_path / "path.gltf", path, "gltf", fps=10.0, up=LEVEL)
    document = json.loads((tmp_path / "path.gltf").read_text())
    data = base64.b64decode(document["buffers"][0]["uri"].partition(",")[2])
    assert len(data) == document["buffers"][0]["byteLength"]

    def values(index: int) -> np.ndarray:
        accessor = document["accessors"][index]
        view = document["bufferViews"][accessor["bufferView"]]
        part = data[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
        return np.frombuffer(part, "<f4").reshape(accessor["count"], -1)

    samplers = document["animations"][0]["samplers"]
    times = values(samplers[0]["input"])[:, 0]
    moves, turns, fovs = (values(sampler["output"]) for sampler in samplers)
    assert times.tolist() == pytest.approx([step / 10 for step in range(26)])
    for time_s, move, (x, y, z, w), fov in zip(times, moves, turns, fovs[:, 0], strict=True):
        camera = path.camera_at(float(time_s), 64, 36)
        keyframe = path.keyframe_at(float(time_s))
        assert move == pytest.approx(keyframe.position, abs=1e-5)
        assert fov == pytest.approx(keyframe.fov_y_rad, abs=1e-5)
        backward = [2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)]
        upward = [2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)]
        assert backward == pytest.approx((-camera.viewmat[2, :3]).tolist(), abs=1e-4)
        assert upward == pytest.approx((-camera.viewmat[1, :3]).tolist(), abs=1e-4)
    assert all(one @ other > 0 for one, other in pairwise(turns))
    assert document["extensionsUsed"] == ["KHR_animation_pointer"]
    assert document["nodes"][0]["rotation"] == [1.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize("format", ["nerfstudio", "gltf"])
def test_endless_paths_are_not_written_frame_by_frame(tmp_path: Path, format: PathFormat) -> None:
    path = KeyframePath((key(0.0), key(1e9)), ASPECT)
    with pytest.raises(CameraPathError, match="1000000 frames"):
        write_camera_path(tmp_path / "a.json", path, format)
    assert list(tmp_path.iterdir()) == []


def test_long_tracks_are_made_at_once() -> None:
    keys = [key(float(number)) for number in range(20_000)]
    track = CameraTrack([*reversed(keys), key(3.0, 7.0)])
    assert len(track) == 20_000
    assert track[3].position[0] == 7.0


POSE = {"position": [1, 2, 3], "target": [0, 0, 0], "frame": 3}
UNIT = np.eye(4).flatten().tolist()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"constant_speed": 3, "keyframes": [{}]}, "constant_speed"),
        ({"keyframes": [{"time_s": 0, "fov_y_rad": 1, "easing": "bouncy"}]}, "easing in keyframe"),
        ({"poseSets": []}, "poseSets"),
        ({"poseSets": [{"poses": [POSE, POSE]}]}, "not after"),
        ({"poseSets": [{"poses": [POSE | {"fov": -1}]}]}, "fov in pose 0"),
        ({"poseSets": [{"poses": [POSE | {"target": [1, 2]}]}]}, "target in pose 0"),
        ({"poseSets": [{"poses": [POSE]}], "timeline": {"frameRate": 0}}, "frameRate"),
        ({"poseSets": [{"poses": [POSE]}], "camera": {"fov": "wide"}}, "fov in pose 0"),
        ({"animTracks": [{"keyframes": {"times": [0], "values": {}}}]}, "position is missing"),
        ({"animTracks": [{"keyframes": {"times": [[]], "values": {}}}]}, "times"),
        ({"animTracks": ["spin"]}, "not an object"),
        ({"camera_path": []}, "camera_path"),
        ({"camera_path": [{"camera_to_world": UNIT}]}, "fov is missing"),
        ({"camera_path": [{"camera_to_world": UNIT[:9], "fov": 50}]}, "in frame 0"),
        ({"camera_path": [{"camera_to_world": [0.0] * 16, "fov": 50}]}, "not a rotation"),
        ({"camera_path": [{"camera_to_world": UNIT, "fov": 1e6}]}, "fov in frame 0"),
        ({"camera_path": [{"camera_to_world": UNIT, "fov": 50}], "fps": math.inf}, "fps"),
        ({"camera_path": [{"camera_to_world": UNIT, "fov": 50}] * 2, "seconds": 0}, "not after"),
        ({"camera_path": [3], "camera_type": "fisheye"}, "only perspective"),
        ({"keyframes": [{"matrix": "[]"}]}, "matrix in keyframe 0"),
        ({"keyframes": [{"matrix": UNIT, "fov": 50}] * 2, "default_transition_sec": "x"}, "trans"),
    ],
)
def test_hostile_files_give_one_clear_error(tmp_path: Path, data: Any, words: str) -> None:
    file = tmp_path / "path.json"
    file.write_text(json.dumps(data))
    with pytest.raises(CameraPathError, match=words) as caught:
        read_camera_path(file, META)
    assert str(file) in str(caught.value)


def test_schema_describes_own_files() -> None:
    schema = json.loads(SCHEMA.read_text())
    entry = schema["properties"]["keyframes"]["items"]["properties"]
    assert entry["easing"]["enum"] == list(EASINGS)
    jsonschema.Draft202012Validator.check_schema(schema)
    good = json.loads(CameraTrack(TRACK, constant_speed=True).to_json())
    jsonschema.validate(good, schema)
    viewmat = {"time_s": 3, "viewmat": np.eye(4).tolist(), "fov_y_rad": 0.8}
    jsonschema.validate({"keyframes": [viewmat]}, schema)
    for bad in ({"keyframes": []}, {"keyframes": [{"time_s": 0}]}, {"constant_speed": 1}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(bad, schema)
