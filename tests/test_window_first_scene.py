"""The first scene as the command line asks: --fullscreen, --start, --speed, --loop, --camera,
--latency."""

from __future__ import annotations

import math
import time
from pathlib import Path

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest
from streamstgs.app.player.position.clock import PlaybackClock
from streamstgs.app.ui.first_scene import FirstScene, FirstSceneSettings
from streamstgs.app.ui.opening import open_playback
from streamstgs.app.ui.preferences import Preferences
from streamstgs.app.ui.viewport.poster_loader import PosterLoader
from streamstgs.codec.streaming.disk_cache import CacheSettings

from tests.window_driver import OpenWindow, live, shown, status, wait_for

pytestmark = pytest.mark.window
pytest_plugins = ["tests.window_fixtures"]


def test_first_scene_is_shown_as_asked_until_somebody_takes_the_camera(
    open_window: OpenWindow, scene_path: Path
) -> None:
    window = open_window()
    asked = FirstSceneSettings(full_screen=True, start_s=1.0, speed=0.5, loop=False, camera="orbit")
    FirstScene(window, asked).open(str(scene_path))
    wait_for(lambda: shown(window), "the first picture")
    assert window.isFullScreen()
    assert status(window).position_s >= 1.0
    assert (status(window).speed, status(window).loop) == (0.5, False)
    camera = window.model.camera
    opening = camera.position
    wait_for(lambda: math.dist(camera.position, opening) > 0.05, "the orbit to begin")
    QTest.mouseClick(window.viewport, Qt.MouseButton.LeftButton)
    taken = camera.position
    live(300)
    assert math.dist(camera.position, taken) < 1e-6


def test_a_view_that_is_missing_is_named(open_window: OpenWindow, scene_path: Path) -> None:
    window = open_window()
    FirstScene(window, FirstSceneSettings(camera="Roof")).open(str(scene_path))
    wait_for(lambda: "Roof" in window.viewport.toast.text, "the warning")
    wait_for(lambda: shown(window), "the scene nevertheless")


@pytest.mark.parametrize(("asked_s", "latency_s"), [(None, 4.0), (12.0, 12.0)])
def test_distance_to_the_live_edge_is_as_asked(
    tmp_path: Path, scene_path: Path, asked_s: float | None, latency_s: float
) -> None:
    preferences = Preferences(QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat))
    clock, cache = PlaybackClock(time.monotonic), CacheSettings(max_bytes=0)
    playback = open_playback(
        str(scene_path), clock, preferences, cache, PosterLoader(), "cpu", latency_s=asked_s
    )
    playback.close()
    assert playback.settings.live.latency_s == latency_s
