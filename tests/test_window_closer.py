"""View modes, splat size, crop, background, comparisons and large pictures in the real window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

import torch
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QColorDialog, QFileDialog
from streamstgs.app.player.compare.two_sides import composed, side_camera, split_px
from streamstgs.app.player.rendering.view_settings import ViewPass
from streamstgs.app.player.status import PlaybackFrame
from streamstgs.app.ui.main_window import MainWindow
from streamstgs.app.ui.still_dialog import StillDialog
from streamstgs.renderer import Camera
from streamstgs.renderer.backends.reference import ReferenceBackend

from tests.window_driver import (
    OpenWindow,
    key,
    live,
    move,
    pause,
    pixels,
    psnr_db,
    screenshot,
    settle,
    wait_for,
)

pytestmark = pytest.mark.window
pytest_plugins = ["tests.window_fixtures"]
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def headless(window: MainWindow, frame: PlaybackFrame, camera: Camera) -> np.ndarray:
    """What the reference backend draws of a frame with the options of the window."""
    settings = window.model.render_settings()
    gaussians = frame.gop.gaussians_at(frame.frame)
    shown = ViewPass().prepared(gaussians, camera, settings, frame)
    truth = ReferenceBackend().render(shown[0], camera, shown[1])
    return (truth.clamp(0, 1) * 255).round().byte().numpy()


def at_start(window: MainWindow) -> PlaybackFrame:
    pause(window)
    key(window, Qt.Key.Key_Home)
    settle(window)
    assert window.model.frame is not None
    return window.model.frame


def choose(window: MainWindow, setting: str, value: str) -> None:
    box = window.panel.display.boxes[setting]
    box.setCurrentIndex(box.findData(value))
    box.activated.emit(box.currentIndex())


def rendered(window: MainWindow) -> np.ndarray:
    """The picture on the display, once an image of the present options is on it."""
    before = window.model.statistics
    assert before is not None
    wait_for(lambda: window.loop.settled, "a settled image")
    live(120)
    return pixels(window)


def test_looking_closer_shows_what_a_headless_render_shows(window: MainWindow) -> None:
    frame = at_start(window)
    camera = window.model.camera.to_camera(*window.viewport.size_px())
    for mode in ("normals", "layers", "motion"):
        choose(window, "mode", mode)
        expected = headless(window, frame, camera)
        wait_for(lambda: psnr_db(pixels(window), expected) > 38.0, f"the mode {mode}")  # noqa: B023
        screenshot(window, f"mode-{mode}")
    choose(window, "mode", "color")
    closer = window.panel.display.closer
    closer.size_slider.setValue(50)
    assert window.model.options.splat_scale == 0.5
    closer.crops.click()
    assert window.model.options.crop is not None
    closer.low.setText("-9, -9, -9")
    closer.high.setText("0, 9, 9")
    QTest.keyClick(closer.high, Qt.Key.Key_Return)
    assert window.model.options.crop == ((-9.0, -9.0, -9.0), (0.0, 9.0, 9.0))
    choose(window, "background", "custom")
    wait_for(lambda: bool(window.findChildren(QColorDialog)), "the question for a colour")
    dialog = window.findChildren(QColorDialog)[0]
    dialog.setCurrentColor(QColor("#402060"))
    dialog.accept()
    assert window.model.options.background == "#402060"
    assert window.panel.display.boxes["background"].currentText() == "#402060"
    expected = headless(window, frame, camera)
    assert expected[0, 0].tolist() == [0x40, 0x20, 0x60]
    wait_for(lambda: psnr_db(pixels(window), expected) > 38.0, "size, crop and background")
    screenshot(window, "closer-look")
    closer.crops.click()
    assert window.model.options.crop is None


def test_qualities_are_compared_in_step(window: MainWindow) -> None:
    frame = at_start(window)
    key(window, Qt.Key.Key_D, CONTROL)
    bar, comparison = window.comparing.bar, window.model.comparison
    assert bar is not None
    assert bar.isVisible()
    size = window.viewport.size_px()
    camera = window.model.camera.to_camera(*size)

    def other() -> PlaybackFrame | None:
        return window.model.companions[0].frame if window.model.companions else None

    wait_for(lambda: other() is not None and other().index == 0, "the other quality")  # type: ignore[union-attr]
    wait_for(lambda: other().quality.index == 0, "the lowest quality")  # type: ignore[union-attr]
    beside = other()
    assert beside is not None
    handle = bar.handle
    left = Qt.MouseButton.LeftButton
    QTest.mousePress(handle, left, pos=QPoint(12, 300))
    move(handle, QPoint(12 - size[0] // 5, 300), left)  # the handle follows
    QTest.mouseRelease(handle, left, pos=QPoint(12, 300))
    assert comparison.share == pytest.approx(0.3, abs=0.01)
    ours, theirs = headless(window, frame, camera), headless(window, beside, camera)
    column = split_px(comparison.share, size[0])

    def matches(expected: np.ndarray, lowest_db: float = 36.0) -> bool:
        shown = pixels(window)
        top, seam = 80, slice(column - 14, column + 14)  # the bar and the handle lie over it
        shown[:, seam], expected = 0, expected.copy()
        expected[:, seam] = 0
        return psnr_db(shown[top:], expected[top:]) > lowest_db

    wait_for(lambda: matches(composed(ours, theirs, "split", comparison.share)), "the split")
    screenshot(window, "compare-split")
    assert bar.psnr.text().startswith("PSNR")
    handle.setFocus()
    QTest.keyClick(handle, Qt.Key.Key_Right)
    assert comparison.share == pytest.approx(0.32, abs=0.01)
    comparison.layout = "side"
    half = side_camera(camera)
    sides = [headless(window, one, half) for one in (frame, beside)]
    wait_for(lambda: matches(np.concatenate(sides, axis=1)), "side by side")
    screenshot(window, "compare-side")
    comparison.layout = "difference"
    wait_for(lambda: matches(composed(ours, theirs, "difference", 0.5), 26.0), "the difference")
    window.model.transport.step(5)
    wait_for(lambda: window.model.frame.index == 5, "frame 5")  # type: ignore[union-attr]
    wait_for(lambda: other().index == 5, "frame 5 of the other quality")  # type: ignore[union-attr]
    assert window.model.quality.choice is None  # the quality of the shown scene is its own
    key(window, Qt.Key.Key_D, CONTROL, SHIFT)
    assert not bar.isVisible()
    assert not window.model.companions
    settle(window)


class OneCamera:
    """A capture of one camera that recorded what the reference backend draws, a bit brighter."""

    names = ("cam00",)

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def camera(self, name: str) -> Camera:
        assert name == "cam00"
        up = torch.tensor([0.0, -1.0, 0.0])
        return Camera.look_at(torch.tensor([0.5, 0.0, -4.0]), torch.zeros(3), up, 0.7, 200, 200)

    def picture(self, name: str, frame: int) -> torch.Tensor:
        shown = self._window.model.playback.decoded(frame)  # type: ignore[union-attr]
        assert shown is not None
        rgb8 = headless(self._window, shown, self.camera(name))
        return torch.from_numpy(np.minimum(rgb8.astype(int) + 8, 255).astype(np.uint8))


def test_scene_is_compared_with_its_capture(window: MainWindow) -> None:
    at_start(window)
    comparison = window.model.comparison
    window.comparing._take(OneCamera(window))
    wait_for(lambda: comparison.psnr_db is not None, "a measurement")
    assert comparison.psnr_db == pytest.approx(20 * np.log10(255 / 8), abs=1.5)
    width, height = window.viewport.size_px()
    live(100)
    shown = pixels(window)
    left = (width - min(width, height)) // 2
    assert left > 20
    assert shown[height - 40, width - 10].max() == 0  # nothing was recorded beside the picture
    screenshot(window, "compare-capture")
    window.comparing.stop()
    settle(window)


def test_picture_larger_than_the_window_with_alpha(window: MainWindow, tmp_path: Path) -> None:
    at_start(window)
    window.viewport.toast.hide()
    live(60)
    shown = pixels(window)
    key(window, Qt.Key.Key_S, CONTROL, SHIFT)
    wait_for(lambda: bool(window.findChildren(StillDialog)), "the question how large")
    dialog = window.findChildren(StillDialog)[0]
    width, height = window.viewport.size_px()
    dialog.wide.setValue(2 * width)
    assert dialog.high.value() == 2 * height
    dialog.transparent.setChecked(True)
    dialog.accept()
    wait_for(lambda: bool(window.findChildren(QFileDialog)), "the question where to")
    question = window.findChildren(QFileDialog)[0]
    question.fileSelected.emit(str(tmp_path / "large.png"))
    question.close()
    wait_for(lambda: (tmp_path / "large.png").exists(), "the picture")
    rgba = np.asarray(Image.open(tmp_path / "large.png")).astype(float) / 255
    assert rgba.shape == (2 * height, 2 * width, 4)
    assert rgba[0, 0, 3] == 0.0
    background = np.array(window.model.render_settings().background)
    over = rgba[..., :3] * rgba[..., 3:] + (1 - rgba[..., 3:]) * background
    small = over.reshape(height, 2, width, 2, 3).mean(axis=(1, 3))
    assert psnr_db((small * 255).round().astype(np.uint8), shown) > 32.0


def test_window_that_draws_with_opengl_shows_modes_and_compares(
    open_window: OpenWindow, scene_path: Path
) -> None:
    window = open_window(scene_path, backend="opengl")
    if window.renderer.adapter is None or window.renderer.adapter.compares:
        pytest.skip("OpenGL does not draw in windows here")
    frame = at_start(window)
    camera = window.model.camera.to_camera(*window.viewport.size_px())
    choose(window, "mode", "normals")
    expected = headless(window, frame, camera)
    wait_for(lambda: psnr_db(pixels(window), expected) > 30.0, "normals")
    choose(window, "mode", "color")
    expected = headless(window, frame, camera)
    wait_for(lambda: psnr_db(pixels(window), expected) > 30.0, "colours again")
    key(window, Qt.Key.Key_D, CONTROL)
    comparison = window.model.comparison
    wait_for(lambda: comparison.psnr_db is not None, "both sides")
    assert window.renderer.adapter.compares
    window.comparing.stop()
    wait_for(lambda: not window.renderer.adapter.compares, "OpenGL in the window again")
    wait_for(lambda: psnr_db(pixels(window), expected) > 30.0, "the plain picture")
