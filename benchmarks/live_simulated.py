"""Live playback in simulated time: the real clock and follower, a publisher that is late.

    python -m benchmarks.live_simulated --json benchmarks/reports/live_simulated.json

It takes seconds, and its figures are the same on every machine: only how the distance to the edge
is kept counts. `benchmarks.live` runs all of the player in real time.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median
from typing import Any

import tyro
from streamstgs.app.console import write_figures
from streamstgs.app.player.live.follower import LiveFollower, LiveSettings
from streamstgs.app.player.live.live_window import LiveWindow
from streamstgs.app.player.position.clock import PlaybackClock
from streamstgs.app.player.position.playhead import Playhead
from streamstgs.app.player.scene_info import NOTHING_TO_FETCH, OpenedScene
from streamstgs.app.player.timeline import Timeline
from streamstgs.codec.package.gop_times import GopTimes
from streamstgs.codec.package.live_entry import LiveEntry
from streamstgs.codec.package.scene_meta import SceneMeta

FPS, GOP_FRAMES = 24.0, 60
GOP_S = GOP_FRAMES / FPS
TICK_S, ASKS_S, FETCH_S, RESUME_S, JOIN_S = 1 / 20, 1.0, 0.15, 0.5, 30.0
LATE_TICK_S = 0.35  # the mean of one that is late: longer than the clock makes up for
META = SceneMeta("Simulated", FPS, (0, 1, 0), (0, 0, 0), 1.0, (0, 0, 0), 64, 48, 0.1, "", "", ())
USUAL = LiveSettings()
LIVE = LiveEntry(0.0, 0, 0.0, 0.0, ASKS_S)


@dataclass(frozen=True)
class Conditions:
    """What disturbs an event; all times in seconds.

    Args:
        late_s: How late a GOP is in the mean, exponentially distributed.
        away_s: How long the publisher is away in the middle.
        lost: Share of the time for which the window stands still.
    """

    late_s: float = 0.0
    away_s: float = 0.0
    lost: float = 0.0


@dataclass
class Seen:
    """What a viewer saw.

    Attributes:
        rates: Speed -> number of ticks while playing.
        changes: How often the speed changed.
        behind_s: Distances to the edge while playing.
        stalls_s: Lengths of the stalls.
        jumps: Seeks after the one that enters the scene.
    """

    rates: Counter[float] = field(default_factory=Counter)
    changes: int = 0
    behind_s: list[float] = field(default_factory=list)
    stalls_s: list[float] = field(default_factory=list)
    jumps: int = 0

    @property
    def at_normal_speed(self) -> float:
        """Share of the ticks at a speed of exactly 1."""
        return self.rates[1.0] / max(self.rates.total(), 1)


class Now:
    """A monotonic time that a test moves."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.s = seconds

    def __call__(self) -> float:
        return self.s


def published_at(conditions: Conditions, until_s: float, rng: random.Random) -> list[float]:
    """Times at which the GOPs of an event are there."""
    times, due_s, stops_s = list[float](), 0.0, until_s / 2
    while due_s < until_s:
        due_s += GOP_S
        if conditions.away_s and due_s > stops_s:
            due_s, stops_s = stops_s + conditions.away_s, until_s
            continue
        late_s = rng.expovariate(1 / conditions.late_s) if conditions.late_s else 0.0
        times.append(max(due_s + late_s, times[-1] if times else 0.0))
    return times


def opened_scene(gops: int) -> OpenedScene:
    """A live scene with so many GOPs."""
    timeline = Timeline(FPS, GopTimes(((GOP_FRAMES, gops),)))
    return OpenedScene(META, timeline, (), NOTHING_TO_FETCH, live=LIVE)


def watch(
    conditions: Conditions,
    seed: int,
    settings: LiveSettings = USUAL,
    minutes: float = 5.0,
) -> Seen:
    """Watch an event from `JOIN_S` on."""
    rng, now, seen = random.Random(seed), Now(JOIN_S), Seen()
    end_s = JOIN_S + 60 * minutes
    times = published_at(conditions, end_s, rng)
    playhead = Playhead(PlaybackClock(now))
    window = LiveWindow(playhead, LiveFollower(settings, now))
    clock, opened, asked_s = playhead.clock, opened_scene(1), -ASKS_S
    known, plays, stalled_s, rate = 0, False, now.s, 1.0
    while now.s < end_s:
        if now.s - asked_s >= ASKS_S:
            asked_s = now.s
            gops = sum(at_s + FETCH_S <= now.s for at_s in times)
            if gops > known:
                opened = opened_scene(gops)
                (window.grow if known else window.enter)(opened)
                known = gops
        timeline = opened.timeline
        playhead.advance(timeline)
        plays = plays and not window.wait_at_edge(timeline)
        if plays:
            window.keep_distance(timeline)
        left_s = timeline.duration_s - playhead.position_s()
        if not plays and left_s >= RESUME_S:
            seen.stalls_s.append(now.s - stalled_s)
            plays = True
        elif not plays and not clock.paused:
            stalled_s = now.s
        (clock.play if plays else clock.pause)()
        if plays:
            seen.rates[round(clock.rate, 6)] += 1
            seen.behind_s.append(left_s)
            seen.changes, rate = seen.changes + (clock.rate != rate), clock.rate
        stands = conditions.lost and rng.random() < conditions.lost * TICK_S / LATE_TICK_S
        now.s += 0.2 + rng.expovariate(1 / (LATE_TICK_S - 0.2)) if stands else TICK_S
    seen.jumps = playhead.serial - 1
    seen.stalls_s = seen.stalls_s[1:]  # the first is the start
    return seen


CASES = {
    "punctual": Conditions(),
    "0.3 s late in the mean": Conditions(late_s=0.3),
    "1 s late in the mean": Conditions(late_s=1.0),
    "away for 8 s once": Conditions(away_s=8.0),
    "0.7 s late, away, a window that stands still at times": Conditions(0.7, 8.0, 0.015),
}


@dataclass(frozen=True)
class Options:
    """What is simulated.

    Args:
        minutes: How long each event is watched.
        runs: Events for each case.
        json: Where to write the figures.
    """

    minutes: float = 5.0
    runs: int = 6
    json: Path | None = None


def measured(conditions: Conditions, options: Options) -> dict[str, float]:
    """The means over the runs of a case."""
    seen = [watch(conditions, seed, minutes=options.minutes) for seed in range(options.runs)]
    return {
        "at_normal_speed": round(mean(one.at_normal_speed for one in seen), 3),
        "changes": round(mean(one.changes for one in seen), 1),
        "stalls_s": round(mean(sum(one.stalls_s) for one in seen), 1),
        "behind_s": round(mean(median(one.behind_s) for one in seen), 2),
    }


def main(options: Options) -> None:
    """Simulate all cases and write the report."""
    report: dict[str, Any] = {
        "minutes": options.minutes,
        "runs": options.runs,
        "latency_s": USUAL.latency_s,
        "publisher": {name: measured(case, options) for name, case in CASES.items()},
    }
    print(json.dumps(report, indent=1))
    write_figures(options.json, report)


if __name__ == "__main__":
    main(tyro.cli(Options))
