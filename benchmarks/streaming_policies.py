"""Compares ways to choose rungs on recorded networks, in simulated time.

    python -m benchmarks.streaming_policies --data ../shared/data --json docs/streaming.json

Prints the table of docs/streaming.md. Scores are normalised per trace: always the lowest rung is 0,
the offline optimum is 1. A plain player fetches all static layers at once; `score_shared_layers`
takes for 0 the lowest rung with our static layers instead.
"""

from __future__ import annotations

import json
import math
import os
import statistics
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tyro
from rich.console import Console
from streamstgs.codec.scene import open_scene
from streamstgs.codec.streaming.adaptive import AdaptiveSettings, Ladder, ladder_of

from benchmarks.streaming.optimum import OptimumSettings, find_optimum
from benchmarks.streaming.policies import Adaptive, Plain, plain_policies
from benchmarks.streaming.session import Outcome, Policy, SessionSettings, play
from benchmarks.streaming.trace import Trace

FLAT_DB = 0.05  # where the optimum gains less over the lowest rung, there is nothing to choose
ROOM = 1.2  # mean throughput over the lowest rung's bit rate from which no stall is excused
LEAST_SCORE = 0.5  # that every trace should reach
FORESIGHT_S = 10.0  # of the policy that is told the throughput


@dataclass(frozen=True)
class Options:
    """What to play over what.

    Args:
        data: folder with traces/4g and traces/3g; STGS_DATA if it is set.
        scene: whose ladder is played, looped.
        content_s: content per session.
        scales: ladders: as it is, or its files scaled so that the mean throughput of each set
            (`set`), of each trace (`trace`) or of all traces (`all`) is the middle rung's.
        factor, start_s: change of all traces: faster by, entered later by.
        quality_db: of each rung, best first, instead of the package's; how the package's GOPs
            differ from each other is kept.
        most_buffer_s: for all policies and the optimum.
        json: where to write all figures; nowhere if not given.
        workers: processes.
    """

    data: Path = Path(os.environ.get("STGS_DATA", "../shared/data"))
    scene: Path = Path("assets/tokyo.stgs")
    content_s: float = 600.0
    scales: tuple[str, ...] = ("bundled", "set")
    factor: float = 1.0
    start_s: float = 0.0
    quality_db: tuple[float, ...] = ()
    most_buffer_s: float = AdaptiveSettings().most_buffer_s
    json: Path | None = None
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
        rows = [row for result in pool.map(compare, tasks) for row in result]
    if options.json is not None:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print_tables(rows)


def make_tasks(options: Options, scale: str) -> list[Task]:
    """A session per trace, with the ladder scaled as asked."""
    groups = {g: load_traces(options.data / "traces" / g) for g in ("3g", "4g")}
    everything = [trace for traces in groups.values() for trace in traces]
    with open_scene(options.scene) as scene:
        ladder = with_quality(ladder_of(scene.manifest), options.quality_db)
    ladder = ladder.looped(options.content_s)
    middle_bps = ladder.bandwidth_bps(len(ladder.rungs) // 2)
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
    return [Trace.load(path) for path in sorted(folder.glob("*.json"))]


def with_quality(ladder: Ladder, quality_db: tuple[float, ...]) -> Ladder:
    """The ladder with other mean qualities of its rungs."""
    if not quality_db:
        return ladder
    measured = [gop.quality_db for gop in ladder.gops]
    means = [statistics.fmean(rung) for rung in zip(*measured, strict=True)]
    moves = [new - old for new, old in zip(quality_db, means, strict=True)]
    moved = [tuple(q + by for q, by in zip(each, moves, strict=True)) for each in measured]
    gops = zip(ladder.gops, moved, strict=True)
    return replace(ladder, gops=tuple(replace(gop, quality_db=q) for gop, q in gops))


def compare(task: Task) -> list[dict[str, Any]]:
    """Every policy on one trace: figures and normalised scores."""
    settings = task.settings
    once = replace(settings, upgrades=replace(settings.upgrades, worth=math.inf))
    policies: list[Policy | Plain] = [Adaptive(settings), Adaptive(once, "no upgrades")]
    policies += plain_policies(task.ladder, settings)
    outcomes = [play(policy, task.ladder, task.trace) for policy in policies]
    room = task.trace.mean_bps / task.ladder.bandwidth_bps(task.ladder.lowest)
    told, told_mean = SessionSettings(foresight_s=FORESIGHT_S), knowing_the_mean(settings, room)
    outcomes.append(play(Adaptive(settings, "forecast"), task.ladder, task.trace, told))
    outcomes.append(play(Adaptive(told_mean, "told the mean"), task.ladder, task.trace))
    outcomes.append(play(Adaptive(told_mean, "told both"), task.ladder, task.trace, told))
    qoe_db = {outcome.policy: outcome.qoe_db for outcome in outcomes}
    search = replace(OptimumSettings(), buffer_s=settings.most_buffer_s)
    best = find_optimum(task.ladder, task.trace, search)
    return [
        {
            "ladder": task.scale,
            "set": task.group,
            "score": round(normalised(outcome.qoe_db, qoe_db["lowest"], best.qoe_db), 4),
            "score_shared_layers": round(
                normalised(outcome.qoe_db, qoe_db["lowest, our layers"], best.qoe_db), 4
            ),
            "optimum_db": round(best.qoe_db, 3),
            "optimum_stalled_s": round(best.stall_s, 2),
            "room": round(room, 3),
            **figures(outcome),
        }
        for outcome in outcomes
    ]


def knowing_the_mean(settings: AdaptiveSettings, room: float) -> AdaptiveSettings:
    """What no player knows: the mean of the network that it has begun to use.

    Args:
        room: its mean throughput over the lowest rung's bit rate.
    """
    static = replace(settings.static, usual_room=room, prior_s=math.inf)
    return replace(settings, static=static)


def normalised(qoe_db: float, lowest_db: float, best_db: float) -> float:
    """0 for always the lowest rung, 1 for the optimum.

    Where the two are closer than `FLAT_DB`, 1 for what is no worse than the lowest by more than
    that, and else minus the loss in dB.
    """
    if best_db - lowest_db < FLAT_DB:
        return 1.0 if qoe_db >= lowest_db - FLAT_DB else qoe_db - lowest_db
    return (qoe_db - lowest_db) / (best_db - lowest_db)


def figures(outcome: Outcome) -> dict[str, Any]:
    return {
        "trace": outcome.trace,
        "policy": outcome.policy,
        "qoe_db": round(outcome.qoe_db, 3),
        "quality_db": round(outcome.mean_db, 3),
        "switches": outcome.switches,
        "upgrades": outcome.upgrades,
        "stalls": outcome.stalls,
        "stalled_s": round(outcome.stall_s, 2),
        "startup_s": round(outcome.startup_s, 2),
        "wasted_bytes": outcome.wasted_bytes,
        "fetched_bytes": outcome.fetched_bytes,
    }


def print_tables(rows: list[dict[str, Any]]) -> None:
    """Markdown: a summary of all policies, then the adaptive one trace by trace."""
    out = Console(width=200, highlight=False, soft_wrap=True)
    out.print(
        "| ladder | policy | mean score | with room | worst | below 0.5 | stalled s, all traces "
        "| shared layers |\n|---|---|---|---|---|---|---|---|"
    )
    for key in dict.fromkeys((row["ladder"], row["policy"]) for row in rows):
        mine = [row for row in rows if (row["ladder"], row["policy"]) == key]
        scores = [row["score"] for row in mine]
        stalled = sum(row["stalled_s"] for row in mine)
        below = sum(score < LEAST_SCORE for score in scores)
        shared = statistics.fmean(row["score_shared_layers"] for row in mine)
        roomy = [row["score"] for row in mine if row["room"] >= ROOM]
        means = f"{statistics.fmean(scores):.2f} | "
        means += f"{statistics.fmean(roomy):.2f}" if roomy else "none"
        least = f"{min(scores):.2f} | {below} | {stalled:.0f}"
        out.print(f"| {key[0]} | {key[1]} | {means} | {least} | {shared:.2f} |")
    print_avoidable_stalls(out, rows)
    names = ("quality_db", "switches", "upgrades", "stalls", "stalled_s", "startup_s")
    names += ("wasted_bytes", "score", "score_shared_layers")
    out.print(f"\n| ladder | trace | {' | '.join(names)} |\n|{'---|' * (len(names) + 2)}")
    for row in rows:
        if row["policy"] == "adaptive":
            values = " | ".join(str(row[name]) for name in names)
            out.print(f"| {row['ladder']} | {row['set']}/{row['trace']} | {values} |")


def print_avoidable_stalls(out: Console, rows: list[dict[str, Any]]) -> None:
    """Sessions of the adaptive policy that stall where the optimum does not and there is room."""
    out.print()
    for row in rows:
        could = row["optimum_stalled_s"] < 0.01 and row["room"] >= ROOM
        if row["policy"] == "adaptive" and could and row["stalled_s"] > 0:
            out.print(f"- {row['ladder']}, {row['trace']}: stalls {row['stalled_s']} s")


if __name__ == "__main__":
    main(tyro.cli(Options))
