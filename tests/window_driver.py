"""Drives the real window in tests: keys, mouse, waiting, screenshots."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

if sys.platform == "linux" and not os.environ.get("DISPLAY"):
    pytest.skip("no DISPLAY: run under xvfb-run", allow_module_level=True)

from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QEventLoop, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QImage, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from streamstgs.app.player.status import PlaybackState, PlaybackStatus
from streamstgs.app.ui.main_window import MainWindow

WAIT_S = 100.0  # compiling the cpu backend on a busy machine is within it
ARTIFACTS = Path(os.environ.get("STGS_ARTIFACTS", "artifacts"))
OpenWindow = Callable[..., MainWindow]


def live(ms: int) -> None:
    """Run the event loop for a while. Unlike QTest.qWait this lets other threads run as well."""
    events = QEventLoop()
    QTimer.singleShot(ms, events.quit)
    events.exec()


def shown(window: MainWindow) -> bool:
    """Whether a scene is open and an image of it on the screen."""
    return window.model.render_statistics.width_px > 0 and not window.viewport.card.isVisible()


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Run the event loop until `condition` holds; fails naming `what` after `WAIT_S`."""
    end_s = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > end_s:
            pytest.fail(f"timed out waiting for {what}")
        live(10)


def pause(window: MainWindow) -> None:
    """Pause and wait until the image at full size is on the screen."""
    playback = window.model.playback
    assert playback is not None
    playback.pause()
    wait_for(lambda: state(window) is PlaybackState.PAUSED, "a pause")
    settle(window)


def settle(window: MainWindow) -> None:
    """Wait until the image of the newest frame and camera is on the screen at full size."""
    wait_for(lambda: window.loop.settled, "a settled image")


def state(window: MainWindow) -> PlaybackState | None:
    return window.model.status.state if window.model.status else None


def status(window: MainWindow) -> PlaybackStatus:
    assert window.model.status is not None
    return window.model.status


def frame(window: MainWindow) -> int:
    return status(window).frame


def key(window: MainWindow, code: Qt.Key, *modifiers: Qt.KeyboardModifier) -> None:
    pressed = Qt.KeyboardModifier.NoModifier
    for modifier in modifiers:
        pressed |= modifier
    QTest.keyClick(window.viewport, code, pressed)
    live(20)


def drag(
    widget: QWidget, start: QPoint, end: QPoint, button: Qt.MouseButton = Qt.MouseButton.LeftButton
) -> None:
    """Press, move in steps, and release."""
    QTest.mousePress(widget, button, pos=start)
    for step in range(1, 6):
        point = start + (end - start) * step / 5
        move(widget, point, button)
        live(5)
    QTest.mouseRelease(widget, button, pos=end)
    live(20)


def move(widget: QWidget, point: QPoint, held: Qt.MouseButton) -> None:
    """Send a mouse move with a held button, which QTest.mouseMove cannot do."""
    place = QPointF(point)
    everywhere = widget.mapToGlobal(place)
    none = Qt.KeyboardModifier.NoModifier
    kind = QEvent.Type.MouseMove
    event = QMouseEvent(kind, place, everywhere, Qt.MouseButton.NoButton, held, none)
    QApplication.sendEvent(widget, event)


def leave(widget: QWidget) -> None:
    """Tell a widget that the pointer is elsewhere now, which drags of QTest never do."""
    QApplication.sendEvent(widget, QEvent(QEvent.Type.Leave))
    live(20)


def screenshot(window: MainWindow, name: str) -> Path:
    """The window as the display shows it (window.grab() leaves OpenGL areas blank)."""
    live(60)
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    path = ARTIFACTS / f"{name}.png"
    frame_px = window.frameGeometry()
    picture = window.screen().grabWindow(
        0, frame_px.x(), frame_px.y(), frame_px.width(), frame_px.height()
    )
    assert picture.save(str(path))
    return path


def pixels(window: MainWindow) -> NDArray[np.uint8]:
    """[H, W, 3] image of the viewport, read back from the display."""
    place = window.viewport.mapToGlobal(QPoint(0, 0))
    size = window.viewport.size()
    shot = window.screen().grabWindow(0, place.x(), place.y(), size.width(), size.height())
    return rgb(shot.toImage())


def rgb(image: QImage) -> NDArray[np.uint8]:
    """[H, W, 3]"""
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def psnr_db(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    error = np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2)
    return 10 * np.log10(255**2 / max(error, 1e-9))


def turn_wheel(window: MainWindow, angle: int) -> None:
    at = QPointF(120, 140)
    event = QWheelEvent(
        at,
        window.viewport.mapToGlobal(at),
        QPoint(),
        QPoint(0, angle),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(window.viewport, event)
