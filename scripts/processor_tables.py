"""Sections of docs/performance.md on the processor: a large scene, memory, the check of speed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def processor_sections(reports: Path) -> str:
    """All sections, of the JSON files in the folder."""
    names = ("processor_stages", "large_scene", "playing_memory", "regression")
    found = {name: json.loads((reports / f"{name}.json").read_text("utf-8")) for name in names}
    sections = (
        _stages(found["processor_stages"]),
        _large_scene(found["large_scene"]),
        _memory(found["playing_memory"]),
        _regression(found["regression"]),
    )
    return "\n".join(sections)


def _stages(report: dict[str, Any]) -> str:
    runs, machine = report["runs"], report["hardware"]
    heads = [f"{run['scene']}, {run['size'][0]} x {run['size'][1]}" for run in runs]
    times = [run["processor_ms"] for run in runs]
    rows = [[name, *(f"{ms[name]:.1f}" for ms in times)] for name in times[0]]
    rows.append(["all of a frame", *(f"{sum(ms.values()):.1f}" for ms in times)])
    for name in ("gaussians", "drawn", "listed"):
        rows.append([name, *(f"{run[name]:,}" for run in runs)])
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"""## Stages on the processor

`{report["command"]}`: milliseconds of processor time of a frame in one
thread, while the camera moves; the least of several measurements of each frame. Over the number of
cores it is the least time of a frame without decoding; at 24 frames per second it has
{1000 / 24:.0f} ms.
"Drawn" are the Gaussians within the picture, "listed" the entries in the lists of all tiles.

| | {" | ".join(heads)} |
|{"---|" * (len(heads) + 1)}
{table}

{machine["cpu"]}, {machine["vectors"]}. {report["note"]}
"""


def _large_scene(run: dict[str, Any]) -> str:
    gaussians, width, height = run["gaussians"], *run["size"]
    machine = f"{run['hardware']['cores']} cores, {run['hardware']['vectors']}"
    rows = [
        ("first picture, s", run["first_picture_s"]["total"], 1),
        ("decode, ms per frame", run["decode_ms_per_frame"]["median"], 0),
        ("deform, ms", run["deform_ms"]["median"], 0),
        ("rasterise, ms", run["raster_ms"]["median"], 0),
        ("content fps of 24", run["playback"]["content_fps"], 1),
        ("seek, ms", run["seek_ms"]["median"], 0),
        ("memory at its peak, MB", run["memory_mb"]["resident_peak"], 0),
    ]
    table = "\n".join(f"| {name} | {value:,.{digits}f} |" for name, value, digits in rows)
    note = f" {run['note']}" if "note" in run else ""
    return f"""## A large scene on the processor

`python -m benchmarks.large_scene` makes a scene of {gaussians["total"]:,} Gaussians,
{gaussians["moving"]:,} of them moving, and measures it at {width} x {height} on the processor
({machine}). It opens, draws and seeks; a processor is too slow to play it.{note}

| | |
|---|---|
{table}
"""


def _memory(run: dict[str, Any]) -> str:
    samples = run["resident_mib"]
    return f"""## Memory while playing

`python -m benchmarks.playing_memory` plays and draws {run["frames"]:,} frames on the processor,
with seeks, and decodes segments again and again. Resident memory is {samples[0]:.1f} MiB after the
warm-up and {samples[-1]:.1f} MiB at the end; between the first and the last third it grows by
{run["growth_mib"]:.2f} MiB.
"""


def _regression(report: dict[str, Any]) -> str:
    names = list(report["runs"][0]["ratios"])
    lines = [
        "| vectors, build | " + " | ".join(names) + " |",
        "|---" * (len(names) + 1) + "|",
    ]
    for run in report["runs"]:
        cells = (f"{run['ratios'][n]:.2f} (limit {run['limits'][n]:.1f})" for n in names)
        lines.append(f"| {run['vectors']}, {run['build']} | " + " | ".join(cells) + " |")
    table = "\n".join(lines)
    return f"""## Check of speed in continuous integration

`python -m benchmarks.regression` compares stages with a fixed loop in the same run, and fails where
a ratio is above its limit. {report["note"]}

{table}
"""
