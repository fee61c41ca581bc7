"""Starts the window: one QApplication, one main window, one scene."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtGui import QFileOpenEvent, QSurfaceFormat
from PySide6.QtWidgets import QApplication
from streamstgs.app.player.position.clock import PlaybackClock
from streamstgs.app.player.rendering.stereo_layouts import EYE_DISTANCE_LIMITS, USUAL_EYE_DISTANCE
from streamstgs.app.player.viewer.render_options import RenderOptions
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.app.process_end import wait_for_threads
from streamstgs.app.translation import tr
from streamstgs.app.ui import language, theme
from streamstgs.app.ui.drawing.active_renderer import ActiveRenderer
from streamstgs.app.ui.drawing.backend_selection import BackendSelection
from streamstgs.app.ui.drawing.render_loop import RenderLoop
from streamstgs.app.ui.first_scene import FirstScene, FirstSceneSettings
from streamstgs.app.ui.icons import app_icon
from streamstgs.app.ui.main_window import MainWindow
from streamstgs.app.ui.preferences import APPLICATION_NAME, Preferences
from streamstgs.app.ui.startup import DecodeAhead, Startup
from streamstgs.app.ui.viewport.kept_posters import KeptPosters, PosterKeeper
from streamstgs.app.ui.viewport.poster_loader import PosterLoader
from streamstgs.app.ui.viewport.viewport import Viewport
from streamstgs.app.version import installed_version
from streamstgs.codec.codes_ahead import CodesAhead

if TYPE_CHECKING:
    from pathlib import Path

    from streamstgs.app.player.playback import Playback
    from streamstgs.app.ui.actions.compare_actions import OpenCapture
    from streamstgs.codec.streaming.disk_cache import CacheSettings

_WAKE_MS = 250  # the longest delay of Ctrl-C


@dataclass(frozen=True)
class WindowSettings:
    """How the window starts.

    Args:
        backend: The name of the renderer; None takes the remembered one, else chooses.
        keeps_fetched: Whether files fetched from servers are kept on disk.
        cache: Where they are kept; None for the usual place and size.
        fps: Content frames per second of scenes that do not tell them; None for 30.
        open_capture: Opens the folder of a capture, to compare scenes with it; None where that is
            not possible.
        capture: The capture that the first scene is compared with; None for none.
        latency_s: Content seconds to the edge of live scenes; None for the usual ones.
    """

    backend: str | None = None
    keeps_fetched: bool = True
    fps: float | None = None
    cache: CacheSettings | None = None
    open_capture: OpenCapture | None = None
    capture: Path | None = None
    latency_s: float | None = None

    def poster_folder(self) -> Path:
        """Where posters of scenes that bring none are kept."""
        from streamstgs.codec.streaming.disk_cache import cache_directory

        return (self.used_cache.directory or cache_directory()) / "posters"

    @property
    def used_cache(self) -> CacheSettings:
        """The cache of fetched files."""
        from streamstgs.codec.streaming.disk_cache import CacheSettings

        if not self.keeps_fetched:
            return CacheSettings(max_bytes=0)
        return self.cache or CacheSettings()


def run(location: str, settings: WindowSettings, first: FirstSceneSettings | None = None) -> int:
    """Open the window on a scene (a path or a URL) and return once it is closed.

    Args:
        location: The scene.
        settings: How the window starts.
        first: How the first scene is shown; None as usual.

    Returns:
        The exit status of the event loop.
    """
    preferences = Preferences()
    application = make_application(sys.argv[:1], preferences.ui_scale)
    theme.install(application, theme.resolve(preferences.theme))
    ahead, first = CodesAhead(), first or FirstSceneSettings()
    window = make_window(preferences, settings, ahead)
    start_s = preferences.positions.of(location) if first.start_s is None else first.start_s
    startup = Startup(
        window.model,
        window.loop,
        window.posters,
        window.viewport.poster,
        DecodeAhead(ahead, location, start_s, preferences.quality_qp),
    )
    window.show()
    FirstScene(window, first).open(location)
    requests = OpenRequests(window)
    application.installEventFilter(requests)
    close_on_interrupt(window.close, window)
    startup.begin_after_poster()
    status = application.exec()
    ahead.close()
    wait_for_threads()  # while the objects exist whose signals they emit
    return status


class OpenRequests(QObject):
    """Opens the files that macOS asks for: a double click there starts no command with arguments.

    Args:
        window: Opens the file; owns this filter.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Open the file of a QFileOpenEvent; other events go on."""
        if event.type() != QEvent.Type.FileOpen:
            return False
        assert isinstance(event, QFileOpenEvent)
        self._window.open(event.file() or event.url().toString())
        return True


def make_application(arguments: list[str], ui_scale: float = 1.0) -> QApplication:
    """The QApplication, with the OpenGL version that the shaders need.

    Args:
        ui_scale: Size of texts and controls; the picture keeps all pixels of the screen.
    """
    if ui_scale != 1.0:
        os.environ.setdefault("QT_SCALE_FACTOR", f"{ui_scale:g}")
    wanted = QSurfaceFormat()
    wanted.setVersion(4, 1)
    wanted.setProfile(QSurfaceFormat.OpenGLContextProfile.CoreProfile)
    wanted.setDepthBufferSize(0)
    wanted.setStencilBufferSize(0)
    QSurfaceFormat.setDefaultFormat(wanted)
    application = QApplication(arguments)
    application.setApplicationName(APPLICATION_NAME)
    application.setApplicationVersion(version())
    # The name of the desktop entry; Flatpak renames that.
    application.setDesktopFileName(os.environ.get("FLATPAK_ID", "streamstgs-player"))
    application.setWindowIcon(app_icon())
    return application


def make_window(
    preferences: Preferences, settings: WindowSettings, ahead: CodesAhead | None = None
) -> MainWindow:
    """A main window to be shown; start its loop afterwards.

    Args:
        ahead: Has decoded parts of the first scene.
    """
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    language.install(application, preferences.text("language", language.SYSTEM))
    kept = KeptPosters(settings.poster_folder) if settings.keeps_fetched else None
    model = ViewerModel(waits_for_paint=True, glides=True, views=preferences)
    posters = PosterLoader() if kept is None else PosterLoader(kept.load)
    viewport, selection = Viewport(model.camera), BackendSelection()

    def open_playback(location: str, clock: PlaybackClock) -> Playback:
        from streamstgs.app.ui.opening import open_playback

        return open_playback(
            location,
            clock,
            preferences,
            settings.used_cache,
            posters,
            renderer.device,
            settings.fps,
            ahead,
            settings.latency_s,
        )

    renderer = ActiveRenderer(model, viewport, selection, open_playback)
    loop = RenderLoop(model, viewport, renderer)
    backend = settings.backend or preferences.text("backend", "auto")
    if selection.may_use_opengl(backend):
        viewport.expect_opengl()
    renderer.set_backend(None if backend == "auto" else backend)
    restore_options(model.options, preferences)
    window = MainWindow(preferences, model, viewport, renderer, loop, posters, version())
    if kept is not None:
        PosterKeeper(window, model, loop.capture, kept)
    window.panel.select_backend(backend)
    window.comparing.open_capture = settings.open_capture
    if settings.capture is not None:
        window.comparing.begin_with(settings.capture)
    return window


def restore_options(options: RenderOptions, preferences: Preferences) -> None:
    """Take the remembered background and resolution; damaged ones are left out."""
    with contextlib.suppress(ValueError):
        options.background = preferences.text("background", options.background)
    options.eye_distance = preferences.number("eyes", USUAL_EYE_DISTANCE, *EYE_DISTANCE_LIMITS)
    scale = preferences.number("scale", 0.0, 0.1, 1.0)  # 0: automatic
    options.scale = scale or None


def version() -> str:
    """The version of the installed package as a text for people."""
    installed = installed_version()
    return tr("Version {number}", number=installed) if installed else tr("Run from source")


def close_on_interrupt(close: Callable[[], object], owner: QObject) -> None:
    """Call `close` on Ctrl-C; a timer lets Python see the signal within Qt's loop."""
    signal.signal(signal.SIGINT, lambda *_: close())
    ticker = QTimer(owner)
    ticker.timeout.connect(lambda: None)
    ticker.start(_WAKE_MS)
