"""A live event: publisher and player in two processes; the publisher is killed once and restarted.

    python -m benchmarks.live --minutes 5 --json benchmarks/reports/live.json

A scene that got a tone as its sound is published again and again at the pace of its content into a
directory, which the development server serves from a third process. In the middle the publisher is
killed with SIGKILL and started again after `--away-s`. The player has the window's settings and no
window: `tick` is called as often as a display refreshes, frames are not drawn, and the sound is
played into nothing, where silence is counted.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import wave
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import tyro
from numpy.typing import NDArray
from streamstgs.app.player.bench.report import hardware
from streamstgs.app.player.live.follower import LiveSettings
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.app.player.sound.device import MiniaudioDevice, Render
from streamstgs.app.player.sound.sound_player import SoundPlayer
from streamstgs.app.player.status import PlaybackState, PlaybackStatus
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.codec.encoder.edit import SceneChanges, edit_scene
from streamstgs.codec.package.sound_track import RATE_HZ
from streamstgs.codec.scene import OpenSettings, open_scene
from streamstgs.codec.streaming.disk_cache import CacheSettings

from benchmarks.streaming.serving import BUNDLED, PROJECT, server

TICK_S = 1 / 60
TONE_HZ = 440
START_S = 120.0  # the first segment must be there after this


@dataclass(frozen=True)
class Options:
    """What is published and watched.

    Args:
        scene: A scene.
        minutes: How long it is watched.
        join_s: How long the event has lasted when the viewer comes.
        latency_s: Content between the position and the live edge, at the least.
        away_s: How long the publisher is away after it was killed.
        json: Where to write the figures.
    """

    scene: Path = BUNDLED
    minutes: float = 5.0
    join_s: float = 10.0
    latency_s: float = 4.0
    away_s: float = 5.0
    json: Path | None = None


def publisher(scene: Path, target: Path) -> subprocess.Popen[bytes]:
    """Start to publish, or go on."""
    command = [sys.executable, "main.py", "publish", str(scene), str(target)]
    command += ["--segments", "100000", "--window", "60"]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL)


def with_tone(scene: Path, out: Path) -> Path:
    """A copy of a scene with a tone, which is never silent for two samples."""
    with open_scene(scene) as opened:
        seconds = opened.duration_s
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    tone = (8_000 * np.sin(2 * np.pi * TONE_HZ * time_s)).astype(np.int16)
    path = out.with_suffix(".wav")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(tone.tobytes())
    edit_scene(scene, out, SceneChanges(audio=path))
    return out


class Meter(MiniaudioDevice):
    """Plays into nothing, at the rate of the system's clock, and counts what is heard.

    Attributes:
        heard: samples of a channel that are not zero.
        silent: samples that are.
    """

    def __init__(self) -> None:
        super().__init__(null=True)
        self.heard = self.silent = 0

    def start(self, render: Render) -> None:
        def counted(frames: int) -> NDArray[np.int16]:
            samples = render(frames)
            loud = int(np.count_nonzero(samples[:, 0]))
            self.heard, self.silent = self.heard + loud, self.silent + len(samples) - loud
            return samples

        super().start(counted)


@dataclass
class Watched:
    """What a viewer saw, sampled at each tick."""

    behind_s: list[float]
    stalls_s: list[float]
    paces: Counter[float]
    frames: int = 0
    skipped_backwards: int = 0
    stalled_since_s: float | None = None
    last_frame: int = -1

    def note(self, status: PlaybackStatus, rate: float, index: int | None, now_s: float) -> None:
        """Add a tick."""
        if index is not None and index != self.last_frame:
            self.skipped_backwards += index < self.last_frame
            self.frames, self.last_frame = self.frames + 1, index
        if status.live is not None and status.state is PlaybackState.PLAYING:
            self.behind_s.append(status.live.behind_s)
            self.paces[round(rate, 3)] += 1
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
        time.sleep(options.join_s)
        settings = PlaybackSettings(
            live=LiveSettings(latency_s=options.latency_s),
            opening=OpenSettings(cache=CacheSettings(max_bytes=0)),
        )
        seen, meter = Watched([], [], Counter()), Meter()
        model = ViewerModel(lambda location, clock: Playback(location, settings, clock=clock))
        model.sound = SoundPlayer(lambda: meter, model.sound_time)
        with closing(model):
            begin_s, killed_s, back_s = time.monotonic(), 0.0, 0.0
            began = first_frame_s = 0.0
            warnings: list[str] = []
            model.warned.connect(warnings.append)
            opened = model.open(url)
            while (now_s := time.monotonic()) - begin_s < 60 * options.minutes:
                frame, playback = model.tick(), model.playback
                if frame is not None and not began:
                    began, first_frame_s = now_s, now_s - begin_s
                if began and playback is not None:
                    index = None if frame is None else frame.index
                    seen.note(playback.status(), opened.clock.clock.rate, index, now_s)
                if not killed_s and now_s - begin_s > 30 * options.minutes:
                    process.kill()
                    process.wait()
                    killed_s = now_s
                elif killed_s and not back_s and now_s - killed_s > options.away_s:
                    process, back_s = publisher(scene, target), now_s
                time.sleep(max(TICK_S - (time.monotonic() - now_s), 0.0))
            assert playback is not None, "nothing was played"
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
        "playing_at_normal_speed": round(seen.paces[1.0] / count, 3),
        "sound_heard": round(meter.heard / max(meter.heard + meter.silent, 1), 3),
        "warnings": warnings,
    }


def main(options: Options) -> None:
    """Run the event and write the report."""
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as url:
        target = Path(folder) / "event"
        scene = with_tone(options.scene.resolve(), Path(folder) / "tone.stgs")
        found = watch(f"{url}/event", scene, target, options)
    chosen = {"minutes": options.minutes, "latency_s": options.latency_s, "away_s": options.away_s}
    text = json.dumps({"hardware": hardware(), **chosen, **found}, indent=1)
    print(text)
    if options.json is not None:
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main(tyro.cli(Options))
