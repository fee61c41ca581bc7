"""Photographs the real window while a film is made of the bundled scene: docs/pictures/film-*.jpg.

`python scripts/make_docs.py film` runs it; it needs a display (xvfb-run gives one).
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
PICTURES = ROOT / "docs" / "pictures"
WINDOW_PX = (1120, 700)
JPEG_QUALITY = 80
WAIT_S = 300.0  # a slow machine has drawn the scene by then
TURN_PX = 110.0  # of the camera between two keyframes


def main() -> int:
    """Make the pictures; returns the exit status."""
    from PySide6.QtCore import QEventLoop, QSettings, QTimer
    from streamstgs.app.player.film import edits
    from streamstgs.app.ui import application, theme
    from streamstgs.app.ui.preferences import Preferences
    from streamstgs.cli.window import bundled_scene

    running = application.make_application(["film_pictures"])
    theme.install(running, theme.DARK)
    store = QSettings(str(Path(tempfile.mkdtemp()) / "film.ini"), QSettings.Format.IniFormat)
    store.setValue("hint_seen", True)
    window = application.make_window(Preferences(store), application.WindowSettings("cpu"))
    window.setGeometry(0, 0, *WINDOW_PX)
    window.show()
    window.set_panel(False)
    window.loop.start()
    window.open(bundled_scene())
    model = window.model

    def wait(condition: Callable[[], bool]) -> None:
        end_s = time.monotonic() + WAIT_S
        while not condition():
            if time.monotonic() > end_s:
                raise TimeoutError("The window did not get there in time.")
            events = QEventLoop()
            QTimer.singleShot(50, events.quit)
            events.exec()

    def settle() -> None:
        ticks = iter(range(6))
        wait(lambda: window.loop.settled and next(ticks, None) is None)

    def photograph(name: str) -> None:
        settle()
        window.viewport.toast.hide()
        ticks = iter(range(6))
        wait(lambda: next(ticks, None) is None)
        place = window.geometry()
        shot = window.screen().grabWindow(0, place.x(), place.y(), place.width(), place.height())
        if not shot.save(str(PICTURES / name), "JPEG", JPEG_QUALITY):
            raise OSError(f"{PICTURES / name} cannot be written.")

    def run(command: str) -> None:
        window.commands.actions[command].trigger()

    wait(lambda: model.render_statistics.width_px > 0 and not window.viewport.card.isVisible())
    model.transport.pause()
    run("go_start")
    run("film_lanes")
    model.camera.drag_orbit(-TURN_PX, 0.0, WINDOW_PX)
    for time_s in (0.0, 1.0, 2.0):
        model.film.seek(time_s)
        settle()
        run("add_keyframe")
        model.camera.drag_orbit(TURN_PX, 0.0, WINDOW_PX)
    panel = window.film.panel
    assert panel is not None
    panel.camera.select(1)
    photograph("film-keyframes.jpg")
    status = model.status
    assert status is not None
    edits.hold(model.time_track, 1.0, 1.0, status.duration_s)
    panel.time.select(2)
    photograph("film-time.jpg")
    model.camera.free_flight = True  # a look at the path from outside
    model.camera.drag_orbit(-TURN_PX, 90.0, WINDOW_PX)
    model.camera.dolly(-8)
    model.camera.finish_glide()
    run("show_path")
    photograph("film-path.jpg")
    window.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
