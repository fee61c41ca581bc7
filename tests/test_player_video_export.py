"""Videos along camera and time tracks: their frames, formats, cancelling and the queue."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import imageio.v3 as imageio
import numpy as np
import pytest
from PIL import Image
from streamstgs.app.player.camera.files.path_files import PathFormat, write_camera_path
from streamstgs.app.player.camera.keyframes import CameraKeyframe, KeyframePath
from streamstgs.app.player.errors import OutputError, PlayerError
from streamstgs.app.player.export import render as rendering
from streamstgs.app.player.export.progress import ExportProgress
from streamstgs.app.player.export.queue import ExportQueue, ExportRequest, ExportState
from streamstgs.app.player.export.render import render_scene
from streamstgs.app.player.export.settings import EXPORT_FORMATS, ExportSettings, Target
from streamstgs.app.player.export.video_export import averaged, content_frames
from streamstgs.app.player.export.writers.image_writer import to_linear
from streamstgs.app.player.export.writers.video_writer import open_video
from streamstgs.app.player.rendering.view_settings import Look, ViewPass
from streamstgs.app.player.status import PlaybackFrame
from streamstgs.app.player.time_track import TimeCurve
from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.errors import Cancelled, WriteError
from streamstgs.codec.formats.stgs import StgsReader
from streamstgs.renderer import RenderSettings
from streamstgs.renderer.backends.base import to_rgb8
from streamstgs.renderer.backends.reference import ReferenceBackend

from tests.scripted_scene import ScriptedScene
from tests.synthetic import SyntheticSource

SIZE = (64, 36)
SOURCE = SyntheticSource(static_count=60, dynamic_count=60, frames_per_gop=(4, 4), fps=8.0)
LEVEL = (0.0, -1.0, 0.0)
PATH = KeyframePath(
    (
        CameraKeyframe(0.0, (0.0, 0.0, -4.0), (0.0, 0.0, 0.0), (0.2, -1.0, 0.0), 0.7),
        CameraKeyframe(0.5, (1.0, -0.5, -4.0), (0.1, 0.0, 0.0), LEVEL, 0.7, "ease-in"),
        CameraKeyframe(1.0, (2.0, -1.0, -3.5), (0.0, 0.0, 0.0), LEVEL, 0.8),
    ),
    SIZE[0] / SIZE[1],
)
BULLET = TimeCurve.of_speeds([(0.25, 1.0), (0.5, 0.0), (0.25, -1.0)], start_s=0.3)


@pytest.fixture(autouse=True)
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[ScriptedScene]]:
    scenes: list[ScriptedScene] = []

    def open_scripted(location: str, fps: float | None = None) -> StgsReader:
        scenes.append(ScriptedScene(SOURCE))
        return StgsReader(scenes[-1])  # type: ignore[arg-type]

    monkeypatch.setattr(rendering, "open_reader", open_scripted)
    yield scenes
    assert all(scene.closed for scene in scenes)


def export(out: Path, camera: Any = PATH, curve: TimeCurve | None = None, **change: Any) -> Any:
    settings = ExportSettings(**{"size": SIZE, **change})
    return render_scene(
        "s", camera, out, backend="reference", progress=silent, settings=settings, time_track=curve
    )


def silent(done: int, total: int) -> None:
    """No progress on the screen."""


def truth(time_s: float, content_s: float, size: tuple[int, int] = SIZE) -> np.ndarray:
    """The image that a video shows at a time, rendered on its own: [H, W, 3] uint8."""
    scene = ScriptedScene(SOURCE)
    frame = min(content_s * SOURCE.fps, 7.0)
    gop_index = min(int(frame + 1e-4) // 4, 1)
    gop = scene.decode_gop(gop_index, scene.qualities[-1], "cpu")
    gaussians = gop.gaussians_at(min(frame - 4 * gop_index, 3.0))
    settings = RenderSettings(SOURCE.meta.background, SOURCE.meta.near)
    image = ReferenceBackend().render(gaussians, PATH.camera_at(time_s, *size), settings)
    return to_rgb8(image).numpy()


def decoded(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def distance(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(float) - other.astype(float)).mean())


# What the frames show


def test_video_frames_are_those_of_the_tracks(tmp_path: Path) -> None:
    report = export(tmp_path / "video.mp4", curve=BULLET, fps=16.0)
    video = decoded(report.path)
    assert (report.frames, len(video), report.size) == (16, 16, SIZE)
    for number, image in enumerate(video):
        time_s = number / 16.0
        assert distance(image, truth(time_s, BULLET.content_at(time_s))) < 3.0  # of 255
    assert distance(video[0], truth(1.0, 0.0)) > 4.0  # another camera is told apart


def test_lossless_frames_equal_offline_renders(tmp_path: Path) -> None:
    export(tmp_path / "frames", format="png", curve=BULLET, fps=8.0)
    files = sorted((tmp_path / "frames").iterdir())
    assert [file.name for file in files] == [f"frame-{number:06d}.png" for number in range(8)]
    for number, file in enumerate(files):
        content_s = BULLET.content_at(number / 8.0)
        assert np.abs(imageio.imread(file) - truth(number / 8.0, content_s).astype(int)).max() <= 1


def test_bullet_time_and_reverse_choose_content_frames() -> None:
    frames = content_frames(16, 16.0, 8.0, 8, BULLET)
    assert len({frames[number] for number in range(4, 13)}) == 1
    assert frames[0] == pytest.approx(2.4)
    assert frames[12:] == tuple(sorted(frames[12:], reverse=True))
    assert frames[4] == pytest.approx(4.4)


def test_content_plays_once_at_its_own_speed_by_default() -> None:
    assert content_frames(5, 10.0, 10.0, 3) == (0.0, 1.0, 2.0, 2.0, 2.0)
    assert content_frames(4, 20.0, 10.0, 3) == (0.0, 0.5, 1.0, 1.5)
    loop = TimeCurve.of_speeds([(1.0, 1.0)], loop=True)
    assert content_frames(5, 10.0, 10.0, 3, loop) == (0.0, 1.0, 2.0, 0.0, 1.0)
    with pytest.raises(OutputError, match="1000000 frames"):
        content_frames(2_000_000, 10.0, 10.0, 3)


@pytest.mark.parametrize(
    ("camera", "curve", "change", "frames"),
    [
        (PATH, None, {}, 8),
        (PATH, BULLET, {"fps": 4.0}, 4),
        (PATH, None, {"duration_s": 0.5}, 4),
        ("front", None, {"fps": 4.0}, 4),
        ("orbit", TimeCurve.of_speeds([(0.5, 1.0)]), {}, 4),
    ],
)
def test_duration_is_that_of_the_tracks(
    tmp_path: Path, camera: Any, curve: TimeCurve | None, change: dict[str, Any], frames: int
) -> None:
    assert export(tmp_path / "a.mp4", camera, curve, **change).frames == frames


@pytest.mark.parametrize("format", ["streamstgs", "nerfstudio"])
def test_path_files_give_the_same_video(tmp_path: Path, format: PathFormat) -> None:
    file = tmp_path / "path.json"
    write_camera_path(file, PATH, format, fps=8.0)
    export(tmp_path / "a.png", str(file), duration_s=1.0)
    aspect = replace(PATH, aspect=16 / 9)
    export(tmp_path / "b.png", aspect, duration_s=1.0)
    assert distance(imageio.imread(tmp_path / "a.png"), imageio.imread(tmp_path / "b.png")) < 0.1


def test_supersampling_averages_a_larger_image(tmp_path: Path) -> None:
    export(tmp_path / "a.png", size=(32, 18), supersampling=2)
    fine = truth(0.0, 0.0, (64, 36))
    expected = averaged(fine, 2)
    assert np.abs(imageio.imread(tmp_path / "a.png") - expected.astype(int)).max() <= 1
    assert averaged(np.array([[[0], [1]], [[1], [1]]], np.uint8), 2).tolist() == [[[1]]]


# Formats


@pytest.mark.parametrize("format", ["h264", "hevc", "av1", "prores"])
def test_videos_are_tagged_and_keep_colours(tmp_path: Path, format: Any) -> None:
    out = tmp_path / ("video.mov" if format == "prores" else "video.mp4")
    report = export(out, format=format)
    with av.open(str(out)) as container:
        stream = container.streams.video[0]
        codec = stream.codec_context
        frames = list(container.decode(video=0))
        declared = (codec.colorspace, codec.color_range)
        assert declared == (1, 1)
        assert (frames[0].color_primaries, frames[0].color_trc) == (1, 1)
        assert float(stream.average_rate) == 8.0
    assert (len(frames), report.size) == (8, SIZE)
    assert distance(frames[3].to_ndarray(format="rgb24"), truth(0.375, 0.375)) < 5.0


def test_loops_repeat_forever(tmp_path: Path) -> None:
    for name in ("loop.gif", "loop.webp"):
        export(tmp_path / name)
        with Image.open(tmp_path / name) as loop:
            assert (loop.n_frames, loop.info["loop"], loop.size) == (8, 0, SIZE)
            loop.seek(3)
            image = np.asarray(loop.convert("RGB"))
        assert distance(image, truth(0.375, 0.375)) < 8.0


def test_transparent_images_show_the_scene_without_its_background(tmp_path: Path) -> None:
    export(tmp_path / "a.png", transparent=True)
    image = imageio.imread(tmp_path / "a.png").astype(float) / 255
    assert image.shape == (36, 64, 4)
    alpha = image[..., 3:]
    assert (alpha.min(), alpha.max() > 0.9) == (0.0, True)
    over = image[..., :3] * alpha + np.array(SOURCE.meta.background) * (1 - alpha)
    assert np.abs(over * 255 - truth(0.0, 0.0)).max() < 3.0


def test_solid_parts_stay_solid_without_background(tmp_path: Path) -> None:
    """What is a little transparent over the scene's own background is opaque in the file."""
    export(tmp_path / "own.png")
    export(tmp_path / "cut.png", transparent=True)
    cut = imageio.imread(tmp_path / "cut.png").astype(float)
    scene = ScriptedScene(SOURCE)
    gaussians = scene.decode_gop(0, scene.qualities[-1], "cpu").gaussians_at(0)
    settings = RenderSettings(SOURCE.meta.background, SOURCE.meta.near)
    seen = ReferenceBackend().render_channels(gaussians, PATH.camera_at(0.0, *SIZE), settings)
    glassy = ((seen.alpha > 0.76) & (seen.alpha < 0.97)).numpy()
    assert glassy.sum() > 20
    assert (cut[glassy, 3] == 255).all()
    assert np.abs(cut[glassy, :3] - imageio.imread(tmp_path / "own.png")[glassy]).max() <= 1
    hazy = ((seen.alpha > 0.1) & (seen.alpha < 0.4)).numpy()
    assert np.abs(cut[hazy, 3] / 255.0 - seen.alpha.numpy()[hazy]).max() < 0.01


LOOKS = [
    Look("depth", depth_range=(4.0, 1.0)),
    Look("motion", depth_range=(4.0, 1.0)),
    Look(exposure=1.0, splat_scale=0.5, background="#204060"),
    Look(crop=((-1.0, -1.0, -1.0), (0.2, 1.0, 1.0)), background="white"),
]


@pytest.mark.parametrize("look", LOOKS)
def test_files_show_the_look_of_a_viewer(tmp_path: Path, look: Look) -> None:
    """Stills, sequences and videos are what a viewer shows with the same options."""
    export(tmp_path / "still.png", look=look)
    export(tmp_path / "frames", format="png", fps=2.0, look=look)
    export(tmp_path / "film.mp4", fps=2.0, look=look)
    scene = ScriptedScene(SOURCE)
    gop = scene.decode_gop(0, scene.qualities[-1], "cpu")
    frame = PlaybackFrame(gop, 0, 0, scene.qualities[-1], 0)
    settings = look.settings(SOURCE.meta, (1.0, 1.0))
    camera = PATH.camera_at(0.0, *SIZE)
    shown, drawing = ViewPass().prepared(gop.gaussians_at(0), camera, settings, frame)
    expected = to_rgb8(ReferenceBackend().render(shown, camera, drawing)).numpy()
    for file in (tmp_path / "still.png", tmp_path / "frames" / "frame-000000.png"):
        assert np.abs(imageio.imread(file) - expected.astype(int)).max() <= 1
    assert distance(decoded(tmp_path / "film.mp4")[0], expected) < 4.0
    assert distance(expected, truth(0.0, 0.0)) > 8.0


def test_depths_fit_the_camera_unless_they_are_chosen(tmp_path: Path) -> None:
    export(tmp_path / "depth.png", look=Look("depth"))
    away = float(np.linalg.norm(np.array(PATH.keyframes[0].position) - SOURCE.meta.center))
    chosen = Look("depth", depth_range=(away, away * math.tan(0.35) / 2))
    export(tmp_path / "chosen.png", look=chosen)
    grey, same = (imageio.imread(tmp_path / f"{name}.png") for name in ("depth", "chosen"))
    assert np.abs(grey.astype(int) - same).max() <= 1
    assert np.ptp(grey) > 60


def test_exr_holds_linear_colours_times_alpha(tmp_path: Path) -> None:
    export(tmp_path / "frames", format="exr", transparent=True, duration_s=0.25)
    export(tmp_path / "a.exr")
    assert len(list((tmp_path / "frames").glob("frame-*.exr"))) == 2
    for path in (tmp_path / "frames" / "frame-000000.exr", tmp_path / "a.exr"):
        with av.open(str(path), format="exr_pipe") as container:
            frame = next(container.decode(video=0))
            image = frame.to_ndarray(format="gbrapf32le")
        background = to_linear(np.array(SOURCE.meta.background))
        empty = image[..., 3] == 0.0
        if path.name == "a.exr":
            assert (image[..., 3] == 1.0).all()
            expected = to_linear(truth(0.0, 0.0) / 255.0)
            assert np.abs(image[..., :3] - expected).max() < 0.02
            assert np.abs(image[0, 0, :3] - background).max() < 0.02
        else:
            assert empty.any()
            assert (image[empty] == 0.0).all()


@pytest.mark.parametrize("name", ["clip.mov", "clip.webp"])
def test_videos_with_alpha(tmp_path: Path, name: str) -> None:
    export(tmp_path / name, transparent=True, duration_s=0.25)
    if name.endswith("mov"):
        with av.open(str(tmp_path / name)) as container:
            image = next(container.decode(video=0)).to_ndarray(format="rgba")
    else:
        with Image.open(tmp_path / name) as loop:
            image = np.asarray(loop.convert("RGBA"))
    assert image[..., 3].min() == 0
    assert image[..., 3].max() > 220


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("a.mp4", {"format": "gif"}, r"should end in \.gif"),
        ("a", {"format": "h264"}, r"should end in \.mp4"),
        ("a.png", {"format": "exr"}, r"should end in \.exr"),
        ("a.mp4", {"transparent": True}, "h264 has no transparency"),
        ("a", {}, r"should be a file"),
        ("a.png", {"supersampling": 9}, "supersampling"),
        ("a.png", {"supersampling": 8, "size": (8192, 4320)}, "16384 is the most"),
        ("a.png", {"size": (8193, 1)}, "the width must be at most 8192"),
        ("a.mp4", {"fps": 0.0}, "fps"),
        ("a.mp4", {"fps": float("nan")}, "fps"),
        ("a.mp4", {"duration_s": -1.0}, "the duration in seconds must be more than 0"),
        ("a.mp4", {"format": "avi"}, "format"),
    ],
)
def test_impossible_exports_are_refused(
    tmp_path: Path, name: str, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(OutputError, match=words):
        export(tmp_path / name, **change)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [av.error.PatchWelcomeError, av.error.ExternalError])
def test_refusals_of_encoders_are_told(tmp_path: Path, kind: type[Exception]) -> None:
    with (
        pytest.raises(OutputError, match=r"cannot be encoded as hevc .*: not today"),
        open_video(tmp_path / "a.mp4", 25.0, "hevc"),
    ):
        raise kind(1, "not today")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(WriteError, match="holds other files"):
        export(tmp_path, format="png")
    frames = tmp_path / "frames"
    export(frames, format="png")
    export(frames, format="png", duration_s=0.25)
    assert len(list(frames.iterdir())) == 2


def test_settings_are_data() -> None:
    look = Look("depth", 1.0, 0.5, ((-1.0, -1.0, -1.0), (1.0, 1.0, 1.0)), "#204060", (4.0, 1.0))
    settings = ExportSettings((7680, 4320), 60.0, 12.5, 2, "av1", False, look)
    assert ExportSettings.from_json(settings.to_json()) == settings
    assert ExportSettings.from_json("{}") == ExportSettings()
    wrong_looks = [
        f'{{"look": {text}}}'
        for text in ('{"mode": "heat"}', '{"exposure": 9}', '{"background": "red"}')
    ]
    for text in ('{"size": [0, 1]}', '{"format": "avi"}', "[", '{"fps": "fast"}', *wrong_looks):
        with pytest.raises(OutputError, match="no export settings"):
            ExportSettings.from_json(text)
    assert {Target.of(Path(f"a.{end}")).format for end in ("mp4", "GIF", "exr")} <= set(
        EXPORT_FORMATS
    )


# Cancelling, and the queue


@pytest.mark.parametrize("name", ["video.mp4", "frames", "loop.gif"])
def test_a_cancelled_export_leaves_nothing(tmp_path: Path, name: str) -> None:
    token, told = CancelToken(), []

    def progress(done: int, total: int) -> None:
        told.append((done, total))
        if done == 3:
            token.cancel()

    settings = ExportSettings(SIZE, format="png" if name == "frames" else None)
    with pytest.raises(Cancelled, match=name):
        render_scene(
            "s",
            PATH,
            tmp_path / name,
            backend="reference",
            progress=progress,
            settings=settings,
            cancel=token,
        )
    assert told == [(1, 8), (2, 8), (3, 8)]
    assert list(tmp_path.iterdir()) == []


def request(out: Path, **change: Any) -> ExportRequest:
    return ExportRequest("s", PATH, out, ExportSettings(SIZE), backend="reference", **change)


def test_queue_runs_exports_one_after_the_other(tmp_path: Path) -> None:
    queue, seen = ExportQueue(), []
    queue.changed.connect(lambda export: seen.append((export.request.out.name, export.state)))
    first = queue.add(request(tmp_path / "a.mp4"))
    wrong = queue.add(request(tmp_path / "b.avi"))
    last = queue.add(request(tmp_path / "c.png", time_track=BULLET))
    assert all(export.wait(60.0) for export in (first, wrong, last))
    states = [export.state for export in queue.exports]
    assert states == [ExportState.DONE, ExportState.FAILED, ExportState.DONE]
    assert "b.avi should be a file" in wrong.error
    assert (first.progress.share, first.progress.left_s) == (1.0, 0.0)
    running = [name for name, state in seen if state is ExportState.RUNNING]
    assert running == sorted(running)
    queue.clear_finished()
    queue.close()
    assert queue.exports == ()
    with pytest.raises(PlayerError, match="closed"):
        queue.add(request(tmp_path / "d.mp4"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "c.png"]


def test_queue_cancels_running_and_waiting_exports(tmp_path: Path) -> None:
    begun = threading.Event()

    def slow_render(*arguments: Any, cancel: CancelToken, **others: Any) -> None:
        begun.set()
        assert cancel.wait(30.0)
        cancel.raise_if_cancelled("exporting")

    queue = ExportQueue(slow_render)
    running, waiting = (
        queue.add(request(tmp_path / "a.mp4")),
        queue.add(request(tmp_path / "b.mp4")),
    )
    assert begun.wait(30.0)
    waiting.cancel()
    queue.close()
    assert {running.state, waiting.state} == {ExportState.CANCELLED}


def test_progress_tells_the_time_left() -> None:
    assert ExportProgress().left_s is None
    assert ExportProgress(2, 8, 3.0).left_s == pytest.approx(9.0)
    assert ExportProgress(2, 8, 3.0).share == 0.25
