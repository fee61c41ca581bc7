"""The public interface refuses values that make no sense, at once and with a message."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from streamstgs.codec.encoder.encode import encode_scene

import streamstgs as st
from tests.synthetic import SyntheticSource

NAN, INF = math.nan, math.inf
SIZE = (32, 24)
NOT_FINITE = (NAN, INF, -INF, "1", None)
NO_SIZES = ((1.5, 2), ("a", 2), (5,), 5, (1, 2, 3), "ab", (NAN, 4), (0, 4), (4, 8193))
NO_POINTS = (NAN, None, 5, "abc", (1, 2), (NAN, 0, 0), (1e300, 0, 0), ("a", 0, 0))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("scenes") / "bäll ß 1.stgs"
    encode_scene(SyntheticSource(frames_per_gop=(3, 2)), made)
    return made


@pytest.fixture
def scene(path: Path) -> Iterator[st.Scene]:
    with st.open(path) as opened:
        yield opened


@pytest.fixture(scope="module")
def viewer(path: Path) -> Iterator[st.Viewer]:
    with st.Viewer(path, size=SIZE, backend="cpu") as made:
        yield made


@pytest.mark.parametrize("time_s", NOT_FINITE)
def test_times_are_finite(scene: st.Scene, time_s: Any) -> None:
    uses: tuple[Callable[[], object], ...] = (
        lambda: scene.gaussians(time_s),
        lambda: scene.gaussians(time_s, interpolate=True),
        lambda: list(scene.frames(start_s=time_s)),
        lambda: st.render(scene, time_s, size=SIZE),
        lambda: st.CameraKeyframe(time_s, (0, 0, -4), (0, 0, 0), (0, -1, 0), 0.7),
        lambda: st.TimeKey(time_s, 0.0),
        lambda: st.TimeKey(0.0, time_s),
        lambda: st.TimeCurve.of_speeds([(1.0, time_s)]),
        lambda: st.Marker(time_s),
    )
    for use in uses:
        with pytest.raises(st.PlayerError, match="must be"):
            use()


@pytest.mark.parametrize("size", NO_SIZES)
def test_sizes_are_two_whole_numbers(scene: st.Scene, viewer: st.Viewer, size: Any) -> None:
    with pytest.raises(st.PlayerError):
        st.render(scene, size=size)
    with pytest.raises(st.PlayerError):
        viewer.size = size
    assert viewer.size == SIZE


@pytest.mark.parametrize("place", NO_POINTS)
def test_cameras_are_finite(viewer: st.Viewer, place: Any) -> None:
    before = viewer.camera.position, viewer.camera.look_at
    with pytest.raises(st.PlayerError, match="`position` of a camera"):
        st.Camera(place, (0, 0, 0))
    with pytest.raises(st.PlayerError, match="`target` of a keyframe"):
        st.CameraKeyframe(0.0, (0, 0, -4), place, (0, -1, 0), 0.7)
    for name in ("position", "look_at"):
        with pytest.raises(st.PlayerError, match=r"three finite numbers|within"):
            setattr(viewer.camera, name, place)
    assert (viewer.camera.position, viewer.camera.look_at) == before


@pytest.mark.parametrize("angle_rad", [0.0, -1.0, math.pi, 7.0, NAN, "wide"])
def test_fields_of_view_are_between_0_and_pi(angle_rad: Any) -> None:
    with pytest.raises(st.PlayerError, match="fov_y_rad"):
        st.Camera((0, 0, -4), (0, 0, 0), fov_y_rad=angle_rad)


@pytest.mark.parametrize("angle_rad", [NAN, INF, "wide", None])
def test_viewer_keeps_its_angles_when_one_is_refused(viewer: st.Viewer, angle_rad: Any) -> None:
    for name in ("fov_y_rad", "roll_rad"):
        before = getattr(viewer.camera, name)
        with pytest.raises(st.PlayerError, match=name):
            setattr(viewer.camera, name, angle_rad)
        assert getattr(viewer.camera, name) == before


def test_cameras_take_arrays(scene: st.Scene) -> None:
    plain = st.render(scene, camera=st.Camera((0, 0, -4), (0, 0, 0), (0, -1, 0)), size=SIZE)
    arrays = st.Camera(np.array([0, 0, -4]), torch.zeros(3), np.array([0, -1, 0]))  # type: ignore[arg-type]
    assert arrays.position == (0.0, 0.0, -4.0)
    np.testing.assert_array_equal(st.render(scene, camera=arrays, size=SIZE), plain)
    black = st.render(scene, size=SIZE, background=np.zeros(3))  # type: ignore[arg-type]
    np.testing.assert_array_equal(black, st.render(scene, size=SIZE, background=(0, 0, 0)))


def test_matrices_of_cameras_turn_and_move(scene: st.Scene) -> None:
    st.Camera.from_matrix(np.eye(4), 0.8)
    for wrong in (np.eye(2), 3 * np.eye(4), np.diag([-1, 1, 1, 1]), np.full((4, 4), NAN)):
        with pytest.raises(st.PlayerError, match="view matrix"):
            st.Camera.from_matrix(wrong, 0.8)
    eye, K = torch.eye(4), torch.tensor([[30.0, 0, 16], [0, 30, 12], [0, 0, 1]])
    wrong_views = (
        st.PinholeCamera(eye * NAN, K, *SIZE),
        st.PinholeCamera(eye, K * 0, *SIZE),
        st.PinholeCamera(eye[:3], K, *SIZE),
        st.PinholeCamera(eye, K, 0, 0),
        st.PinholeCamera(np.eye(4), K, *SIZE),  # type: ignore[arg-type]
    )
    for view in wrong_views:
        with pytest.raises(st.PlayerError):
            st.render(scene, camera=view)


@pytest.mark.parametrize("color", [(2, 2, 2), (NAN, 0, 0), "red", 5, (0, 0), (0, 0, 0, 0)])
def test_backgrounds_are_colours(scene: st.Scene, color: Any) -> None:
    with pytest.raises(st.PlayerError, match="background"):
        st.render(scene, size=SIZE, background=color)


def test_wrong_types_are_named(scene: st.Scene, path: Path, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"open a scene with st\.open"):
        st.render(str(path))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"open a scene with st\.open"):
        st.export_video(str(path), tmp_path / "a.mp4")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"must be st\.Gaussians"):
        st.render(scene, size=SIZE, gaussians=5)  # type: ignore[arg-type]
    with pytest.raises(st.PlayerError, match="7 is no camera"):
        st.render(scene, camera=7, size=SIZE)  # type: ignore[arg-type]
    with pytest.raises(st.PlayerError, match="time_track is 5"):
        st.export_video(scene, tmp_path / "a.mp4", size=SIZE, time_track=5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="qualities"):
        st.evaluate(scene, tmp_path, qualities="some")  # type: ignore[arg-type]
    with pytest.raises(st.PlayerError, match="klingon"):
        st.open(path, device="klingon")
    assert scene.gaussians(0.0, np.int64(0)) is not None  # type: ignore[arg-type]


def test_closed_scenes_say_so(path: Path, tmp_path: Path) -> None:
    scene = st.open(path)
    scene.close()
    scene.close()
    uses: tuple[Callable[[], object], ...] = (
        lambda: scene.gaussians(0.0),
        lambda: list(scene.segments[0].frames()),
        lambda: st.render(scene, size=SIZE),
        lambda: st.export_video(scene, tmp_path / "a.mp4", size=SIZE),
        lambda: st.convert(scene, tmp_path / "a.ply"),
    )
    for use in uses:
        with pytest.raises(st.PlayerError, match="This scene is closed"):
            use()
    assert scene.title == "Synthetic ball"
    assert list(tmp_path.iterdir()) == []


def test_closed_viewers_say_so(path: Path) -> None:
    viewer = st.Viewer(path, size=SIZE, backend="cpu")
    viewer.close()
    viewer.close()
    uses: tuple[Callable[[], object], ...] = (
        lambda: viewer.seek(0.0),
        lambda: viewer.step(1),
        lambda: viewer.play(),
        lambda: viewer.pause(),
        lambda: viewer.time_s,
        lambda: viewer.frame,
        lambda: viewer.film_duration_s,
        lambda: viewer.screenshot(),
        lambda: viewer.look_through("Front"),
        lambda: viewer.compare(0),
        lambda: setattr(viewer, "film_s", 0.0),
        lambda: setattr(viewer, "quality", 0),
    )
    for use in uses:
        with pytest.raises(st.PlayerError, match="This viewer is closed"):
            use()


@pytest.mark.parametrize("value", NOT_FINITE)
def test_viewer_goes_on_after_a_refused_command(viewer: st.Viewer, value: Any) -> None:
    viewer.seek(0.04)
    before = viewer.frame
    commands: tuple[Callable[[Any], object], ...] = (
        viewer.seek,
        viewer.step,
        viewer.play,
        lambda value: setattr(viewer, "film_s", value),
        lambda value: viewer.compare(0, share=value),
    )
    for command in commands:
        with pytest.raises(st.PlayerError, match="must be"):
            command(value)
    viewer.end_comparison()
    assert viewer.frame == before
    assert viewer.screenshot().shape == (24, 32, 3)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
@pytest.mark.parametrize("wrong", [{"backend": "x"}, {"timeout_s": NAN}, {"size": (0, 0)}])
def test_viewers_that_are_refused_keep_no_file(path: Path, wrong: dict[str, Any]) -> None:
    def opened() -> int:
        links = list(Path("/proc/self/fd").iterdir())
        return sum(os.path.realpath(link) == os.path.realpath(path) for link in links)

    before = opened()
    with pytest.raises((st.PlayerError, st.RenderError)):
        st.Viewer(path, **wrong)
    assert opened() == before


def test_viewer_plays_forwards_only(viewer: st.Viewer) -> None:
    for speed in (0.0, -1.0):
        with pytest.raises(st.PlayerError, match="above 0"):
            viewer.play(speed)


def test_comparison_with_a_missing_scene_is_refused(viewer: st.Viewer, tmp_path: Path) -> None:
    with pytest.raises(st.CodecError, match="does not exist"):
        viewer.compare(tmp_path / "none.stgs")
    assert viewer.psnr_db is None


def test_curves_have_keys_in_order() -> None:
    with pytest.raises(st.PlayerError, match="at least one key"):
        st.TimeCurve(())
    for times in ((0.0, 0.0), (1.0, 0.5)):
        with pytest.raises(st.PlayerError, match="not after the one before"):
            st.TimeCurve(tuple(st.TimeKey(time_s, 0.0) for time_s in times))
    with pytest.raises(st.PlayerError, match="no easing"):
        st.TimeKey(0.0, 0.0, "bouncy")  # type: ignore[arg-type]
    with pytest.raises(st.PlayerError, match="no easing"):
        st.CameraKeyframe(0.0, (0, 0, -4), (0, 0, 0), (0, -1, 0), 0.7, "x")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        {"exposure": NAN}, {"exposure": "a"}, {"splat_scale": 0}, {"mode": "x"}, {"crop": 5},
        {"crop": ((1, 1, 1), (0, 0, 0))}, {"crop": ((NAN, 0, 0), (1, 1, 1))},
        {"background": "red"}, {"background": 5}, {"depth_range": (NAN, 1)}, {"depth_range": 5},
    ],
)  # fmt: skip
def test_looks_are_checked(wrong: dict[str, Any]) -> None:
    with pytest.raises(st.PlayerError):
        st.Look(**wrong)


def test_tracks_keep_their_keys_when_an_edit_is_refused() -> None:
    track = st.CameraTrack([st.CameraKeyframe(0.5, (0, 0, -4), (0, 0, 0), (0, -1, 0), 0.7)])
    before = track.snapshot()
    with pytest.raises(st.PlayerError):
        track.move(0, NAN)
    with pytest.raises(st.PlayerError):
        track.copy(0, INF)
    with pytest.raises(TypeError, match="no snapshot"):
        track.restore(5)  # type: ignore[arg-type]
    assert track.snapshot() == before
    assert not track.can_undo


def test_export_settings_are_refused_in_words(scene: st.Scene, tmp_path: Path) -> None:
    refused = {
        "fps must be at least 0.001": {"fps": 0},
        "fps must be at most 240": {"fps": 1000},
        "the duration in seconds must be more than 0": {"duration_s": -1},
        "the width must be at least 1": {"size": (0, 5)},
        "supersampling must be at most 8": {"supersampling": 9},
    }
    for words, settings in refused.items():
        with pytest.raises(st.PlayerError, match=words):
            st.export_video(scene, tmp_path / "a.mp4", **{"size": SIZE, **settings})  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_queue_takes_a_text_as_output(path: Path, tmp_path: Path) -> None:
    queue = st.ExportQueue()
    settings = st.ExportSettings(size=SIZE, duration_s=0.05)
    export = queue.add(st.ExportRequest(str(path), "Front", str(tmp_path / "a.mp4"), settings))  # type: ignore[arg-type]
    assert export.wait(60.0)
    queue.close()
    assert (export.state.value, export.error) == ("done", "")


def test_empty_and_endless_locations_are_no_scenes(monkeypatch: pytest.MonkeyPatch) -> None:
    for location in ("", "   "):
        with pytest.raises(st.CodecError, match="No scene is named"):
            st.open(location)
    with pytest.raises(st.CodecError, match="cannot be read"):
        st.open("x" * 5000)


def test_files_are_what_their_names_say(viewer: st.Viewer, scene: st.Scene, tmp_path: Path) -> None:
    for name in ("a.jpg", "a", "a.exr"):
        with pytest.raises(st.PlayerError, match=r"should end in \.png"):
            viewer.screenshot(tmp_path / name)
    track = st.CameraTrack([st.CameraKeyframe(0.5, (0, 0, -4), (0, 0, 0), (0, -1, 0), 0.7)])
    with pytest.raises(st.PlayerError, match="no format 'collada'"):
        track.write(tmp_path / "a.json", scene.meta, "collada")  # type: ignore[arg-type]
    for fps in (0.0, NAN, -1.0):
        with pytest.raises(st.PlayerError, match="fps"):
            track.write(tmp_path / "a.json", scene.meta, "nerfstudio", fps)
    with pytest.raises(st.PlayerError, match="no keyframe"):
        st.CameraTrack().write(tmp_path / "a.json", scene.meta)
    assert list(tmp_path.iterdir()) == []


def test_looks_of_viewers_are_looks(viewer: st.Viewer) -> None:
    before = viewer.look
    with pytest.raises(TypeError, match="no Look"):
        viewer.look = 5  # type: ignore[assignment]
    assert viewer.look == before
