"""The public interface: the examples of docs/api.md, and what they do not show."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest

import streamstgs as st

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden" / "synthetic-v1-hevc.stgs"
SIZE = (48, 32)
QUICK_TRAINING = {
    "device": "cpu",
    "points.fill": 0,
    "coarse.density.cap_max": 40,
    "hull.candidates": 2000,
    "gop.init_count": 64,
    "gop.iterations": 3,
    "gop.features": 2,
    "gop.width": 8,
    "gop.sample_frames": 1,
    "joint.iterations": 2,
}  # added to the settings of the example, so that it takes seconds


def examples(page: str) -> list[str]:
    """The Python blocks of a page of the documentation."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture
def scene() -> Iterator[st.Scene]:
    with st.open(GOLDEN) as opened:
        yield opened


@pytest.mark.usefixtures("one_thread")
def test_examples_of_the_page_run(
    tiny_capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from streamstgs.api import training

    def train(data: str, run: str, settings: dict[str, object]) -> Path:
        return training.train(data, run, settings=QUICK_TRAINING | settings)

    monkeypatch.setattr(st, "train", train, raising=False)
    monkeypatch.chdir(tmp_path)
    shutil.copy(GOLDEN, "scene.stgs")
    shutil.copytree(tiny_capture, "capture")
    names: dict[str, object] = {"__name__": "example"}
    for block in examples("api.md"):
        exec(compile(block, "docs/api.md", "exec"), names)
    assert imageio.imread("view.png").shape == (64, 96, 3)
    assert len(imageio.imread("orbit.mp4", plugin="pyav")) == 7
    assert np.asarray(names["image"]).std() > 0


def test_examples_of_the_film_guide_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(GOLDEN, "scene.stgs")
    names: dict[str, object] = {}
    for block in examples("guide/film.md"):
        exec(compile(block, "docs/guide/film.md", "exec"), names)
    assert len(imageio.imread("video.mp4", plugin="pyav")) == 15
    track, again = names["track"], names["again"]
    assert isinstance(track, st.CameraTrack)
    assert isinstance(again, st.CameraTrack)
    assert np.allclose([key.position for key in again], [key.position for key in track], atol=1e-6)


def test_export_follows_a_time_track(scene: st.Scene, tmp_path: Path) -> None:
    curve = st.TimeCurve((st.TimeKey(0.0, 5 / 24), st.TimeKey(4 / 24, 1 / 24)))
    st.export_video(scene, tmp_path / "back", "Front", SIZE, time_track=curve, format="png")
    files = sorted((tmp_path / "back").iterdir())
    assert len(files) == 4
    for step, file in enumerate(files):
        image = st.render(scene, (5 - step) / 24, "Front", SIZE)
        assert np.array_equal(imageio.imread(file), image)


def test_example_of_the_readme_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    (block,) = examples("../README.md")
    names: dict[str, object] = {}
    exec(compile(block, "README.md", "exec"), names)
    assert np.asarray(names["image"]).shape == (360, 640, 3)


def test_reader_of_the_format_page_reads_what_the_player_reads(
    scene: st.Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(GOLDEN, "scene.stgs")
    (program,) = examples("format.md")
    read: dict[str, object] = {}
    exec(compile(program, "docs/format.md", "exec"), read)
    gaussians, expected = read["gaussians"], scene.gaussians(1 / scene.fps)
    assert isinstance(gaussians, dict)
    assert np.allclose(gaussians["means"], expected.means, atol=1e-5)
    assert np.allclose(np.maximum(gaussians["colors"], 0), expected.colors, atol=1e-5)
    assert np.allclose(np.exp(gaussians["log_scales"]), expected.scales, atol=1e-5)


def test_every_public_name_loads() -> None:
    assert [name for name in st.__all__ if not callable(getattr(st, name))] == []
    assert dir(st) == st.__all__


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'codecs'"):
        _ = st.codecs


def test_page_names_every_public_name() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    private = {"EncodeReport", "Frame", "Scene"}  # results, described where they are returned
    assert [name for name in st.__all__ if name not in private and f"st.{name}" not in text] == []


def test_scene_describes_itself(scene: st.Scene) -> None:
    assert (scene.title, scene.frame_count, scene.fps) == ("Synthetic ball", 7, 24.0)
    assert scene.duration_s == pytest.approx(7 / 24)
    assert scene.size == (320, 180)
    assert [quality.qp for quality in scene.qualities] == [32, 20]
    assert scene.qualities[0].bitrate_bps < scene.qualities[1].bitrate_bps
    assert list(scene.cameras) == ["Front"]


def test_segments_and_frames_cover_the_scene_once(scene: st.Scene) -> None:
    by_segment = [f for segment in scene.segments for f in segment.frames()]
    assert [frame.index for frame in by_segment] == list(range(7))
    assert [frame.index for frame in scene.frames()] == list(range(7))
    assert [frame.index for frame in scene.frames(2 / 24, 4 / 24)] == [2, 3]
    assert by_segment[5].time_s == pytest.approx(5 / 24)


def test_gaussians_follow_time_and_quality(scene: st.Scene) -> None:
    first, same = scene.gaussians(0.0), scene.gaussians(0.9 / 24)
    assert np.array_equal(first.means.numpy(), same.means.numpy())
    between = scene.gaussians(0.5 / 24, interpolate=True)
    assert not np.array_equal(first.means.numpy(), between.means.numpy())
    worst = scene.gaussians(0.0, quality=0)
    assert not np.array_equal(first.means.numpy(), worst.means.numpy())
    assert np.array_equal(first.means.numpy(), scene.gaussians(-3.0, scene.qualities[-1]).means)


@pytest.mark.parametrize("quality", [2, -3, "best"])
def test_unknown_quality_is_refused(scene: st.Scene, quality: int) -> None:
    with pytest.raises((st.CodecError, TypeError)):
        scene.gaussians(0.0, quality)


def test_cameras_of_all_kinds_give_the_same_image(scene: st.Scene) -> None:
    front = scene.cameras["Front"]
    image = st.render(scene, 0.1, "front", SIZE)
    pinhole = _pinhole(scene, front)
    assert np.array_equal(image, st.render(scene, 0.1, front, SIZE))
    assert np.array_equal(image, st.render(scene, 0.1, None, SIZE))
    assert np.array_equal(image, st.render(scene, 0.1, pinhole, SIZE))
    matrix = st.Camera.from_matrix(pinhole.viewmat.tolist(), front.fov_y_rad)
    assert abs(image.astype(int) - st.render(scene, 0.1, matrix, SIZE)).max() <= 1


def _pinhole(scene: st.Scene, camera: st.Camera) -> st.PinholeCamera:
    from streamstgs.api.cameras import pinhole_camera

    return pinhole_camera(camera, scene.meta, SIZE)


def test_rendered_image_follows_time_and_background(scene: st.Scene) -> None:
    image = st.render(scene, 0.0, size=SIZE)
    assert (image.shape, image.dtype) == ((32, 48, 3), np.uint8)
    assert not np.array_equal(image, st.render(scene, 0.25, size=SIZE))
    white = st.render(scene, 0.0, size=SIZE, background=(1.0, 1.0, 1.0))
    assert white.mean() > image.mean()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"camera": "Moon"}, st.PlayerError, "it has: Front"),
        ({"size": (0, 9)}, st.PlayerError, "0x9"),
        ({"mode": "heat"}, ValueError, "there is no mode 'heat'"),
        ({"backend": "crayon"}, st.RenderError, "crayon"),
        ({"camera": st.Camera((0, 0, 0), (0, 1, 0), up=(0, 1, 0))}, st.PlayerError, "`up`"),
    ],
)
def test_render_names_what_is_wrong(
    scene: st.Scene, arguments: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        st.render(scene, **{"size": SIZE, **arguments})


def test_depth_and_alpha_are_float_images(scene: st.Scene) -> None:
    alpha = st.render(scene, 0.1, "Front", SIZE, "alpha")
    depth = st.render(scene, 0.1, "Front", SIZE, "depth")
    assert (alpha.shape, alpha.dtype) == (depth.shape, depth.dtype) == ((32, 48), np.float32)
    assert 0.0 <= alpha.min() < alpha.max() <= 1.0
    assert depth[alpha > 0.5].min() > 1.0


def test_export_reports_progress(scene: st.Scene, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    out = tmp_path / "new" / "front.mp4"
    st.export_video(
        scene, out, "Front", SIZE, stop_s=3 / 24, progress=lambda *done: told.append(done)
    )
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert len(imageio.imread(out, plugin="pyav")) == 3


@pytest.mark.parametrize(
    ("name", "arguments"), [("a.png", {}), ("a.mp4", {"start_s": 0.2, "stop_s": 0.1})]
)
def test_export_refuses_what_it_cannot_write(
    scene: st.Scene, tmp_path: Path, name: str, arguments: dict[str, float]
) -> None:
    with pytest.raises(st.PlayerError):
        st.export_video(scene, tmp_path / name, size=SIZE, **arguments)
    assert list(tmp_path.iterdir()) == []


def test_viewer_shows_what_render_renders(scene: st.Scene) -> None:
    with st.Viewer(scene, SIZE) as viewer:
        viewer.seek(4 / 24)
        image = viewer.screenshot()
        assert np.array_equal(image, st.render(scene, 4 / 24, "Front", SIZE))
        viewer.quality = 0
        worst = viewer.screenshot()
        assert np.array_equal(worst, st.render(scene, 4 / 24, "Front", SIZE, quality=0))
        viewer.step(-1)
        assert (viewer.frame, viewer.playing) == (3, False)
        viewer.camera.position = (1.0, -1.0, -4.0)
        moved = viewer.screenshot()
        viewer.look_through("Front")
        front = viewer.screenshot()
        assert not np.array_equal(moved, front)
        viewer.exposure = 1.0
        assert viewer.screenshot().mean() > front.mean()
        viewer.mode, viewer.exposure = "depth", 0.0
        depth = viewer.screenshot()
        assert np.array_equal(depth[..., 0], depth[..., 1])
        viewer.mode, viewer.splat_scale, viewer.background = "color", 0.5, "#204060"
        small = viewer.screenshot()
        assert small[0, 0].tolist() == [0x20, 0x40, 0x60]
        assert not np.array_equal(small, front)
        viewer.crop = ((50.0, 50.0, 50.0), (51.0, 51.0, 51.0))  # nothing is there
        assert np.unique(viewer.screenshot().reshape(-1, 3), axis=0).tolist() == [[32, 64, 96]]


def test_viewer_shows_a_film_as_it_is_exported(scene: st.Scene, tmp_path: Path) -> None:
    with st.Viewer(scene, SIZE) as viewer:
        viewer.track.add(viewer.keyframe(0.0))
        viewer.camera.position = (1.0, -1.0, -4.0)
        viewer.track.add(viewer.keyframe(0.25))
        viewer.time_track.add(st.TimeKey(0.0, 4 / 24))
        viewer.time_track.add(st.TimeKey(0.25, 4 / 24))  # bullet time
        assert viewer.film_duration_s == 0.25
        frames = tmp_path / "frames"
        look = viewer.look = st.Look(exposure=0.5, background="#204060")
        tracks = {"camera": viewer.track, "time_track": viewer.time_track}
        st.export_video(scene, frames, size=SIZE, format="png", look=look, **tracks)
        exported = [imageio.imread(file) for file in sorted(frames.iterdir())]
        for number in (0, 3, 5):
            viewer.film_s = number / 24
            assert viewer.film_s == pytest.approx(number / 24)
            assert viewer.frame == 4
            assert np.abs(viewer.screenshot().astype(int) - exported[number]).max() <= 1
        assert np.abs(exported[0].astype(int) - exported[5]).max() > 20
        assert viewer.undo()
        assert (len(viewer.time_track), len(viewer.track)) == (1, 2)
        assert [viewer.undo() for _ in range(4)] == [True, True, True, False]
        assert len(viewer.track) == 0
        assert viewer.redo()


def test_viewer_compares_qualities_and_scenes(scene: st.Scene) -> None:
    half = SIZE[0] // 2
    with st.Viewer(scene, SIZE) as viewer:
        viewer.seek(4 / 24)
        best = viewer.screenshot()
        assert viewer.psnr_db is None
        viewer.compare(0)
        both = viewer.screenshot()
        worst = st.render(scene, 4 / 24, "Front", SIZE, quality=0)
        assert np.array_equal(both[:, : half - 1], best[:, : half - 1])
        assert np.array_equal(both[:, half + 1 :], worst[:, half + 1 :])
        error = np.square((best.astype(float) - worst) / 255.0).mean()
        assert viewer.psnr_db == pytest.approx(-10.0 * np.log10(error), abs=0.05)
        viewer.compare(scene, layout="difference")
        viewer.screenshot()
        assert viewer.psnr_db is not None
        assert viewer.psnr_db > 60.0
        viewer.end_comparison()
        assert np.array_equal(viewer.screenshot(), best)
        assert viewer.psnr_db is None
        with pytest.raises(ValueError, match="layout"):
            viewer.compare(0, layout="diagonal")
        with pytest.raises(st.CodecError):
            viewer.compare(7)


def test_markers_of_a_viewer(scene: st.Scene) -> None:
    with st.Viewer(scene, SIZE) as viewer:
        viewer.markers.add(st.Marker(3 / 24, "jump"))
        viewer.markers.add(st.Marker(1 / 24))
        found = viewer.markers.after(1 / 24)
        assert found is not None
        viewer.seek(found.time_s)
        assert (found.name, viewer.frame) == ("jump", 3)


def test_splat_files_of_other_programs_are_rendered(tmp_path: Path) -> None:
    from tests.splat_samples import write_sequence

    folder = write_sequence(tmp_path / "frames", frames=3)
    with st.open(folder, fps=10.0) as scene:
        assert (scene.frame_count, scene.fps) == (3, 10.0)
        assert len(list(scene.frames())) == 3
        assert st.render(scene, 0.2, size=SIZE).std() > 0
        st.export_video(scene, tmp_path / "orbit.mp4", size=SIZE)
    with st.open(min(folder.iterdir())) as scene:
        assert scene.frame_count == 1
        assert st.render(scene, size=SIZE).std() > 0


@pytest.mark.gpu
def test_cuda_renders_what_the_processor_renders() -> None:
    with st.open(GOLDEN) as scene, st.open(GOLDEN, device="cuda") as on_cuda:
        expected = st.render(scene, 0.1, "Front", SIZE, backend="cpu").astype(int)
        assert on_cuda.gaussians(0.1).means.is_cuda
        assert abs(expected - st.render(on_cuda, 0.1, "Front", SIZE, backend="gsplat")).mean() < 0.5
        assert abs(expected - st.render(scene, 0.1, "Front", SIZE, backend="gsplat")).mean() < 0.5
        with st.Viewer(scene, SIZE) as viewer:
            viewer.seek(0.1)
            assert abs(expected - viewer.screenshot()).mean() < 0.5


def test_viewer_opens_a_path_and_names_a_missing_one(tmp_path: Path) -> None:
    with st.Viewer(GOLDEN) as viewer:
        assert viewer.size == (320, 180)
    with pytest.raises(st.CodecError, match="nowhere"):
        st.Viewer(tmp_path / "nowhere.stgs")


def test_settings_suggest_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"did you mean 'gop.iterations'"):
        st.train("capture", tmp_path / "run", settings={"gop.iteration": 5})
    with pytest.raises(ValueError, match="no recipe 'best'"):
        st.train("capture", tmp_path / "run", recipe="best")


def test_settings_take_texts_for_paths_and_lists_for_tuples() -> None:
    from streamstgs.codec.encoder.config import EncoderConfig
    from streamstgs.trainer.recipes import RECIPES

    from streamstgs.api.settings import with_settings

    config = RECIPES["default"](Path("capture"), Path("run"))
    changed = with_settings(config, {"points.path": "a.ply", "gop-frames": 7, "gop.window": 3})
    assert (changed.points.path, changed.gop_frames, changed.gop.window) == (Path("a.ply"), 7, 3)
    assert changed.gop.features == config.gop.features
    assert with_settings(EncoderConfig(), {"qps": [20, 28]}).qps == (20, 28)
