"""Progress of an export, for the console and for a window."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

LOG_SHARE = 0.1  # without a terminal, a line is printed for each tenth

ReportProgress = Callable[[int, int], None]  # (frames done, frames in all)


@dataclass(frozen=True)
class ExportProgress:
    """How far an export is.

    Args:
        done: Frames written.
        total: Frames in all; 0 before they are known.
        elapsed_s: Seconds since the first frame began.
    """

    done: int = 0
    total: int = 0
    elapsed_s: float = 0.0

    @property
    def share(self) -> float:
        """0 to 1."""
        return self.done / self.total if self.total else 0.0

    @property
    def left_s(self) -> float | None:
        """Seconds until the end if it goes on at the rate so far; None before the first frame."""
        return self.elapsed_s / self.done * (self.total - self.done) if self.done else None


def timed(report: Callable[[ExportProgress], None]) -> ReportProgress:
    """A function to call with (done, total), which adds the time since now."""
    start_s = time.monotonic()
    return lambda done, total: report(ExportProgress(done, total, time.monotonic() - start_s))


@contextmanager
def console_progress(title: str, report: ReportProgress | None) -> Iterator[ReportProgress]:
    """A function to call with (done, total), which shows them on standard error.

    Args:
        title: Name of what is written.
        report: Yielded unchanged if given; nothing is shown then.
    """
    console = Console(stderr=True)
    if report is not None:
        yield report
    elif not console.is_terminal:
        yield _lines(console, title)
    else:
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
        with Progress(*columns, TimeRemainingColumn(), console=console) as bar:
            task = bar.add_task(title, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)


def _lines(console: Console, title: str) -> ReportProgress:
    printed = 0.0

    def report(done: int, total: int) -> None:
        nonlocal printed
        share = done / max(total, 1)
        if share >= min(printed + LOG_SHARE, 1.0):
            printed = share
            console.print(f"{title}: {done} of {total}")

    return report
