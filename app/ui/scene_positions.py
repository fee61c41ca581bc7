"""Remembers where scenes were left. Owner: the GUI thread."""

from __future__ import annotations

import json
import math

from PySide6.QtCore import QSettings
from streamstgs.codec.streaming.address import without_password

KEY = "positions"
SCENES_MAX = 50
SHORTEST_S = 60.0  # shorter scenes always open at their start
EDGE_S = 5.0  # a scene that was left so near to its start or end opens at its start


class ScenePositions:
    """Content times by location, those left last first; a damaged store reads as empty."""

    def __init__(self, store: QSettings) -> None:
        self._store = store

    def of(self, location: str) -> float:
        """The content time in seconds where a scene was left; 0 for the start."""
        return dict(self._read()).get(without_password(location), 0.0)

    def remember(self, location: str, position_s: float, duration_s: float) -> None:
        """Record where a scene is left."""
        place = without_password(location)
        known = [(other, time_s) for other, time_s in self._read() if other != place]
        if duration_s >= SHORTEST_S and EDGE_S < position_s < duration_s - EDGE_S:
            known.insert(0, (place, round(position_s, 2)))
        self._store.setValue(KEY, json.dumps(known[:SCENES_MAX]))

    def _read(self) -> list[tuple[str, float]]:
        try:
            read = json.loads(str(self._store.value(KEY, "[]")))
            known = [(str(place), float(time_s)) for place, time_s in read]
        except (ValueError, TypeError, RecursionError):
            return []
        return [(place, time_s) for place, time_s in known if 0.0 <= time_s < math.inf]
