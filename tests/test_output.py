"""Files are written whole or not at all, and only where a file may be written."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from streamstgs.codec.errors import WriteError
from streamstgs.codec.output import (
    check_output,
    check_output_directory,
    output_directory,
    output_file,
    write_json,
)


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def write_half(target: Path, error: BaseException) -> None:
    with output_file(target) as partial:
        partial.write_text("half")
        raise error


def is_ours(folder: Path) -> bool:
    return (folder / "scene.json").exists()


def test_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "down" / "figures.json"
    with output_file(target) as partial:
        partial.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    assert names(target.parent) == ["figures.json"]


def test_error_leaves_the_older_file(tmp_path: Path) -> None:
    target = tmp_path / "figures.json"
    target.write_text("old")
    with pytest.raises(ValueError, match="broken"):
        write_half(target, ValueError("broken"))
    assert target.read_text() == "old"
    assert names(tmp_path) == ["figures.json"]


def test_interrupt_leaves_nothing_and_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt) as interrupt:
        write_half(tmp_path / "a.mp4", KeyboardInterrupt())
    assert "a.mp4 was not written" in interrupt.value.__notes__[0]
    assert names(tmp_path) == []


def test_link_is_followed_and_kept(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "scene.stgs", tmp_path / "link.stgs"
    target.write_text("old")
    link.symlink_to(target)
    with output_file(link) as partial:
        partial.write_text("new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert names(tmp_path) == ["link.stgs", "there"]
    assert names(tmp_path / "there") == ["scene.stgs"]


def test_link_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(WriteError, match="loop"):
        check_output(tmp_path / "loop")


def test_pipe_device_and_directory_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, kind in ((tmp_path / "pipe", "a pipe"), (tmp_path, "a directory")):
        with pytest.raises(WriteError, match=kind):
            check_output(path)
    for path in (Path("/dev/null"), Path("/dev/zero")):
        with pytest.raises(WriteError, match="a device"):
            check_output(path)
        with pytest.raises(WriteError, match="a device"):
            check_output_directory(path, is_ours)
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_home_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert check_output("~/film.mp4") == tmp_path.resolve() / "film.mp4"
    with pytest.raises(WriteError):
        check_output("~nobody-of-that-name/film.mp4")


def test_file_instead_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="no directory"):
        check_output(tmp_path / "file" / "film.mp4")


def test_permissions_of_the_older_file_are_kept(tmp_path: Path) -> None:
    target = tmp_path / "figures.json"
    write_json(target, {})
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~mask
    target.chmod(0o640)
    write_json(target, {"a": 1})
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_directory_replaces_a_scene_only(tmp_path: Path) -> None:
    target = tmp_path / "scene"
    for content in ("first", "second"):
        with output_directory(target, is_ours) as partial:
            (partial / "scene.json").write_text(content)
        assert (target / "scene.json").read_text() == content
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").touch()
    with pytest.raises(WriteError, match="other files"):
        check_output_directory(tmp_path / "other", is_ours)
    assert names(tmp_path) == ["other", "scene"]


def test_error_leaves_the_older_directory(tmp_path: Path) -> None:
    target = tmp_path / "scene"
    target.mkdir()
    (target / "scene.json").write_text("old")
    with pytest.raises(ValueError, match="broken"), output_directory(target, is_ours):
        raise ValueError("broken")
    assert (target / "scene.json").read_text() == "old"
    assert names(tmp_path) == ["scene"]


def test_working_directory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scene.json").touch()
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    for path in (".", ".."):
        with pytest.raises(WriteError, match="working directory"):
            check_output_directory(path, is_ours)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits file sizes by ulimit")
def test_full_disk_is_one_sentence_and_leaves_the_older_file(tmp_path: Path) -> None:
    """The limit of file sizes stands in for a full disk: both fail while the file is written."""
    target = tmp_path / "figures.json"
    target.write_text("old")
    script = (
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "from streamstgs.codec.output import write_json\n"
        f"write_json({str(target)!r}, ['x' * 5000])\n"
    )
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, timeout=250
    )
    assert "figures.json cannot be written: the disk is full" in done.stderr
    assert target.read_text() == "old"
    assert names(tmp_path) == ["figures.json"]


def test_colours_of_a_video_are_declared_and_kept(tmp_path: Path) -> None:
    from streamstgs.app.player.export.writers.video_writer import open_video

    path = tmp_path / "film.MP4"
    image = np.zeros((48, 64, 3), np.uint8)
    image[:24], image[24:] = (220, 30, 20), (20, 200, 40)
    with open_video(path, 23.976) as video:
        for _ in range(3):
            video.write(image)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        codec = stream.codec_context
        declared = (codec.colorspace, codec.color_primaries, codec.color_trc, codec.color_range)
        assert declared == (1, 1, 1, 1)
        assert float(stream.average_rate) == pytest.approx(23.976, abs=1e-3)
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == 3
    for row in (5, 40):
        assert np.abs(frames[0][row, 9].astype(int) - image[row, 9]).max() <= 4
