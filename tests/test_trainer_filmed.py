"""What cameras saw, and the sound of a capture, on their way from a capture into a scene."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from streamstgs.codec.package.sound_track import RATE_HZ
from streamstgs.codec.scene import open_scene
from streamstgs.trainer.datasets.layouts import open_capture
from streamstgs.trainer.run_directory import RunDirectory
from streamstgs.trainer.scene_meta import scene_meta

from streamstgs import main
from tests.capture_scene import ring_cameras, write_capture
from tests.sound_samples import tone_with_claps, write_wav
from tests.synthetic import SyntheticSource


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_capture(tmp_path_factory.mktemp("capture"))


def written_run(folder: Path) -> RunDirectory:
    """A finished run of an older version: it knows no filmed views."""
    source = SyntheticSource(static_count=40, dynamic_count=30, frames_per_gop=(6,))
    run = RunDirectory(folder)
    run.write_plan(source.meta, [6])
    run.write_static(source.static)
    run.write_gop(0, source.gop(0))
    return run


def test_meta_has_the_view_of_every_camera(capture: Path) -> None:
    meta = scene_meta(open_capture(capture), (0.0, 0.0, 0.0), 0.01)
    assert len(meta.filmed) == 8
    for view, camera in zip(meta.filmed, ring_cameras(8), strict=True):
        assert view.position == pytest.approx(camera.position.tolist(), abs=1e-5)
        assert view.forward == pytest.approx(camera.viewmat[2, :3].tolist(), abs=1e-5)
        assert torch.tensor(view.up) @ torch.tensor([0.0, 0.0, 1.0]) > 0.5
        assert view.fov_y_rad == pytest.approx(0.7, abs=1e-5)
        assert view.fov_x_rad > view.fov_y_rad


def test_runs_keep_filmed_views_and_the_sound_of_the_capture(capture: Path, tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "run")
    meta = scene_meta(open_capture(capture), (0.0, 0.0, 0.0), 0.01)
    run.write_plan(meta, [6])
    assert run.read_plan()[0] == meta
    run.keep_sound(capture)
    assert run.sound_path is None
    folder = tmp_path / "with-sound"
    folder.mkdir()
    (folder / "audio.txt").write_text("no sound")
    wav = write_wav(folder / "audio.wav", tone_with_claps(1.0, (0.5,)))
    run.keep_sound(folder)
    kept = run.sound_path
    assert kept is not None
    assert kept.read_bytes() == wav.read_bytes()


def test_encode_takes_cameras_and_sound(capture: Path, tmp_path: Path) -> None:
    run = written_run(tmp_path / "run")
    wav = write_wav(tmp_path / "clap.wav", tone_with_claps(1.0, (0.1,)))
    out = tmp_path / "scene.stgs"
    options = ["--qps", "28", "--poster.width-px", "64", "--quality.cameras", "0"]
    sources = ["--audio", str(wav), "--capture", str(capture)]
    assert main.main(["encode", str(run.path), "-o", str(out), *options, *sources]) == 0
    with open_scene(out) as scene:
        assert len(scene.meta.filmed) == 8
        assert scene.meta.isolated is not None
        track = scene.sound
        assert track is not None
        wanted = round(scene.duration_s * RATE_HZ)
        assert wanted <= track.samples <= wanted + 2 * 960  # cut off with the scene
        assert np.abs(scene.read_sound(0)).max() > 5_000


def test_encode_names_a_file_without_sound(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = written_run(tmp_path / "run")
    text = tmp_path / "text.wav"
    text.write_text("no sound")
    out = tmp_path / "scene.stgs"
    options = ["--qps", "28", "--poster.width-px", "0", "--quality.cameras", "0"]
    arguments = ["encode", str(run.path), "-o", str(out), *options, "--audio", str(text)]
    assert main.main(arguments) == 1
    assert "text.wav" in capsys.readouterr().err
    assert not out.exists()
