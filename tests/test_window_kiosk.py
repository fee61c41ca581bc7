"""The kiosk in the real window: no way out, visitors, errors, an hour of simulated idle."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog
from streamstgs.app.player.kiosk.kiosk import Kiosk, KioskState
from streamstgs.app.player.kiosk.preparation import Preparation
from streamstgs.app.player.kiosk.settings import KioskScene, KioskSettings
from streamstgs.app.ui import language
from streamstgs.app.ui.commands import COMMANDS
from streamstgs.app.ui.kiosk.kiosk_mode import ALLOWED, KioskMode
from streamstgs.app.ui.main_window import MainWindow
from streamstgs.codec.streaming.disk_cache import CacheSettings

from tests.fault_server import FaultServer
from tests.scripted_scene import ManualClock
from tests.served_scene import scene_files
from tests.window_driver import OpenWindow, live, move, screenshot, wait_for

pytestmark = pytest.mark.window
pytest_plugins = ["tests.window_fixtures"]
GOLDEN = Path(__file__).parent / "golden" / "synthetic-v1-hevc.stgs"
# The clock of a test passes minutes while the window draws one picture, which is not being stuck.
NEVER_S = 86_400.0


class Booth:
    """A kiosk in a window, in time that the test moves."""

    def __init__(
        self, window: MainWindow, settings: KioskSettings, prepares_in: CacheSettings | None
    ) -> None:
        self.window, self.clock = window, ManualClock()
        places = [scene.location for scene in settings.scenes]
        preparation = None if prepares_in is None else Preparation(places, prepares_in)
        self.kiosk = Kiosk(window.model, settings, self.clock, preparation)
        self.mode = KioskMode(window, self.kiosk)
        self.mode.show()
        self.mode.begin()

    def shows(self, location: Path | str) -> bool:
        scene = self.window.model.scene
        return scene is not None and scene.location == str(location) and self.is_settled()

    def is_settled(self) -> bool:
        return self.window.model.pending is None

    def pass_time(self, seconds: float, step_s: float = 5.0) -> None:
        """Let time pass for the kiosk in steps, each with a look at what is due."""
        for _ in range(round(seconds / step_s)):
            self.clock.advance(step_s)
            self.kiosk.tick()
            live(1)
            wait_for(self.is_settled, "the scene to open or fail")

    def visible_buttons(self) -> list[str]:
        """Buttons over the picture, without those of the language."""
        own = self.mode.languages.findChildren(QAbstractButton)
        found = self.window.viewport.findChildren(QAbstractButton)
        return [b.text() for b in found if b.isVisible() and b not in own]


Make = Callable[..., Booth]


@pytest.fixture
def booth(open_window: OpenWindow, qt: QApplication) -> Iterator[Make]:
    made: list[Booth] = []

    def make(
        *places: Path | str, prepares_in: CacheSettings | None = None, **settings: object
    ) -> Booth:
        scenes = tuple(KioskScene(str(place)) for place in places)
        asked = KioskSettings(scenes, language="en", stuck_s=NEVER_S, **settings)  # type: ignore[arg-type]
        made.append(Booth(open_window(cache=prepares_in), asked, prepares_in))
        wait_for(lambda: made[-1].kiosk.state is KioskState.ATTRACT, "the opening")
        return made[-1]

    yield make
    for one in made:
        one.mode.leave()
        qt.removeEventFilter(one.mode)
    language.install(qt, language.ENGLISH)


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    return tuple(shutil.copy(GOLDEN, tmp_path / f"{name}.stgs") for name in "ab")  # type: ignore[return-value]


def test_no_key_leads_out_of_the_kiosk(booth: Make, places: tuple[Path, Path]) -> None:
    one = booth(places[0])
    wait_for(lambda: one.shows(places[0]), "the scene")
    window = one.window
    for command in COMMANDS:
        if command.name in ALLOWED:
            preset = command.name.startswith("preset_")  # the scene has few of them
            assert preset or window.commands.actions[command.name].isEnabled(), command.name
            continue
        assert not window.commands.actions[command.name].isEnabled(), command.name
        window.commands.actions[command.name].trigger()
    for code, held in (
        (Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_F11, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier),
        (Qt.Key.Key_F, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_F, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_F1, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier),
        (Qt.Key.Key_P, Qt.KeyboardModifier.NoModifier),
    ):
        QTest.keyClick(window.viewport, code, held)
    QTest.mouseClick(window.viewport, Qt.MouseButton.RightButton)
    live(50)
    assert not window.close()  # as Alt+F4 and the taskbar do
    assert window.isVisible()
    assert window.isFullScreen()
    assert not window.panel.isVisible()
    assert not window.menuBar().isVisible()
    assert window.findChildren(QDialog) == []
    assert not one.window.viewport.acceptDrops()
    QTest.keyClick(
        window,
        Qt.Key.Key_Q,
        Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
    )
    wait_for(lambda: not window.isVisible(), "the window to close by its exit key")
    assert one.kiosk.state is KioskState.CLOSED


def test_visitor_takes_over_and_idle_time_resets_view_and_language(
    booth: Make, places: tuple[Path, Path], qt: QApplication
) -> None:
    one = booth(places[0], idle_s=60.0)
    wait_for(lambda: one.shows(places[0]), "the scene")
    window = one.window
    wait_for(lambda: one.window.viewport.titles.isVisible(), "title and credit")
    screenshot(window, "kiosk-attract")
    assert one.kiosk.state is KioskState.ATTRACT  # nobody has moved the pointer
    yaw = window.model.camera.view.yaw_rad
    wait_for(lambda: window.model.camera.view.yaw_rad != yaw, "the camera to move by itself")
    move(window.viewport, QPoint(200, 200), Qt.MouseButton.NoButton)
    move(window.viewport, QPoint(240, 220), Qt.MouseButton.NoButton)
    assert one.kiosk.state is KioskState.VISITOR
    assert one.mode.languages.isVisible()
    QTest.mouseClick(one.mode.languages.buttons["de"], Qt.MouseButton.LeftButton)
    assert qt.findChild(language.Language).code == "de"
    QTest.keyClick(window.viewport, Qt.Key.Key_T)
    assert not window.viewport.titles.isVisible()
    QTest.keyClick(window.viewport, Qt.Key.Key_Space)
    assert window.model.status is not None
    assert not window.model.status.wants_play
    screenshot(window, "kiosk-visitor")
    window.model.camera.finish_glide()
    pose = window.model.camera.view
    one.pass_time(50.0)
    assert window.model.camera.view == pose
    one.pass_time(15.0)
    assert one.kiosk.state is KioskState.ATTRACT
    assert qt.findChild(language.Language).code == "en"
    assert window.viewport.titles.isVisible()
    assert not one.mode.languages.isVisible()
    assert window.model.status.wants_play
    wait_for(lambda: window.model.camera.view != pose, "the camera to move by itself again")


def test_presenter_steps_with_a_clicker(booth: Make, places: tuple[Path, Path]) -> None:
    one = booth(*places)
    wait_for(lambda: one.shows(places[0]), "the first scene")
    QTest.keyClick(one.window.viewport, Qt.Key.Key_PageDown)
    wait_for(lambda: one.shows(places[1]), "the next scene")
    QTest.keyClick(one.window.viewport, Qt.Key.Key_PageUp)
    wait_for(lambda: one.shows(places[0]), "the scene before")


def test_deleted_scene_disturbs_nobody(booth: Make, places: tuple[Path, Path]) -> None:
    one = booth(*places)
    wait_for(lambda: one.shows(places[0]), "the first scene")
    places[1].unlink()
    one.pass_time(60.0)
    assert one.shows(places[0])
    assert one.visible_buttons() == []
    assert not one.window.viewport.toast.isVisible()
    shutil.copy(GOLDEN, places[1])
    for _ in range(20):
        one.pass_time(35.0)
        if one.shows(places[1]):
            break
    assert one.shows(places[1])


def test_kiosk_waits_for_a_scene_that_comes_late(booth: Make, tmp_path: Path) -> None:
    late = tmp_path / "late.stgs"
    one = booth(late)
    wait_for(lambda: one.kiosk.message != "", "the message")
    assert one.window.viewport.card.isVisible()
    assert one.visible_buttons() == []  # neither of a card nor of a welcome page
    screenshot(one.window, "kiosk-waiting")
    shutil.copy(GOLDEN, late)
    one.pass_time(10.0)
    wait_for(lambda: one.shows(late), "the scene")
    assert not one.window.viewport.card.isVisible()


def test_kiosk_survives_a_killed_server(booth: Make, tmp_path: Path) -> None:
    server = FaultServer(scene_files())
    url = f"{server.url}/ball"
    try:
        one = booth(url, prepares_in=CacheSettings(directory=tmp_path / "prepared"))
        wait_for(lambda: one.shows(url), "the scene")
    finally:
        server.stop()
    for _ in range(3):  # everything is in the cache
        frame = one.window.model.status.frame
        wait_for(lambda f=frame: one.window.model.status.frame != f, "the scene to play on")
    one.window.model.open(url)  # as after an error: the server does not answer
    wait_for(lambda: one.shows(url), "the scene from the cache")
    assert one.visible_buttons() == []


def test_an_hour_of_idle_leaves_no_threads_and_no_widgets(
    booth: Make, places: tuple[Path, Path]
) -> None:
    one = booth(*places)
    wait_for(lambda: one.shows(places[0]), "the first scene")
    one.pass_time(600.0, step_s=10.0)
    threads, widgets = threading.active_count(), len(QApplication.allWidgets())
    shown = set()
    for _ in range(30):
        one.pass_time(100.0, step_s=20.0)
        shown.add(one.window.model.scene.location if one.window.model.scene else "")
    assert shown == {str(place) for place in places}
    assert one.kiosk.state is KioskState.ATTRACT
    wait_for(lambda: threading.active_count() <= threads + 3, "the threads of closed scenes to end")
    wait_for(lambda: len(QApplication.allWidgets()) <= widgets, "the widgets of before alone")
