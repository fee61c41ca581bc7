"""The sections of docs/performance.md on servers, long scenes and live events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

LOAD_ROWS = (  # label, name in the figures, format
    ("requests", "requests", ",.0f"),
    ("failed", "failed", ",.0f"),
    ("requests per second", "requests_per_s", ".0f"),
    ("data, GB", "megabytes", ",.1f"),
    (
        "server processor time for a viewer's minute, ms",
        "server_cpu_ms_per_viewer_minute",
        ".1f",
    ),
)


def serving_sections(reports: Path) -> str:
    """Return the sections in Markdown.

    Args:
        reports: Folder with the JSON reports.
    """
    names = ("load", "load_development_server", "long_scenes", "live", "live_simulated")
    load, development, long, live, simulated = (
        json.loads((reports / f"{name}.json").read_text("utf-8")) for name in names
    )
    sections = [_serving(load, development), _long_scenes(long), _live(live), _simulated(simulated)]
    return "\n".join(sections)


def _serving(load: dict[str, Any], development: dict[str, Any]) -> str:
    clients = f"{load['clients']:,} viewers", f"{development['clients']:,} viewers"
    columns = [load["origin alone"], load["behind a cache"], development["server"]]
    lines = [
        "## Serving",
        "",
        "`python -m benchmarks.load.run --traces TRACES --clients N`: players in simulated time "
        "decide by the real policy over recorded networks; their requests are sent in real time "
        "over loopback.",
        "",
        f"| | nginx alone, {clients[0]} | nginx with a cache before it, {clients[0]} | "
        f"development server, {clients[1]} |",
        "|---|---|---|---|",
    ]
    for label, name, form in LOAD_ROWS:
        scale = 1000.0 if name == "megabytes" else 1.0
        cells = [format(column[name] / scale, form) for column in columns]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    answers = [
        f"{column['answer_ms']['median']:,.0f} / {column['answer_ms']['p99']:,.0f}"
        for column in columns
    ]
    lines.append("| answer, median / 99th percentile, ms | " + " | ".join(answers) + " |")
    lines.append(f"| answered by the cache | | {100 * load['hit_rate']:.1f} % | |")
    return "\n".join([*lines, "", _where(load), ""])


def _long_scenes(long: dict[str, Any]) -> str:
    disk, http, seeks = long["disk"], long["http"], long["seeks"]
    rows = [
        ("opened from a disk, ms", [f"{disk[of]['open_ms']:.1f}" for of in ("short", "long")]),
        ("opened over HTTP, ms", [f"{http[of]['open_ms']:.0f}" for of in ("short", "long")]),
        ("bytes for that", [f"{http[of]['bytes']:,}" for of in ("short", "long")]),
        ("a status, µs", [f"{long['status_us'][of]:.0f}" for of in ("short", "long")]),
    ]
    first, last = seeks["memory_mib"][0], seeks["memory_mib"][-1]
    return "\n".join(
        [
            "## Ten hours",
            "",
            "`python -m benchmarks.long_scenes.run`: the GOPs of the bundled scene repeat.",
            "",
            "| | ten seconds | ten hours |",
            "|---|---|---|",
            *(f"| {label} | " + " | ".join(cells) + " |" for label, cells in rows),
            "",
            f"{seeks['seeks']:,} seeks to random places of a small scene with as many GOPs take "
            f"{seeks['median_ms']:.0f} ms in the median, 99 of 100 at most {seeks['p99_ms']:.0f} "
            "ms; the process has "
            f"{first:.0f} MiB after the first ones and {last:.0f} MiB at the end.",
            "",
            _where(long),
            "",
        ]
    )


def _live(live: dict[str, Any]) -> str:
    behind = live["behind_edge_s"]
    stalls = ", ".join(f"{seconds:g}" for seconds in live["stalls_s"]) or "none"
    rows = [
        ("behind the newest segment, median (5th to 95th percentile), s",
         f"{behind['median']:.1f} ({behind['p5']:.1f} to {behind['p95']:.1f})"),
        ("stalls, s", stalls),
        ("first frame, s", f"{live['first_frame_s']:.1f}"),
    ]  # fmt: skip
    if "sound_heard" in live:
        rows.append(("playing at normal speed", f"{100 * live['playing_at_normal_speed']:.0f} %"))
        rows.append(("of the sound is heard while it plays", f"{100 * live['sound_heard']:.1f} %"))
    return "\n".join(
        [
            "## A live event",
            "",
            f"`python -m benchmarks.live --minutes {live['minutes']:g}`: publisher, server and "
            f"player in three processes; the publisher is killed once and started again after "
            f"{live['away_s']:g} s. The player stays about {live['latency_s']:g} s behind.",
            "",
            "| | |",
            "|---|---|",
            *(f"| {label} | {text} |" for label, text in rows),
            "",
            _where(live),
            "",
        ]
    )


def _simulated(report: dict[str, Any]) -> str:
    """How the distance to the edge is kept; the same on every machine."""
    rows = [
        f"| {name} | {100 * case['at_normal_speed']:.0f} % | {case['changes']:.0f} | "
        f"{case['stalls_s']:.1f} | {case['behind_s']:.1f} |"
        for name, case in report["publisher"].items()
    ]
    return "\n".join(
        [
            "`python -m benchmarks.live_simulated`: the same in simulated time, "
            f"{report['minutes']:g} minutes, mean of {report['runs']} runs. The speed is 1 within "
            "1.25 s of the distance to the edge, and 5 % faster or slower beyond.",
            "",
            "| publisher | at normal speed | changes of speed | stalls, s | behind the edge, s |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _where(report: dict[str, Any]) -> str:
    """Where it was measured, and under which circumstances."""
    machine = report["hardware"]
    notes = [report[name] for name in ("scene", "options", "note") if name in report]
    return "; ".join([f"{machine['cpu']}, {machine['cores']} cores", *notes]) + "."
