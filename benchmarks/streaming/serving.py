"""A scene behind `main.py serve`, in a process of its own: its work is not that of the player."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
BUNDLED = PROJECT / "assets" / "tokyo.stgs"


def unpack(scene: Path, target: Path) -> None:
    """A .stgs as the directory that it was made of."""
    with zipfile.ZipFile(scene) as archive:
        archive.extractall(target)


@contextmanager
def server(root: Path, trace: Path | None = None) -> Iterator[str]:
    """The development server, behind a recorded network if there is one; its URL."""
    command = [sys.executable, "main.py", "serve", str(root), "--port", "0"]
    command += ["--throttle", str(trace)] if trace else []
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+?(?=/ )", process.stdout.readline())
        assert found, "the server did not start"
        yield found[0]
    finally:
        process.terminate()
        process.communicate(timeout=20.0)
