"""A live event: publisher and player in two processes; the publisher is killed once and restarted.

    python -m benchmarks.live --minutes 5 --json benchmarks/reports/live.json

The bundled scene is published again and again at the pace of its content into a directory, which
the development server serves from a third process. In the middle the publisher is killed with
SIGKILL and started again after `--away-s`. The player has the window's settings and no window:
`tick` is called as often as a display refreshes, and frames are not drawn.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import tyro
from streamstgs.app.player.bench.report import hardware
from streamstgs.app.player.live.follower import LiveSettings
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.app.player.status import PlaybackState, PlaybackStatus
from streamstgs.codec.scene import OpenSettings
from streamstgs.codec.streaming.disk_cache import CacheSettings

from benchmarks.streaming.serving import BUNDLED, PROJECT, server

TICK_S = 1 / 60
START_S = 120.0  # the first segment must be there after this


@dataclass(frozen=True)
class Options:
    """What is published and watched.

    Args:
        scene: A scene.
        minutes: How long it is watched.
        latency_s: Content between the position and the live edge, at the least.
        away_s: How long the publisher is away after it was killed.
        json: Where to write the figures.
    """

    scene: Path = BUNDLED
    minutes: float = 5.0
    latency_s: float = 4.0
    away_s: float = 5.0
    json: Path | None = None


def publisher(scene: Path, target: Path) -> subprocess.Popen[bytes]:
    """Start to publish, or go on."""
    command = [sys.executable, "main.py", "publish", str(scene), str(target)]
    command += ["--segments", "100000", "--window", "60"]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL)


@dataclass
class Watched:
    """What a viewer saw, sampled at each tick."""

    behind_s: list[float]
    stalls_s: list[float]
    frames: int = 0
    skipped_backwards: int = 0
    stalled_since_s: float | None = None
    last_frame: int = -1

    def note(self, status: PlaybackStatus, index: int | None, now_s: float) -> None:
        """Add a tick."""
        if index is not None and index != self.last_frame:
            self.skipped_backwards += index < self.last_frame
            self.frames, self.last_frame = self.frames + 1, index
        if status.live is not None and status.state is PlaybackState.PLAYING:
            self.behind_s.append(status.live.behind_s)
        stalls = status.state is PlaybackState.BUFFERING
        if stalls and self.stalled_since_s is None:
            self.stalled_since_s = now_s
        elif not stalls and self.stalled_since_s is not None:
            self.stalls_s.append(round(now_s - self.stalled_since_s, 2))
            self.stalled_since_s = None


def watch(url: str, scene: Path, target: Path, options: Options) -> dict[str, Any]:
    """Publish and watch; returns the figures."""
    process = publisher(scene, target)
    try:
        begin_s = time.monotonic()
        while not (target / "scene.json").exists():
            assert time.monotonic() - begin_s < START_S, "nothing is published"
            time.sleep(0.1)
        settings = PlaybackSettings(
            live=LiveSettings(latency_s=options.latency_s),
            opening=OpenSettings(cache=CacheSettings(max_bytes=0)),
        )
        seen = Watched([], [])
        with closing(Playback(url, settings)) as playback:
            begin_s, killed_s, back_s = time.monotonic(), 0.0, 0.0
            began = first_frame_s = 0.0
            while (now_s := time.monotonic()) - begin_s < 60 * options.minutes:
                frame = playback.tick()
                if frame is not None and not began:
                    began, first_frame_s = now_s, now_s - begin_s
                if began:
                    seen.note(playback.status(), None if frame is None else frame.index, now_s)
                if not killed_s and now_s - begin_s > 30 * options.minutes:
                    process.kill()
                    process.wait()
                    killed_s = now_s
                elif killed_s and not back_s and now_s - killed_s > options.away_s:
                    process, back_s = publisher(scene, target), now_s
                time.sleep(max(TICK_S - (time.monotonic() - now_s), 0.0))
            errors = [event.message for event in playback.take_events()]
            status = playback.status()
    finally:
        process.kill()
        process.wait()
    seen.behind_s.sort()
    count = len(seen.behind_s)
    return {
        "first_frame_s": round(first_frame_s, 2),
        "behind_edge_s": {
            "median": round(median(seen.behind_s), 2),
            "p5": round(seen.behind_s[count // 20], 2),
            "p95": round(seen.behind_s[count * 19 // 20], 2),
        },
        "stalls": len(seen.stalls_s),
        "stalls_s": seen.stalls_s,
        "frames": seen.frames,
        "frames_backwards": seen.skipped_backwards,
        "content_s": round(status.duration_s, 1),
        "errors": errors,
    }


def main(options: Options) -> None:
    """Run the event and write the report."""
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as url:
        target = Path(folder) / "event"
        found = watch(f"{url}/event", options.scene.resolve(), target, options)
    chosen = {"minutes": options.minutes, "latency_s": options.latency_s, "away_s": options.away_s}
    text = json.dumps({"hardware": hardware(), **chosen, **found}, indent=1)
    print(text)
    if options.json is not None:
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main(tyro.cli(Options))
