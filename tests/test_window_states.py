"""States of the window: empty, errors, outages, dialogs, full screen, themes."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QFileDialog, QLabel, QLineEdit, QPushButton
from streamstgs.app.player.status import PlaybackState
from streamstgs.app.player.viewer.transport import Transport
from streamstgs.app.ui import central_layout as layout
from streamstgs.app.ui.dialogs import AboutDialog, OpenUrlDialog, ShortcutsDialog
from streamstgs.app.ui.main_window import MainWindow
from streamstgs.app.ui.preferences import Preferences

from tests.window_driver import (
    OpenWindow,
    frame,
    key,
    live,
    pause,
    pixels,
    psnr_db,
    rgb,
    screenshot,
    settle,
    shown,
    state,
    wait_for,
)

pytestmark = pytest.mark.window
pytest_plugins = ["tests.window_fixtures"]


@pytest.fixture
def broken_path(tmp_path: Path) -> Path:
    path = tmp_path / "broken.stgs"
    path.write_bytes(b"this is not a scene" * 100)
    return path


def button(window: MainWindow, text: str) -> QPushButton:
    found = [
        one
        for one in window.viewport.card.findChildren(QPushButton)
        if one.text() == text and not one.isHidden()
    ]
    assert found, f"no button {text!r}"
    return found[0]


def test_empty_window_invites_to_open_a_scene(open_window: OpenWindow) -> None:
    window = open_window()
    assert window.viewport.card.isVisible()
    assert window.viewport.card.title == "Open a scene"
    assert not window.bar.play.isEnabled()
    assert window.windowTitle() == "StreamSTGS Player"
    live(200)
    screenshot(window, "empty")
    for code in (Qt.Key.Key_Space, Qt.Key.Key_Right, Qt.Key.Key_F, Qt.Key.Key_Up, Qt.Key.Key_R):
        key(window, code)  # nothing to act on, nothing to fail


def test_broken_file_shows_an_error(open_window: OpenWindow, broken_path: Path) -> None:
    window = open_window()
    window.open(str(broken_path))
    wait_for(lambda: "could not" in window.viewport.card.title, "the error")
    assert "broken.stgs" in window.viewport.card.text.replace("\u200b", "")
    assert "Traceback" not in window.viewport.card.text
    screenshot(window, "error")
    QTest.mouseClick(button(window, "Try again"), Qt.MouseButton.LeftButton)
    assert window.model.pending is not None
    wait_for(lambda: "could not" in window.viewport.card.title, "the error again")


def test_shown_scene_plays_on_beside_an_error(window: MainWindow, broken_path: Path) -> None:
    window.open(str(broken_path))
    wait_for(lambda: "could not" in window.viewport.card.title, "the error")
    seen = frame(window)
    wait_for(lambda: frame(window) != seen, "the old scene to go on")
    assert state(window) is PlaybackState.PLAYING
    screenshot(window, "error-beside-scene")
    QTest.mouseClick(button(window, "Back to the scene"), Qt.MouseButton.LeftButton)
    assert not window.viewport.card.isVisible()
    assert window.windowTitle().startswith("Synthetic ball")


def test_dropped_scene_opens(open_window: OpenWindow, scene_path: Path) -> None:
    window = open_window()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(scene_path))])
    event = QDropEvent(
        QPointF(50, 50),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    window.viewport.dropEvent(event)
    wait_for(lambda: shown(window), "the dropped scene")
    assert window.preferences.recent == [str(scene_path)]


def test_outage_message_stays_until_the_outage_ends(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause(window)
    monkeypatch.setattr("streamstgs.app.ui.viewport.toast._SHOWN_MS", 20)
    monkeypatch.setattr(Transport, "waited_long", True)
    playback, toast = window.model.playback, window.viewport.toast
    assert playback is not None
    usual = playback.status
    outage = {"state": PlaybackState.BUFFERING, "message": "No answer. Trying again."}
    monkeypatch.setattr(playback, "status", lambda: replace(usual(), **outage))
    wait_for(toast.isVisible, "the message")
    assert toast.text == "No answer. Trying again."
    live(150)
    assert toast.isVisible()
    monkeypatch.setattr(playback, "status", usual)
    wait_for(lambda: not toast.isVisible(), "the end of the message")


def test_f1_lists_the_shortcuts(window: MainWindow) -> None:
    key(window, Qt.Key.Key_F1)
    dialog = window.findChild(ShortcutsDialog)
    assert dialog is not None
    assert dialog.isVisible()
    text = " ".join(label.text() for label in dialog.findChildren(QLabel))
    assert "Ctrl+O" in text
    assert "Next frame" in text
    live(150)
    screenshot(window, "shortcuts")
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_about_credits_the_scene(window: MainWindow) -> None:
    window.show_about()
    dialog = window.findChild(AboutDialog)
    assert dialog is not None
    assert "Synthetic ball" in dialog.text.text()
    assert "CC0-1.0" in dialog.text.text()
    assert "made by the test suite" in dialog.text.text()
    live(150)
    screenshot(window, "about")
    dialog.close()


def test_only_addresses_can_be_opened_as_url(window: MainWindow) -> None:
    window.files.ask_for_url()
    dialog = window.findChild(OpenUrlDialog)
    assert dialog is not None
    opening = dialog.buttons.button(dialog.buttons.StandardButton.Open)
    QTest.keyClicks(dialog.field, "no address")
    assert not opening.isEnabled()
    refused = opening.grab().toImage().pixelColor(6, 15)
    dialog.field.setText("https://example.org/scene/")
    assert opening.isEnabled()
    assert opening.grab().toImage().pixelColor(6, 15) != refused  # it looks so, too
    dialog.reject()


def test_full_screen_hides_the_controls_while_playing(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.central.idle_ms = 200
    key(window, Qt.Key.Key_F11)
    assert window.isFullScreen()
    assert not window.bar.panel.isChecked()
    assert not window.menuBar().isVisible()
    QTest.mouseMove(window.viewport, QPoint(200, 100))
    assert window.viewport.size() == window.central.size()
    screenshot(window, "full-screen")
    wait_for(lambda: not window.central.controls_shown, "the controls to fade")
    assert window.viewport.cursor().shape() is Qt.CursorShape.BlankCursor
    QTest.mouseMove(window.viewport, QPoint(260, 140))
    wait_for(lambda: window.central.controls_shown, "the controls to return")
    pause(window)
    live(500)
    assert window.central.controls_shown
    key(window, Qt.Key.Key_Escape)
    assert not window.isFullScreen()
    assert window.menuBar().isVisible()
    assert window.panel.isVisible()
    assert window.bar.panel.isChecked()


def test_panel_and_statistics_are_remembered(
    window: MainWindow, open_window: OpenWindow, preferences: Preferences
) -> None:
    key(window, Qt.Key.Key_P)
    key(window, Qt.Key.Key_I)
    assert not window.panel.isVisible()
    assert window.viewport.statistics.isVisible()
    live(400)
    screenshot(window, "statistics")
    window.close()
    again = open_window()
    assert not again.panel.isVisible()
    assert again.viewport.statistics.isVisible()
    assert preferences.geometry is not None
    assert layout.HIDE_AFTER_MS == 2500


def test_narrow_window_keeps_the_timeline_wide(window: MainWindow) -> None:
    pause(window)
    for width, room_px in ((1000, 400), (600, 140)):
        window.resize(width, 500)
        live(100)
        assert (";#" in window.bar.time.label.text()) == (width == 1000)
        assert window.bar.timeline.width() > room_px


def test_statistics_stay_within_a_narrow_viewport(window: MainWindow) -> None:
    window.resize(560, 500)
    key(window, Qt.Key.Key_I)
    overlay = window.viewport.statistics
    for width in (560, 900):
        window.resize(width, 500)
        overlay.show_rows([("Renderer choice", f"{width} px are not enough for this. " * 3)])
        assert window.viewport.rect().contains(overlay.geometry())


def test_camera_through_the_clipboard_and_by_typing(window: MainWindow) -> None:
    camera = window.model.camera
    window.commands.actions["copy_camera"].trigger()
    copied = QGuiApplication.clipboard().text()
    assert '"fov_y_rad"' in copied
    before = camera.view
    field = window.panel.camera.position
    type_into(field, "1, -2, -5")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert camera.position == pytest.approx((1, -2, -5))
    assert not field.hasFocus()  # the next Space is for the player
    QGuiApplication.clipboard().setText(copied)
    window.commands.actions["paste_camera"].trigger()
    assert camera.view.distance == pytest.approx(before.distance, abs=1e-4)
    QGuiApplication.clipboard().setText('{"position": "evil"}')
    window.commands.actions["paste_camera"].trigger()
    assert "no camera" in window.viewport.toast.text


def test_camera_rolls_by_keys_and_by_typing(window: MainWindow) -> None:
    camera, field = window.model.camera, window.panel.camera.roll
    key(window, Qt.Key.Key_Q)
    assert camera.roll_rad == pytest.approx(math.radians(5))
    key(window, Qt.Key.Key_E)
    key(window, Qt.Key.Key_E)
    assert camera.roll_rad == pytest.approx(math.radians(-5))
    type_into(field, "10")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert camera.roll_rad == pytest.approx(math.radians(10))
    key(window, Qt.Key.Key_0)
    assert camera.roll_rad == 0.0


def test_mode_and_exposure_are_not_remembered(
    window: MainWindow, open_window: OpenWindow, scene_path: Path
) -> None:
    window.panel.display_changed.emit("mode", "depth")
    window.panel.display_changed.emit("exposure", "-1.0")
    assert window.model.options.mode == "depth"
    assert window.model.options.exposure == -1.0
    wait_for(lambda: not pixels(window)[0, 0].any(), "the black background of depth")
    assert open_window(scene_path).model.options.is_plain


def test_codec_terms_are_only_in_the_advanced_statistics(window: MainWindow) -> None:
    key(window, Qt.Key.Key_I)
    live(600)
    window.set_statistics(True)
    texts = [one.text() for one in window.findChildren(QLabel) if one.isVisible()]
    texts += [one.text() for one in window.findChildren(QAbstractButton)]
    texts += [action.text() for action in window.commands.actions.values()]
    assert "Statistics" in texts
    assert "Loaded ahead" in texts
    for text in texts:
        assert not re.search(r"\b(QP|GOP|rung|static layers?|because)\b", text, re.IGNORECASE), text
    window.panel.statistics.set_advanced_folded(False)
    live(600)
    texts = [one.text() for one in window.findChildren(QLabel) if one.isVisible()]
    assert "Shown QP" in texts


def type_into(field: QLineEdit, text: str) -> None:
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, text)


def test_escape_discards_typed_camera(window: MainWindow) -> None:
    pose, camera = window.model.camera, window.panel.camera
    before, shown_before = pose.view, camera.position.text()
    type_into(camera.position, "1, 2, 3")
    QTest.keyClick(camera.position, Qt.Key.Key_Escape)
    assert camera.position.text() == shown_before
    type_into(camera.position, "nonsense")
    QTest.keyClick(camera.position, Qt.Key.Key_Return)
    assert camera.position.property("wrong")
    assert camera.position.hasFocus()
    QTest.mouseClick(window.viewport, Qt.MouseButton.LeftButton, pos=QPoint(50, 50))
    assert camera.position.text() == shown_before
    assert not camera.position.property("wrong")
    assert pose.view == before


def test_leaving_a_field_applies_its_text(window: MainWindow) -> None:
    pose, camera = window.model.camera, window.panel.camera
    type_into(camera.position, "1, -2, -5")
    QTest.keyClick(camera.position, Qt.Key.Key_Tab)
    assert pose.position == pytest.approx((1, -2, -5))
    assert camera.target.hasFocus()


def test_saved_picture_is_the_one_on_the_screen(window: MainWindow, tmp_path: Path) -> None:
    """It is the image of the time of the command, not of the time of the file name."""
    pause(window)
    seen = pixels(window)
    window.commands.actions["save_picture"].trigger()
    wait_for(lambda: bool(window.findChildren(QFileDialog)), "the question where to")
    dialog = window.findChildren(QFileDialog)[0]
    assert re.search(r"Synthetic ball \d\d-\d\d\.\d\d\.png$", dialog.selectedFiles()[0])
    assert dialog.defaultSuffix() == "png"
    key(window, Qt.Key.Key_End)
    settle(window)
    dialog.fileSelected.emit(str(tmp_path / "shot.png"))
    wait_for(lambda: "Saved" in window.viewport.toast.text, "the picture to be saved")
    saved = QImage(str(tmp_path / "shot.png"))
    assert (saved.width(), saved.height()) == window.viewport.size_px()
    assert psnr_db(rgb(saved), seen) > 50 > psnr_db(pixels(window), seen)
    dialog.fileSelected.emit(str(tmp_path / "shot.png" / "in a file.png"))
    wait_for(lambda: "cannot be written" in window.viewport.toast.text, "the refusal")
    dialog.close()


@pytest.mark.parametrize("choice", ["dark", "light"])
def test_themes_and_a_small_window(window: MainWindow, choice: str) -> None:
    pause(window)
    window.panel.appearance.select("theme", choice)
    window.panel.display.changed.emit("theme", choice)
    for width, height in ((1280, 800), (800, 500)):
        window.resize(width, height)
        live(500)
        screenshot(window, f"{choice}-{width}x{height}")
    light = window.palette().window().color().lightness() > 128
    assert light == (choice == "light")
    line = window.bar.timeline
    assert line.width() >= 96
    assert window.bar.panel.geometry().right() <= window.bar.width()
