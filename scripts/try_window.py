"""Plays the bundled scene in the window of the installed program until ten frames were shown.

Ends with status 0 then, and with a message otherwise. Needs a display, which may be in memory.
"""

from __future__ import annotations

import sys
import time

from PySide6.QtCore import QEventLoop
from PySide6.QtWidgets import QApplication
from streamstgs.app.process_end import end_safely
from streamstgs.app.ui import theme
from streamstgs.app.ui.application import WindowSettings, make_application, make_window
from streamstgs.app.ui.preferences import Preferences
from streamstgs.cli.window import bundled_scene

LIMIT_S = 240.0  # the first start compiles for the processor, and the machine may be busy
FRAMES = 10


def main() -> int:
    application = make_application(["try_window"])
    theme.install(application, theme.DARK)
    window = make_window(Preferences(), WindowSettings(backend="cpu"))
    window.show()
    window.loop.start()
    window.open(bundled_scene())
    shown: set[int] = set()
    end_s = time.monotonic() + LIMIT_S
    while len(shown) < FRAMES and time.monotonic() < end_s:
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 50)
        time.sleep(0.005)
        if window.model.render_statistics.width_px and window.model.status:
            shown.add(window.model.status.frame)
    window.close()
    print(f"{len(shown)} different frames were shown")
    return 0 if len(shown) >= FRAMES else 1


if __name__ == "__main__":
    sys.exit(end_safely(main()))
