"""The real window with the bundled scene."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from streamstgs.app.player.rendering.frame_renderer import render_rgb8
from streamstgs.app.player.status import PlaybackState
from streamstgs.app.ui.main_window import MainWindow
from streamstgs.codec.scene import open_scene
from streamstgs.codec.scene_decoder import SceneDecoder
from streamstgs.renderer import RenderSettings
from streamstgs.renderer.backends.cpu.backend import CpuBackend

from tests.window_driver import (
    WAIT_S,
    OpenWindow,
    drag,
    frame,
    key,
    leave,
    live,
    pixels,
    psnr_db,
    screenshot,
    settle,
    state,
    wait_for,
)

BUNDLED = Path(__file__).resolve().parents[1] / "assets" / "tokyo.stgs"
MIDDLE = QPoint(400, 300)

pytestmark = [
    pytest.mark.window,
    pytest.mark.skipif(not BUNDLED.exists(), reason=f"the bundled scene {BUNDLED} is missing"),
]
pytest_plugins = ["tests.window_fixtures"]


@pytest.fixture
def window(open_window: OpenWindow) -> MainWindow:
    window = open_window(BUNDLED)
    window.resize(1280, 800)
    return window


def expected_pixels(window: MainWindow) -> NDArray[np.uint8]:
    """What a headless backend draws for the frame and the camera of the window."""
    playback = window.model.playback
    assert playback is not None
    assert playback.opened is not None
    gop_index, inside = playback.opened.timeline.locate(frame(window))
    with open_scene(str(BUNDLED)) as scene:
        gop = scene.decode_gop(gop_index, scene.quality(playback.status().quality.qp))
        settings = RenderSettings(scene.meta.background, scene.meta.near)
    backend = CpuBackend()
    try:
        camera = window.model.camera.to_camera(*window.viewport.size_px())
        return render_rgb8(backend, gop.gaussians_at(inside), camera, settings)
    finally:
        backend.close()


def all_layers_decoded(window: MainWindow) -> bool:
    playback = window.model.playback
    assert playback is not None
    decoded, layers = playback.status().static_layers
    return decoded == layers > 0


def assert_right_picture(window: MainWindow) -> NDArray[np.uint8]:
    wait_for(lambda: all_layers_decoded(window), "all static layers")
    wait_for(lambda: not window._toast.isVisible(), "the end of the message about compiling")
    live(20)  # a tick takes the frame with the last layer
    settle(window)
    live(100)
    on_screen = pixels(window)
    assert psnr_db(on_screen, expected_pixels(window)) >= 35
    assert np.std(on_screen) > 20  # not an empty stage
    return on_screen


def test_play_orbit_scrub_and_pause_show_the_right_images(
    window: MainWindow,
) -> None:
    assert window.windowTitle() == "Littlest Tokyo — StreamSTGS Player"
    assert state(window) is PlaybackState.PLAYING
    seen = frame(window)
    wait_for(lambda: frame(window) not in (seen, seen + 1), "the scene to play")
    screenshot(window, "tokyo-playing")
    drag(window.viewport, MIDDLE, MIDDLE + QPoint(-40, 30))  # while it plays
    assert state(window) is PlaybackState.PLAYING
    key(window, Qt.Key.Key_Space)
    assert state(window) is PlaybackState.PAUSED
    first = assert_right_picture(window)
    screenshot(window, "tokyo-orbited")

    line = window.bar.timeline
    height = line.height() // 2
    start, goal = QPoint(round(line.x_of(1.0)), height), QPoint(round(line.x_of(7.5)), height)
    drag(line, start, goal)
    leave(line)  # the card of the timeline lies over the picture while the pointer is on it
    wait_for(lambda: abs(frame(window) - 180) <= 2, "the frame that was scrubbed to")
    scrubbed = assert_right_picture(window)
    assert psnr_db(first, scrubbed) < 40  # the tram has moved
    screenshot(window, "tokyo-scrubbed")

    drag(window.viewport, MIDDLE, MIDDLE + QPoint(-300, 60))
    turned = assert_right_picture(window)
    assert psnr_db(turned, scrubbed) < 25
    key(window, Qt.Key.Key_Space)
    wait_for(lambda: state(window) is PlaybackState.PLAYING, "the scene to go on")


def test_last_frame_stays_at_the_end(window: MainWindow) -> None:
    key(window, Qt.Key.Key_R)  # no loop
    line = window.bar.timeline
    near_end = QPoint(round(line.x_of(9.6)), line.height() // 2)
    QTest.mouseClick(line, Qt.MouseButton.LeftButton, pos=near_end)
    wait_for(lambda: state(window) is PlaybackState.ENDED, "the end")
    assert frame(window) == 239
    assert_right_picture(window)
    screenshot(window, "tokyo-ended")


def test_spinner_shows_while_decoding(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    decode = SceneDecoder.features

    def slowly(decoder: SceneDecoder, *arguments: Any) -> Any:
        gate.wait(WAIT_S)
        return decode(decoder, *arguments)

    monkeypatch.setattr(SceneDecoder, "features", slowly)
    playback = window.model.playback
    assert playback is not None
    try:
        playback.seek(9.0)
        wait_for(window.viewport.spinner.isVisible, "the sign of waiting")
        assert state(window) is PlaybackState.BUFFERING
        screenshot(window, "tokyo-buffering")
    finally:
        gate.set()
    wait_for(lambda: state(window) is PlaybackState.PLAYING, "the scene to go on")
    wait_for(lambda: not window.viewport.spinner.isVisible(), "the sign to go")


def test_statistics_overlay_shows_counts(window: MainWindow) -> None:
    key(window, Qt.Key.Key_I)
    live(1500)
    assert window.viewport.statistics.isVisible()
    with open_scene(str(BUNDLED)) as scene:
        assert window.model.render_statistics.static_count == scene.static_count > 100_000
    screenshot(window, "tokyo-statistics")


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [(1280, 800), (800, 500)])
def test_playing_in_themes_and_sizes(window: MainWindow, theme: str, size: tuple[int, int]) -> None:
    window.panel.display.changed.emit("theme", theme)
    window.resize(*size)
    live(1000)
    assert state(window) is PlaybackState.PLAYING
    screenshot(window, f"tokyo-{theme}-{size[0]}x{size[1]}")
