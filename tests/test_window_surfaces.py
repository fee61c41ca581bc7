"""Every surface and renderer adapter shows the same image."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from streamstgs.app.player.rendering.frame_renderer import RenderedFrame
from streamstgs.app.player.rendering.render_thread import RenderThread
from streamstgs.app.ui.drawing import backend_selection
from streamstgs.app.ui.drawing.backend_selection import BackendSelection
from streamstgs.app.ui.drawing.gl_probe import WindowGl, probe
from streamstgs.app.ui.drawing.opengl_adapter import OpenGLAdapter
from streamstgs.app.ui.drawing.raster_surface import RasterSurface
from streamstgs.app.ui.drawing.renderer_adapter import ImageAdapter, RendererAdapter
from streamstgs.app.ui.drawing.texture_surface import TextureSurface
from streamstgs.app.ui.main_window import MainWindow
from streamstgs.renderer.backends.cpu.backend import CpuBackend

from tests.window_driver import OpenWindow, live, pause, pixels, psnr_db, settle, shown, wait_for

pytestmark = pytest.mark.window
pytest_plugins = ["tests.window_fixtures"]


ADAPTERS: dict[str, Callable[[], RendererAdapter]] = {
    "raster": lambda: ImageAdapter(CpuBackend(), "for the test", RasterSurface()),
    "texture": lambda: ImageAdapter(CpuBackend(), "for the test", TextureSurface()),
    "opengl": lambda: OpenGLAdapter("for the test"),
}


def test_all_renderer_adapters_show_the_same(open_window: OpenWindow, scene_path: Path) -> None:
    if not probe().renderer:
        pytest.skip("the window system gives no OpenGL 4.1")
    window = open_window(scene_path)
    pause(window)
    live(60)
    expected = pixels(window)
    assert np.ptp(expected) > 100
    depth = pixels_in_mode(window, "depth")
    for make in ADAPTERS.values():
        adapter = make()
        window.renderer.set_adapter(adapter)
        settle(window)
        live(100)
        name = f"{type(adapter).__name__} on {type(adapter.surface).__name__}"
        assert psnr_db(pixels(window), expected) >= 35, name
        assert psnr_db(pixels_in_mode(window, "depth"), depth) >= 35, name
        assert_a_small_picture_is_saved_large(window, name)
        assert window.model.render_statistics.static_count == 300


@pytest.mark.parametrize("kind", ADAPTERS)
def test_picture_that_comes_after_the_window_is_dropped(
    open_window: OpenWindow, scene_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    if not probe().renderer:
        pytest.skip("the window system gives no OpenGL 4.1")
    window = open_window(scene_path)
    pause(window)
    taken: list[RenderedFrame] = []
    adapter = ADAPTERS[kind]()
    monkeypatch.setattr(adapter._thread, "take_frame", remembering(adapter._thread, taken))
    window.renderer.set_adapter(adapter)
    settle(window)
    live(100)
    monkeypatch.setattr(adapter._thread, "take_frame", taken.pop)
    adapter._ready.emit()  # its call is in the queue while `open_window` deletes the window
    assert taken


def remembering(
    thread: RenderThread, taken: list[RenderedFrame]
) -> Callable[[], RenderedFrame | None]:
    take = thread.take_frame

    def remembered() -> RenderedFrame | None:
        frame = take()
        taken.extend([frame] if frame is not None else [])
        return frame

    return remembered


def pixels_in_mode(window: MainWindow, mode: str) -> NDArray[np.uint8]:
    window.model.options.mode = mode
    live(20)
    settle(window)
    live(100)
    shown = pixels(window)
    window.model.options.mode = "color"
    live(20)
    settle(window)
    return shown


def assert_a_small_picture_is_saved_large(window: MainWindow, name: str) -> None:
    window.model.options.scale = 0.5
    settle(window)
    assert window.model.render_statistics.width_px < window.viewport.size_px()[0], name
    stills: list[QImage] = []
    window.loop.capture(stills.append)
    wait_for(lambda: bool(stills), "a picture to save")
    window.model.options.scale = None
    assert (stills[0].width(), stills[0].height()) == window.viewport.size_px(), name


@pytest.fixture
def chosen() -> Iterator[list[RendererAdapter]]:
    """The adapters that were chosen, oldest first; while loops compile, another one is first."""
    adapters: list[RendererAdapter] = []
    yield adapters
    for adapter in adapters:
        adapter.close()


def wait_for_backend(name: str, chosen: list[RendererAdapter]) -> RendererAdapter:
    wait_for(lambda: bool(chosen) and chosen[-1].backend_name == name, f"the backend {name}")
    return chosen[-1]


def test_without_opengl_qt_raster_presents(qt: QApplication, chosen: list[RendererAdapter]) -> None:
    choice = BackendSelection(WindowGl())
    choice.chosen.connect(chosen.append)
    choice.ask("cpu")
    assert isinstance(wait_for_backend("cpu", chosen).surface, RasterSurface)


def test_hardware_opengl_takes_textures(qt: QApplication, chosen: list[RendererAdapter]) -> None:
    choice = BackendSelection(WindowGl("Some GPU", software=False))
    choice.chosen.connect(chosen.append)
    choice.ask("cpu")
    assert isinstance(wait_for_backend("cpu", chosen).surface, TextureSurface)
    choice.ask("opengl")
    assert isinstance(wait_for_backend("opengl", chosen), OpenGLAdapter)


def test_refused_backend_is_replaced_and_reported(
    qt: QApplication, chosen: list[RendererAdapter]
) -> None:
    choice = BackendSelection(WindowGl())
    refused: list[str] = []
    choice.chosen.connect(chosen.append)
    choice.refused.connect(refused.append)
    choice.ask("no such backend")
    wait_for_backend("cpu", chosen)
    assert "no such backend" in refused[0]


@pytest.mark.parametrize(("closed", "reports"), [(False, 1), (True, 0)])
def test_failing_examination_is_reported_until_the_window_closes(
    qt: QApplication, monkeypatch, caplog, closed: bool, reports: int
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def fail() -> None:
        begun.set()
        go_on.wait()
        raise RuntimeError("cannot schedule new futures after shutdown")

    monkeypatch.setattr(backend_selection, "available_backends", fail)
    choice = BackendSelection(WindowGl())
    choice.examine()
    begun.wait()
    (examining,) = [t for t in threading.enumerate() if t.name == "examine-backends"]
    if closed:
        choice.close()
    go_on.set()
    examining.join()
    assert len(caplog.records) == reports


def test_first_opengl_surface_keeps_the_native_window(
    open_window: OpenWindow, scene_path: Path
) -> None:
    """Else Qt makes the window again, and it is black meanwhile."""
    if not probe().renderer:
        pytest.skip("the window system gives no OpenGL 4.1")
    window = open_window(backend="opengl", start=False)
    live(100)
    before = window.winId()
    window.loop.start()
    window.open(str(scene_path))
    wait_for(lambda: shown(window), "the first picture")
    assert isinstance(window.renderer.adapter, OpenGLAdapter)
    assert window.winId() == before
