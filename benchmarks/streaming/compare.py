"""Compares the adaptive policy with plain ones and with the optimum, in simulated time.

    python -m benchmarks.streaming.compare --data DATA

Plays recorded networks and writes benchmarks/streaming/report.json and report.md. The headline is
the regret: dB of quality of experience that the offline optimum is better than a policy.
"""

from __future__ import annotations

import json
import os
import statistics
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tyro
from streamstgs.codec.scene import open_scene
from streamstgs.codec.streaming.adaptive import AdaptiveSettings, Ladder, ladder_of

from benchmarks.streaming.optimum import OptimumSettings, find_optimum
from benchmarks.streaming.policies import Adaptive, Plain, plain_policies
from benchmarks.streaming.report import report
from benchmarks.streaming.session import Outcome, Policy, SessionSettings, play
from benchmarks.streaming.trace import Trace

FORESIGHT_S = 10.0  # of the policy that is told the throughput
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Options:
    """What to play over what.

    Args:
        data: Folder that holds traces/3g and traces/4g. The variable STGS_DATA sets the default.
        scene: The scene whose ladder is played, looped.
        content_s: Seconds of content per session.
        scales: Ladders: `bundled` is that of the scene; the others have its files scaled so that
            the middle quality is the mean throughput of each trace (`trace`), of each set (`set`)
            or of all traces (`all`).
        factor: Makes all networks faster by this factor.
        start_s: Enters all recordings this many seconds later.
        most_buffer_s: Buffer bound of all policies and of the optimum.
        previous: A JSON list of sessions (ladder, trace, qoe_db, stalled_s) of an earlier policy,
            to be compared with the same optimum.
        out: Folder for the report.
        workers: Processes.
    """

    data: Path = Path(os.environ.get("STGS_DATA", "data"))
    scene: Path = Path("assets/tokyo.stgs")
    content_s: float = 600.0
    scales: tuple[str, ...] = ("bundled", "trace", "set")
    factor: float = 1.0
    start_s: float = 0.0
    most_buffer_s: float = AdaptiveSettings().most_buffer_s
    previous: Path | None = None
    out: Path = HERE
    workers: int = 2


@dataclass(frozen=True)
class Task:
    """One trace and the ladder that is played over it."""

    scale: str
    group: str
    ladder: Ladder
    trace: Trace
    settings: AdaptiveSettings


def main(options: Options) -> None:
    tasks = [task for scale in options.scales for task in make_tasks(options, scale)]
    with ProcessPoolExecutor(options.workers) as pool:
        sessions = [row for rows in pool.map(compare, tasks) for row in rows]
    if options.previous is not None:
        sessions += previous_sessions(options.previous, sessions)
    lines = ",\n".join(json.dumps(row) for row in sessions)
    (options.out / "report.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    (options.out / "report.md").write_text(report(sessions), encoding="utf-8")


def make_tasks(options: Options, scale: str) -> list[Task]:
    """A session per trace, with the ladder scaled as asked."""
    groups = {g: load_traces(options.data / "traces" / g) for g in ("3g", "4g")}
    everything = [trace for traces in groups.values() for trace in traces]
    with open_scene(options.scene) as scene:
        ladder = ladder_of(scene.manifest).looped(options.content_s)
    middle_bps = ladder.bandwidth_bps((len(ladder.qps) - 1) // 2)
    settings = AdaptiveSettings(most_buffer_s=options.most_buffer_s)
    tasks = []
    for group, traces in groups.items():
        for trace in traces:
            over = {"set": traces, "trace": [trace], "all": everything}.get(scale)
            mean_bps = statistics.fmean(t.mean_bps for t in over) if over else middle_bps
            fitted = ladder.scaled(mean_bps / middle_bps) if over else ladder
            changed = trace.changed(options.factor, options.start_s)
            tasks.append(Task(scale, group, fitted, changed, settings))
    return tasks


def load_traces(folder: Path) -> list[Trace]:
    """All traces of a folder, by name."""
    return [Trace.load(path) for path in sorted(folder.glob("*.json"))]


def compare(task: Task) -> list[dict[str, Any]]:
    """Every policy on one trace, beside the optimum."""
    settings = task.settings
    policies: list[Policy | Plain] = [Adaptive(settings), *plain_policies(task.ladder, settings)]
    outcomes = [play(policy, task.ladder, task.trace) for policy in policies]
    told = SessionSettings(foresight_s=FORESIGHT_S)
    outcomes.append(play(Adaptive(settings, "forecast"), task.ladder, task.trace, told))
    search = replace(OptimumSettings(), buffer_s=settings.most_buffer_s)
    best = find_optimum(task.ladder, task.trace, search)
    lowest = next(outcome for outcome in outcomes if outcome.policy == "lowest")
    shared = {
        "ladder": task.scale,
        "set": task.group,
        "trace": task.trace.name,
        "room": round(task.trace.mean_bps / task.ladder.bandwidth_bps(task.ladder.lowest), 3),
        "optimum_db": round(best.qoe_db, 3),
        "optimum_stalled_s": round(best.stall_s, 2),
        "lowest_db": round(lowest.qoe_db, 3),
    }
    return [{**shared, **figures(outcome)} for outcome in outcomes]


def figures(outcome: Outcome) -> dict[str, Any]:
    """The measurements of one session."""
    return {
        "policy": outcome.policy,
        "qoe_db": round(outcome.qoe_db, 3),
        "stalled_s": round(outcome.stall_s, 2),
        "quality_db": round(outcome.mean_db, 3),
        "switches": outcome.switches,
        "stalls": outcome.stalls,
        "startup_s": round(outcome.startup_s, 2),
        "wasted_bytes": outcome.wasted_bytes,
    }


def previous_sessions(path: Path, sessions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sessions of an earlier policy, completed by the optimum of this run."""
    keys = ("ladder", "set", "trace", "room", "optimum_db", "optimum_stalled_s", "lowest_db")
    known = {(row["ladder"], row["trace"]): {key: row[key] for key in keys} for row in sessions}
    rows = json.loads(path.read_text(encoding="utf-8"))
    found = [(known.get((row["ladder"], row["trace"])), row) for row in rows]
    return [{**shared, **row, "policy": "previous"} for shared, row in found if shared]


if __name__ == "__main__":
    main(tyro.cli(Options))
