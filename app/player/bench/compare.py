"""Compares the figures of two benchmarks, and says which of them changed beyond noise."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rich.table import Table
from streamstgs.app.player.errors import BenchError

LEAST_CHANGE = 0.03  # smaller changes are never reported, whatever the noise
BUSY = 0.10  # floors that differ by more mean that the machines were not the same
MAX_BYTES = 1 << 22
FLOORS = ("copy_ms", "arithmetic_ms", "bare_decode_ms_per_frame")  # run no code of ours
Verdict = Literal["faster", "slower", "within noise"]


@dataclass(frozen=True)
class Change:
    """A stage in two runs.

    Args:
        name: Of the figure.
        before, after: Medians.
        noise: How much medians of parts of a run differ, both runs together.
    """

    name: str
    before: float
    after: float
    noise: float

    @property
    def share(self) -> float:
        """The change as a share of the time before; positive is slower."""
        return self.after / self.before - 1.0

    @property
    def verdict(self) -> Verdict:
        """Whether the times differ by more than the noise of both runs and by 3 %."""
        apart = self.after - self.before
        if abs(apart) <= max(self.noise, LEAST_CHANGE * self.before):
            return "within noise"
        return "slower" if apart > 0 else "faster"


def read_figures(path: Path) -> dict[str, Any]:
    """Figures that `streamstgs bench --json` wrote.

    Raises:
        BenchError: The file cannot be read, or holds something else.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BenchError(f"{path} is too large for the figures of a benchmark.")
        figures = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BenchError(f"{path} holds no figures of a benchmark: {error}") from error
    if not isinstance(figures, dict) or not {"size", "raster_ms", "floors"} <= figures.keys():
        raise BenchError(f"{path} holds no figures that `streamstgs bench --json` wrote.")
    return figures


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    """The repeated figures that both runs have, floors last."""
    found = _changes(before, after)
    return found + _changes(before["floors"], after["floors"])


def _changes(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    found = []
    for name in before:
        then, now = _summary(before, name), _summary(after, name)
        if then and now and then["median"] > 0:
            noise = then["noise"] + now["noise"]
            found.append(Change(name, then["median"], now["median"], noise))
    return found


def _summary(figures: dict[str, Any], name: str) -> dict[str, float]:
    """A repeated figure; empty where the run has none of this name."""
    figure = figures.get(name)
    is_one = isinstance(figure, dict) and {"median", "noise"} <= figure.keys()
    return figure if isinstance(figure, dict) and is_one else {}


def remarks(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Why times of both runs may not be compared, one sentence each; empty if they may."""
    found = []
    for name in ("scene", "size", "backend", "qp", "gaussians"):
        if before.get(name) != after.get(name):
            found.append(f"The runs differ in {name}: {before.get(name)} and {after.get(name)}.")
    for name in ("cpu", "gpu", "cores"):
        then, now = (run.get("hardware", {}).get(name) for run in (before, after))
        if then != now:
            found.append(f"The machines differ in {name}: {then} and {now}.")
    for change in _changes(before["floors"], after["floors"]):
        if change.name in FLOORS and abs(change.share) > BUSY:
            found.append(
                f"{_words(change.name)}, which runs no code of this program, took "
                f"{change.share:+.0%}: the machine was not equally fast, so compare the ratios."
            )
    return found


def compare_table(before: dict[str, Any], after: dict[str, Any]) -> Table:
    """What changed, for a terminal."""
    table = Table(title="ms, medians", title_justify="left")
    for name in ("", "before", "after", "change", "noise", ""):
        table.add_column(name, justify="right" if name else "left")
    for change in changes(before, after):
        table.add_row(
            _words(change.name),
            f"{change.before:.2f}",
            f"{change.after:.2f}",
            f"{change.share:+.1%}",
            f"{change.noise / change.before:.1%}",
            change.verdict,
        )
    table.add_section()
    for name, then, now in _single_figures(before, after):
        table.add_row(name, f"{then:.2f}", f"{now:.2f}", "", "", "measured once")
    return table


def _single_figures(
    before: dict[str, Any], after: dict[str, Any]
) -> list[tuple[str, float, float]]:
    """Figures that a run has once, so that their noise is not known."""
    places = [("ratios", name) for name in before.get("ratios", {})]
    places += [("playback", name) for name in ("content_fps", "display_fps", "late_frames")]
    places += [("first_picture_s", "total"), ("memory_mb", "resident_peak")]
    found = []
    for group, name in places:
        then, now = (run.get(group, {}).get(name) for run in (before, after))
        if then is not None and now is not None:
            label = "first picture s" if group == "first_picture_s" else _words(name)
            found.append((label, float(then), float(now)))
    return found


def _words(name: str) -> str:
    return name.replace("_", " ")
