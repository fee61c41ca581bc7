"""The real window while watching: the edge of what was filmed, fly mode, hints."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import QMimeData, QPoint, QPointF, QRect, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel
from streamstgs.app.ui.main_window import MainWindow
from streamstgs.app.ui.preferences import Preferences
from streamstgs.app.ui.watching.bundled import bundled_scenes
from streamstgs.app.ui.watching.edge_notice import EdgeNotice
from streamstgs.app.ui.watching.first_hint import SEEN_KEY
from streamstgs.app.ui.window_size import FOLD_BELOW_PX, first_size
from streamstgs.codec.scene_index import SceneIndex

from tests.window_driver import (
    OpenWindow,
    drag,
    key,
    live,
    pause,
    pixels,
    psnr_db,
    screenshot,
    settle,
    shown,
    status,
    wait_for,
)

pytestmark = pytest.mark.window
pytest_plugins = ["tests.window_fixtures"]
LEFT, RIGHT = QPoint(100, 200), QPoint(500, 200)


def notice(window: MainWindow) -> EdgeNotice:
    return window.watching.edge


def test_drags_stop_at_the_edge_and_a_button_leads_back(window: MainWindow) -> None:
    camera = window.model.camera
    opening = camera.view
    drag(window.viewport, LEFT, RIGHT)
    drag(window.viewport, LEFT, RIGHT)
    assert camera.at_edge
    at_edge = camera.view.yaw_rad
    wait_for(notice(window).isVisible, "the notice")
    screenshot(window, "edge-notice")
    drag(window.viewport, LEFT, RIGHT)
    assert camera.view.yaw_rad == pytest.approx(at_edge, abs=0.01)
    QTest.mouseClick(notice(window).back, Qt.MouseButton.LeftButton)
    wait_for(lambda: not camera.gliding, "the way back")
    assert camera.view.yaw_rad == pytest.approx(opening.yaw_rad, abs=1e-6)
    wait_for(lambda: not notice(window).isVisible(), "the notice to go")


def test_free_flight_is_unlocked_in_the_panel_and_locked_by_a_key(window: MainWindow) -> None:
    camera = window.model.camera
    box = window.panel.camera.free_flight
    QTest.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))
    assert camera.free_flight
    assert window.commands.actions["free_flight"].isChecked()
    drag(window.viewport, LEFT, RIGHT)
    drag(window.viewport, LEFT, RIGHT)
    free = camera.view.yaw_rad
    assert not camera.at_edge
    assert not notice(window).isVisible()
    window.commands.actions["free_flight"].trigger()
    assert not box.isChecked()
    key(window, Qt.Key.Key_B)
    wait_for(lambda: not camera.gliding, "the way back")
    assert abs(camera.view.yaw_rad - free) > 1.0


def test_a_minimised_window_draws_nothing_and_time_goes_on(window: MainWindow) -> None:
    painted: list[object] = []
    window.renderer.painted.connect(painted.append)
    window.showMinimized()
    wait_for(lambda: not window.loop.draws, "the window to be minimised")
    live(300)  # images that were asked for before
    painted.clear()
    position_s = status(window).position_s
    wait_for(lambda: status(window).position_s != position_s, "time to go on")
    live(300)
    assert not painted
    window.showNormal()
    wait_for(lambda: bool(painted), "an image again")


def pressed(window: MainWindow, code: Qt.Key, until: Callable[[], bool], what: str) -> None:
    """Hold a key until something has happened."""
    QTest.keyPress(window.viewport, code)
    wait_for(until, what)
    QTest.keyRelease(window.viewport, code)


def test_fly_mode_takes_its_keys_and_gives_them_back(window: MainWindow) -> None:
    camera = window.model.camera
    automatic = status(window).auto
    key(window, Qt.Key.Key_V)
    assert camera.flies
    assert window.panel.camera.fly_mode.isChecked()
    eye = camera.position
    pressed(window, Qt.Key.Key_A, lambda: camera.position != eye, "the flight")
    wait_for(lambda: not window.model.fly.moving, "a soft stop")
    assert camera.position[0] < eye[0]
    assert status(window).auto is automatic  # A chooses the quality in orbit mode
    roll = camera.roll_rad
    height = camera.position[1]
    pressed(window, Qt.Key.Key_E, lambda: camera.position[1] < height, "the way up")
    assert camera.roll_rad == roll
    wait_for(lambda: not window.model.fly.moving, "a soft stop")
    key(window, Qt.Key.Key_V)
    key(window, Qt.Key.Key_A)
    wait_for(lambda: status(window).auto is not automatic, "the command of A")


def test_a_lost_focus_ends_the_flight(window: MainWindow) -> None:
    key(window, Qt.Key.Key_V)
    QTest.keyPress(window.viewport, Qt.Key.Key_S)
    assert window.model.fly.moving
    window.bar.setFocus()
    window.panel.camera.position.setFocus()
    assert not window.model.fly.moving


def test_double_click_marks_the_pivot(window: MainWindow) -> None:
    pause(window)
    mark = window.watching.pivot
    middle = window.viewport.rect().center()
    QTest.mouseDClick(window.viewport, Qt.MouseButton.LeftButton, pos=middle)
    wait_for(mark.isVisible, "the mark")
    wait_for(lambda: not window.model.camera.gliding, "the glide")
    place = mark.geometry().center() - middle
    assert abs(place.x()) <= 2
    assert abs(place.y()) <= 2
    wait_for(lambda: not mark.isVisible(), "the mark to go")


def test_hint_of_the_first_run_goes_at_the_first_drag_for_ever(
    open_window: OpenWindow, scene_path: Path, preferences: Preferences
) -> None:
    preferences.set(SEEN_KEY, False)
    window = open_window(scene_path)
    hint = window.watching.hint
    wait_for(hint.isVisible, "the hint")
    screenshot(window, "first-hint")
    window.set_language("de")
    live(100)
    screenshot(window, "first-hint-german")
    for label in hint.findChildren(QLabel):
        assert label.width() >= label.sizeHint().width(), label.text()
    assert hint.rect().contains(hint.childrenRect())
    window.set_language("en")
    window.set_full_screen(True)
    wait_for(lambda: not hint.isVisible(), "full screen without the hint")
    window.set_full_screen(False)
    drag(window.viewport, LEFT, LEFT + QPoint(30, 0))
    assert preferences.flag(SEEN_KEY, False)
    assert not hint.isVisible()
    again = open_window(scene_path)
    assert not again.watching.hint.isVisible()


def test_welcome_page_offers_bundled_and_recent_scenes(
    open_window: OpenWindow, scene_path: Path, preferences: Preferences, tmp_path: Path
) -> None:
    other = tmp_path / "another.stgs"
    shutil.copy(scene_path, other)
    preferences.remember(str(other))
    preferences.remember("https://example.org/scenes/ball/")
    window = open_window()
    page = window.watching.welcome
    wait_for(page.isVisible, "the welcome page")
    assert page.locations[: len(bundled_scenes())] == bundled_scenes()
    assert page.locations[len(bundled_scenes()) :] == [
        "https://example.org/scenes/ball/",
        str(other),
    ]
    blank = page.card("https://example.org/scenes/ball/").icon().cacheKey()
    assert blank
    before = page.card(str(other)).icon().pixmap(216, 122).toImage()
    wait_for(
        lambda: page.card(str(other)).icon().pixmap(216, 122).toImage() != before, "the poster"
    )
    assert page.card(str(other)).text() == "Synthetic ball"
    assert page.card(str(other)).accessibleName() == "Synthetic ball"
    screenshot(window, "welcome")
    QTest.mouseClick(page.card(str(other)), Qt.MouseButton.LeftButton)
    wait_for(lambda: shown(window), "the scene")
    assert not page.isVisible()
    window.commands.actions["welcome"].trigger()
    assert page.isVisible()


def test_names_on_the_welcome_page_are_shown_as_they_are_written(
    window: MainWindow, tmp_path: Path
) -> None:
    name, place = "<b>Salt</b> &amp; Pepper", "https://example.org/a&b/"
    scenes = [{"scene": place, "title": name}]
    document = {"format": "streamstgs-index", "version": 1, "title": name, "scenes": scenes}
    (tmp_path / "scenes.json").write_text(json.dumps(document))
    page = window.watching.welcome
    page.show_page([], SceneIndex(str(tmp_path / "scenes.json")))
    assert page.card(place).accessibleName() == name
    assert page.card(place).text().endswith("Pepper")
    assert "&&amp;" in page.card(place).text()
    assert page.card(place).toolTip() == "<span>https://example.org/a&amp;b/</span>"
    (title,) = (label for label in page.findChildren(QLabel) if label.text() == name)
    assert title.textFormat() is Qt.TextFormat.PlainText


def test_several_dropped_files_play_in_turn(
    open_window: OpenWindow, scene_path: Path, tmp_path: Path
) -> None:
    paths = [tmp_path / "one.stgs", tmp_path / "two.stgs"]
    for path in paths:
        shutil.copy(scene_path, path)
    window = open_window(scene_path)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    at, none = QPoint(200, 200), Qt.KeyboardModifier.NoModifier
    copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    QApplication.sendEvent(window.viewport, QDragEnterEvent(at, copy, data, left, none))
    assert window.watching.highlight.isVisible()
    screenshot(window, "drop-highlight")
    QApplication.sendEvent(window.viewport, QDragLeaveEvent())
    assert not window.watching.highlight.isVisible()
    QApplication.sendEvent(window.viewport, QDragEnterEvent(at, copy, data, left, none))
    QApplication.sendEvent(window.viewport, QDropEvent(QPointF(at), copy, data, left, none))
    wait_for(lambda: playing(window) == str(paths[0]), "the first scene")
    assert not status(window).loop
    key(window, Qt.Key.Key_End)
    wait_for(lambda: playing(window) == str(paths[1]), "the second scene after the end")
    key(window, Qt.Key.Key_PageUp)
    wait_for(lambda: playing(window) == str(paths[0]), "the first scene again")
    window.open(str(scene_path))
    wait_for(lambda: playing(window) == str(scene_path), "a scene that is not in the list")
    assert window.model.playlist.locations == ()


def playing(window: MainWindow) -> str:
    scene = window.model.scene
    return scene.location if scene is not None else ""


def test_a_narrow_window_folds_the_panel_and_a_wide_one_unfolds_it(window: MainWindow) -> None:
    assert window.central.panel_open
    window.resize(FOLD_BELOW_PX - 40, 500)
    wait_for(lambda: not window.central.panel_open, "the panel to fold")
    assert window.preferences.flag("panel", True)  # a narrow window is no wish
    window.resize(960, 600)
    wait_for(lambda: window.central.panel_open, "the panel to unfold")
    window.resize(FOLD_BELOW_PX - 40, 500)
    wait_for(lambda: not window.central.panel_open, "the panel to fold again")
    window.commands.actions["panel"].trigger()
    assert window.central.panel_open  # opened by a person
    window.set_panel(False)
    window.resize(960, 600)
    live(50)


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1024, 600), (2560, 1440)])
def test_the_first_window_fits_the_screen_with_its_frame(width: int, height: int) -> None:
    size = first_size(QRect(0, 0, width, height))
    assert size.width() + 2 * 4 <= width
    assert size.height() + 32 <= height
    assert size.width() <= 1280
    assert size.height() <= 800


@pytest.mark.parametrize("layout", ["side-by-side", "top-bottom"])
def test_stereo_shows_two_pictures(window: MainWindow, layout: str) -> None:
    pause(window)
    box = window.panel.display.boxes["stereo"]
    box.setCurrentIndex(box.findData(layout))
    box.activated.emit(box.currentIndex())
    settle(window)
    live(100)
    shot = pixels(window).astype(int)
    height, width = shot.shape[:2]
    screenshot(window, f"stereo-{layout}")
    expected = window.model.screenshot(width, height, backend="cpu").astype(int)
    assert psnr_db(shot.astype(np.uint8), expected.astype(np.uint8)) >= 35
    half = (shot[:, : width // 2], shot[:, width - width // 2 :])
    if layout == "top-bottom":
        half = (shot[: height // 2], shot[height - height // 2 :])
    difference = np.abs(half[0] - half[1]).mean()
    assert 0.1 < difference < 20  # alike, from two places
