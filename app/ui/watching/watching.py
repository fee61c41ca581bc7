"""What lies over the picture for those who watch, put together."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.app.ui.preferences import Preferences
from streamstgs.app.ui.viewport.viewport import Viewport
from streamstgs.app.ui.watching.drop_highlight import DropHighlight
from streamstgs.app.ui.watching.edge_notice import EdgeNotice
from streamstgs.app.ui.watching.first_hint import FirstHint
from streamstgs.app.ui.watching.fly_keys import FlyKeys
from streamstgs.app.ui.watching.pivot_mark import PivotMark
from streamstgs.app.ui.watching.welcome import WelcomePage
from streamstgs.codec.formats.sequence import common_pattern
from streamstgs.codec.scene_index import SceneIndex


class Watching(QObject):
    """Hints, marks, the edge of what was filmed, fly keys, playlist and welcome page.

    Owner: the GUI thread.

    Args:
        model: Shows the scenes.
        viewport: Carries the widgets.
        preferences: Know the scenes that were opened last.
    """

    def __init__(self, model: ViewerModel, viewport: Viewport, preferences: Preferences) -> None:
        super().__init__(viewport)
        self._model, self._viewport, self._preferences = model, viewport, preferences
        self.edge = EdgeNotice(model.camera, viewport)
        self.hint = FirstHint(model, viewport, preferences)
        self.pivot = PivotMark(model.camera, viewport)
        self.highlight = DropHighlight(viewport)
        self.keys = FlyKeys(model, viewport)
        self.welcome = WelcomePage(viewport)
        self.welcome.chosen.connect(model.open)
        model.index.loaded.connect(self._show_index)
        model.index.poster_loaded.connect(self._show_index_poster)
        model.index.failed.connect(lambda message: viewport.toast.warn(message))
        viewport.dropped_several.connect(self._play)
        model.scene_changed.connect(lambda _: self.welcome.hide())

    def handlers(self) -> dict[str, Callable[[], object]]:
        """The commands by their names in `app.ui.commands`."""
        return {"welcome": self.show_welcome}

    def step_scene(self, scenes: int) -> bool:
        """Go on in the list of dropped scenes; returns whether there is one."""
        playlist = self._model.playlist
        if playlist.locations:
            playlist.step(scenes)
        return bool(playlist.locations)

    def _play(self, locations: list[str]) -> None:
        """Play the frames of a sequence as one scene, and several scenes in turn."""
        pattern = common_pattern(locations)
        if pattern is None:
            self._model.playlist.play(locations)
        else:
            self._viewport.dropped.emit(pattern)

    def show_welcome(self) -> None:
        """Show the welcome page over the picture."""
        self.welcome.show_page(self._preferences.recent)

    def _show_index(self, index: SceneIndex) -> None:
        self.welcome.show_page(self._preferences.recent, index)

    def _show_index_poster(self, number: int, jpeg: bytes) -> None:
        index = self._model.index.index
        if index is not None:
            self.welcome.show_index_poster(index.scenes[number], jpeg)

    def welcome_if_idle(self) -> None:
        """Show the welcome page unless a scene is opened in this turn of the event loop."""
        QTimer.singleShot(0, self, self._welcome_if_idle)

    def _welcome_if_idle(self) -> None:
        if self._model.scene is None and self._model.pending is None:
            self.show_welcome()
