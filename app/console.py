"""Output of the commands: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def say(message: str) -> None:
    """Print a line to standard error."""
    print(message, file=sys.stderr, flush=True)


class ProgressLine:
    """Prints progress: one line that is rewritten on a terminal, else one line per step."""

    def __init__(self) -> None:
        self._what = ""

    def __call__(self, what: str, share: float) -> None:
        if sys.stderr.isatty():
            end = "\n" if share >= 1 else ""
            print(f"\r\x1b[K{share:4.0%}  {what}", end=end, file=sys.stderr, flush=True)
        elif what != self._what:
            say(f"{share:4.0%}  {what}")
        self._what = what


def check_figures_path(path: Path | None) -> None:
    """Raise WriteError before the work begins if `write_figures` could not write there."""
    if path is not None:
        from streamstgs.codec.output import check_output

        check_output(path)


def write_figures(path: Path | None, figures: dict[str, Any]) -> None:
    """Write figures to a JSON file; does nothing without a path."""
    if path is not None:
        from streamstgs.codec.output import write_json

        write_json(path, figures)


def print_figures(figures: dict[str, Any], as_json: bool) -> None:
    """Print results to standard output: one JSON object, or aligned lines for a person."""
    if as_json:
        print(json.dumps(figures, indent=2))
        return
    width = max((len(name) for name in figures), default=0)
    for name, value in figures.items():
        print(f"{name.replace('_', ' '):<{width}}  {readable(value)}")


def readable(value: Any) -> str:
    """A figure as text for a person, without terminal codes that the text of a scene may hold."""
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {readable(v)}" for name, v in value.items())
    if value is None or value in ([], ()):
        return "none"
    if isinstance(value, (list, tuple)):
        return ", ".join(readable(v) for v in value)
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return "".join(c if c.isprintable() else "?" for c in text)


def one_line(error: Exception) -> str:
    """The message of an expected error in one line; errors of the system name the file first."""
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__
