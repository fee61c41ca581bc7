"""A layer transfer is aborted for segments when throughput drops, and continues later."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.scripted_scene import ScriptedNetwork, ScriptedScene
from tests.scripted_session import WAIT_S, Session, Start
from tests.synthetic import SyntheticSource

pytest_plugins = ["tests.session_fixtures"]

LAYER_BYTES = 60_000
SECOND_LAYER = "(-2, -1)"


def long_scene() -> ScriptedScene:
    """Twenty GOPs of 1 s at 8 kB and more, which the buffer does not all want before the second
    layer; that is as large as seven of them."""
    source = SyntheticSource(20, 10, (10,) * 20, fps=10.0)
    return ScriptedScene(source=source, static_layers=2, static_bytes=LAYER_BYTES)


def begun_bytes(session: Session) -> list[int]:
    """What the player knew of the second layer each time when it was asked for."""
    return session.known_bytes  # type: ignore[attr-defined, no-any-return]


@pytest.fixture
def dropping(start: Start) -> Session:
    """The line drops once the second layer is begun, and recovers when GOPs have passed it."""

    known_bytes: list[int] = []
    sessions: list[Session] = []
    started = threading.Event()

    def hook(line: ScriptedNetwork, name: str) -> None:
        if name == SECOND_LAYER:
            assert started.wait(WAIT_S)
            stock = sessions[0].playback._pipeline._state._buffer
            known_bytes.append(stock.static.shared.part_bytes if stock else 0)
        if name == SECOND_LAYER and SECOND_LAYER not in line.cancelled:
            line.bps = 30_000.0
        elif SECOND_LAYER in line.cancelled:
            line.bps = 200_000.0

    session: Session = start(long_scene(), mbps=0.2, on_request=hook)
    sessions.append(session)
    started.set()
    session.known_bytes = known_bytes  # type: ignore[attr-defined]
    return session


def test_aborted_layer_continues_after_segments(dropping: Session) -> None:
    scene: Any = dropping.scene
    dropping.settled()
    dropping.play(12.0)
    assert dropping.line.cancelled == [SECOND_LAYER]
    begun = scene.fetched.index((-2, -1))
    again = scene.fetched.index((-2, -1), begun + 1)
    assert any(gop >= 0 for gop, _ in scene.fetched[begun + 1 : again]), "no GOP passed"
    assert scene.fetched.count((-2, -1)) == 2
    assert 0 < scene.static_parts[1] < LAYER_BYTES
    asked = [step for step in begun_bytes(dropping) if step]
    assert asked == [scene.static_parts[1]], "the player did not know what had come"
    assert dropping.playback.status().static_layers == (2, 2)
    assert dropping.playback.take_events() == []
