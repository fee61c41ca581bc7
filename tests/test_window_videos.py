"""Keyframes and videos in the window."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

import av
import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog
from streamstgs.app.player.export.render import render_scene
from streamstgs.app.player.export.settings import ExportSettings
from streamstgs.app.ui.export_dialog import ExportDialog
from streamstgs.app.ui.main_window import MainWindow

from tests.window_driver import ARTIFACTS, key, pause, screenshot, settle, wait_for

pytestmark = pytest.mark.window
pytest_plugins = ["tests.window_fixtures"]
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def decoded(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_exported_video_follows_the_keyframes(
    window: MainWindow, scene_path: Path, tmp_path: Path
) -> None:
    pause(window)
    window.model.transport.seek(0.0)
    key(window, Qt.Key.Key_Return, CONTROL)
    window.model.transport.seek(0.5)
    settle(window)
    window.model.camera.drag_orbit(80.0, 20.0, (640, 360))
    key(window, Qt.Key.Key_Return, CONTROL)
    track = window.model.track
    assert [round(keyframe.time_s, 2) for keyframe in track] == [0.0, 0.5]
    assert "2 keyframes" in window.viewport.toast.text
    window.commands.actions["export_video"].trigger()
    wait_for(lambda: bool(window.findChildren(ExportDialog)), "the question how")
    window.findChildren(ExportDialog)[0].accept()
    wait_for(lambda: bool(window.findChildren(QFileDialog)), "the question where to")
    dialog = window.findChildren(QFileDialog)[0]
    assert dialog.defaultSuffix() == "mp4"
    dialog.fileSelected.emit(str(tmp_path / "window.mp4"))
    dialog.close()
    wait_for(lambda: "Exported" in window.viewport.toast.text, "the export")
    alone = render_scene(
        str(scene_path),
        track.path(320 / 180),
        tmp_path / "alone.mp4",
        backend="cpu",
        progress=lambda done, total: None,
    )
    ours, theirs = decoded(tmp_path / "window.mp4"), decoded(alone.path)
    assert len(ours) == len(theirs) == 12
    differ = [np.abs(a.astype(int) - b).mean() for a, b in zip(ours, theirs, strict=True)]
    assert max(differ) < 0.5  # the order of sums in threads may differ in the last bits
    assert np.abs(ours[0].astype(int) - ours[-1]).mean() > 2.0


def test_dialog_gives_the_settings(window: MainWindow, tmp_path: Path) -> None:
    pause(window)
    window.commands.actions["export_video"].trigger()
    dialog = window.findChildren(ExportDialog)[0]
    assert dialog.settings == ExportSettings(format="h264")
    assert not dialog.transparent.isEnabled()
    dialog.format.setCurrentIndex(dialog.format.findData("png"))
    dialog.size_px.setCurrentIndex(dialog.size_px.findText("7680 x 4320"))
    dialog.rate.setCurrentIndex(dialog.rate.findData(60.0))
    dialog.samples.setCurrentIndex(1)
    dialog.transparent.setChecked(True)
    assert dialog.settings == ExportSettings((7680, 4320), 60.0, None, 2, "png", True)
    screenshot(window, "export-dialog")
    dialog.grab().save(str(ARTIFACTS / "export-dialog.png"))
    dialog.reject()
    small = ExportSettings((32, 18), 4.0, 0.5, 2, "png", True)
    window.videos.export(tmp_path / "frames", small)
    wait_for(lambda: "Exported" in window.viewport.toast.text, "the export")
    assert len(list((tmp_path / "frames").iterdir())) == 2


def test_keyframes_are_undone_saved_and_opened(window: MainWindow, tmp_path: Path) -> None:
    pause(window)
    key(window, Qt.Key.Key_Return, CONTROL)
    before = window.model.track.snapshot()
    key(window, Qt.Key.Key_Z, CONTROL)
    assert len(window.model.track) == 0
    window.commands.actions["save_camera_path"].trigger()
    assert "no keyframe" in window.viewport.toast.text
    key(window, Qt.Key.Key_Z, CONTROL, SHIFT)
    assert window.model.track.snapshot() == before
    window.videos.save_path(tmp_path / "path.json")
    window.model.track.clear()
    window.videos.open_path(tmp_path / "path.json")
    assert window.model.track[0].position == pytest.approx(before.keys[0].position, abs=1e-5)
    (tmp_path / "path.json").write_text("{}")
    window.videos.open_path(tmp_path / "path.json")
    assert "keyframes" in window.viewport.toast.text
    assert len(window.model.track) == 1


def test_cancelled_export_and_wrong_names_leave_nothing(window: MainWindow, tmp_path: Path) -> None:
    pause(window)
    window.videos.export(tmp_path / "a.avi")
    wait_for(lambda: "should be a file" in window.viewport.toast.text, "the refusal")
    window.videos.export(tmp_path / "a.mp4")
    window.commands.actions["cancel_export"].trigger()
    wait_for(lambda: "cancelled" in window.viewport.toast.text, "the end of the export")
    assert list(tmp_path.glob("a.*")) == []
    window.videos.export(tmp_path / "b.mp4")  # the window closes meanwhile
