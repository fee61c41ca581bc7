"""Starts the window: one QApplication, one main window, one scene."""

from __future__ import annotations

import gc
import signal
import sys
from dataclasses import dataclass, field, replace
from importlib import metadata

import torch
from PySide6.QtCore import QTimer
from PySide6.QtGui import QSurfaceFormat
from PySide6.QtWidgets import QApplication

from app.player.early_start import EarlyBackend, EarlyPlayback
from app.player.playback import Playback, PlaybackSettings
from app.ui import theme
from app.ui.icons import app_icon
from app.ui.main_window import MainWindow
from app.ui.painter_choice import PainterChoice
from app.ui.picture_loop import PictureLoop
from app.ui.preferences import APPLICATION_NAME, Preferences
from app.ui.screening import Screening
from app.ui.viewport import Viewport
from codec.scene import OpenSettings
from renderer.backends import choose_backend

_WAKE_MS = 250  # how long Ctrl-C may wait for Python's turn


@dataclass(frozen=True)
class WindowSettings:
    """How the window starts.

    Args:
        backend: name of the renderer; None takes the remembered one, else chooses.
        opening: patience with servers, what is kept of their scenes.
    """

    backend: str | None = None
    opening: OpenSettings = field(default_factory=OpenSettings)


@dataclass(frozen=True)
class HeadStart:
    """What was begun before the window was there; see `app.player.early_start`."""

    backend: EarlyBackend
    playback: EarlyPlayback


def run(
    location: str,
    backend: str | None = None,
    begun: HeadStart | None = None,
    opening: OpenSettings | None = None,
) -> int:
    """Open the window on a scene (a path or an URL) and stay until it is closed.

    Returns:
        the exit status of the event loop.
    """
    application = make_application(sys.argv[:1])
    preferences = Preferences()
    theme.install(application, theme.resolve(preferences.theme))
    window = make_window(preferences, WindowSettings(backend, opening or OpenSettings()), begun)
    window.show()
    window.loop.start()
    window.open(location)
    _close_on_interrupt(window)
    gc.freeze()  # what was loaded so far stays: do not search it again and again while playing
    gc.enable()
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


def make_window(
    preferences: Preferences, settings: WindowSettings, begun: HeadStart | None = None
) -> MainWindow:
    """A main window, ready to be shown; call `loop.start` on it then."""
    viewport = Viewport()

    def open_playback(location: str) -> Playback:
        device = loop.painter.device if loop.painter is not None else torch.device("cpu")
        wanted = replace(playback_settings(preferences), opening=settings.opening)
        early = begun.playback.take(location, wanted) if begun and device.type == "cpu" else None
        return early or Playback(location, wanted, device)

    screening = Screening(open_playback)
    choice = PainterChoice(choose=begun.backend if begun else choose_backend)
    loop = PictureLoop(viewport, screening, choice)
    backend = settings.backend or preferences.text("backend", "auto")
    loop.set_backend(None if backend == "auto" else backend)
    loop.set_background(preferences.text("background", "scene"))
    scale = preferences.number("scale", 0.0, 0.1, 1.0)  # 0: automatic
    loop.set_scale(scale or None)
    window = MainWindow(preferences, loop, version())
    window.panel.display.select("backend", backend)
    return window


def playback_settings(preferences: Preferences) -> PlaybackSettings:
    """How a scene starts: as the person left the last one."""
    rung = round(preferences.number("rung", 0, 0, 63))  # a QP; 0: automatic
    return PlaybackSettings(
        loop=preferences.flag("loop", True),
        speed=preferences.number("speed", 1.0, 0.1, 8.0),
        rung=rung or None,
    )


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
