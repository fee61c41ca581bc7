"""Scenes of other programs in the player: frames are decoded ahead, within bounds of memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from streamstgs.app.player.frame_pipeline import (
    FramePipeline,
    FramePipelineSettings,
    is_frames,
)
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.app.player.status import PlaybackState
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.codec.formats.registry import open_reader

from tests.splat_samples import dynamic_arrays, made_up, npz, splat_file, write_sequence

TIMEOUT_S = 60.0


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_sequence(tmp_path / "clip", frames=6)


@pytest.fixture
def playback(clip: Path) -> Iterator[Playback]:
    playing = Playback(str(clip), PlaybackSettings(autoplay=False))
    yield playing
    playing.close()


def settled(playback: Playback) -> int:
    """The index of the frame that is shown once everything is decoded."""
    assert playback.settle(TIMEOUT_S)
    frame = playback.tick()
    assert frame is not None
    return frame.index


def test_sequence_is_shown_frame_by_frame(playback: Playback) -> None:
    assert settled(playback) == 0
    status = playback.status()
    assert (status.frames, status.fps, len(status.qualities)) == (6, 30.0, 1)
    playback.step(2)
    assert settled(playback) == 2
    frame = playback.tick()
    assert frame is not None
    shown = frame.gop.gaussians_at(frame.frame)
    wanted = torch.from_numpy(made_up(40, degree=1, seed=2).means)
    assert torch.equal(shown.means, wanted)
    assert shown.sh is not None


def test_sequence_plays_to_its_end_and_loops(clip: Path) -> None:
    playback = Playback(str(clip), PlaybackSettings(loop=False, fps=60.0))
    try:
        seen = set()
        end_s = time.monotonic() + TIMEOUT_S
        while playback.state is not PlaybackState.ENDED and time.monotonic() < end_s:
            frame = playback.tick()
            seen |= {frame.index} if frame else set()
            time.sleep(0.002)
        assert playback.state is PlaybackState.ENDED
        assert playback.status().fps == 60.0
        assert 5 in seen
    finally:
        playback.close()


def test_scrubbing_shows_the_nearest_decoded_frame(playback: Playback) -> None:
    settled(playback)
    playback.seek(4 / 30, scrubbing=True)
    assert playback.tick() is not None
    playback.seek(4 / 30)
    assert settled(playback) == 4


def test_broken_frame_is_skipped_with_a_message(clip: Path) -> None:
    (clip / "frame_1.ply").write_bytes(b"ply\nbroken")
    playback = Playback(str(clip), PlaybackSettings(autoplay=False))
    try:
        settled(playback)
        (event,) = playback.take_events()
        assert not event.fatal
        assert "Frame 2 skipped" in event.message
        playback.seek_frame(1)
        assert settled(playback) == 2
    finally:
        playback.close()


def test_wrong_file_fails_with_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "points.ply"
    path.write_bytes(b"ply\nformat ascii 1.0\nelement vertex 0\nproperty float x\nend_header\n")
    playback = Playback(str(path))
    try:
        playback.settle(TIMEOUT_S)
        playback.tick()
        assert playback.state is PlaybackState.FAILED
        (event,) = playback.take_events()
        assert event.fatal
        assert "without Gaussians" in event.message
    finally:
        playback.close()


def test_decoded_frames_stay_within_memory(clip: Path) -> None:
    with open_reader(clip) as reader:
        gaussians = reader.segment(0).gaussians_at(0.0)
    size_bytes = sum(t.numel() * t.element_size() for t in gaussians.tensors().values())
    settings = FramePipelineSettings(max_bytes=int(2.5 * size_bytes))
    pipeline = FramePipeline(lambda cancel: open_reader(clip, cancel), str(clip), settings)
    pipeline.start()
    try:
        assert pipeline.wait(lambda: pipeline.idle, TIMEOUT_S)
        assert pipeline.ready_gops() == {0, 1}
    finally:
        assert pipeline.close()


def test_only_scenes_of_other_programs_are_frames(clip: Path, tmp_path: Path) -> None:
    golden = Path(__file__).parent / "golden" / "synthetic-v1-hevc.stgs"
    assert is_frames(str(clip))
    assert is_frames(str(clip / "frame_0.ply"))
    assert not is_frames(str(golden))
    assert not is_frames("https://example.org/clip/")
    assert not is_frames(str(tmp_path / "missing.ply"))


@pytest.mark.parametrize("kind", ["ply", "spz", "splat"])
def test_viewer_model_shows_a_splat_file(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"ball.{kind}"
    path.write_bytes(splat_file(made_up(400), kind))
    model = ViewerModel(lambda location, clock: Playback(location, clock=clock))
    try:
        model.open(str(path), play=False)
        image = model.screenshot(160, 90, "cpu", TIMEOUT_S)
        assert model.title == "ball"
        assert [preset.name for preset in model.presets][:2] == ["Front", "Right"]
        covered = (image.max(axis=2) > 20).mean()
        assert 0.05 < covered < 0.9
        assert image[30:60, 60:100].mean() > image[:, :20].mean()
        assert model.pick(80, 45, 160, 90) is not None
    finally:
        model.close()


def test_scene_of_one_frame_stays_paused(tmp_path: Path) -> None:
    path = tmp_path / "ball.ply"
    path.write_bytes(splat_file(made_up(20), "ply"))
    playback = Playback(str(path))
    try:
        assert settled(playback) == 0
        assert playback.state is PlaybackState.PAUSED
        assert not playback.status().wants_play
    finally:
        playback.close()


def test_moving_arrays_are_shown_at_each_frame(tmp_path: Path) -> None:
    path = tmp_path / "params.npz"
    arrays = dynamic_arrays(frames=5)
    path.write_bytes(npz(arrays))
    playback = Playback(str(path), PlaybackSettings(autoplay=False))
    try:
        for index in (0, 3):
            playback.seek_frame(index)
            settled(playback)
            playback.seek_frame(index)
            assert settled(playback) == index
            frame = playback.tick()
            assert frame is not None
            means = frame.gop.gaussians_at(frame.frame).means.numpy()
            np.testing.assert_array_equal(means, arrays["means3D"][index])
    finally:
        playback.close()


def test_api_opens_renders_and_views_a_sequence(clip: Path, tmp_path: Path) -> None:
    import streamstgs as st

    with st.open(clip, fps=10.0) as scene:
        assert (scene.frame_count, scene.fps, scene.title) == (6, 10.0, "clip")
        assert [len(frame.gaussians) for frame in scene.frames(start_s=0.4)] == [40, 40]
        images = [st.render(scene, t, size=(96, 54), backend="cpu") for t in (0.0, 0.3)]
        assert not np.array_equal(*images)
        with st.Viewer(scene, size=(96, 54), backend="cpu") as viewer:
            viewer.seek(0.3)
            np.testing.assert_allclose(viewer.screenshot(), images[1], atol=1)
        path = st.export_video(scene, tmp_path / "a.mp4", "orbit", (64, 48), backend="cpu")
        assert path.stat().st_size > 0


def test_render_command_writes_an_image_of_a_splat_file(tmp_path: Path) -> None:
    from streamstgs.app.player.export.render import render_scene

    path, image = tmp_path / "ball.ply", tmp_path / "ball.png"
    path.write_bytes(splat_file(made_up(200), "ply"))
    report = render_scene(str(path), "Back", image, (64, 48), "cpu")
    assert report.frames == 1
    assert image.stat().st_size > 200


def test_info_describes_a_splat_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from streamstgs.cli.info import Info

    path = tmp_path / "ball.ply"
    path.write_bytes(splat_file(made_up(200, degree=2), "ply"))
    assert Info(str(path)).run() == 0
    told = capsys.readouterr().out
    assert "gaussians" in told
    assert "200" in told
    assert "spherical harmonics degree  2" in told
