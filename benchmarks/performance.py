"""Measures this machine for docs/performance.md, on a machine that does nothing else.

    python -m benchmarks.performance benchmarks/reports/performance/NAME.json --device "NAME"
    python scripts/make_docs.py performance

Each size is measured by `streamstgs bench` in several new processes; the run with the middle tick
is kept whole. Starts of the window need a display (`xvfb-run -a` gives one) and are left out with
`--starts 0`. A first start has an empty cache of compiled kernels.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from benchmarks.first_picture import EVENTS, ROOT, measure

SCENE = Path("assets/tokyo.stgs")


@dataclass(frozen=True)
class Options:
    """What is measured.

    Args:
        json: The report that is written.
        device: Heading of the device's section.
        scene: A .stgs, relative to the repository.
        backend: Name of the backend.
        sizes: Sizes of the images as WIDTHxHEIGHT in px.
        runs: Processes for each size.
        seconds: Length of the real-time runs.
        starts: Starts of the window with a warm cache; a third as many with an empty one.
        note: Sentence below the tables.
    """

    json: Annotated[Path, tyro.conf.Positional]
    device: str
    scene: Path = SCENE
    backend: str = "cpu"
    sizes: tuple[str, ...] = ("640x360", "1280x720")
    runs: int = 3
    seconds: float = 60.0
    starts: int = 9
    note: str = ""


def main(options: Options) -> None:
    runs = [_middle_run(options, size) for size in options.sizes]
    gaussians = runs[0]["gaussians"]
    machine = runs[0]["hardware"]
    report: dict[str, Any] = {
        "device": options.device,
        "command": f"streamstgs bench {options.scene} --backend {options.backend} --size WxH "
        f"--seconds {options.seconds:g}",
        "scene": f"{gaussians['total']:,} Gaussians, {gaussians['moving']:,} of them moving, "
        f"best quality, camera moving; {machine['cpu']}, {machine['cores']} cores, "
        f"{machine['vectors'] or 'vector instructions not known'}",
        "runs": runs,
    }
    if options.starts:
        report["start"] = _starts(options)
    if options.note:
        report["note"] = options.note
    options.json.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    print(f"wrote {options.json}")


def _middle_run(options: Options, size: str) -> dict[str, Any]:
    """The run with the middle median of `tick_ms`."""
    runs = sorted(
        (_run(options, size) for _ in range(options.runs)), key=lambda run: run["tick_ms"]["median"]
    )
    return runs[len(runs) // 2]


def _run(options: Options, size: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder) / "figures.json"
        command = [sys.executable, "main.py", "bench", str(options.scene)]
        command += ["--backend", options.backend, "--size", size, "--json", str(figures)]
        subprocess.run([*command, "--seconds", str(options.seconds)], cwd=ROOT, check=True)
        run: dict[str, Any] = json.loads(figures.read_text("utf-8"))
        return run


def _starts(options: Options) -> dict[str, dict[str, list[float]]]:
    """Kind of start -> event -> seconds of each start."""
    arguments = [str(options.scene), "--backend", options.backend]
    found: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as settings:
        measure(arguments, Path(settings))  # fills the caches
        warm = [measure(arguments, Path(settings)) for _ in range(options.starts)]
        found["warm"] = _by_event(warm)
        first = []
        for _ in range(-(-options.starts // 3)):
            with tempfile.TemporaryDirectory() as kernels:
                empty = {**os.environ, "NUMBA_CACHE_DIR": kernels}
                first.append(measure(arguments, Path(settings), empty))
        found["empty kernel cache"] = _by_event(first)
    return found


def _by_event(starts: list[dict[str, float]]) -> dict[str, list[float]]:
    return {event: [s[event] for s in starts if event in s] for event in EVENTS}


if __name__ == "__main__":
    main(tyro.cli(Options))
