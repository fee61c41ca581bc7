"""Splat files and sequences of other programs in the window: dropped, played, refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QFileDialog, QMenu
from streamstgs.app.player.status import PlaybackState
from streamstgs.app.ui.actions.file_actions import scene_filter
from streamstgs.app.ui.scene_export_dialog import SceneExportDialog
from streamstgs.app.ui.viewport.kept_posters import KeptPosters
from streamstgs.app.ui.viewport.poster_view import decoded
from streamstgs.app.ui.viewport.viewport import dropped_location
from streamstgs.codec.poster import Poster

from tests.splat_samples import made_up, splat_file, write_sequence
from tests.window_driver import (
    ARTIFACTS,
    OpenWindow,
    frame,
    live,
    pause,
    pixels,
    screenshot,
    settle,
    shown,
    state,
    status,
    wait_for,
)

pytestmark = pytest.mark.window
pytest_plugins = ["tests.window_fixtures"]


def test_dropped_splat_file_is_shown_from_its_front(
    open_window: OpenWindow, tmp_path: Path
) -> None:
    path = tmp_path / "ball.spz"
    path.write_bytes(splat_file(made_up(800), "spz"))
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    location = dropped_location(data)
    window = open_window()
    window.viewport.dropped.emit(location)
    wait_for(lambda: shown(window), "the file")
    settle(window)
    assert window.model.title == "ball"
    assert [preset.name for preset in window.model.presets][:2] == ["Front", "Right"]
    assert pixels(window).std() > 5
    screenshot(window, "splat-file")


def test_sequence_plays(open_window: OpenWindow, tmp_path: Path) -> None:
    window = open_window(write_sequence(tmp_path / "clip", frames=20, count=100))
    assert status(window).frames == 20
    wait_for(lambda: state(window) is PlaybackState.PLAYING, "playing")
    before = frame(window)
    wait_for(lambda: frame(window) != before, "another frame")
    screenshot(window, "splat-sequence")


def test_dropped_frames_are_one_sequence(open_window: OpenWindow, tmp_path: Path) -> None:
    folder = write_sequence(tmp_path / "clip", frames=8, count=100)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(folder / f"frame_{k}.ply")) for k in (2, 5, 3, 4)])
    window = open_window()
    at, none = QPoint(200, 200), Qt.KeyboardModifier.NoModifier
    copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    QApplication.sendEvent(window.viewport, QDragEnterEvent(at, copy, data, left, none))
    screenshot(window, "drop-sequence")
    QApplication.sendEvent(window.viewport, QDropEvent(QPointF(at), copy, data, left, none))
    wait_for(lambda: shown(window), "the sequence")
    assert status(window).frames == 4
    assert window.model.title == "clip"
    assert window.model.playlist.locations == ()


def test_file_without_gaussians_is_refused_by_name(open_window: OpenWindow, tmp_path: Path) -> None:
    path = tmp_path / "points.ply"
    path.write_bytes(b"ply\nformat ascii 1.0\nelement vertex 0\nproperty float x\nend_header\n")
    window = open_window()
    window.open(str(path))
    card = window.viewport.card
    wait_for(lambda: card.isVisible() and "without Gaussians" in card.text, "the reason")
    screenshot(window, "splat-refused")


def test_dialog_lists_splat_files() -> None:
    kinds = ("stgs", "ply", "spz", "sog", "splat", "ksplat", "glb", "gltf", "4dgs", "zip", "npz")
    for suffix in kinds:
        assert f"*.{suffix}" in scene_filter()


def test_axis_is_chosen_in_the_panel_and_kept(open_window: OpenWindow, tmp_path: Path) -> None:
    path = tmp_path / "ball.ply"
    path.write_bytes(splat_file(made_up(800), "ply"))
    window = open_window(path)
    settle(window)
    section, before = window.panel.scene, pixels(window)
    section.up.setCurrentIndex(section.up.findText("Z"))
    section.up.activated.emit(section.up.currentIndex())
    assert window.model.camera.up[2] > 0.9
    wait_for(lambda: abs(pixels(window).astype(int) - before).mean() > 3, "the turned picture")
    screenshot(window, "splat-axis")
    window.close()
    again = open_window(path)
    assert again.model.camera.up[2] > 0.9
    assert again.panel.scene.up.currentText() == "Z"
    again.commands.actions["forget_opening_view"].trigger()
    assert again.panel.scene.up.currentIndex() == 0
    assert again.model.camera.up[1] < -0.9


def test_scene_is_exported_by_its_dialogs(open_window: OpenWindow, tmp_path: Path) -> None:
    window = open_window(write_sequence(tmp_path / "clip", frames=4, count=100))
    pause(window)
    window.commands.actions["export_scene"].trigger()
    (asked,) = window.findChildren(SceneExportDialog)
    asked.frames.setCurrentIndex(1)
    asked.format.setCurrentIndex(asked.format.findData(".spz"))
    asked.share.setCurrentIndex(asked.share.findData(50))
    asked.crops.setChecked(True)
    asked.low.setText("1, 1, 1")
    asked.high.setText("0, 0, 0")
    save = asked.buttons.button(QDialogButtonBox.StandardButton.Save)
    assert not save.isEnabled()
    asked.low.setText("-9, -9, -9")
    asked.high.setText("9, 9, 9")
    assert save.isEnabled()
    asked.grab().save(str(ARTIFACTS / "export-scene-dialog.png"))
    asked.accept()
    wait_for(lambda: bool(window.findChildren(QFileDialog)), "the question where to")
    dialog = window.findChildren(QFileDialog)[0]
    dialog.fileSelected.emit(str(tmp_path / "out"))
    dialog.close()
    wait_for(lambda: "Exported" in window.viewport.toast.text, "the export")
    files = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert files == [f"frame_{frame:05d}.spz" for frame in range(4)]


def test_first_picture_is_the_poster_of_the_next_time(
    open_window: OpenWindow, tmp_path: Path
) -> None:
    path = tmp_path / "ball.ply"
    path.write_bytes(splat_file(made_up(800), "ply"))
    window = open_window(path)
    folder = tmp_path / "cache" / "posters"
    wait_for(lambda: len(list(folder.glob("*.json"))) == 1, "the poster")
    settle(window)
    window._toast.hide()  # a message about compiling, which may take a minute
    live(100)
    picture = pixels(window).astype(int)
    window.close()
    kept = KeptPosters(lambda: folder)
    poster = kept.load(str(path))
    assert poster is not None
    image = decoded(poster)
    assert image is not None
    image.save(str(ARTIFACTS / "splat-poster.png"))
    again = open_window(start=False)  # nothing is rendered: all that is seen is the poster
    again.open(str(path))
    wait_for(again.viewport.poster.isVisible, "the poster on the screen")
    again.repaint()
    assert np.abs(pixels(again).astype(int) - picture).mean() < 3
    path.write_bytes(splat_file(made_up(700), "ply"))
    assert kept.load(str(path)) is None  # another file


@pytest.mark.parametrize("change", [{"width": 0}, {"fov_y_rad": 4}, {"aspect": "x"}, None])
def test_damaged_poster_is_left_out(change: dict[str, object] | None, tmp_path: Path) -> None:
    kept = KeptPosters(lambda: tmp_path)
    kept.save("https://example.org/a.ply", Poster(b"jpeg", 16, 9, 0.9, 0.9, 1.8, (0, 0, 0)))
    assert kept.load("https://example.org/a.ply") is not None
    (file,) = tmp_path.glob("*.json")
    text = "[" if change is None else json.dumps(json.loads(file.read_text()) | change)
    file.write_text(text)
    assert kept.load("https://example.org/a.ply") is None
    kept.forget("https://example.org/a.ply")
    assert list(tmp_path.iterdir()) == []


def test_right_click_on_the_picture_offers_the_export(
    open_window: OpenWindow, tmp_path: Path
) -> None:
    path = tmp_path / "ball.ply"
    path.write_bytes(splat_file(made_up(100), "ply"))
    window = open_window(path)
    right, place = Qt.MouseButton.RightButton, window.viewport.rect().center()
    QTest.mousePress(window.viewport, right, pos=place)
    QTest.mouseMove(window.viewport, place + QPoint(60, 0))
    QTest.mouseRelease(window.viewport, right, pos=place + QPoint(60, 0))
    assert QApplication.activePopupWidget() is None  # that was a drag
    QTest.mouseClick(window.viewport, right, pos=place)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert window.commands.actions["export_scene"] in menu.actions()
    menu.close()
