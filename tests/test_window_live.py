"""The window on a live scene: the badge, and the way to the live edge."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from streamstgs.codec.publish.feed import SceneFeed
from streamstgs.codec.publish.publisher import Publisher, PublishSettings
from streamstgs.codec.publish.store import Store

from benchmarks.streaming.serving import BUNDLED
from tests.fault_server import FaultServer
from tests.golden.make_golden import golden_scene
from tests.served_scene import scene_files
from tests.window_driver import OpenWindow, frame, key, screenshot, shown, wait_for

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
    event: tuple[Path, Publisher], open_window: OpenWindow
) -> None:
    path, publisher = event
    window = open_window(path)
    badge = window.bar.live

    def near() -> bool:
        return badge.isVisible() and badge.text().startswith("●") and frame(window) > NEAR_EDGE

    def away() -> bool:
        return badge.text().startswith("○") and frame(window) < NEAR_EDGE

    wait_for(near, "the filled badge at the live edge")
    assert window.bar.speed.text() == "1×"  # whatever brings the position nearer to the edge
    screenshot(window, "live")
    key(window, Qt.Key.Key_Home)
    wait_for(away, "the hollow badge at the start")
    QTest.mouseClick(badge, Qt.MouseButton.LeftButton)
    wait_for(near, "the live edge")
    key(window, Qt.Key.Key_Home)
    wait_for(away, "the hollow badge again")
    key(window, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    wait_for(near, "the live edge by its key")
    publisher.finish()
    wait_for(lambda: not badge.isVisible(), "no badge once the event is over")


def test_a_list_of_scenes_is_opened_from_its_url(open_window: OpenWindow) -> None:
    with zipfile.ZipFile(BUNDLED) as archive:
        poster, document = archive.read("poster.jpg"), json.loads(archive.read("scene.json"))
    entry = {"scene": "ball", "title": "Ball", "poster": document["poster"], "duration_s": 75}
    scenes = [entry, {"scene": "tonight", "live": True}]
    index = {"format": "streamstgs-index", "version": 1, "title": "Dances", "scenes": scenes}
    server = FaultServer(
        {"/list.json": json.dumps(index).encode(), "/poster.jpg": poster} | scene_files()
    )
    try:
        window = open_window()
        page = window.watching.welcome
        wait_for(page.isVisible, "the welcome page")
        window.open(f"{server.url}/list.json")
        wait_for(lambda: f"{server.url}/ball" in page.locations, "the scenes of the list")
        names = [page.card(f"{server.url}/{name}").text() for name in ("ball", "tonight")]
        assert names == ["Ball · 1:15", "tonight · Live"]
        card = page.card(f"{server.url}/ball")
        before = page.card(f"{server.url}/tonight").icon().pixmap(216, 122).toImage()
        wait_for(lambda: card.icon().pixmap(216, 122).toImage() != before, "the poster")
        screenshot(window, "index")
        QTest.mouseClick(card, Qt.MouseButton.LeftButton)
        wait_for(lambda: shown(window), "the scene")
        window.open(f"{server.url}/missing.json")
        wait_for(window.viewport.toast.isVisible, "the message")
    finally:
        server.stop()
