"""`streamstgs doctor`: check this machine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Doctor:
    """List what this machine can do and which parts are missing, for a bug report."""

    def run(self) -> int:
        from streamstgs.app.doctor import examine

        return examine()
