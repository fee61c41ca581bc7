"""Keeps the screen on and the machine awake, on Linux, Windows and macOS."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wakepy import ActivationResult

log = logging.getLogger(__name__)


class Awake:
    """Neither blanks nor sleeps between `begin` and `end`. Owner: the calling thread."""

    def __init__(self) -> None:
        from wakepy import keep

        self._mode = keep.presenting(on_fail=_report)

    @property
    def active(self) -> bool:
        """Whether the system agreed."""
        return bool(self._mode.active)

    def begin(self) -> None:
        """Ask the system; a refusal is in the log, and the kiosk goes on."""
        self._mode.__enter__()
        if self.active:
            log.info("The screen stays on (%s).", self._mode.method)

    def end(self) -> None:
        """Let the system sleep again."""
        self._mode.__exit__(None, None, None)


def _report(result: ActivationResult) -> None:
    log.warning(
        "The screen may go blank; switch that off in the settings of the system. %s",
        " ".join(result.get_failure_text().split()),  # one line of the log
    )
