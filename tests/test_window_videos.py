"""Keyframes and videos in the window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

import av
import numpy as np
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog
from streamstgs.app.player.export.render import render_scene
from streamstgs.app.player.export.settings import ExportSettings
from streamstgs.app.player.rendering.view_settings import Look
from streamstgs.app.ui.export_dialog import ExportDialog
from streamstgs.app.ui.main_window import MainWindow
from streamstgs.app.ui.still_dialog import StillDialog

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


def test_exports_show_what_the_window_shows(window: MainWindow, tmp_path: Path) -> None:
    """Video and still take mode, exposure and background of the window, or the plain scene."""
    pause(window)
    settle(window)
    options = window.model.options
    options.mode, options.background = "depth", "#204060"
    boxes = window.panel.display.boxes
    assert [boxes[name].currentData() for name in ("mode", "background")] == ["depth", "#204060"]
    window.commands.actions["export_video"].trigger()
    dialog = window.findChildren(ExportDialog)[0]
    shown = dialog.settings.look
    assert (shown.mode, shown.background) == ("depth", "#204060")
    assert shown.depth_range == pytest.approx(window.model.look.depth_range)
    dialog.look.setCurrentIndex(1)
    assert dialog.settings.look == Look()
    screenshot(window, "export-dialog-look")
    dialog.grab().save(str(ARTIFACTS / "export-dialog-look.png"))
    dialog.reject()
    window.commands.actions["render_picture"].trigger()
    still = window.findChildren(StillDialog)[0]
    assert still.settings.look == shown
    size = (still.wide.value() // 4, still.high.value() // 4)
    settings = replace(still.settings, size=size)
    still.grab().save(str(ARTIFACTS / "still-dialog-look.png"))
    still.reject()
    window.videos.render_picture(tmp_path / "still.png", settings)
    wait_for(lambda: "Exported" in window.viewport.toast.text, "the picture")
    saved = np.asarray(Image.open(tmp_path / "still.png").convert("RGB")).astype(int)
    image = screenshot_of_scene(window)
    assert saved.shape == image.shape
    assert np.abs(saved - image).mean() < 2.0
    assert np.ptp(saved.mean(axis=2)) > 20
    assert np.abs(saved[..., 0] - saved[..., 2]).max() <= 2  # depths are grey


def screenshot_of_scene(window: MainWindow) -> np.ndarray:
    """The picture in the window, rendered once more with all pixels."""
    kept: list[QImage] = []
    window.loop.capture(kept.append)
    wait_for(lambda: bool(kept), "the picture in the window")
    image = kept[0].convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)


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
    window.model.track.copy(0, 1e6)
    window.videos.save_path(tmp_path / "path.gltf")  # which holds the camera of each frame
    assert "longer than" in window.viewport.toast.text
    assert not (tmp_path / "path.gltf").exists()


def test_cancelled_export_and_wrong_names_leave_nothing(window: MainWindow, tmp_path: Path) -> None:
    pause(window)
    window.videos.export(tmp_path / "a.avi")
    wait_for(lambda: "should be a file" in window.viewport.toast.text, "the refusal")
    window.videos.export(tmp_path / "a.mp4")
    window.commands.actions["cancel_export"].trigger()
    wait_for(lambda: "cancelled" in window.viewport.toast.text, "the end of the export")
    assert list(tmp_path.glob("a.*")) == []
    window.videos.export(tmp_path / "b.mp4")  # the window closes meanwhile
