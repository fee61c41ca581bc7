"""One order of undo for both tracks of a film, which is kept with the film of a scene."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import msgspec
from psygnal import Signal
from streamstgs.app.player.camera.files.path_files import keyframes_json, parse_camera_path
from streamstgs.app.player.camera.keyframes import CameraKeyframe
from streamstgs.app.player.camera.track import CameraTrack
from streamstgs.app.player.edit_track import UNDO_STEPS, TrackState
from streamstgs.app.player.errors import PlayerError
from streamstgs.app.player.time_track import TimeCurve, TimeKey, TimeTrack, parse_time_track

KEPT_STEPS = 50  # of undo and redo, each, in the text of a history
TEXT_CHARS_MAX = 4 << 20
_ANY_UP, _ANY_ASPECT = (0.0, -1.0, 0.0), 1.0  # our own keyframes tell theirs


@dataclass(frozen=True)
class Film:
    """Both tracks of a film at a moment of its making."""

    camera: TrackState[CameraKeyframe] = field(default_factory=TrackState)
    time: TrackState[TimeKey] = field(default_factory=TrackState)


class FilmHistory:
    """Undo and redo of camera track and time track in one order. Owner: the model's thread.

    Every change of a track is a step, also one that undoes an edit of the track alone.

    Example:
        viewer.history.undo()

    Args:
        camera, time: The tracks of the film.
    """

    EMPTY = '{"at": 0, "films": [{"camera": {"keyframes": []}, "time": null, "loop": false}]}'

    changed = Signal()

    def __init__(self, camera: CameraTrack, time: TimeTrack) -> None:
        self._camera, self._time = camera, time
        self._steps = [self._now()]  # the films before, now and, after undoing, later
        self._at = 0  # the present one
        self._goes = False  # a step of our own is under way
        camera.changed.connect(self._note)
        time.changed.connect(self._note)

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to take back."""
        return self._at > 0

    @property
    def can_redo(self) -> bool:
        """Whether there is an edit that was taken back."""
        return self._at + 1 < len(self._steps)

    def undo(self) -> bool:
        """Take the last edit of either track back; returns whether there was one."""
        return self.can_undo and self._go(self._at - 1)

    def redo(self) -> bool:
        """Do the edit again that was taken back last; returns whether there was one."""
        return self.can_redo and self._go(self._at + 1)

    def clear(self) -> None:
        """Begin an empty film without a step to take back."""
        self._enter([Film()], 0)

    def to_json(self) -> str:
        """The film with its last steps of undo and redo."""
        first = max(self._at - KEPT_STEPS, 0)
        kept = self._steps[first : self._at + KEPT_STEPS + 1]
        return json.dumps({"at": self._at - first, "films": [_document(film) for film in kept]})

    def read_json(self, text: str) -> bool:
        """Replace film and history by those of a text of `to_json`.

        Returns:
            Whether it was one; if not, the film is empty.
        """
        try:
            if len(text) > TEXT_CHARS_MAX:
                raise ValueError("too long")
            document = json.loads(text)
            films = [_film(entry) for entry in document["films"]][: 2 * KEPT_STEPS + 1]
            at = int(document["at"])
            if not 0 <= at < len(films):
                raise ValueError("no such step")
        except (PlayerError, ValueError, TypeError, KeyError, RecursionError):
            self.clear()
            return False
        self._enter(films, at)
        return True

    def _now(self) -> Film:
        return Film(self._camera.snapshot(), self._time.snapshot())

    def _note(self) -> None:
        """A track has changed."""
        now = self._now()
        if self._goes or now == self._steps[self._at]:
            return
        self._steps = [*self._steps[: self._at + 1], now][-UNDO_STEPS - 1 :]
        self._at = len(self._steps) - 1
        self.changed.emit()

    def _go(self, at: int) -> bool:
        self._at, film = at, self._steps[at]
        self._show(film)
        self.changed.emit()
        return True

    def _enter(self, films: list[Film], at: int) -> None:
        self._steps, self._at = films, at
        self._show(films[at])

    def _show(self, film: Film) -> None:
        self._goes = True
        try:
            if film.camera != self._camera.snapshot():
                self._camera.restore(film.camera)
            if film.time != self._time.snapshot():
                self._time.restore(film.time)
        finally:
            self._goes = False


def _document(film: Film) -> dict[str, Any]:
    """A film as JSON values: the contents of its camera path file and its time track file."""
    curve = TimeCurve(film.time.keys, film.time.switch) if film.time.keys else None
    return {
        "camera": json.loads(keyframes_json(film.camera.keys, film.camera.switch)),
        "time": msgspec.to_builtins(curve),
        "loop": film.time.switch,
    }


def _film(entry: Any) -> Film:
    """The film of JSON values. Raises PlayerError, KeyError, TypeError."""
    path, curve = entry["camera"], entry["time"]
    camera: TrackState[CameraKeyframe] = TrackState((), path.get("constant_speed") is True)
    if path["keyframes"]:
        read = parse_camera_path(path, _ANY_UP, _ANY_ASPECT)
        camera = TrackState(read.keyframes, read.constant_speed)
    time: TrackState[TimeKey] = TrackState((), entry["loop"] is True)
    if curve is not None:
        known = parse_time_track(json.dumps(curve))
        time = TrackState(known.keys, known.loop)
    return Film(camera, time)
