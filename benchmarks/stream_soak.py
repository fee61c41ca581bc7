"""Plays a scene from a web server in a loop and watches memory, threads and connections.

    python -m benchmarks.stream_soak --seconds 60 --json soak.json
    python -m benchmarks.stream_soak --scene another.stgs --seconds 300

The caches are set so small that each round fetches and decodes everything again: whatever leaks per
segment shows as a slope. Ends with status 1 when memory grew by more than `--allowed-mib` between
the first and the last third of that time, which begins after `--warm-up-s`.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro
from streamstgs.app.player.buffer.scene_buffer import SceneBufferSettings
from streamstgs.app.player.pipeline.pipeline import PipelineSettings
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.codec.scene import OpenSettings
from streamstgs.codec.streaming.disk_cache import CacheSettings
from streamstgs.codec.streaming.transport import RequestProgress

from benchmarks.streaming.serving import BUNDLED, server, unpack

TICK_S = 1 / 60


@dataclass(frozen=True)
class Options:
    """How long to watch what.

    Args:
        scene: a .stgs.
        seconds: of watching.
        sample_s: pause between two looks at memory.
        warm_up_s: pools of libraries and allocators grow for a minute or so, then no more.
        packet_bytes: of fetched GOPs in memory.
        cache_bytes: of the cache on disk.
        speed: of playback.
        allowed_mib: growth of memory that still counts as bounded.
        json: where to write the figures.
    """

    scene: Path = BUNDLED
    seconds: float = 60.0
    sample_s: float = 1.0
    warm_up_s: float = 90.0
    packet_bytes: int = 400_000
    cache_bytes: int = 200_000
    speed: float = 2.0
    allowed_mib: float = 8.0
    json: Path | None = None


class ThroughputProbe:
    """Counts what the transport tells; called in its thread."""

    def __init__(self) -> None:
        self.requests = 0
        self.bytes = 0
        self.failures = 0

    def __call__(self, step: RequestProgress) -> None:
        if step.state in ("done", "failed"):
            self.requests += 1
            self.bytes += step.received_bytes
            self.failures += step.state == "failed"


def main(options: Options) -> int:
    with tempfile.TemporaryDirectory() as folder:
        scenes = Path(folder) / "scenes"
        unpack(options.scene, scenes / "scene")
        with server(scenes) as url:
            figures = soak(f"{url}/scene", options, Path(folder) / "cache")
    print(json.dumps({k: v for k, v in figures.items() if k != "resident_mib"}, indent=1))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    return int(figures["growth_mib"] > options.allowed_mib)


def soak(url: str, options: Options, cache: Path) -> dict[str, Any]:
    """Watch, then say what it took."""
    traffic = ThroughputProbe()
    kept = CacheSettings(max_bytes=options.cache_bytes, directory=cache, grace_s=0.5)
    settings = PlaybackSettings(
        speed=options.speed,
        pipeline=PipelineSettings(SceneBufferSettings(2, packet_bytes=options.packet_bytes)),
        opening=OpenSettings(cache=kept, listener=traffic),
    )
    threads, opened = set(threading.enumerate()), descriptors()
    playback = Playback(url, settings)
    watch(playback, options.warm_up_s, options.sample_s)
    samples, frames, states = watch(playback, options.seconds, options.sample_s)
    events = playback.take_events()
    playback.close()
    third = max(len(samples) // 3, 1)
    growth = statistics.median(samples[-third:]) - statistics.median(samples[:third])
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} processors",
        "seconds": options.seconds,
        "frames_shown": frames,
        "states": states,
        "requests": traffic.requests,
        "failed_requests": traffic.failures,
        "fetched_mib": traffic.bytes / 2**20,
        "cache_mib": sum(file.stat().st_size for file in cache.iterdir()) / 2**20,
        "resident_first_mib": samples[0],
        "resident_last_mib": samples[-1],
        "resident_most_mib": max(samples),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "growth_mib": growth,
        "events": [event.message for event in events],
        "threads_left": [t.name for t in threading.enumerate() if t not in threads],
        "descriptors_left": descriptors() - opened,
        "resident_mib": samples,
    }


def watch(
    playback: Playback, seconds: float, sample_s: float
) -> tuple[list[float], int, dict[str, int]]:
    """Tick like a window: memory at each look, frames shown, ticks in each state."""
    samples = [resident_mib()]
    shown, last = 0, None
    states: dict[str, int] = {}
    began_s = time.monotonic()
    while (now_s := time.monotonic() - began_s) < seconds:
        frame = playback.tick()
        shown += frame is not last
        last = frame
        states[playback.state.value] = states.get(playback.state.value, 0) + 1
        if now_s >= len(samples) * sample_s:
            samples.append(resident_mib())
        time.sleep(TICK_S)
    return samples, shown, states


def resident_mib() -> float:
    """Memory of this process that lies in RAM, MiB (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def descriptors() -> int:
    """How many files, sockets and pipes this process has open (Linux)."""
    return len(list(Path("/proc/self/fd").iterdir()))


if __name__ == "__main__":
    sys.exit(main(tyro.cli(Options)))
