"""Starts the window: one QApplication, one main window, one scene."""

from __future__ import annotations

import signal
import sys
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtGui import QSurfaceFormat
from PySide6.QtWidgets import QApplication
from streamstgs.app.ui import theme
from streamstgs.app.ui.drawing.backend_selection import BackendSelection
from streamstgs.app.ui.drawing.render_loop import RenderLoop
from streamstgs.app.ui.icons import app_icon
from streamstgs.app.ui.loading import Loading
from streamstgs.app.ui.main_window import MainWindow
from streamstgs.app.ui.open_scene import OpenScene
from streamstgs.app.ui.preferences import APPLICATION_NAME, Preferences
from streamstgs.app.ui.viewport.poster_loader import Posters
from streamstgs.app.ui.viewport.viewport import Viewport

if TYPE_CHECKING:
    from streamstgs.app.player.playback import Playback

_WAKE_MS = 250  # how long Ctrl-C may wait for Python's turn


@dataclass(frozen=True)
class WindowSettings:
    """How the window starts.

    Args:
        backend: name of the renderer; None takes the remembered one, else chooses.
        keeps_fetched: whether what is fetched from servers is kept on disk.
    """

    backend: str | None = None
    keeps_fetched: bool = True


def run(location: str, settings: WindowSettings) -> int:
    """Open the window on a scene (a path or an URL) and stay until it is closed.

    Returns:
        the exit status of the event loop.
    """
    application = make_application(sys.argv[:1])
    preferences = Preferences()
    theme.install(application, theme.resolve(preferences.theme))
    window = make_window(preferences, settings)
    loading = Loading(window)
    window.show()
    window.open(location)
    _close_on_interrupt(window)
    loading.begin_behind_poster()
    return application.exec()


def make_application(arguments: list[str]) -> QApplication:
    """The QApplication, with the OpenGL version that the shaders need."""
    wanted = QSurfaceFormat()
    wanted.setVersion(4, 1)
    wanted.setProfile(QSurfaceFormat.OpenGLContextProfile.CoreProfile)
    wanted.setDepthBufferSize(0)
    wanted.setStencilBufferSize(0)
    QSurfaceFormat.setDefaultFormat(wanted)
    application = QApplication(arguments)
    application.setApplicationName(APPLICATION_NAME)
    application.setApplicationVersion(version())
    application.setDesktopFileName("streamstgs-player")
    application.setWindowIcon(app_icon())
    return application


def make_window(preferences: Preferences, settings: WindowSettings) -> MainWindow:
    """A main window, ready to be shown; call `loop.start` on it then."""
    viewport, posters = Viewport(), Posters()

    def open_playback(location: str) -> Playback:
        from streamstgs.app.ui.opening import open_playback

        device = loop.painter.device if loop.painter is not None else "cpu"
        return open_playback(location, preferences, settings.keeps_fetched, posters, device)

    screening, choice = OpenScene(open_playback), BackendSelection()
    loop = RenderLoop(viewport, screening, choice)
    backend = settings.backend or preferences.text("backend", "auto")
    if choice.may_use_opengl(backend):
        viewport.expect_opengl()
    loop.set_backend(None if backend == "auto" else backend)
    loop.set_background(preferences.text("background", "scene"))
    scale = preferences.number("scale", 0.0, 0.1, 1.0)  # 0: automatic
    loop.set_scale(scale or None)
    window = MainWindow(preferences, loop, posters, version())
    window.panel.display.select("backend", backend)
    return window


def version() -> str:
    try:
        return f"Version {metadata.version('streamstgs-player')}"
    except metadata.PackageNotFoundError:
        return "Run from source"


def _close_on_interrupt(window: MainWindow) -> None:
    """Ctrl-C closes the window like its cross. Qt's loop must let Python look for signals."""
    signal.signal(signal.SIGINT, lambda *_: window.close())
    ticker = QTimer(window)
    ticker.timeout.connect(lambda: None)
    ticker.start(_WAKE_MS)
