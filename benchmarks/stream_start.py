"""How soon a streamed scene is a picture, moves, and is whole, on a slow network in real time.

    python -m benchmarks.stream_start --json start.json
    python -m benchmarks.stream_start --mbps 2 --latency-ms 80 --path scene.stgs

The server is `main.py serve --throttle` in a process of its own; client, window settings and
renderer are those of the player. Time runs from the moment in which opening begins, with the
renderer loaded, to finished pictures in memory.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro
from streamstgs.app.player.bench.report import hardware
from streamstgs.app.player.camera.path import OrbitPath
from streamstgs.app.player.pipeline.throughput_probe import ThroughputProbe
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.app.player.rendering.frame_renderer import FrameRenderer, RenderedFrame
from streamstgs.app.player.rendering.render_thread import RenderThread
from streamstgs.app.player.status import PlaybackState, PlaybackStatus
from streamstgs.codec.scene import OpenSettings
from streamstgs.codec.streaming.disk_cache import CacheSettings
from streamstgs.renderer import RenderSettings
from streamstgs.renderer.backends import choose_backend

from benchmarks.streaming.serving import BUNDLED, server, unpack

TICK_S = 1 / 120


@dataclass(frozen=True)
class Options:
    """What is opened over which network.

    Args:
        scene: a .stgs.
        path: `scene` opens the directory, `scene.stgs` the archive.
        mbps: of the network. latency_ms: from a request to its first byte.
        size: of the pictures, px.
        rounds: the scene is opened anew in each.
        most_s: a round is given up after this.
        json: where to write the figures.
    """

    scene: Path = BUNDLED
    path: str = "scene"
    mbps: float = 8.0
    latency_ms: float = 40.0
    size: tuple[int, int] = (960, 540)
    rounds: int = 3
    most_s: float = 30.0
    json: Path | None = None


def main(options: Options) -> int:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "scenes"
        unpack(options.scene, root / "scene")
        (root / "scene.stgs").write_bytes(options.scene.read_bytes())
        trace = Path(folder) / "trace.json"
        trace.write_text(json.dumps([stretch(options)]))
        with server(root, trace) as url:
            rounds = [open_once(f"{url}/{options.path}", options) for _ in range(options.rounds)]
    figures = {"hardware": hardware(), "mbps": options.mbps, "latency_ms": options.latency_ms}
    figures |= {"path": options.path, "rounds": rounds}
    print(json.dumps(figures, indent=1))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


def stretch(options: Options) -> dict[str, float]:
    """A network that stays the same, as a trace."""
    return {
        "duration_ms": 600_000.0,
        "bandwidth_kbps": 1000.0 * options.mbps,
        "latency_ms": options.latency_ms,
    }


def open_once(url: str, options: Options) -> dict[str, Any]:
    """Seconds and bytes of body until each milestone of one viewing."""
    choice = choose_backend(None)
    choice.backend.warm_up()
    maker = RenderThread(lambda: FrameRenderer(choice.backend, owns_backend=True))
    begun_s, probe = time.monotonic(), ThroughputProbe()
    opening = OpenSettings(cache=CacheSettings(max_bytes=0), listener=probe)
    settings = PlaybackSettings(opening=opening)
    playback = Playback(url, settings, choice.backend.device)
    try:
        return Milestones(begun_s, probe).watch(playback, maker, options)
    finally:
        playback.close()
        maker.close()


class Milestones:
    """What a viewer sees come, one after the other."""

    def __init__(self, begun_s: float, probe: ThroughputProbe) -> None:
        self._begun_s = begun_s
        self._probe = probe
        self.reached: dict[str, Any] = {}

    def watch(self, playback: Playback, maker: RenderThread, options: Options) -> dict[str, Any]:
        """Tick and draw like a window until everything is there at the best rung."""
        stalls = 0
        while time.monotonic() - self._begun_s < options.most_s:
            frame, meta = playback.tick(), playback.meta
            status = playback.status()
            if frame is not None and meta is not None:
                camera = OrbitPath.of(meta, status.duration_s).camera_at(0.0, *options.size)
                maker.show(frame, camera, RenderSettings(meta.background, meta.near))
            picture = maker.take_frame()
            if picture is not None:
                self._note(picture, status)
            stalls += status.state is PlaybackState.BUFFERING and "motion" in self.reached
            if "best_rung" in self.reached and "all_static" in self.reached:
                break
            time.sleep(TICK_S)
        return {**self.reached, "ticks_stalled": stalls}

    def _note(self, picture: RenderedFrame, status: PlaybackStatus) -> None:
        frame = picture.request.frame
        moving = frame.gop.frames > 1
        self._reach("picture", lambda: True)
        self._reach("motion", lambda: moving and frame.index > 0)
        self._reach(
            "all_static", lambda: moving and status.static_layers[0] == status.static_layers[1]
        )
        self._reach("best_rung", lambda: moving and frame.quality == status.qualities[-1])

    def _reach(self, name: str, condition: Callable[[], bool]) -> None:
        if name not in self.reached and condition():
            seconds = round(time.monotonic() - self._begun_s, 3)
            self.reached[name] = {"s": seconds, "bytes": self._probe.total_bytes}


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Options)))
