"""A player draws the Gaussians of each quality, and fetches no keyframe layer twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.codec.scene import OpenSettings, open_scene
from streamstgs.codec.streaming.disk_cache import CacheSettings

from tests.fault_server import FaultServer
from tests.layered_scene import COUNT, QPS, write_layered

pytestmark = pytest.mark.timeout(600)  # compiles kernels where the cache has none
WAIT_S = 60.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_layered(tmp_path_factory.mktemp("layers") / "scene")


@pytest.fixture
def server(folder: Path) -> Iterator[FaultServer]:
    files = {
        f"/scene/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    running = FaultServer(files)
    yield running
    running.stop()


def test_each_quality_shows_its_gaussians(folder: Path, server: FaultServer) -> None:
    with open_scene(folder) as scene:
        qualities, gop = scene.qualities, scene.manifest.gops[0]
        counts = [gop.moving_count(place) for place in reversed(range(len(qualities)))]
        layers = [f"/scene/{layer.file.name}" for layer in gop.layers]
    uncached = OpenSettings(cache=CacheSettings(max_bytes=0))
    settings = PlaybackSettings(autoplay=False, opening=uncached, qp=QPS[-1])
    playback = Playback(f"{server.url}/scene", settings)
    try:
        shown = []
        for index in (0, 1, 2, 0):
            while playback.opened is None:
                playback.settle(0.05)
                playback.tick()
            playback.set_quality(playback.opened.qualities[index])
            playback.tick()
            assert playback.settle(WAIT_S)
            frame = playback.tick()
            assert frame is not None
            shown.append(len(frame.gop.canonical))
        assert shown == [counts[0], counts[1], counts[2], counts[0]]
        assert counts[2] == COUNT > counts[1] > counts[0]
        asked = Counter(path for path in server.paths() if path in layers)
        assert asked == dict.fromkeys(layers, 1)
    finally:
        playback.close()
