"""Progress on standard error: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Tell = Callable[[int, int], None]  # (done, in all)
LOG_SHARE = 0.1  # a log gets a line for each tenth


@contextmanager
def console_progress(title: str, instead: Tell | None) -> Iterator[Tell]:
    """A function to call with (done, total).

    Args:
        title: what is being made.
        instead: given back as it is; nothing is shown then.
    """
    console = Console(stderr=True)
    if instead is not None:
        yield instead
    elif not console.is_terminal:
        yield _lines(console, title)
    else:
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
        with Progress(*columns, TimeRemainingColumn(), console=console) as bar:
            task = bar.add_task(title, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)


def _lines(console: Console, title: str) -> Tell:
    told = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal told
        share = done / max(total, 1)
        if share >= min(told + LOG_SHARE, 1.0):
            told = share
            console.print(f"{title}: {done} of {total}")

    return tell
