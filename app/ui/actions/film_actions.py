"""Commands of the film: lanes, keyframes, preview, and the camera path in the picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.app.ui.central_layout import CentralLayout
from streamstgs.app.ui.preferences import Preferences
from streamstgs.app.ui.viewport.track_overlay import TrackOverlay

if TYPE_CHECKING:  # it loads torch, and a window exists before that
    from streamstgs.app.player.film.store import FilmStore
    from streamstgs.app.ui.transport.lanes.film_panel import FilmPanel


class FilmActions(QObject):
    """Edits and previews the film of the model. Owner: the GUI thread.

    The lanes and the overlay are made when they are wanted for the first time.

    Args:
        model: Its tracks are edited.
        central: Gets the lanes below its viewport.
        preferences: Remember whether the lanes are open.
        check: Shows in the menu whether a command is on.
    """

    def __init__(
        self,
        model: ViewerModel,
        central: CentralLayout,
        preferences: Preferences,
        check: Callable[[str, bool], None],
    ) -> None:
        super().__init__(central)
        self._model, self._central = model, central
        self._preferences, self._check = preferences, check
        self.panel: FilmPanel | None = None
        self.overlay: TrackOverlay | None = None
        self.asked: Callable[[str], object] = lambda name: None  # runs a command by its name
        self._enter: list[QShortcut] = []
        self._store: FilmStore | None = None

    def enter_scene(self, location: str) -> None:
        """Take the film that was kept for a scene, with its undo."""
        from streamstgs.app.player.film.store import FilmStore  # loads torch

        if self._store is None:
            self._store = FilmStore(
                self._model.history, self._preferences.film_folder, self._warn_soon
            )
        self._store.enter_scene(location)

    def _warn_soon(self, message: str) -> None:
        """Show a warning after the message that tells of the edit, which would replace it."""
        QTimer.singleShot(0, lambda: self._central.viewport.toast.warn(message))

    def handlers(self) -> dict[str, Callable[[], object]]:
        """The commands by their names in `app.ui.commands`."""
        return {
            "film_lanes": lambda: self.set_lanes(not self.lanes_open),
            "play_film": self._model.film.toggle,
            "show_path": lambda: self.set_path(not self.path_shown),
            "follow_track": lambda: self.set_following(not self._model.follows_track),
        }

    @property
    def lanes_open(self) -> bool:
        """Whether the lanes are shown."""
        return self.panel is not None and self.panel.isVisibleTo(self._central)

    @property
    def path_shown(self) -> bool:
        """Whether the camera path is drawn in the picture."""
        return self.overlay is not None and self.overlay.isVisibleTo(self._central.viewport)

    def set_lanes(self, on: bool) -> None:
        """Show or hide the lanes."""
        if on and self.panel is None:
            self._make_panel()
        if self.panel is not None:
            self._central.set_film_open(on)
            self.panel.refresh()
        for shortcut in self._enter:
            shortcut.setEnabled(on)
        self._preferences.set("film_lanes", on)
        self._check("film_lanes", on)

    def set_path(self, on: bool) -> None:
        """Draw the camera path in the picture, or stop that."""
        if on and self.overlay is None:
            self.overlay = TrackOverlay(self._model, self._central.viewport)
            if self.panel is not None:
                self.overlay.select(self.panel.camera.selected)
        if self.overlay is not None:
            self.overlay.set_shown(on)
        self._show_options()

    def set_following(self, on: bool) -> None:
        """Let the camera follow the film while time runs, or stop that."""
        self._model.follows_track = on
        self._show_options()

    def refresh(self) -> None:
        """Show the time of the film; costs nothing while the lanes are hidden."""
        if self.panel is not None:
            self.panel.refresh()

    def refresh_icons(self) -> None:
        """Draw the icons in the colours of the current theme."""
        if self.panel is not None:
            self.panel.refresh_icons()

    def _make_panel(self) -> None:
        from streamstgs.app.ui.transport.lanes.film_panel import FilmPanel

        self.panel = panel = FilmPanel(self._model)
        panel.asked.connect(lambda name: self.asked(name))
        panel.camera.selection_changed.connect(self._select)
        self._central.set_film_panel(panel)
        for key, run in (
            ("Return", self._add),
            ("Enter", self._add),
            ("Shift+Return", self._replace_selected),
            ("Shift+Enter", self._replace_selected),
        ):
            shortcut = QShortcut(QKeySequence(key), self._central.viewport)
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(run)
            self._enter.append(shortcut)
        self._show_options()

    def _add(self) -> None:
        self.asked("add_keyframe")

    def _replace_selected(self) -> None:
        if self.panel is not None:
            self.panel.replace_selected()

    def _select(self, index: int) -> None:
        if self.overlay is not None:
            self.overlay.select(None if index < 0 else index)

    def _show_options(self) -> None:
        follows, path = self._model.follows_track, self.path_shown
        self._check("follow_track", follows)
        self._check("show_path", path)
        if self.panel is not None:
            self.panel.show_options(follows, path)
