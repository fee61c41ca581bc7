"""Markers: named times of a scene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec
from streamstgs.app.player.arguments import within
from streamstgs.app.player.edit_track import SAME_TIME_S, EditTrack

MARKERS_MAX = 10_000
NAME_MAX = 200
SECONDS_MAX = 1e6
Seconds = Annotated[float, msgspec.Meta(ge=0.0, le=SECONDS_MAX)]


@dataclass(frozen=True)
class Marker:
    """A time of a scene with a name.

    Args:
        time_s: Content time in seconds.
        name: Shown beside it; may be empty.

    Raises:
        ArgumentError: The time is not from 0 to a million seconds.
    """

    time_s: Seconds
    name: Annotated[str, msgspec.Meta(max_length=NAME_MAX)] = ""

    def __post_init__(self) -> None:
        within("The time of a marker", self.time_s, 0.0, SECONDS_MAX)


class MarkerTrack(EditTrack[Marker]):
    """Editable markers in the order of their times, with undo and redo.

    Owner: the thread of the viewer model.

    Example:
        viewer.markers.add(Marker(2.5, "jump"))
        viewer.markers.after(0.0).name  # "jump"
    """

    def at(self, time_s: float, within_s: float = SAME_TIME_S) -> int | None:
        """The index of the marker nearest to a time; None if none is within some seconds."""
        away = {index: abs(marker.time_s - time_s) for index, marker in enumerate(self)}
        nearest = min(away, key=away.__getitem__, default=None)
        return nearest if nearest is not None and away[nearest] <= within_s else None

    def after(self, time_s: float) -> Marker | None:
        """The first marker after a time; None if there is none."""
        return next((one for one in self if one.time_s > time_s + SAME_TIME_S), None)

    def before(self, time_s: float) -> Marker | None:
        """The last marker before a time; None if there is none."""
        earlier = [one for one in self if one.time_s < time_s - SAME_TIME_S]
        return earlier[-1] if earlier else None

    def to_json(self) -> str:
        """All markers as JSON."""
        return msgspec.json.encode(tuple(self)).decode()

    def read_json(self, text: str) -> bool:
        """Replace all markers by those of a text of `to_json`; returns whether it was one."""
        try:
            markers = msgspec.json.decode(text, type=tuple[Marker, ...])
        except (msgspec.MsgspecError, RecursionError):
            return False
        if len(markers) > MARKERS_MAX:
            return False
        with self.one_edit():
            self.clear()
            for marker in markers:
                self._put(marker)
        return True
