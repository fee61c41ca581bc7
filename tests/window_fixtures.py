"""Fixtures of the window tests: a real window with settings of its own and a small scene.

A pytest plugin: test files name it in `pytest_plugins`.
"""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QSettings
from PySide6.QtWidgets import QApplication
from streamstgs.app.translation import set_translator
from streamstgs.app.ui import application, language, theme
from streamstgs.app.ui.drawing.backend_selection import ready_to_draw
from streamstgs.app.ui.main_window import MainWindow
from streamstgs.app.ui.preferences import Preferences
from streamstgs.app.ui.watching.first_hint import SEEN_KEY
from streamstgs.codec.encoder.encode import encode_scene
from streamstgs.codec.streaming.disk_cache import CacheSettings

from tests.synthetic import SyntheticSource
from tests.window_driver import OpenWindow, shown, wait_for


@pytest.fixture(scope="session")
def qt() -> QApplication:
    running = QApplication.instance()
    app = running if isinstance(running, QApplication) else application.make_application(["tests"])
    theme.install(app, theme.DARK)
    return app


@pytest.fixture(scope="session")
def scene_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scene") / "ball.stgs"
    encode_scene(SyntheticSource(frames_per_gop=(24, 24, 20)), path)
    return path


@pytest.fixture(scope="session")
def compiled() -> None:
    """The cpu backend is compiled before the first window; OpenGL would draw until then."""
    ready_to_draw("cpu").backend.close()


@pytest.fixture
def preferences(tmp_path: Path) -> Preferences:
    store = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    store.setValue(SEEN_KEY, True)  # the hint of the first run would cover the picture
    return Preferences(store)


@pytest.fixture
def open_window(
    qt: QApplication,
    compiled: None,
    preferences: Preferences,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[OpenWindow]:
    """Makes windows and closes them; all threads must end, and no slot may have failed."""
    failed: list[str] = []  # Qt prints errors of slots and goes on
    monkeypatch.setattr(
        sys, "excepthook", lambda *error: failed.append("".join(traceback.format_exception(*error)))
    )
    opened: list[MainWindow] = []
    before = set(threading.enumerate())

    def make(
        location: Path | str | None = None,
        backend: str = "cpu",
        start: bool = True,
        cache: CacheSettings | None = None,
    ) -> MainWindow:
        cache = cache or CacheSettings(directory=tmp_path / "cache")
        settings = application.WindowSettings(backend=backend, cache=cache)
        window = application.make_window(preferences, settings)
        opened.append(window)
        window.resize(960, 600)
        window.move(0, 0)
        window.show()
        window.activateWindow()
        if start:
            window.loop.start()
        if location is not None:
            window.open(str(location))
            wait_for(lambda: shown(window), "the first picture")
        return window

    yield make
    for window in opened:
        window.close()
        window.deleteLater()
    qt.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    qt.processEvents()  # calls that other threads queued before
    language.install(qt, language.ENGLISH)
    set_translator(None)
    wait_for(lambda: not _left_over(before), f"the end of threads: {_left_over(before)}")
    assert not failed, failed[0]


def _left_over(before: set[threading.Thread]) -> list[str]:
    """Names of new threads that still run; rasteriser pools end with their backend."""
    now = set(threading.enumerate()) - before
    return [thread.name for thread in now if not thread.name.startswith("rasterise")]


@pytest.fixture
def window(open_window: OpenWindow, scene_path: Path) -> MainWindow:
    """A window that plays the small scene."""
    return open_window(scene_path)
