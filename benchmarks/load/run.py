"""Load test of a web server with many simulated viewers, on one machine.

    python -m benchmarks.load.run --traces DIR --clients 1000 --json load.json
    python -m benchmarks.load.run --traces DIR --clients 50 --url http://127.0.0.1:8000 --pids 4711

Each viewer is a player in simulated time (`benchmarks.streaming.session`): the real policy decides
over a recorded network what to fetch when. These requests are sent in real time to the server, all
from one process; the server answers as fast as it can. Viewers begin within `--spread-s`.

Without `--url` the script starts the nginx of the distribution on loopback, with the cache headers
of the guide, and measures it twice: alone, and with a second nginx before it that caches. It says
so and ends where nginx is missing. With `--url`, `--root` must be the folder that it serves.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import tyro
from streamstgs.app.console import write_figures
from streamstgs.app.player.bench.report import hardware
from streamstgs.codec.package.manifest import Manifest
from streamstgs.codec.scene import open_scene
from streamstgs.codec.streaming.adaptive.ladder import ladder_of

from benchmarks.load.nginx import cache_hits, nginx_path, origin, proxy
from benchmarks.load.viewers import Request, Sent, requests_of, view
from benchmarks.long_scenes.make import make_distinct
from benchmarks.streaming.policies import Adaptive
from benchmarks.streaming.serving import BUNDLED, unpack
from benchmarks.streaming.session import play
from benchmarks.streaming.trace import Trace

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
SESSIONS = 40  # different ones; more viewers repeat them


@dataclass(frozen=True)
class Options:
    """Who watches what.

    Args:
        traces: Folder with recorded networks (JSON, as of `serve --throttle`).
        clients: Number of viewers.
        gops: Length of the scene, in GOPs of 2.5 s that each have files of their own.
        spread_s: Viewers begin within so many seconds.
        url: A server that runs already; None starts nginx.
        root: With `url`: the folder that it serves; the scene is written there.
        pids: With `url`: its processes, whose CPU time is counted.
        json: Where to write the figures.
    """

    traces: Path
    clients: int = 1_000
    gops: int = 24
    spread_s: float = 20.0
    url: str | None = None
    root: Path | None = None
    pids: tuple[int, ...] = ()
    json: Path | None = None


def sessions(manifest: Manifest, options: Options) -> list[list[Request]]:
    """The requests of viewers over different networks."""
    paths = sorted(options.traces.rglob("*.json"))
    ladder, rng = ladder_of(manifest), random.Random(0)
    chosen = rng.sample(paths, min(SESSIONS, len(paths), options.clients))
    return [
        requests_of(manifest, play(Adaptive(), ladder, Trace.load(path)).requests)
        for path in chosen
    ]


def cpu_s(pids: tuple[int, ...]) -> float:
    """CPU time of processes so far."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS_PER_S


async def watch(url: str, plans: list[list[Request]], options: Options) -> tuple[Sent, float]:
    """Let all viewers watch; returns what came of it, and the seconds it took."""
    sent, rng, begin_s = Sent(), random.Random(1), time.monotonic() + 1.0
    viewers = [
        view(url, plans[k % len(plans)], begin_s + rng.uniform(0, options.spread_s), sent)
        for k in range(options.clients)
    ]
    await asyncio.gather(*viewers)
    return sent, time.monotonic() - begin_s


def measure(
    url: str, pids: tuple[int, ...], plans: list[list[Request]], options: Options
) -> dict[str, Any]:
    """The figures of one server."""
    before_s = cpu_s(pids)
    sent, seconds = asyncio.run(watch(url, plans, options))
    used_s = cpu_s(pids) - before_s
    content_s = 2.5 * options.gops
    took = sorted(sent.took_s)
    return {
        "requests": sent.count,
        "failed": sent.failed,
        "seconds": round(seconds, 1),
        "requests_per_s": round(sent.count / seconds, 1),
        "megabytes": round(sent.bytes / 1e6, 1),
        "mbit_per_viewer_second": round(8e-6 * sent.bytes / options.clients / content_s, 2),
        "server_cpu_s": round(used_s, 2),
        "server_cpu_ms_per_viewer_minute": round(60_000 * used_s / options.clients / content_s, 2),
        "answer_ms": {
            "median": round(1000 * median(took), 1),
            "p99": round(1000 * took[99 * len(took) // 100], 1),
        },
        "client_late_ms_median": round(1000 * median(sent.late_s), 1),
    }


def main(options: Options) -> None:
    """Serve, watch, and write the report."""
    if options.url is None and nginx_path() is None:
        print("nginx is not installed (Debian: apt install nginx-light); nothing was measured.")
        return
    with tempfile.TemporaryDirectory() as folder:
        root = (options.root or Path(folder) / "root").absolute()
        unpack(BUNDLED, Path(folder) / "source")
        make_distinct(Path(folder) / "source", root / "scene", options.gops)
        with open_scene(root / "scene") as scene:
            plans = sessions(scene.manifest, options)
        report: dict[str, Any] = {"hardware": hardware(), "clients": options.clients}
        if options.url is not None:
            address = f"{options.url.rstrip('/')}/scene"
            report["server"] = measure(address, options.pids, plans, options)
        else:
            with origin(root, Path(folder) / "origin") as first:
                address = f"http://127.0.0.1:{first.port}/scene"
                report["origin alone"] = measure(address, first.pids, plans, options)
                with proxy(first, Path(folder) / "proxy") as second:
                    address = f"http://127.0.0.1:{second.port}/scene"
                    before_s = cpu_s(first.pids)
                    report["behind a cache"] = measure(address, second.pids, plans, options)
                    report["origin_cpu_s_behind_a_cache"] = round(cpu_s(first.pids) - before_s, 2)
                    hits = cache_hits(second)
                    report["cache"] = dict(hits)
                    report["hit_rate"] = round(hits["HIT"] / max(sum(hits.values()), 1), 4)
    print(json.dumps(report, indent=1))
    write_figures(options.json, report)


if __name__ == "__main__":
    main(tyro.cli(Options))
