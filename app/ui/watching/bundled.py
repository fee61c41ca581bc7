"""The scenes that come with the player."""

from __future__ import annotations

from pathlib import Path

ASSETS = Path(__file__).resolve().parents[3] / "assets"


def bundled_scenes() -> list[str]:
    """The paths of all scenes that come with the player, by name."""
    return [str(path) for path in sorted(ASSETS.glob("*.stgs"))]
