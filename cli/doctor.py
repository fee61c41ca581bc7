"""`streamstgs doctor`: what this machine can do, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Doctor:
    """Say what this machine can do, and what is missing."""

    def run(self) -> int:
        from streamstgs.app.doctor import examine

        return examine()
