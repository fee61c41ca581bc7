"""The window on a live scene: the badge, and the way to the live edge."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from streamstgs.codec.publish.feed import SceneFeed
from streamstgs.codec.publish.publisher import Publisher, PublishSettings
from streamstgs.codec.publish.store import Store

from tests.golden.make_golden import golden_scene
from tests.window_driver import OpenWindow, frame, key, screenshot, wait_for

pytestmark = pytest.mark.window
pytest_plugins = ["tests.window_fixtures"]
GOPS = 100  # 14.6 s: longer than the distance from which playback jumps to the edge
NEAR_EDGE = 200  # the frame to be at is about 250 of 350


@pytest.fixture
def event(tmp_path: Path) -> Iterator[tuple[Path, Publisher]]:
    feed = SceneFeed(str(golden_scene("h264")))
    settings = PublishSettings(update_s=0.02)
    publisher = Publisher(Store(str(tmp_path / "event")), feed.header, settings)
    feed.publish_header(publisher)
    for number in range(GOPS):
        feed.publish(publisher, number, publisher.frames)
    yield tmp_path / "event", publisher
    feed.close()


def test_badge_shows_a_live_scene_and_leads_to_its_edge(
    event: tuple[Path, Publisher], compiled: None, open_window: OpenWindow
) -> None:
    path, publisher = event
    window = open_window(path)
    badge = window.bar.live
    wait_for(lambda: badge.isVisible() and badge.text().startswith("●"), "the filled badge")
    assert frame(window) > NEAR_EDGE
    screenshot(window, "live")
    key(window, Qt.Key.Key_Home)
    wait_for(lambda: badge.text().startswith("○"), "the hollow badge")
    assert frame(window) < NEAR_EDGE
    QTest.mouseClick(badge, Qt.MouseButton.LeftButton)
    wait_for(lambda: badge.text().startswith("●"), "the live edge")
    assert frame(window) > NEAR_EDGE
    key(window, Qt.Key.Key_Home)
    wait_for(lambda: badge.text().startswith("○"), "the hollow badge again")
    key(window, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    wait_for(lambda: badge.text().startswith("●"), "the live edge by its key")
    publisher.finish()
    wait_for(lambda: not badge.isVisible(), "no badge once the event is over")
