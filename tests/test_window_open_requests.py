"""A file that the desktop asks the running program to open, as macOS does on a double click."""

from __future__ import annotations

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import QEvent, QUrl
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication
from streamstgs.app.ui.application import OpenRequests
from streamstgs.app.ui.main_window import MainWindow

pytestmark = pytest.mark.window
pytest_plugins = ["tests.window_fixtures"]


@pytest.fixture
def opened(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Locations that the window was asked to open."""
    locations: list[str] = []
    monkeypatch.setattr(window, "open", locations.append)
    return locations


@pytest.mark.parametrize(
    ("request_of_desktop", "location"),
    [("/scenes/a scene.stgs", "/scenes/a scene.stgs"), (QUrl("https://host/b.stgs"), None)],
)
def test_requested_file_opens(
    qt: QApplication,
    window: MainWindow,
    opened: list[str],
    request_of_desktop: str | QUrl,
    location: str | None,
) -> None:
    requests = OpenRequests(window)
    qt.installEventFilter(requests)
    try:
        QApplication.sendEvent(qt, QFileOpenEvent(request_of_desktop))
    finally:
        qt.removeEventFilter(requests)
    assert opened == [location or QUrl(request_of_desktop).toString()]


def test_other_events_go_on(window: MainWindow, opened: list[str]) -> None:
    assert not OpenRequests(window).eventFilter(window, QEvent(QEvent.Type.User))
    assert opened == []
