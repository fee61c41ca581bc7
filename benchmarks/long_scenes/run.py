"""What ten hours cost: opening, seeking, status and memory, against a scene of ten seconds.

    python -m benchmarks.long_scenes.run --json benchmarks/reports/long_scenes.json

The long scene repeats the GOPs of the bundled one, which lasts ten seconds. Seeks are made in the
small golden scene, so that ten thousand of them take minutes; it is as long in GOPs. A seek ends
when its frame is decoded; nothing is read ahead, and one thread decodes. The server is a process of
its own. `--parts seeks` measures a part only.
"""

from __future__ import annotations

import gc
import json
import os
import random
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any, Literal

import torch
import tyro
from streamstgs.app.console import write_figures
from streamstgs.app.player.bench.report import hardware
from streamstgs.app.player.pipeline.pipeline import PipelineSettings
from streamstgs.app.player.pipeline.scheduler import FetchSettings
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.codec.scene import OpenSettings, open_scene
from streamstgs.codec.streaming.disk_cache import CacheSettings
from streamstgs.codec.streaming.transport import RequestProgress

from benchmarks.long_scenes.make import make_long, make_long_archive
from benchmarks.streaming.serving import BUNDLED, PROJECT, server, unpack

SMALL = PROJECT / "tests" / "golden" / "synthetic-v1-h264.stgs"
SCENES = ("short", "long")
MIB = 1 << 20
FRAME_S = 60.0  # a first frame or a seek is given up after this

Part = Literal["disk", "http", "status", "seeks"]


@dataclass(frozen=True)
class Options:
    """What is measured.

    Args:
        gops: of the long scene; 14,400 GOPs of 2.5 s are ten hours.
        rounds: each opening is repeated so often; medians are reported.
        seeks: to random places.
        seek_s: no further seek is begun after so many seconds.
        archive_gops: of the archive, whose GOPs have files of their own.
        parts: what is measured.
        json: where to write the figures.
    """

    gops: int = 14_400
    rounds: int = 15
    seeks: int = 10_000
    seek_s: float = 3_600.0
    archive_gops: int = 1_440
    parts: tuple[Part, ...] = ("disk", "http", "status", "seeks")
    json: Path | None = None


class Received:
    """Listener of a transport: bytes of all requests."""

    def __init__(self) -> None:
        self._bytes: dict[tuple[str, int], int] = {}

    def __call__(self, progress: RequestProgress) -> None:
        self._bytes[progress.url, progress.request] = progress.received_bytes

    @property
    def bytes(self) -> int:
        return sum(self._bytes.values())

    @property
    def requests(self) -> int:
        return len(self._bytes)


def uncached(listener: Callable[[RequestProgress], None] | None = None) -> OpenSettings:
    """Settings that fetch everything from the server."""
    settings = OpenSettings(cache=CacheSettings(max_bytes=0))
    return settings if listener is None else replace(settings, listener=listener)


def measure_opening(location: str) -> dict[str, float]:
    """Seconds, bytes and requests of `open_scene`."""
    received, begin = Received(), time.perf_counter()
    with open_scene(location, uncached(received)):
        seconds = time.perf_counter() - begin
    return {"open_ms": 1000 * seconds, "bytes": received.bytes, "requests": received.requests}


def measure_first_frame(location: str) -> dict[str, float]:
    """Seconds and bytes until the first frame with motion is decoded."""
    received, begin = Received(), time.perf_counter()
    settings = PlaybackSettings(opening=uncached(received), autoplay=False)
    with closing(Playback(location, settings)) as playback:
        while (frame := playback.tick()) is None or frame.still:
            assert time.perf_counter() - begin < FRAME_S, "no frame"
            time.sleep(0.001)
        seconds, size = time.perf_counter() - begin, received.bytes
    return {"first_frame_ms": 1000 * seconds, "first_frame_bytes": size}


def medians(measured: list[dict[str, float]]) -> dict[str, float]:
    """The median of each figure."""
    return {name: round(median(one[name] for one in measured), 3) for name in measured[0]}


def measure_pairs(locations: dict[str, str], rounds: int) -> dict[str, Any]:
    """Opening and first frame of each location, in turn, so that load strikes all alike."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in locations}
    for _ in range(rounds + 1):
        for name, location in locations.items():
            found[name].append(measure_opening(location) | measure_first_frame(location))
    return {name: medians(measured[1:]) for name, measured in found.items()}


def measure_status(location: str) -> float:
    """Microseconds of `status()` while a scene plays."""
    with closing(Playback(location, PlaybackSettings(autoplay=False))) as playback:
        assert playback.settle(FRAME_S)
        samples = []
        for _ in range(2_000):
            begin = time.perf_counter()
            playback.status()
            samples.append(time.perf_counter() - begin)
    return round(1e6 * median(samples), 1)


def resident_mib() -> float:
    """Resident memory of this process (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


def measure_seeks(location: str, count: int, most_s: float) -> dict[str, Any]:
    """Random seeks, each until its frame is decoded; resident memory on the way."""
    rng = random.Random(1)
    seconds, memory = [], []
    pipeline = PipelineSettings(prefetch_gops=0, fetching=FetchSettings(local_gops=0))
    settings = PlaybackSettings(autoplay=False, pipeline=pipeline)
    torch.set_num_threads(1)
    with closing(Playback(location, settings)) as playback:
        assert playback.settle(FRAME_S)
        duration_s, end_s = playback.status().duration_s, time.perf_counter() + most_s
        for number in range(count):
            begin = time.perf_counter()
            if begin > end_s:
                break
            playback.seek(rng.uniform(0.0, duration_s))
            wanted = playback.status().frame
            while (frame := playback.tick()) is None or frame.index != wanted or frame.still:
                assert time.perf_counter() - begin < FRAME_S, "no frame"
                time.sleep(0.0005)
            seconds.append(time.perf_counter() - begin)
            if number % max(count // 50, 1) == 0:
                gc.collect()
                memory.append(round(resident_mib(), 1))
    seconds.sort()
    share = {"median": 0.5, "p95": 0.95, "p99": 0.99}
    times = {
        f"{name}_ms": round(1000 * seconds[int(at * len(seconds))], 2) for name, at in share.items()
    }
    return {"seeks": len(seconds), **times, "memory_mib": memory}


def measure_http(root: Path, options: Options) -> dict[str, Any]:
    """Opening and first frame from a server; opening of a scene without pages, and of archives."""
    make_long(root / "short", root / "unpaged", options.gops, paged=False)
    make_long_archive(root / "small", root / "work", root / "long.stgs", options.archive_gops)
    with server(root) as url:
        return {
            "http": measure_pairs({n: f"{url}/{n}" for n in SCENES}, options.rounds),
            "http without pages": {
                "long": medians([measure_opening(f"{url}/unpaged") for _ in range(3)])
            },
            "http archive": {
                "small directory": medians([measure_opening(f"{url}/small") for _ in range(5)]),
                "archive": medians([measure_opening(f"{url}/long.stgs") for _ in range(5)]),
            },
        }


def main(options: Options) -> None:
    """Make the scenes, measure, and write the report."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        unpack(BUNDLED, root / "short")
        unpack(SMALL, root / "small")
        make_long(root / "short", root / "long", options.gops)
        make_long(root / "small", root / "small-long", options.gops, alike=True)
        report: dict[str, Any] = {"hardware": hardware(), "options": str(options)}
        if "disk" in options.parts:
            report["disk"] = measure_pairs({n: str(root / n) for n in SCENES}, options.rounds)
        if "http" in options.parts:
            report |= measure_http(root, options)
        if "status" in options.parts:
            report["status_us"] = {n: measure_status(str(root / n)) for n in SCENES}
        if "seeks" in options.parts:
            place = str(root / "small-long")
            report["seeks"] = measure_seeks(place, options.seeks, options.seek_s)
    print(json.dumps(report, indent=1))
    write_figures(options.json, report)


if __name__ == "__main__":
    main(tyro.cli(Options))
