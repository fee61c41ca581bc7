"""The load test: what viewers ask for, and that each request is answered."""

from __future__ import annotations

import asyncio
import threading
import time
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from streamstgs.codec.scene import open_scene
from streamstgs.codec.streaming.adaptive import FetchLayer, FetchSegment
from streamstgs.codec.streaming.adaptive.ladder import ladder_of

from benchmarks.load.viewers import Request, Sent, requests_of, view
from benchmarks.long_scenes.make import make_distinct
from benchmarks.streaming.policies import Adaptive
from benchmarks.streaming.session import play
from benchmarks.streaming.trace import Trace
from tests.golden.make_golden import golden_scene


class Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scene of six GOPs that each have files of their own."""
    folder = tmp_path_factory.mktemp("load")
    with zipfile.ZipFile(golden_scene("h264")) as archive:
        archive.extractall(folder / "source")
    make_distinct(folder / "source", folder / "root" / "scene", 6)
    return folder / "root"


def test_a_session_asks_for_each_file_once(root: Path) -> None:
    with open_scene(root / "scene") as scene:
        steps = [
            (0.0, FetchLayer(0, "")),
            (0.1, FetchSegment(0, 0, "")),
            (0.2, FetchSegment(1, 0, "")),
            (0.3, FetchSegment(1, 1, "", again=True)),
        ]
        asked = requests_of(scene.manifest, steps)
    names = [request.name for request in asked]
    assert len(set(names)) == len(names)
    assert names[:2] == ["scene.json", "static/0.planes"]
    assert sum(name.endswith("init.mp4") for name in names) == 2
    assert sum(name.startswith("fields/") for name in names) == 2


def test_viewers_of_the_real_policy_are_answered(root: Path) -> None:
    with open_scene(root / "scene") as scene:
        trace = Trace([1.0], [50e6], [0.01])  # type: ignore[arg-type]
        plan = requests_of(
            scene.manifest, play(Adaptive(), ladder_of(scene.manifest), trace).requests
        )
    sent = Sent()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(root))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/scene"

        async def watch(plan: list[Request]) -> None:
            await asyncio.gather(*(view(url, plan, time.monotonic(), sent) for _ in range(3)))

        asyncio.run(watch(plan))
        whole = sent.bytes
        asyncio.run(watch([Request(0.0, "missing", 5)]))
        server.shutdown()
    assert (sent.count, sent.failed) == (3 * len(plan) + 3, 3)
    manifest_bytes = (root / "scene/scene.json").stat().st_size
    assert whole == 3 * (manifest_bytes + sum(request.size_bytes for request in plan))
