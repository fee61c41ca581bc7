"""Opens the window as a kiosk."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QSettings
from streamstgs.app.player.kiosk.host.awake import Awake
from streamstgs.app.player.kiosk.host.log import default_log, start_log, stop_log
from streamstgs.app.player.kiosk.kiosk import Kiosk
from streamstgs.app.player.kiosk.preparation import KIOSK_CACHE, Preparation
from streamstgs.app.player.kiosk.settings import KioskSettings
from streamstgs.app.process_end import wait_for_threads
from streamstgs.app.ui import application, theme
from streamstgs.app.ui.kiosk.kiosk_mode import KioskMode
from streamstgs.app.ui.preferences import Preferences
from streamstgs.app.ui.startup import Startup


def run_kiosk(
    settings: KioskSettings, window_settings: application.WindowSettings, log_file: Path | None
) -> int:
    """Run the kiosk until its exit key is pressed.

    What visitors change is forgotten: the preferences are those of this run.

    Args:
        settings: The playlist, and times.
        window_settings: Backend and cache.
        log_file: Written to; None for `default_log`.

    Returns:
        The exit status of the event loop.
    """
    handler = start_log(log_file or default_log())
    app = application.make_application(sys.argv[:1])
    theme.install(app, theme.DARK)
    cache = KIOSK_CACHE if window_settings.keeps_fetched else replace(KIOSK_CACHE, max_bytes=0)
    with tempfile.TemporaryDirectory() as folder:
        store = QSettings(f"{folder}/kiosk.ini", QSettings.Format.IniFormat)
        preferences = Preferences(store)
        preferences.set("language", settings.language)
        window = application.make_window(preferences, replace(window_settings, cache=cache))
        preparation = Preparation([scene.location for scene in settings.scenes], cache)
        kiosk = Kiosk(window.model, settings, preparation=preparation)
        mode = KioskMode(window, kiosk, Awake())
        startup = Startup(window.model, window.loop, window.posters, window.viewport.poster)
        startup.loaded.connect(mode.begin)
        mode.show()
        application.close_on_interrupt(mode.leave, window)
        startup.begin_after_poster()
        try:
            status = app.exec()
            wait_for_threads()  # while the objects exist whose signals they emit
            return status
        finally:
            stop_log(handler)
