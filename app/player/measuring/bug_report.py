"""The text of a bug report: versions, machine, what is played, and the last warnings."""

from __future__ import annotations

import logging
import os
import platform
from collections import deque
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from streamstgs.codec.streaming.address import redact_credentials

LINES_MAX = 40
_PACKAGES = ("torch", "numpy", "PySide6-Essentials", "av", "imagecodecs", "numba", "gsplat")
Rows = Sequence[tuple[str, str]]


class RecentLog(logging.Handler):
    """Keeps the last warnings of this program, without tracebacks of more than a line."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        self.lines: deque[str] = deque(maxlen=LINES_MAX)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        text = self.format(record).splitlines()
        self.lines.append(text[0] if len(text) < 2 else f"{text[0]} [{text[-1]}]")


def bug_report(program: str, location: str | None, rows: Rows, log: Sequence[str]) -> str:
    """A report as Markdown, without passwords and without the name of the user.

    Args:
        program: The version of this program.
        location: The scene; None if none is open.
        rows: (name, value) of the statistics.
        log: The last warnings.
    """
    shown = redact_credentials(location) if location else "none"
    lines = [
        "## What happened",
        "",
        "(Say what you did, what you expected and what you saw.)",
        "",
        "## This computer",
        "",
        f"- Program: {program}, Python {platform.python_version()}",
        f"- System: {platform.platform()}, {platform.machine()}, {os.cpu_count()} processors",
        f"- Packages: {', '.join(f'{name} {installed(name)}' for name in _PACKAGES)}",
        f"- Scene: {shown}",
        "",
        "## Statistics",
        "",
        *(f"- {name}: {value}" for name, value in rows),
        "",
        "## Last warnings",
        "",
        *(f"    {line}" for line in log or ["none"]),
        "",
    ]
    return without_home("\n".join(lines))


def installed(package: str) -> str:
    """The version of a package."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "(none)"


def without_home(text: str) -> str:
    """A text in which the folder of the user is "~"."""
    home = os.path.expanduser("~")
    return text.replace(home, "~") if len(home) > 1 else text
