"""Lanes, camera path in the picture, preview and export of a film, in the real window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from streamstgs.app.player.camera.keyframes import CameraKeyframe
from streamstgs.app.player.export.render import render_scene
from streamstgs.app.player.export.settings import ExportSettings
from streamstgs.app.player.film.path_overlay import PathLines, on_screen
from streamstgs.app.player.status import PlaybackState
from streamstgs.app.player.time_track import TimeKey
from streamstgs.app.ui.main_window import MainWindow
from streamstgs.app.ui.transport.lanes.film_panel import FilmPanel
from streamstgs.app.ui.transport.lanes.lane import Lane
from streamstgs.renderer.backends.reference import ReferenceBackend

from tests.test_window_videos import decoded
from tests.window_driver import (
    OpenWindow,
    drag,
    frame,
    key,
    live,
    pause,
    pixels,
    psnr_db,
    screenshot,
    settle,
    state,
    wait_for,
)

pytestmark = pytest.mark.window
pytest_plugins = ["tests.window_fixtures"]
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
ALT = Qt.KeyboardModifier.AltModifier


def opened(window: MainWindow) -> FilmPanel:
    """Open the lanes by their key, with the scene paused at its start."""
    pause(window)
    key(window, Qt.Key.Key_Home)
    key(window, Qt.Key.Key_L, CONTROL)
    panel = window.film.panel
    assert panel is not None
    assert panel.isVisible()
    settle(window)
    return panel


def at(lane: Lane, time_s: float) -> QPoint:
    return QPoint(round(lane.x_of(time_s)), lane.height() // 2)


def choose(lane: Lane, *texts: str) -> None:
    """Take an entry of the context menu of a lane, at its time, and of menus inside it."""
    menu = QMenu(lane)
    chosen = lane.selected
    lane.fill_menu(menu, lane.position_s if chosen is None else lane.track[chosen].time_s)
    for text in texts[:-1]:
        menu = entry(menu, text).menu()
    entry(menu, texts[-1]).trigger()


def entry(menu: QMenu, text: str) -> QAction:
    return next(action for action in menu.actions() if action.text().split("\t")[0] == text)


def test_keyframes_are_edited_with_mouse_and_keyboard(window: MainWindow) -> None:
    panel = opened(window)
    lane, track = panel.camera, window.model.track
    key(window, Qt.Key.Key_Return)
    QTest.mouseClick(lane, Qt.MouseButton.LeftButton, pos=at(lane, 1.0))
    settle(window)
    assert frame(window) == 24
    window.viewport.setFocus()
    drag(window.viewport, QPoint(300, 150), QPoint(380, 140))
    key(window, Qt.Key.Key_Return)
    assert [key.time_s for key in track] == pytest.approx([0.0, 1.0])
    assert track[0].position != track[1].position
    screenshot(window, "film-lanes")
    drag(lane, at(lane, 1.0), at(lane, 1.51))  # snaps to a frame
    assert [key.time_s for key in track] == pytest.approx([0.0, 36 / 24])
    assert lane.selected == 1
    assert "key 2 at 00:01.50" in lane.accessibleDescription()
    lane.setFocus()
    QTest.keyClick(lane, Qt.Key.Key_Z, CONTROL)
    assert [key.time_s for key in track] == pytest.approx([0.0, 1.0])
    QTest.keyClick(lane, Qt.Key.Key_Z, CONTROL | SHIFT)
    QTest.keyClick(lane, Qt.Key.Key_Left, ALT)
    assert track[1].time_s == pytest.approx(35 / 24)
    QTest.keyClick(lane, Qt.Key.Key_C, CONTROL)
    QTest.mouseClick(lane, Qt.MouseButton.LeftButton, pos=at(lane, 0.5))
    QTest.keyClick(lane, Qt.Key.Key_V, CONTROL)
    assert [key.time_s for key in track] == pytest.approx([0.0, 0.5, 35 / 24])
    assert track[1].position == track[2].position
    window.model.camera.orbit(60.0, 0.0, (640, 360))
    QTest.keyClick(lane, Qt.Key.Key_Return, SHIFT)
    assert track[1].position == pytest.approx(window.model.camera.position)
    assert track[1].time_s == pytest.approx(0.5)
    choose(lane, "To the next keyframe", "Start and end slowly")
    assert track[1].easing == "ease-in-out"
    choose(lane, "One speed along the whole track")
    assert track.constant_speed
    QTest.keyClick(lane, Qt.Key.Key_Delete)
    assert len(track) == 2
    QTest.keyClick(lane, Qt.Key.Key_Right)
    settle(window)
    assert lane.selected == 0
    assert frame(window) == 0
    QTest.keyClick(lane, Qt.Key.Key_Escape)
    assert window.focusWidget() is not lane
    key(window, Qt.Key.Key_L, CONTROL)
    assert not panel.isVisible()


def test_one_undo_order_that_outlives_the_window(
    window: MainWindow, open_window: OpenWindow, scene_path: Path
) -> None:
    panel = opened(window)
    track, time = window.model.track, window.model.time_track
    key(window, Qt.Key.Key_Return)
    panel.time.setFocus()
    choose(panel.time, "Hold for 1 second (bullet time)")
    window.viewport.setFocus()
    QTest.mouseClick(panel.camera, Qt.MouseButton.LeftButton, pos=at(panel.camera, 1.0))
    window.viewport.setFocus()
    key(window, Qt.Key.Key_Return)
    film = track.snapshot(), time.snapshot()
    assert (len(track), len(time) > 2) == (2, True)
    key(window, Qt.Key.Key_Z, CONTROL)
    assert (len(track), len(time) > 2) == (1, True)
    window.close()

    again = open_window(scene_path)
    pause(again)
    track, time = again.model.track, again.model.time_track
    assert (len(track), len(time) > 2) == (1, True)
    key(again, Qt.Key.Key_Z, CONTROL)
    assert (len(track), len(time)) == (1, 0)
    key(again, Qt.Key.Key_Z, CONTROL)
    assert (len(track), len(time)) == (0, 0)
    for _ in range(3):
        key(again, Qt.Key.Key_Z, CONTROL, SHIFT)
    assert time.snapshot() == film[1]
    assert [one.time_s for one in track] == pytest.approx([one.time_s for one in film[0].keys])


def test_time_is_shaped_and_previewed(window: MainWindow) -> None:
    panel = opened(window)
    window.model.transport.set_loop(False)
    lane, film = panel.time, window.model.film
    assert lane.accessibleName() == "Time track"
    QTest.mouseDClick(lane, Qt.MouseButton.LeftButton, pos=at(lane, 0.5))
    times = [(key.time_s, key.content_s) for key in window.model.time_track]
    assert times[1] == pytest.approx((0.5, 0.5))
    lane.select(1)
    choose(lane, "Hold for 1 second (bullet time)")
    assert film.content_at(0.6) == film.content_at(1.4) == pytest.approx(0.5)
    panel.refresh()
    drag(lane, QPoint(round(lane.x_of(0.5)), round(lane.y_of(lane.track[1]))), at(lane, 0.25))
    assert window.model.time_track[1].time_s == pytest.approx(0.25)
    lane.setFocus()
    QTest.keyClick(lane, Qt.Key.Key_Z, CONTROL)
    assert window.model.time_track[1].time_s == pytest.approx(0.5)
    choose(lane, "Loop the scene beyond its ends")
    assert window.model.time_track.loop
    window.model.time_track.loop = False
    lane.select(2)
    choose(lane, "Backwards until the next key")
    assert film.content_at(1.75) == pytest.approx(0.25)
    screenshot(window, "film-time")
    window.model.time_track.clear()
    for time_s, content_s in ((0.0, 0.0), (0.3, 0.5), (0.8, 0.5)):
        window.model.time_track.add(TimeKey(time_s, content_s))
    window.viewport.setFocus()
    film.seek(0.0)
    key(window, Qt.Key.Key_Return)
    film.seek(0.8)
    window.model.camera.orbit(40.0, 0.0, (640, 360))  # short of the edge and of its notice
    assert not window.model.camera.at_edge
    key(window, Qt.Key.Key_Return)
    assert [one.time_s for one in window.model.track] == pytest.approx([0.0, 0.8], abs=0.03)
    key(window, Qt.Key.Key_Space, CONTROL)
    assert film.playing
    assert panel.play.text() == "Stop film"
    wait_for(lambda: state(window) is PlaybackState.ENDED, "the end of the film")
    settle(window)
    assert frame(window) == 12
    shown = window.model.frame
    assert shown is not None
    size = window.viewport.size_px()
    aspect = 320 / 180
    camera = window.model.track.path(aspect).camera_at(film.position_s, *size)
    truth = ReferenceBackend().render(
        shown.gop.gaussians_at(shown.frame), camera, window.model.render_settings()
    )
    expected = (truth.clamp(0, 1) * 255).round().byte().numpy()
    window.viewport.toast.hide()
    live(50)
    assert psnr_db(pixels(window), expected) > 35.0


def test_path_is_drawn_over_the_picture_and_costs_nothing_when_off(window: MainWindow) -> None:
    pause(window)
    key(window, Qt.Key.Key_Home)
    camera, track = window.model.camera, window.model.track
    for time_s, position in ((0.0, (-1.0, 0.0, -1.0)), (1.0, (1.0, -0.5, 0.0))):
        track.add(CameraKeyframe(time_s, position, (0.0, 0.0, 0.0), (0.0, -1.0, 0.0), 0.6))
    settle(window)
    window.viewport.toast.hide()
    live(60)
    before = pixels(window)
    key(window, Qt.Key.Key_K, CONTROL, SHIFT)
    assert window.commands.actions["show_path"].isChecked()
    live(100)
    drawn = pixels(window)
    view = camera.to_camera(window.viewport.width(), window.viewport.height())
    lines = PathLines.of(track.path(320 / 180))
    places = on_screen(lines.curve, view, 0.01)[:, 0].round().astype(int)
    inside = [p for p in places if 0 <= p[0] < drawn.shape[1] and 0 <= p[1] < drawn.shape[0]]
    assert len(inside) > 10
    changed = np.abs(drawn.astype(int) - before).max(axis=2)
    assert np.mean([changed[y, x] > 20 for x, y in inside]) > 0.9
    assert np.mean(changed > 20) < 0.1  # lines, not a veil
    screenshot(window, "film-path")
    overlay = window.film.overlay
    assert overlay is not None
    window.model.film.play()
    overlay.repaint()
    assert window.model.film.playing
    window.model.film.stop()
    key(window, Qt.Key.Key_K, CONTROL, SHIFT)
    assert not overlay.isVisible()
    window.model.transport.seek(0.0)
    camera.reset()
    settle(window)
    live(60)
    assert psnr_db(pixels(window), before) > 45.0


def test_exported_film_is_that_of_a_headless_render(
    window: MainWindow, scene_path: Path, tmp_path: Path
) -> None:
    pause(window)
    key(window, Qt.Key.Key_Home)
    settle(window)
    key(window, Qt.Key.Key_Return, CONTROL)  # one view: the camera stands still
    for time_s, content_s in ((0.0, 0.0), (0.25, 0.5), (0.75, 0.5), (1.0, 0.25)):
        window.model.time_track.add(TimeKey(time_s, content_s))
    settings = ExportSettings((96, 54), 24.0, None, 1, "png")
    window.videos.export(tmp_path / "film", settings)
    wait_for(lambda: "Exported" in window.viewport.toast.text, "the export")
    render_scene(
        str(scene_path),
        window.model.track.path(320 / 180),
        tmp_path / "alone",
        backend="reference",
        settings=settings,
        time_track=window.model.time_track.curve(),
        progress=lambda done, total: None,
    )
    ours, theirs = read_images(tmp_path / "film"), read_images(tmp_path / "alone")
    assert len(ours) == len(theirs) == 24
    assert max(np.abs(a.astype(int) - b).max() for a, b in zip(ours, theirs, strict=True)) <= 2
    held = ours[7:18]  # bullet time: equal content times, and the camera stands
    assert all(np.array_equal(held[0], other) for other in held)
    assert not np.array_equal(ours[0], held[0])
    assert not np.array_equal(ours[-1], held[0])
    window.videos.export(tmp_path / "film.mp4", ExportSettings((96, 54), 24.0))
    wait_for(
        lambda: (
            "film.mp4" in window.viewport.toast.text and "Exported" in window.viewport.toast.text
        ),
        "the video",
    )
    frames = decoded(tmp_path / "film.mp4")
    assert len(frames) == 24
    differ = [np.abs(a.astype(int) - b).mean() for a, b in zip(frames, ours, strict=True)]
    assert max(differ) < 4.0  # H.264 of small pictures


def read_images(folder: Path) -> list[np.ndarray]:
    from PIL import Image

    return [np.asarray(Image.open(file).convert("RGB")) for file in sorted(folder.iterdir())]
