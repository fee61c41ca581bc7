"""Outages: attempts are frequent while a frame is missing, and rare otherwise."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from streamstgs.app.player.pipeline.backoff import Backoff
from streamstgs.app.player.pipeline.pipeline import PipelineSettings
from streamstgs.codec.errors import SceneUnreachable
from streamstgs.codec.package.file_entry import FileEntry
from streamstgs.codec.streaming.container import Container
from streamstgs.codec.streaming.scene_files import RemoteFiles


def asked_at(waits: bool, until_s: float, chances: tuple[float, ...]) -> list[float]:
    """Simulated seconds at which the server is asked during an outage."""
    settings, chance = PipelineSettings(), itertools.cycle(chances)
    pauses = Backoff(settings.retry_s, settings.hurry_s, lambda: next(chance))
    now_s, asked = 0.0, []
    while now_s < until_s:
        asked.append(now_s)
        pauses.failed()
        now_s += pauses.soon_s if waits else pauses.later_s
    return asked


@pytest.mark.parametrize("chances", [(0.0,), (1.0,), (0.2, 0.9)])
def test_pauses_are_short_for_half_a_minute_while_a_frame_is_missing(
    chances: tuple[float, ...],
) -> None:
    asked = asked_at(True, 120.0, chances)
    gaps = [b - a for a, b in itertools.pairwise(asked)]
    assert min(gaps) >= 1.0  # never more than one request in a second
    early = [gap for start, gap in zip(asked, gaps, strict=False) if start < 30.0]
    assert max(early) < 1.301
    late = [gap for start, gap in zip(asked, gaps, strict=False) if start > 32.0]
    assert min(late) >= 4.0


def test_pauses_double_while_no_frame_is_missing() -> None:
    assert asked_at(False, 20.0, (0.0,)) == [0.0, 1.0, 3.0, 7.0, 11.0, 15.0, 19.0]


def test_pauses_start_again_after_an_outage() -> None:
    pauses = Backoff(1.0, 2.0, lambda: 0.0)
    for _ in range(5):
        pauses.failed()
    assert pauses.soon_s == 4.0
    pauses.over()
    pauses.failed()
    assert (pauses.failures, pauses.soon_s, pauses.later_s) == (1, 1.0, 1.0)


class Server:
    """Implements `Container`; counts what it is asked for."""

    location = "http://x/scene"

    def __init__(self) -> None:
        self.up, self.asked = True, list[str]()

    def read(
        self, name: str, most_bytes: int, cancel: object = None, at: int | None = None
    ) -> bytes:
        self.asked.append(name)
        if not self.up:
            raise SceneUnreachable(f"{name} cannot be fetched.")
        return b"{}" if name == "scene.json" else b"content"

    def close(self) -> None:
        """Serves as its own transport."""


def test_unreachable_server_is_asked_once_per_attempt(tmp_path: Path) -> None:
    server = Server()

    def reach(fresh: bool, cancel: object) -> Container:
        return server

    files = RemoteFiles("http://x/scene", reach, server, None, 100)  # type: ignore[arg-type]
    part = FileEntry.of("part", b"content")
    server.up = False
    for asked in (["part", "scene.json"], ["scene.json"], ["scene.json"]):
        server.asked.clear()
        with pytest.raises(SceneUnreachable):
            files.read(part)
        assert server.asked == asked
    server.up = True
    server.asked.clear()
    assert files.read(part) == b"content"
    assert files.read(part) == b"content"
    assert server.asked == ["scene.json", "part", "part"]
    files.close()
