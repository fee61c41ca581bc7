"""What the window shows while the loops for the CPU are compiled."""

from __future__ import annotations

import threading

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtWidgets import QApplication
from streamstgs.app.ui.drawing import backend_selection
from streamstgs.app.ui.drawing.backend_selection import BackendSelection
from streamstgs.app.ui.drawing.gl_probe import WindowGl
from streamstgs.app.ui.drawing.renderer_adapter import RendererAdapter
from streamstgs.app.ui.main_window import MainWindow
from streamstgs.renderer.backends import BackendChoice, choose_backend
from streamstgs.renderer.backends.reference import ReferenceBackend
from streamstgs.renderer.errors import BackendUnavailable
from streamstgs.renderer.loop_compiler import LoopCompiler

from tests.window_driver import live, wait_for

pytestmark = pytest.mark.window
pytest_plugins = ["tests.window_fixtures"]


class FakeLoops(LoopCompiler):
    """Loops that are compiled once the test sets `done`."""

    def __init__(self) -> None:
        super().__init__()
        self.done = threading.Event()
        self.going = False

    def go(self) -> None:
        self.going = True

    def begin(self, drawing: bool) -> bool:
        return not self.done.is_set()

    def wait(self) -> None:
        self.done.wait(60)

    def stop(self) -> None:
        self.done.set()


class QuickBackend(ReferenceBackend):
    name = "opengl"


@pytest.fixture
def loops() -> FakeLoops:
    return FakeLoops()


def offer(monkeypatch: pytest.MonkeyPatch, opengl: bool) -> None:
    def choose(name: str | None) -> BackendChoice:
        if name != "opengl":
            return choose_backend("cpu")
        if not opengl:
            raise BackendUnavailable("no libEGL")
        return BackendChoice(QuickBackend(), "for the test")

    monkeypatch.setattr(backend_selection, "choose_backend", choose)


@pytest.mark.parametrize("opengl", [True, False])
def test_opengl_draws_until_the_loops_are_compiled(
    qt: QApplication,
    compiled: None,
    monkeypatch: pytest.MonkeyPatch,
    loops: FakeLoops,
    opengl: bool,
) -> None:
    offer(monkeypatch, opengl)
    events: list[object] = []
    selection = BackendSelection(WindowGl(), loops)
    adapters: list[RendererAdapter] = []
    selection.chosen.connect(adapters.append)
    selection.chosen.connect(lambda adapter: events.append(adapter.backend_name))
    selection.compiling.connect(events.append)
    selection.ask(None)
    before = [True, "opengl"] if opengl else [True]
    wait_for(lambda: events == before, "the renderer for the meantime")
    live(50)
    assert events == before
    assert loops.going is not opengl  # the first picture needs all cores
    for adapter in adapters:
        adapter.painted.emit(None)
    wait_for(lambda: loops.going, "the start of compiling")
    loops.done.set()
    wait_for(lambda: len(events) == len(before) + 2, "the compiled renderer")
    assert events == [*before, False, "cpu"]
    for adapter in adapters:
        adapter.close()


def test_closing_ends_the_child(qt: QApplication, loops: FakeLoops) -> None:
    BackendSelection(WindowGl(), loops).close()
    assert loops.done.is_set()


def test_window_says_that_it_prepares(window: MainWindow) -> None:
    toast = window.viewport.toast
    window.renderer.compiling.emit(True)
    live(400)  # the status of the playback changes meanwhile
    assert toast.isVisible()
    assert "Preparing" in toast.text
    window.renderer.compiling.emit(False)
    assert not toast.isVisible()
