"""Photographs the window in all its states: `python scripts/screenshots.py OUT [NAME ...]`.

Writes a PNG for each state, or for those that are named, into the folder OUT. It drives the real
window on the bundled scene, with preferences of its own. It needs a display, which may
be in memory: `xvfb-run -s "-screen 0 1280x800x24" python scripts/screenshots.py OUT`.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
_FOLDER = tempfile.mkdtemp()
os.environ["XDG_CONFIG_HOME"] = f"{_FOLDER}/config"

from PySide6.QtCore import QEvent, QEventLoop, QPointF, QSettings, Qt, QTimer  # noqa: E402
from PySide6.QtGui import QMouseEvent, QPixmap  # noqa: E402
from PySide6.QtWidgets import QApplication, QDialog  # noqa: E402
from streamstgs.app.player.film import edits  # noqa: E402
from streamstgs.app.player.kiosk.kiosk import Kiosk  # noqa: E402
from streamstgs.app.player.kiosk.settings import KioskScene, KioskSettings  # noqa: E402
from streamstgs.app.player.rendering.stereo_layouts import STEREO_LAYOUTS  # noqa: E402
from streamstgs.app.ui import application, theme  # noqa: E402
from streamstgs.app.ui.kiosk.kiosk_mode import KioskMode  # noqa: E402
from streamstgs.app.ui.main_window import MainWindow  # noqa: E402
from streamstgs.app.ui.preferences import Preferences  # noqa: E402
from streamstgs.cli.window import bundled_scene  # noqa: E402

SIZE_PX = (1280, 760)
PLOTS_MS = 8000  # of playing, for plots over time
WAIT_S = 400.0  # compiling the cpu backend on a busy machine is within it


@dataclass
class Studio:
    """One window, and the ways to bring it into a state.

    Args:
        window: The window.
        out: The folder of the pictures.
    """

    window: MainWindow
    out: Path

    def wait(self, condition: Callable[[], bool], least_ms: int = 300) -> None:
        """Run the event loop until a condition holds, and for a moment longer."""
        end_s = time.monotonic() + WAIT_S
        while not condition():
            if time.monotonic() > end_s:
                raise TimeoutError("the window did not reach the state")
            live(20)
        live(least_ms)

    def settle(self) -> None:
        """Wait until the picture of the newest frame and camera is on the screen."""
        self.wait(lambda: self.window.loop.settled)

    def press(self, name: str) -> None:
        """Run a command."""
        self.window.commands.actions[name].trigger()

    def unfold(self, *titles: str) -> None:
        """Show these sections of the panel only."""
        for section in self.window.panel.sections:
            section.set_folded(section.title not in titles)
        live(200)

    def take(self, name: str) -> None:
        """Write a picture of the window and what lies over it."""
        frame = self.window.frameGeometry()
        picture: QPixmap = self.window.screen().grabWindow(
            0, frame.x(), frame.y(), frame.width(), frame.height()
        )
        if not picture.save(str(self.out / f"{name}.png")):
            raise OSError(f"{self.out} cannot be written to")
        print(name)

    def dialog(self, command: str, name: str) -> None:
        """Photograph the dialog of a command."""
        self.press(command)
        live(500)
        self.take(name)
        for one in self.window.findChildren(QDialog):
            one.reject()
        live(100)


def live(ms: int) -> None:
    """Run the event loop for a while."""
    events = QEventLoop()
    QTimer.singleShot(ms, events.quit)
    events.exec()


def open_studio(out: Path, first_run: bool = False) -> Studio:
    """A window without a scene.

    Args:
        first_run: Whether it shows the hint for those who have never moved a camera.
    """
    store = QSettings(f"{_FOLDER}/{time.monotonic_ns()}.ini", QSettings.Format.IniFormat)
    store.setValue("hint_seen", not first_run)
    window = application.make_window(Preferences(store), application.WindowSettings("cpu"))
    window.resize(*SIZE_PX)
    window.move(0, 0)
    window.show()
    window.activateWindow()
    window.loop.start()
    live(500)
    return Studio(window, out)


def play(studio: Studio) -> None:
    """Open the bundled scene, and pause it somewhere."""
    studio.window.open(bundled_scene())
    studio.wait(lambda: studio.window.model.render_statistics.width_px > 0)
    studio.wait(lambda: (s := studio.window.model.status) is not None and s.frame > 12)
    studio.window.model.transport.pause()
    studio.settle()


def states(out: Path) -> None:
    """Empty, errors, dialogs, panel, modes, themes, languages, sizes."""
    studio = open_studio(out)
    window = studio.window
    studio.take("empty")
    broken = Path(_FOLDER) / "broken.stgs"
    broken.write_bytes(b"<html>not found</html>")
    window.open(str(broken))
    studio.wait(lambda: "could not" in window.viewport.card.title)
    studio.take("error")
    play(studio)
    studio.take("window")
    for command, name in (
        ("shortcuts", "keys"),
        ("about", "about"),
        ("open_url", "open-url"),
        ("export_video", "export"),
    ):
        studio.dialog(command, name)
    for title in [section.title for section in window.panel.sections]:
        studio.unfold(title)
        studio.take(f"panel-{title.lower()}")
    studio.unfold("Quality", "Display")
    studio.take("panel")
    studio.press("statistics")
    window.model.transport.play()
    live(PLOTS_MS)
    studio.take("statistics")
    studio.press("statistics")
    window.model.transport.pause()
    studio.settle()
    modes(studio)
    looks(studio)
    window.close()


def modes(studio: Studio) -> None:
    """What "Show" in the section Display offers."""
    options, box = studio.window.model.options, studio.window.panel.display.boxes["mode"]
    for place in range(box.count()):
        options.mode = box.itemData(place)
        studio.settle()
        studio.take(f"mode-{box.itemData(place)}")
    options.reset()
    live(2000)
    studio.settle()


def looks(studio: Studio) -> None:
    """Themes, languages, sizes of the window, focus, full screen."""
    window = studio.window
    appearance = window.panel.appearance
    studio.unfold("Quality", "Window")
    for choice in ("light", "contrast", "dark"):
        appearance.select("theme", choice)
        appearance.changed.emit("theme", choice)
        live(300)
        studio.take(f"theme-{choice}")
    window.panel.quality.auto.setFocus(Qt.FocusReason.TabFocusReason)
    live(200)
    studio.take("focus-ring")
    window.viewport.setFocus()
    window.set_language("de")
    live(300)
    studio.take("german")
    studio.dialog("shortcuts", "german-keys")
    window.set_language("en")
    for width, height in ((800, 500), (520, 360)):
        window.resize(width, height)
        studio.settle()
        studio.take(f"size-{width}")
    window.resize(*SIZE_PX)
    window.set_full_screen(True)
    studio.settle()
    studio.take("full-screen")
    window.set_full_screen(False)


def watching(out: Path) -> None:
    """The first run, the welcome page, the edge of what was filmed, stereo, lanes, comparison."""
    studio = open_studio(out, first_run=True)
    window = studio.window
    studio.wait(window.watching.welcome.isVisible)
    studio.take("welcome-first")
    play(studio)
    studio.take("hint")
    window.set_language("de")
    live(1500)  # a busy machine lays out again late
    studio.take("hint-german")
    window.set_language("en")
    window.watching.hint.hide()
    reach_edge(studio)
    studio.take("edge")
    window.model.camera.go_to_filmed_side()
    studio.settle()
    for layout in STEREO_LAYOUTS[1:]:
        window.model.options.stereo = layout
        studio.settle()
        studio.take(f"stereo-{layout}")
    window.model.options.stereo = "off"
    lanes(studio)
    studio.press("compare_quality")
    studio.wait(lambda: window.model.comparison.psnr_db is not None)
    studio.take("compare")
    studio.press("compare_off")
    studio.press("welcome")
    live(500)
    studio.take("welcome")
    window.close()


def reach_edge(studio: Studio) -> None:
    """Rise until a move is stopped; the notice of that goes away after some seconds."""
    camera, edge = studio.window.model.camera, studio.window.watching.edge

    def stopped() -> bool:
        camera.drag_orbit(0.0, 240.0, SIZE_PX)
        return edge.isVisible()

    studio.wait(stopped)
    studio.settle()
    studio.wait(stopped, least_ms=100)


def lanes(studio: Studio) -> None:
    """Two keyframes and a hold."""
    window, model = studio.window, studio.window.model
    studio.press("film_lanes")
    for time_s in (0.0, 1.0):
        model.film.seek(time_s)
        studio.settle()
        studio.press("add_keyframe")
        model.camera.drag_orbit(60.0, 10.0, SIZE_PX)
    status = model.status
    assert status is not None
    edits.hold(model.time_track, 0.5, 1.0, status.duration_s)
    window.viewport.toast.hide()
    studio.settle()
    studio.take("lanes")
    studio.press("film_lanes")


def booth(out: Path) -> None:
    """The kiosk: attract mode, a visitor, waiting for a scene."""
    studio = open_studio(out)
    window = studio.window
    scene = KioskScene(bundled_scene())
    kiosk = Kiosk(window.model, KioskSettings((scene,), language="en"))
    mode = KioskMode(window, kiosk)
    mode.show()
    mode.begin()
    studio.wait(lambda: window.viewport.titles.isVisible())
    studio.wait(lambda: (s := window.model.status) is not None and s.frame > 12)
    studio.wait(lambda: not window.viewport.spinner.running)
    studio.take("booth-attract")
    for x in (300, 340):
        move(window, x)
    live(500)
    studio.take("booth-visitor")
    mode.leave()
    live(200)
    studio = open_studio(out)
    missing = KioskScene(f"{_FOLDER}/missing.stgs")
    kiosk = Kiosk(studio.window.model, KioskSettings((missing,), language="en"))
    mode = KioskMode(studio.window, kiosk)
    mode.show()
    mode.begin()
    studio.wait(lambda: bool(kiosk.message))
    studio.take("booth-waiting")
    mode.leave()


def move(window: MainWindow, x: int) -> None:
    """Move the pointer over the picture."""
    place = QPointF(x, 200.0)
    none = Qt.MouseButton.NoButton
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        place,
        window.viewport.mapToGlobal(place),
        none,
        none,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(window.viewport, event)


TASKS: dict[str, Callable[[Path], None]] = {
    "states": states,
    "watching": watching,
    "booth": booth,
}


def main() -> int:
    """Take the pictures; returns the exit status."""
    if len(sys.argv) < 2 or not set(sys.argv[2:]) <= set(TASKS):
        print(__doc__, file=sys.stderr)
        print(f"Names: {', '.join(TASKS)}", file=sys.stderr)
        return 2
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    running = application.make_application(["screenshots"])
    theme.install(running, theme.DARK)
    for name in sys.argv[2:] or TASKS:
        TASKS[name](out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
