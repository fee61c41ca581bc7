"""The real window while watching: the edge of what was filmed, fly mode, hints."""

from __future__ import annotations

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from streamstgs.app.ui.main_window import MainWindow
from streamstgs.app.ui.watching.edge_notice import EdgeNotice

from tests.window_driver import drag, key, live, screenshot, status, wait_for

pytestmark = pytest.mark.window
pytest_plugins = ["tests.window_fixtures"]
LEFT, RIGHT = QPoint(100, 200), QPoint(500, 200)


def notice(window: MainWindow) -> EdgeNotice:
    found = window.viewport.findChild(EdgeNotice)
    assert isinstance(found, EdgeNotice)
    return found


def test_drags_stop_at_the_edge_and_a_button_leads_back(window: MainWindow) -> None:
    camera = window.model.camera
    opening = camera.view
    drag(window.viewport, LEFT, RIGHT)
    drag(window.viewport, LEFT, RIGHT)
    assert camera.at_edge
    at_edge = camera.view.yaw_rad
    wait_for(notice(window).isVisible, "the notice")
    screenshot(window, "edge-notice")
    drag(window.viewport, LEFT, RIGHT)
    assert camera.view.yaw_rad == pytest.approx(at_edge, abs=0.01)
    QTest.mouseClick(notice(window).back, Qt.MouseButton.LeftButton)
    wait_for(lambda: not camera.gliding, "the way back")
    assert camera.view.yaw_rad == pytest.approx(opening.yaw_rad, abs=1e-6)
    wait_for(lambda: not notice(window).isVisible(), "the notice to go")


def test_free_flight_is_unlocked_in_the_panel_and_locked_by_a_key(window: MainWindow) -> None:
    camera = window.model.camera
    box = window.panel.camera.free_flight
    QTest.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))
    assert camera.free_flight
    assert window.commands.actions["free_flight"].isChecked()
    drag(window.viewport, LEFT, RIGHT)
    drag(window.viewport, LEFT, RIGHT)
    free = camera.view.yaw_rad
    assert not camera.at_edge
    assert not notice(window).isVisible()
    window.commands.actions["free_flight"].trigger()
    assert not box.isChecked()
    key(window, Qt.Key.Key_B)
    wait_for(lambda: not camera.gliding, "the way back")
    assert abs(camera.view.yaw_rad - free) > 1.0


def test_a_minimised_window_draws_nothing_and_time_goes_on(window: MainWindow) -> None:
    painted: list[object] = []
    window.renderer.painted.connect(painted.append)
    window.showMinimized()
    wait_for(lambda: not window.loop.draws, "the window to be minimised")
    live(300)  # images that were asked for before
    painted.clear()
    position_s = status(window).position_s
    wait_for(lambda: status(window).position_s != position_s, "time to go on")
    live(300)
    assert not painted
    window.showNormal()
    wait_for(lambda: bool(painted), "an image again")
