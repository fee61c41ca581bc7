"""Wrong input beside a playing scene: an error message, no traceback, and the scene plays on."""

from __future__ import annotations

import json
import logging
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from streamstgs.app.player.status import PlaybackState
from streamstgs.app.ui.main_window import MainWindow

from tests.window_driver import frame, screenshot, state, wait_for

pytestmark = pytest.mark.window
pytest_plugins = ["tests.window_fixtures"]


def not_a_scene(scene: Path, place: Path) -> Path:
    path = place / "letter.stgs"
    path.write_bytes(b"Dear reader, this is no scene. " * 50)
    return path


def truncated(scene: Path, place: Path) -> Path:
    path = place / "cut.stgs"
    path.write_bytes(scene.read_bytes()[: scene.stat().st_size // 2])
    return path


def without_segments(scene: Path, place: Path) -> Path:
    root = unpacked(scene, place)
    for path in root.rglob("*.m4s"):
        path.unlink()
    return root


def from_the_future(scene: Path, place: Path) -> Path:
    return edited(scene, place, lambda document: document.update(version=99))


def image_of_no_size(scene: Path, place: Path) -> Path:
    return edited(scene, place, lambda document: document["static"][0].update(height=0))


def absurd_image(scene: Path, place: Path) -> Path:
    return edited(
        scene, place, lambda document: document["static"][0].update(height=1 << 20, width=1 << 20)
    )


def absurd_video(scene: Path, place: Path) -> Path:
    return edited(
        scene, place, lambda document: document["features"].update(height=1 << 30, width=1 << 30)
    )


def unpacked(scene: Path, place: Path) -> Path:
    with zipfile.ZipFile(scene) as archive:
        archive.extractall(place / "scene")
    return place / "scene"


def edited(scene: Path, place: Path, edit: Callable[[dict[str, Any]], object]) -> Path:
    manifest = unpacked(scene, place) / "scene.json"
    document = json.loads(manifest.read_text())
    edit(document)
    manifest.write_text(json.dumps(document))
    return manifest.parent


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (not_a_scene, "letter.stgs"),
        (truncated, "cut.stgs"),
        (without_segments, "No part of this scene"),
        (from_the_future, "version 99"),
        (image_of_no_size, "scene.json"),
        (absurd_image, "scene.json"),
        (absurd_video, "scene.json"),
    ],
)
def test_wrong_input_is_refused_and_shown_scene_plays_on(
    window: MainWindow,
    scene_path: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    make: Callable[[Path, Path], Path],
    words: str,
) -> None:
    window.open(str(make(scene_path, tmp_path)))
    wait_for(lambda: "could not" in window.viewport.card.title, "the error")
    assert words in window.viewport.card.text.replace("\u200b", "")
    assert window.viewport.card.isVisible()
    screenshot(window, f"wrong-{make.__name__}")
    seen = frame(window)
    wait_for(lambda: frame(window) != seen, "the old scene to go on")
    assert state(window) is PlaybackState.PLAYING
    assert window.windowTitle().startswith("Synthetic ball")
    assert_no_traceback(capfd, caplog)


def test_scene_without_one_segment_skips_it(
    window: MainWindow,
    scene_path: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    root = unpacked(scene_path, tmp_path)
    for path in root.rglob("0001.m4s"):
        path.unlink()
    window.open(str(root))
    wait_for(lambda: "skipped" in window.viewport.toast.text, "a word about it")
    assert "Part 2 skipped" in window.viewport.toast.text
    wait_for(lambda: window.model.status is not None and frame(window) >= 48, "the third part")
    assert not window.viewport.card.isVisible()
    assert_no_traceback(capfd, caplog)


def assert_no_traceback(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert "Traceback" not in capfd.readouterr().err
    assert not [record for record in caplog.records if record.exc_info]
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
