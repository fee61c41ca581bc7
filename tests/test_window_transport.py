"""Keys and pointer of the transport: J-K-L, steps, parts, markers, go to, hover."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QInputDialog
from streamstgs.app.player.status import PlaybackState
from streamstgs.app.ui.main_window import MainWindow
from streamstgs.app.ui.transport.hover_preview import HoverPreview
from streamstgs.renderer.backends.reference import ReferenceBackend

from tests.window_driver import (
    OpenWindow,
    frame,
    key,
    move,
    pause,
    pixels,
    psnr_db,
    rgb,
    screenshot,
    settle,
    state,
    status,
    wait_for,
)

pytestmark = pytest.mark.window
pytest_plugins = ["tests.window_fixtures"]
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
ALT = Qt.KeyboardModifier.AltModifier


def go_to(window: MainWindow, frame_index: int) -> None:
    window.model.transport.seek_frame(frame_index)
    settle(window)


def test_j_k_l_play_backwards_pause_and_play(window: MainWindow) -> None:
    pause(window)
    go_to(window, 40)
    key(window, Qt.Key.Key_J)
    wait_for(lambda: state(window) is PlaybackState.PLAYING and frame(window) < 38, "frames before")
    assert status(window).speed == -1.0
    key(window, Qt.Key.Key_J)
    assert status(window).speed == -2.0
    assert window.bar.speed.text() == "-2×"
    key(window, Qt.Key.Key_K)
    assert state(window) is PlaybackState.PAUSED
    assert status(window).speed == 1.0
    key(window, Qt.Key.Key_L)
    key(window, Qt.Key.Key_L)
    wait_for(lambda: state(window) is PlaybackState.PLAYING, "playing")
    assert status(window).speed == 2.0


def test_comma_and_period_step(window: MainWindow) -> None:
    pause(window)
    go_to(window, 10)
    key(window, Qt.Key.Key_Period)
    key(window, Qt.Key.Key_Period)
    assert frame(window) == 12
    key(window, Qt.Key.Key_Comma)
    assert frame(window) == 11


def test_ctrl_t_goes_to_a_frame_that_is_typed(window: MainWindow) -> None:
    pause(window)
    key(window, Qt.Key.Key_T, CONTROL)
    field = window.bar.time.field
    wait_for(field.hasFocus, "the field")
    QTest.keyClicks(field, "31f")
    QTest.keyClick(field, Qt.Key.Key_Return)
    settle(window)
    assert frame(window) == 31


def test_part_between_a_and_b_is_repeated(window: MainWindow) -> None:
    pause(window)
    go_to(window, 20)
    key(window, Qt.Key.Key_B, SHIFT)  # without A: from the start of the scene
    assert window.model.transport.part_s == pytest.approx((0.0, 21 / 24))
    go_to(window, 12)
    key(window, Qt.Key.Key_A, SHIFT)
    assert window.model.transport.part_s == pytest.approx((0.5, 21 / 24))
    screenshot(window, "repeated-part")
    seen = set()
    key(window, Qt.Key.Key_Space)

    def came_round() -> bool:
        seen.add(frame(window))
        return {12, 20} <= seen or len(seen) >= 9

    wait_for(came_round, "the whole part")
    assert min(seen) >= 12
    assert max(seen) <= 20
    key(window, Qt.Key.Key_R, SHIFT)
    assert window.commands.actions["ping_pong"].isChecked()
    wait_for(lambda: status(window).backwards, "the way back")
    key(window, Qt.Key.Key_Backspace, SHIFT)
    assert window.model.transport.part_s is None


def test_slow_motion_is_smooth_unless_switched_off(window: MainWindow) -> None:
    window.model.transport.set_speed(0.25)
    wait_for(lambda: window.model.frame is not None and window.model.frame.frame % 1 > 0, "moments")
    window.commands.actions["smooth"].trigger()
    assert not window.preferences.smooth
    before = window.model.frame
    wait_for(lambda: window.model.frame is not before, "a whole frame")
    wait_for(lambda: window.model.frame is not None and window.model.frame.frame % 1 == 0, "frames")


def test_paused_slow_motion_shows_the_moment_in_between(window: MainWindow) -> None:
    pause(window)
    go_to(window, 3)
    window.model.transport.set_speed(0.1)
    key(window, Qt.Key.Key_Space)
    wait_for(lambda: window.model.frame is not None and window.model.frame.frame % 1 > 0.2, "way")
    pause(window)
    shown = window.model.frame
    assert shown is not None
    if shown.frame % 1 == 0.0:  # paused on a whole frame by chance
        return
    camera = window.model.camera.to_camera(*window.viewport.size_px())
    truth = ReferenceBackend().render(
        shown.gop.gaussians_at(shown.frame), camera, window.model.render_settings()
    )
    expected = (truth.clamp(0, 1) * 255).round().byte().numpy()
    assert psnr_db(pixels(window), expected) > 40.0


def test_markers_are_added_named_found_and_kept(open_window: OpenWindow, scene_path: Path) -> None:
    window = open_window(scene_path)
    pause(window)
    go_to(window, 12)
    key(window, Qt.Key.Key_M)
    go_to(window, 48)
    key(window, Qt.Key.Key_M)
    key(window, Qt.Key.Key_M, SHIFT)
    wait_for(lambda: bool(window.findChildren(QInputDialog)), "the question for a name")
    dialog = window.findChildren(QInputDialog)[0]
    dialog.setTextValue("the jump")
    dialog.accept()
    window.activateWindow()
    wait_for(window.isActiveWindow, "the window in front again")
    assert [marker.name for marker in window.model.markers] == ["Marker 1", "the jump"]
    key(window, Qt.Key.Key_Left, ALT)
    settle(window)
    assert frame(window) == 12
    key(window, Qt.Key.Key_Left, ALT)
    assert "no marker before" in window.viewport.toast.text
    key(window, Qt.Key.Key_Right, ALT)
    settle(window)
    assert frame(window) == 48
    assert window.bar.timeline.marker_at(window.bar.timeline.x_of(2.0)) == 1
    screenshot(window, "markers")
    other = open_window(scene_path)
    assert [marker.name for marker in other.model.markers] == ["Marker 1", "the jump"]
    pause(other)
    go_to(other, 12)
    key(other, Qt.Key.Key_M, CONTROL, SHIFT)
    assert [marker.name for marker in other.model.markers] == ["the jump"]


def test_hover_shows_time_frame_marker_and_image(window: MainWindow) -> None:
    pause(window)
    go_to(window, 36)
    key(window, Qt.Key.Key_M)
    go_to(window, 0)
    timeline = window.bar.timeline
    at = QPoint(round(timeline.x_of(36 / 24 + 0.001)), timeline.height() // 2)
    move(timeline, at, Qt.MouseButton.NoButton)
    card = window.findChildren(HoverPreview)[0]
    assert card.isVisible()
    assert card.text == "Marker 1  ·  00:01.50  ·  frame 36"
    below = timeline.mapTo(window.central, QPoint(0, 0)).y()
    assert card.geometry().bottom() < below  # above the pointer, not under it
    middle = timeline.mapTo(window.central, at).x()
    assert abs(card.geometry().center().x() - middle) <= 2
    wait_for(lambda: card.image is not None, "the image")
    screenshot(window, "hover-preview")
    image = card.image
    assert image is not None
    playback = window.model.playback
    assert playback is not None
    go_to(window, 36)
    shown = playback.decoded(36)
    assert shown is not None
    camera = window.model.camera.to_camera(image.width(), image.height())
    truth = ReferenceBackend().render(
        shown.gop.gaussians_at(shown.frame), camera, window.model.render_settings()
    )
    expected = (truth.clamp(0, 1) * 255).round().byte().numpy()
    assert psnr_db(rgb(image), expected) > 25.0  # the lowest quality
    assert np.ptp(rgb(image)) > 50
    move(timeline, at, Qt.MouseButton.NoButton)
    window.bar.timeline.hovered.emit(None)
    assert not card.isVisible()
