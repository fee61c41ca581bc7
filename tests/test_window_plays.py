"""The real window, driven by mouse and keyboard."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from streamstgs.app.player.status import PlaybackState
from streamstgs.app.player.viewer.open_scene import OpenScene, SceneState
from streamstgs.app.ui.dialogs import OpenUrlDialog
from streamstgs.app.ui.drawing.raster_surface import RasterSurface
from streamstgs.app.ui.main_window import MainWindow
from streamstgs.codec.scene import open_scene
from streamstgs.renderer import RenderSettings
from streamstgs.renderer.backends.reference import ReferenceBackend

from tests.window_driver import (
    WAIT_S,
    OpenWindow,
    drag,
    frame,
    key,
    live,
    move,
    pause,
    pixels,
    psnr_db,
    screenshot,
    settle,
    shown,
    state,
    status,
    turn_wheel,
    wait_for,
)

pytestmark = pytest.mark.window
pytest_plugins = ["tests.window_fixtures"]

SHIFT = Qt.KeyboardModifier.ShiftModifier


def test_space_pauses_and_button_plays(window: MainWindow) -> None:
    assert state(window) is PlaybackState.PLAYING
    assert window.windowTitle() == "Synthetic ball — StreamSTGS Player"
    seen = frame(window)
    wait_for(lambda: frame(window) != seen, "the next frame")
    screenshot(window, "playing")
    key(window, Qt.Key.Key_Space)
    assert state(window) is PlaybackState.PAUSED
    held = frame(window)
    live(150)
    assert frame(window) == held
    QTest.mouseClick(window.bar.play, Qt.MouseButton.LeftButton)
    assert state(window) is PlaybackState.PLAYING


def test_arrows_step_and_jump(window: MainWindow) -> None:
    pause(window)
    key(window, Qt.Key.Key_Home)
    wait_for(lambda: frame(window) == 0, "the first frame")
    key(window, Qt.Key.Key_Right)
    key(window, Qt.Key.Key_Right)
    assert frame(window) == 2
    key(window, Qt.Key.Key_Left)
    assert frame(window) == 1
    key(window, Qt.Key.Key_Right, SHIFT)
    assert frame(window) == 25
    key(window, Qt.Key.Key_End)
    assert frame(window) == 67


def test_held_key_is_one_seek(window: MainWindow) -> None:
    pause(window)
    key(window, Qt.Key.Key_Home)
    settle(window)
    playback = window.model.playback
    assert playback is not None
    before = playback._playhead.serial
    for _ in range(4):
        QTest.keyPress(window.viewport, Qt.Key.Key_Left, SHIFT)
        QTest.keyPress(window.viewport, Qt.Key.Key_Right, SHIFT)
        live(5)
    assert status(window).scrubbing
    assert frame(window) == 24
    assert playback._playhead.serial == before + 2  # the first press, and all that follow
    QTest.keyRelease(window.viewport, Qt.Key.Key_Right, SHIFT)
    assert not status(window).scrubbing
    assert playback._playhead.serial == before + 3
    key(window, Qt.Key.Key_Right, SHIFT)
    key(window, Qt.Key.Key_Left, SHIFT)
    assert playback._playhead.serial == before + 5  # pressed again, not held
    assert frame(window) == 24


def test_lost_key_release_ends_the_seek(window: MainWindow) -> None:
    pause(window)
    for _ in range(3):
        QTest.keyPress(window.viewport, Qt.Key.Key_Left, SHIFT)
    assert status(window).scrubbing
    wait_for(lambda: not status(window).scrubbing, "the end of the seek")


def test_screen_matches_the_reference_backend(window: MainWindow, scene_path: Path) -> None:
    pause(window)
    key(window, Qt.Key.Key_Home)
    for _ in range(5):
        key(window, Qt.Key.Key_Right)
    window.model.camera.free_flight = True  # a notice at the edge would cover the picture
    drag(window.viewport, QPoint(300, 200), QPoint(360, 180))
    settle(window)
    live(100)
    scene = open_scene(scene_path)
    gop = scene.decode_gop(0, scene.qualities[-1])
    scene.close()
    camera = window.model.camera.to_camera(*window.viewport.size_px())
    settings = RenderSettings(scene.meta.background, scene.meta.near)
    truth = ReferenceBackend().render(gop.gaussians_at(5), camera, settings)
    expected = (truth.clamp(0, 1) * 255).round().byte().numpy()
    on_screen = pixels(window)
    assert on_screen.shape == expected.shape
    assert psnr_db(on_screen, expected) >= 35
    assert psnr_db(on_screen[::-1], expected) < 25  # upside down would be noticed


def test_dragging_orbits_and_pans(window: MainWindow) -> None:
    pause(window)
    camera = window.model.camera
    before, first = camera.view, pixels(window)
    drag(window.viewport, QPoint(200, 200), QPoint(300, 230))
    settle(window)
    turned = camera.view
    assert turned.yaw_rad != before.yaw_rad
    assert turned.pivot == before.pivot
    live(50)
    assert psnr_db(pixels(window), first) < 30
    drag(window.viewport, QPoint(200, 200), QPoint(300, 230), Qt.MouseButton.RightButton)
    assert camera.view.yaw_rad == turned.yaw_rad
    assert camera.look_at != turned.pivot
    key(window, Qt.Key.Key_0)
    settle(window)
    live(50)
    assert psnr_db(pixels(window), first) > 40


def test_wheel_dollies_and_f_frames_all(window: MainWindow) -> None:
    pause(window)
    camera = window.model.camera
    far = camera.view.distance
    turn_wheel(window, 240)
    assert camera.view.distance < far
    key(window, Qt.Key.Key_F)
    assert camera.view.distance == pytest.approx(3.0)


def test_double_click_sets_the_pivot(window: MainWindow) -> None:
    pause(window)
    camera = window.model.camera
    before = camera.look_at
    middle = window.viewport.rect().center() + QPoint(40, 20)
    QTest.mouseDClick(window.viewport, Qt.MouseButton.LeftButton, pos=middle)
    wait_for(lambda: camera.look_at != before, "the pivot")
    assert max(abs(value) for value in camera.look_at) < 1.5  # on the scene


def test_scrubbing_follows_the_mouse(window: MainWindow) -> None:
    pause(window)
    line = window.bar.timeline
    ends = [line.frame_at(line.time_at(x)) for x in (0, line.width())]
    assert ends == [0, 67]
    goal = QPoint(round(line.x_of(2.0)), line.height() // 2)
    drag(line, QPoint(round(line.x_of(0.5)), line.height() // 2), goal)
    wait_for(lambda: abs(frame(window) - 48) <= 1, "the frame that was dragged to")
    QTest.mouseClick(line, Qt.MouseButton.LeftButton, pos=QPoint(round(line.x_of(0.1)), 10))
    wait_for(lambda: frame(window) <= 4, "the frame that was clicked on")
    assert state(window) is PlaybackState.PAUSED


def test_typed_time_is_sought(window: MainWindow) -> None:
    pause(window)
    QTest.mouseClick(window.bar.time.label, Qt.MouseButton.LeftButton)
    assert window.bar.time.field.hasFocus()
    window.bar.time.field.selectAll()
    QTest.keyClicks(window.bar.time.field, "0:01.5")
    QTest.keyClick(window.bar.time.field, Qt.Key.Key_Return)
    wait_for(lambda: frame(window) == 36, "the time that was typed")


def test_quality_is_chosen_by_mouse_and_keys(window: MainWindow) -> None:
    slider = window.panel.quality.slider
    qp_28 = next(one for one in window.model.quality.available if one.qp == 28)
    assert window.model.status is not None
    assert window.model.status.auto
    QTest.mouseClick(
        slider, Qt.MouseButton.LeftButton, pos=QPoint(round(slider.x_of(qp_28.index)), 16)
    )
    pause(window)
    wait_for(lambda: window.model.status.quality.qp == 28, "QP 28 on the screen")
    assert not window.model.status.auto
    assert not window.panel.quality.auto.isChecked()
    key(window, Qt.Key.Key_Up)
    wait_for(lambda: window.model.status.quality.qp == 24, "QP 24 on the screen")
    key(window, Qt.Key.Key_A)
    assert window.model.status.auto


def test_speed_and_loop(window: MainWindow) -> None:
    room_px = window.bar.timeline.width()
    key(window, Qt.Key.Key_BracketRight)
    assert window.bar.timeline.width() == room_px
    assert window.model.status is not None
    assert window.model.status.speed == 1.25
    assert window.bar.speed.text() == "1.25×"
    key(window, Qt.Key.Key_R)
    assert not window.model.status.loop
    assert not window.bar.loop.isChecked()
    wait_for(lambda: state(window) is PlaybackState.ENDED, "the end")
    key(window, Qt.Key.Key_Space)
    wait_for(lambda: state(window) is PlaybackState.PLAYING, "another run")


def test_new_renderer_takes_over_with_its_first_image(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause(window)
    before, gate = pixels(window), threading.Event()
    draw = ReferenceBackend.render

    def slowly(*arguments: Any) -> Any:
        gate.wait(WAIT_S)
        return draw(*arguments)

    monkeypatch.setattr(ReferenceBackend, "render", slowly)
    try:
        window.renderer.set_backend("reference")
        wait_for(lambda: window.model.render_statistics.backend == "reference", "the renderer")
        live(200)
        assert psnr_db(pixels(window), before) > 50
    finally:
        gate.set()
    settle(window)
    wait_for(lambda: len(window.viewport.findChildren(RasterSurface)) == 1, "one surface")


@pytest.mark.parametrize("backend", ["opengl", "reference"])
def test_other_renderers_show_the_same_image(window: MainWindow, backend: str) -> None:
    window.resize(560, 380)  # the reference is exact, not fast
    pause(window)
    live(50)
    by_cpu = pixels(window)
    window.renderer.set_backend(backend)
    wait_for(lambda: window.model.render_statistics.backend == backend, f"the {backend} backend")
    settle(window)
    live(100)
    screenshot(window, f"backend-{backend}")
    assert psnr_db(pixels(window), by_cpu) >= 35


def test_software_opengl_presents_no_images(open_window: OpenWindow, scene_path: Path) -> None:
    window = open_window(scene_path)
    assert window.renderer.adapter is not None
    assert window.renderer.adapter.presenter == "Qt raster"


def test_dialog_ends_a_timeline_drag(window: MainWindow) -> None:
    """The timeline gets no release of the button then."""
    line = window.bar.timeline
    QTest.mousePress(line, Qt.MouseButton.LeftButton, pos=QPoint(round(line.x_of(0.5)), 10))
    wait_for(lambda: status(window).scrubbing, "the drag")
    window.files.ask_for_url()
    wait_for(lambda: not status(window).scrubbing, "the end of the drag")
    assert not line.dragging
    (dialog,) = window.findChildren(OpenUrlDialog)
    dialog.reject()
    held = frame(window)
    wait_for(lambda: frame(window) not in (held, held + 1), "that it plays on")


def test_move_without_button_ends_a_timeline_drag(window: MainWindow) -> None:
    pause(window)
    line = window.bar.timeline
    QTest.mousePress(line, Qt.MouseButton.LeftButton, pos=QPoint(round(line.x_of(0.5)), 10))
    move(line, QPoint(round(line.x_of(2.0)), 10), Qt.MouseButton.NoButton)
    wait_for(lambda: not status(window).scrubbing, "the end of the drag")
    assert frame(window) <= 13


def test_pause_button_follows_while_buffering(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The button answers at once, though playback is buffering."""
    playback = window.model.playback
    assert playback is not None
    usual = playback.status
    stalled = {"state": PlaybackState.BUFFERING}
    monkeypatch.setattr(playback, "status", lambda: replace(usual(), **stalled))
    wait_for(lambda: state(window) is PlaybackState.BUFFERING, "the stall")
    assert window.bar.play.accessibleName().startswith("Pause")
    key(window, Qt.Key.Key_Space)
    wait_for(lambda: window.bar.play.accessibleName().startswith("Play"), "the pause")
    key(window, Qt.Key.Key_Space)
    wait_for(lambda: window.bar.play.accessibleName().startswith("Pause"), "playing again")


@pytest.mark.parametrize("button", ["play", "step_forward"])
def test_pause_before_first_image_holds(
    open_window: OpenWindow, scene_path: Path, button: str
) -> None:
    """The scene waits for that image, and would play then."""
    window = open_window()
    pressed = getattr(window.bar, button)

    def press(scene: OpenScene) -> None:
        if scene.state is SceneState.DECODED:
            pressed.click()

    window.model.scene_changed.connect(press)
    window.open(str(scene_path))
    wait_for(lambda: shown(window), "the first picture")
    live(100)
    assert state(window) is PlaybackState.PAUSED
    assert window.bar.play.accessibleName().startswith("Play")
