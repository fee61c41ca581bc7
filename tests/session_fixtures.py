"""Viewers over a scripted network that are closed when the test ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from streamstgs.app.player.playback import PlaybackSettings

from tests.scripted_scene import ScriptedScene
from tests.scripted_session import Hook, Session, Start


@pytest.fixture
def start() -> Iterator[Start]:
    sessions: list[Session] = []
    before = set(threading.enumerate())

    def make(
        scene: ScriptedScene | None = None,
        mbps: float = 10.0,
        on_request: Hook = lambda line, name: None,
        **settings: Any,
    ) -> Session:
        made = PlaybackSettings(late_s=1e9, **settings)
        sessions.append(Session(scene or ScriptedScene(), mbps, on_request, made))
        return sessions[-1]

    yield make
    for session in sessions:
        assert session.playback._pipeline.close()
        assert session.scene.closed
    assert set(threading.enumerate()) <= before
