"""Plays scenes over networks of constant throughput, in simulated time.

    python -m benchmarks.streaming.constant_rate assets/tokyo.stgs again.stgs

Prints, for each scene and throughput, how long the adaptive policy stalls, how long it takes to
start, and the mean quality that is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro
from rich import box
from rich.console import Console
from rich.table import Table
from streamstgs.codec.scene import open_scene
from streamstgs.codec.streaming.adaptive import AdaptiveSettings, ladder_of

from benchmarks.streaming.policies import Adaptive
from benchmarks.streaming.session import play
from benchmarks.streaming.trace import Trace


@dataclass(frozen=True)
class Options:
    """What to play over what.

    Args:
        scenes: packages.
        mbps: throughputs, Mbit/s.
        content_s: seconds of content, looped.
        latency_s: of each request.
    """

    scenes: tyro.conf.Positional[tuple[Path, ...]]
    mbps: tuple[float, ...] = (0.4, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
    content_s: float = 120.0
    latency_s: float = 0.05


def main(options: Options) -> None:
    columns = ("Mbit/s", "scene", "stalled s", "start s", "mean dB", "fetched MB")
    table = Table(*columns, box=box.MARKDOWN)
    ladders = {}
    for path in options.scenes:
        with open_scene(path) as scene:
            ladders[path.name] = ladder_of(scene.manifest).looped(options.content_s)
    for mbps in options.mbps:
        for name, ladder in ladders.items():
            seconds = np.full(int(20 * options.content_s), 1.0)
            bits = np.full(len(seconds), mbps * 1e6)
            trace = Trace(seconds, bits, np.full(len(seconds), options.latency_s))
            found = play(Adaptive(AdaptiveSettings()), ladder, trace)
            figures = (found.stall_s, found.startup_s, found.mean_db, found.fetched_bytes / 1e6)
            table.add_row(f"{mbps:g}", name, *(f"{figure:.1f}" for figure in figures))
    Console(width=100).print(table)


if __name__ == "__main__":
    main(tyro.cli(Options))
