"""Scenes whose static layers change: playback over the boundary, and seeks into each period."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.app.player.status import PlaybackFrame
from streamstgs.codec.package.manifest_json import read_manifest, write_manifest
from streamstgs.codec.package.page_writer import Period
from streamstgs.codec.scene import OpenSettings
from streamstgs.codec.streaming.disk_cache import CacheSettings

from benchmarks.long_scenes.make import repeated
from tests.fault_server import FaultServer, status
from tests.golden.make_golden import golden_scene
from tests.test_codec_pages import with_pages

WAIT_S = 60.0
GOPS = 7
STARTS = [0, 4, 7, 11, 14, 18, 21, 25]  # first frame of each GOP
UNCACHED = OpenSettings(cache=CacheSettings(max_bytes=0))
FIRST_LAYERS = (43, 129)  # Gaussians of the first, and the first two, of the first period
LAYER = "keyframes/0000.planes"  # some other Gaussians, for the static layer of the second period


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    """A scene of three periods (GOPs 0-2, 3-4, 5-6) and the static Gaussians of each GOP."""
    plain = tmp_path_factory.mktemp("plain")
    with zipfile.ZipFile(golden_scene("h264")) as archive:
        archive.extractall(plain)
    manifest = read_manifest((plain / "scene.json").read_bytes())
    other = manifest.gops[0].layers[0]
    gops = repeated(manifest.gops, GOPS)
    (plain / "scene.json").write_bytes(write_manifest(replace(manifest, gops=gops)))
    periods = (Period(3, (other,)), Period(5, ()))
    path = with_pages(plain, tmp_path_factory.mktemp("shots") / "scene", periods)
    return path, [300] * 3 + [other.count] * 2 + [0] * 2


@pytest.fixture(params=["disk", "http"])
def shown(request: pytest.FixtureRequest, shots: tuple[Path, list[int]]) -> Iterator[str]:
    """Where the scene is: on the disk, or on a server."""
    if request.param == "disk":
        yield str(shots[0])
        return
    with serve(shots[0]) as server:
        yield server.url


@contextmanager
def serve(path: Path) -> Iterator[FaultServer]:
    files = (file for file in path.rglob("*") if file.is_file())
    running = FaultServer({f"/{p.relative_to(path).as_posix()}": p.read_bytes() for p in files})
    try:
        yield running
    finally:
        running.stop()


def gop_of(frame: PlaybackFrame) -> int:
    return next(gop for gop in range(GOPS) if frame.index < STARTS[gop + 1])


def until(playback: Playback, condition: Callable[[PlaybackFrame], bool]) -> PlaybackFrame:
    end_s = time.monotonic() + WAIT_S
    while (frame := playback.tick()) is None or frame.still or not condition(frame):
        assert time.monotonic() < end_s
        assert not playback.take_events()
        time.sleep(0.001)
    return frame


def is_whole(frame: PlaybackFrame, counts: list[int]) -> bool:
    return len(frame.gop.static) == counts[gop_of(frame)]


def test_seeks_show_the_static_layers_of_their_period(
    shown: str, shots: tuple[Path, list[int]]
) -> None:
    settings = PlaybackSettings(autoplay=False, opening=UNCACHED)
    with closing(Playback(shown, settings)) as playback:
        for gop in (0, 4, 6, 1, 3, 5, 2):
            playback.seek(STARTS[gop] / 24 + 0.01)
            until(playback, lambda f, g=gop: gop_of(f) == g and is_whole(f, shots[1]))  # type: ignore[misc]


def test_playback_crosses_the_boundary(shown: str, shots: tuple[Path, list[int]]) -> None:
    """A frame never has layers of another period; on a busy machine some may still be missing."""
    settings = PlaybackSettings(opening=UNCACHED)
    whole: set[int] = set()
    with closing(Playback(shown, settings)) as playback:
        possible = {gop: {0, shots[1][gop]} for gop in range(GOPS)}
        for gop in (0, 1, 2):
            possible[gop].update(FIRST_LAYERS)

        def note(frame: PlaybackFrame) -> bool:
            assert len(frame.gop.static) in possible[gop_of(frame)], gop_of(frame)
            if is_whole(frame, shots[1]):
                whole.add(gop_of(frame))
            return all(whole & {*period} for period in ((0, 1, 2), (3, 4), (5, 6)))

        until(playback, note)


def test_broken_layer_of_a_period_is_left_out(shots: tuple[Path, list[int]]) -> None:
    with serve(shots[0]) as server:
        server.faults["/" + LAYER] = [status(404)] * 9
        settings = PlaybackSettings(autoplay=False, opening=UNCACHED)
        with closing(Playback(server.url, settings)) as playback:
            playback.seek(STARTS[3] / 24 + 0.01)
            end_s = time.monotonic() + WAIT_S
            while (frame := playback.tick()) is None or frame.still or gop_of(frame) != 3:
                assert time.monotonic() < end_s
                time.sleep(0.001)
            assert len(frame.gop.static) == 0


def test_drag_over_all_periods_ends(shown: str) -> None:
    settings = PlaybackSettings(autoplay=False, opening=UNCACHED)
    with closing(Playback(shown, settings)) as playback:
        until(playback, lambda _: True)
        for gop in (6, 2, 5, 0, 4, 1, 3):
            playback.seek(STARTS[gop] / 24 + 0.01, scrubbing=True)
            until(playback, lambda frame, g=gop: gop_of(frame) == g)  # type: ignore[misc]
        playback.seek(STARTS[3] / 24 + 0.01)
        assert playback.settle(WAIT_S)
