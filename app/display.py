"""Tests whether a window can open, before Qt is loaded: Qt ends the process where it cannot."""

from __future__ import annotations

import os
import subprocess
import sys

_OPEN_AND_CLOSE = "from PySide6.QtWidgets import QApplication; QApplication(['probe'])"
_PROBE_LIMIT_S = 20.0
_LIBRARIES = (
    "on Debian and Ubuntu: apt-get install libgl1 libegl1 libxkbcommon-x11-0 libxcb-cursor0"
)


class DisplayProbe:
    """Starts Qt in a child process; the caller may do other work before it calls `problem`."""

    def __init__(self) -> None:
        self._missing = _no_display()
        self._process = None
        if self._missing is None:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _OPEN_AND_CLOSE],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            )

    @property
    def pending(self) -> bool:
        """Whether the child may still be at work, so that there is time for other work."""
        return self._process is not None

    def problem(self) -> str | None:
        """The reason why no window can open, in one line; None if one can. Waits for the child."""
        if self._process is None:
            return self._missing
        try:
            _, errors = self._process.communicate(timeout=_PROBE_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            return f"Qt did not start within {_PROBE_LIMIT_S:.0f} s"
        if self._process.returncode == 0:
            return None
        return f"Qt cannot open a window: {_reason(errors)}"


def _no_display() -> str | None:
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return None
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return None
    return "neither DISPLAY nor WAYLAND_DISPLAY is set"


def _reason(errors: str) -> str:
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    if not lines:
        return "it stopped without a message"
    # The last line of a Python traceback has the reason, and the first line of Qt.
    reason = lines[-1] if lines[0].startswith("Traceback") else lines[0]
    return f"{reason}; {_LIBRARIES}" if ".so" in reason else reason
