"""Every surface and renderer adapter shows the same image."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
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


def adapters() -> Iterator[RendererAdapter]:
    yield ImageAdapter(CpuBackend(), "for the test", RasterSurface())
    yield ImageAdapter(CpuBackend(), "for the test", TextureSurface())
    yield OpenGLAdapter("for the test")


def test_all_renderer_adapters_show_the_same(open_window: OpenWindow, scene_path: Path) -> None:
    if not probe().renderer:
        pytest.skip("the window system gives no OpenGL 4.1")
    window = open_window(scene_path)
    pause(window)
    live(60)
    expected = pixels(window)
    assert np.ptp(expected) > 100
    depth = pixels_in_mode(window, "depth")
    for adapter in adapters():
        window.renderer.set_adapter(adapter)
        settle(window)
        live(100)
        name = f"{type(adapter).__name__} on {type(adapter.surface).__name__}"
        assert psnr_db(pixels(window), expected) >= 35, name
        assert psnr_db(pixels_in_mode(window, "depth"), depth) >= 35, name
        assert_a_small_picture_is_saved_large(window, name)
        assert window.model.render_statistics.static_count == 300


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


def test_without_opengl_qt_raster_presents(qt: QApplication) -> None:
    choice = BackendSelection(WindowGl())
    chosen: list[RendererAdapter] = []
    choice.chosen.connect(chosen.append)
    choice.ask("cpu")
    wait_for(lambda: bool(chosen), "an adapter")
    assert isinstance(chosen[0].surface, RasterSurface)
    chosen[0].close()


def test_hardware_opengl_takes_textures(qt: QApplication) -> None:
    choice = BackendSelection(WindowGl("Some GPU", software=False))
    chosen: list[RendererAdapter] = []
    choice.chosen.connect(chosen.append)
    choice.ask("cpu")
    wait_for(lambda: bool(chosen), "an adapter")
    assert isinstance(chosen[0].surface, TextureSurface)
    chosen[0].close()
    choice.ask("opengl")
    wait_for(lambda: len(chosen) == 2, "an adapter")
    assert isinstance(chosen[1], OpenGLAdapter)
    chosen[1].close()


def test_refused_backend_is_replaced_and_reported(qt: QApplication) -> None:
    choice = BackendSelection(WindowGl())
    chosen: list[RendererAdapter] = []
    refused: list[str] = []
    choice.chosen.connect(chosen.append)
    choice.refused.connect(refused.append)
    choice.ask("no such backend")
    wait_for(lambda: bool(chosen), "an adapter")
    assert chosen[0].backend_name == "cpu"
    assert "no such backend" in refused[0]
    chosen[0].close()


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
