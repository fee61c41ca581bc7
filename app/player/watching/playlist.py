"""Scenes that play one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from psygnal import Signal
from streamstgs.app.player.status import PlaybackState, PlaybackStatus
from streamstgs.app.player.viewer.open_scene import OpenScene, SceneState

if TYPE_CHECKING:  # it owns a playlist
    from streamstgs.app.player.viewer_model import ViewerModel


class Playlist:
    """Opens the next scene when one ends, and the first after the last.

    A scene of the list does not start again at its end; looping it by hand stays on it. Scenes that
    cannot be opened are skipped. Opening a scene that is not in the list ends the list.

    Owner: the thread of the viewer model.

    Example:
        model.playlist.play(["first.stgs", "second.stgs"])
        model.playlist.step(1)

    Args:
        model: Opens the scenes.
    """

    changed = Signal()  # the list, or which scene of it is open

    def __init__(self, model: ViewerModel) -> None:
        self._model = model
        self.locations: tuple[str, ...] = ()
        self.index = 0  # of the scene that is open or being opened
        self._failures = 0  # in a row
        model.scene_changed.connect(self._scene_changed)
        model.failed.connect(self._failed)
        model.transport.status_changed.connect(self._status_changed)

    def play(self, locations: Sequence[str]) -> None:
        """Play these paths and URLs from the first one on; an empty list ends the list."""
        self.locations, self._failures = tuple(locations), 0
        if self.locations:
            self._open(0)
        else:
            self.changed.emit()

    def step(self, scenes: int) -> None:
        """Go on by scenes (negative: back); does nothing without a list."""
        if self.locations:
            self._failures = 0
            self._open(self.index + scenes)

    def _open(self, index: int) -> None:
        self.index = index % len(self.locations)
        self._model.open(self.locations[self.index])
        self.changed.emit()

    def _scene_changed(self, scene: OpenScene) -> None:
        if not self.locations:
            return
        own = scene.location == self.locations[self.index]
        if scene is self._model.pending and not own:
            self.locations = ()
            self.changed.emit()
        elif scene.state is SceneState.DECODED and own:
            self._failures = 0
            if len(self.locations) > 1:
                self._model.transport.set_loop(False)

    def _failed(self, message: str) -> None:
        """Skip a scene that cannot be opened or cannot go on, unless all of them failed."""
        self._failures += 1
        if self._model.pending is None and self._failures < len(self.locations):
            self._open(self.index + 1)

    def _status_changed(self, status: PlaybackStatus) -> None:
        waits = self._model.pending is None and len(self.locations) > 1
        if waits and status.state is PlaybackState.ENDED:
            self._open(self.index + 1)
