"""Splat files that are written: what they hold, that others read them, and that they are whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.errors import Cancelled, EncodeError, WriteError
from streamstgs.codec.formats.convert import ConvertSettings, convert_frame, convert_frames
from streamstgs.codec.formats.gaussian_ply import read_gaussian_ply
from streamstgs.codec.formats.raw_gaussians import raw_of
from streamstgs.codec.formats.registry import open_reader

from tests.splat_samples import made_up, splat_file, write_sequence

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden" / "synthetic-v1-hevc.stgs"
# Largest error of positions and of the first coefficients after writing and reading.
ERRORS = {
    ".ply": (1e-6, 1e-5),
    ".spz": (0.0003, 0.02),
    ".sog": (0.001, 0.05),
    ".splat": (1e-6, 0.01),
    ".compressed.ply": (0.004, 0.01),
}


@pytest.fixture
def ball(tmp_path: Path) -> Path:
    path = tmp_path / "ball.ply"
    path.write_bytes(splat_file(made_up(), "ply"))
    return path


@pytest.mark.parametrize("suffix", ERRORS)
def test_file_holds_what_was_read(suffix: str, ball: Path, tmp_path: Path) -> None:
    out = tmp_path / f"out{suffix}"
    with open_reader(ball) as reader:
        assert convert_frame(reader, 0, out) == 300
    with open_reader(out) as reader:
        found, wanted = raw_of(reader.segment(0).gaussians_at(0.0)), made_up()
    distance = np.linalg.norm(found.means[None] - wanted.means[:, None], axis=-1)
    order = distance.argmin(axis=1)
    assert distance.min(axis=1).max() <= 2 * ERRORS[suffix][0]
    np.testing.assert_allclose(found.sh[order, 0], wanted.sh[:, 0], atol=ERRORS[suffix][1])
    assert found.sh.shape[1] == (1 if suffix == ".splat" else 16)


@pytest.mark.parametrize("suffix", [".ply", ".spz", ".sog"])
def test_independent_reader_opens_the_file(suffix: str, ball: Path, tmp_path: Path) -> None:
    import gsply

    out = tmp_path / f"out{suffix}"
    with open_reader(ball) as reader:
        convert_frame(reader, 0, out)
    read: Any = {".ply": gsply.plyread, ".spz": gsply.read_spz, ".sog": gsply.sogread}[suffix]
    other = read(str(out))
    wanted = made_up()
    flip = np.array([1, -1, -1]) if suffix == ".spz" else np.ones(3)  # axes of .spz
    distance = np.linalg.norm((other.means * flip)[None] - wanted.means[:, None], axis=-1)
    assert distance.min(axis=1).max() < 0.002
    order = distance.argmin(axis=1)
    np.testing.assert_allclose(other.scales[order], wanted.log_scales, atol=0.05)
    np.testing.assert_allclose(other.sh0[order], wanted.sh[:, 0], atol=0.05)


def test_compressed_ply_is_opened_by_an_independent_reader(ball: Path, tmp_path: Path) -> None:
    import fourdgs

    out = tmp_path / "out.compressed.ply"
    with open_reader(ball) as reader:
        convert_frame(reader, 0, out)
    other, wanted = fourdgs.from_compressed_ply([str(out)])[0], made_up()
    distance = np.linalg.norm(other.positions[None] - wanted.means[:, None], axis=-1)
    assert distance.min(axis=1).max() < 0.005
    order = distance.argmin(axis=1)
    np.testing.assert_allclose(np.log(other.scales[order]), wanted.log_scales, atol=0.01)
    opacities = 1 / (1 + np.exp(-wanted.logits))
    np.testing.assert_allclose(other.colors[order, 3], opacities, atol=0.005)


def test_splat_is_opened_by_an_independent_reader(ball: Path, tmp_path: Path) -> None:
    import gaussforge

    out = tmp_path / "out.splat"
    with open_reader(ball) as reader:
        convert_frame(reader, 0, out)
    ply = gaussforge.GaussForge().convert(out.read_bytes(), "splat", "ply")["data"]
    means = read_gaussian_ply(ply, "a.ply").means
    assert len(means) == 300
    assert np.abs(np.sort(means, axis=0) - np.sort(made_up().means, axis=0)).max() < 1e-6


def test_scene_of_ours_becomes_a_sequence_that_plays(tmp_path: Path) -> None:
    out = tmp_path / "clip"
    seen = []
    with open_reader(GOLDEN) as scene:
        count = convert_frames(scene, range(4), out, progress=lambda *done: seen.append(done))
        assert (count, seen[-1]) == (4, (4, 4))
        with open_reader(out, fps=scene.info.meta.fps) as clip:
            assert clip.info.frame_count == 4
            for frame in range(4):
                time_s = frame / scene.info.meta.fps
                wanted = scene.segment(scene.info.segment_at(time_s)).gaussians_at(time_s)
                found = clip.segment(frame).gaussians_at(time_s)
                np.testing.assert_allclose(found.means, wanted.means, atol=1e-5)
                np.testing.assert_allclose(found.opacities, wanted.opacities, atol=1e-5)
                np.testing.assert_allclose(found.colors, wanted.colors, atol=1e-5)


def test_crop_and_share_choose_gaussians(ball: Path, tmp_path: Path) -> None:
    out, wanted = tmp_path / "out.ply", made_up()
    inside = (np.abs(wanted.means) <= 0.4).all(axis=1)
    with open_reader(ball) as reader:
        box = (-0.4, -0.4, -0.4, 0.4, 0.4, 0.4)
        assert convert_frame(reader, 0, out, ConvertSettings(crop=box)) == inside.sum()
        assert convert_frame(reader, 0, out, ConvertSettings(keep=0.1)) == 30
    with open_reader(out) as reader:
        kept = reader.segment(0).gaussians_at(0.0)
    assert float(kept.opacities.mean()) > float(1 / (1 + np.exp(-wanted.logits.mean())))


def test_wrong_requests_are_refused_and_leave_nothing(ball: Path, tmp_path: Path) -> None:
    nothing = ConvertSettings(crop=(50.0, 50.0, 50.0, 51.0, 51.0, 51.0))
    with open_reader(ball) as reader:
        with pytest.raises(EncodeError, match="no format that can be written"):
            convert_frame(reader, 0, tmp_path / "out.obj")
        with pytest.raises(EncodeError, match="no frame 3"):
            convert_frame(reader, 3, tmp_path / "out.ply")
        with pytest.raises(EncodeError, match="no Gaussians"):
            convert_frame(reader, 0, tmp_path / "out.ply", nothing)
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "notes.txt").write_text("")
        with pytest.raises(WriteError, match="holds other files"):
            convert_frames(reader, [0], tmp_path / "mine")
    with pytest.raises(EncodeError, match="empty"):
        ConvertSettings(crop=(0, 0, 0, 0, 1, 1))
    with pytest.raises(EncodeError, match="share"):
        ConvertSettings(keep=0.0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["ball.ply", "mine"]


def test_cancelled_conversion_keeps_the_former_folder(tmp_path: Path) -> None:
    clip, out, cancel = write_sequence(tmp_path / "clip"), tmp_path / "out", CancelToken()
    with open_reader(clip) as reader:
        convert_frames(reader, [0], out)
        with pytest.raises(Cancelled):
            convert_frames(
                reader, [0, 1, 2], out, progress=lambda *_: cancel.cancel(), cancel=cancel
            )
    assert [file.name for file in out.iterdir()] == ["frame_00000.ply"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["clip", "out"]


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_interrupted_command_leaves_nothing(tmp_path: Path) -> None:
    clip, out = write_sequence(tmp_path / "clip", frames=200), tmp_path / "out"
    command = [sys.executable, "-m", "streamstgs", "convert", str(clip), str(out)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        end_s = time.monotonic() + 60
        while len(list(tmp_path.iterdir())) == 1 and time.monotonic() < end_s:
            time.sleep(0.005)  # until the new folder is beside the other one
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=250)
    assert process.returncode == 130, told
    assert [p.name for p in tmp_path.iterdir()] == ["clip"]


def test_command_writes_the_frame_at_a_time(tmp_path: Path) -> None:
    from streamstgs.cli.command_line import main

    clip = write_sequence(tmp_path / "clip")
    for place in (["--frame", "2"], ["--time", "0.07"]):
        out = tmp_path / "out.ply"
        assert main(["convert", str(clip), str(out), *place, "--decimate", "0.5"]) == 0
        with open_reader(out) as reader:
            means = reader.segment(0).gaussians_at(0.0).means.numpy()
        wanted = made_up(40, degree=1, seed=2).means
        assert len(means) == 20
        assert np.linalg.norm(means[:, None] - wanted[None], axis=-1).min(axis=1).max() < 1e-6
    assert main(["convert", str(clip), str(tmp_path / "x"), "--frame", "0"]) == 2


def test_api_converts(ball: Path, tmp_path: Path) -> None:
    import streamstgs as st

    assert st.convert(ball, tmp_path / "a.splat").stat().st_size == 300 * 32
    with st.open(write_sequence(tmp_path / "clip")) as scene:
        st.convert(scene, tmp_path / "b.ply", time_s=0.07)
        folder = st.convert(scene, tmp_path / "files", keep=0.5)
        assert len(list(folder.iterdir())) == 3
        with pytest.raises(ValueError, match="either"):
            st.convert(scene, tmp_path / "c.ply", frame=0, time_s=0.0)
