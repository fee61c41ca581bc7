"""What hangs before the picture of a scene until that is worth seeing: its poster, or a card."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QImage
from streamstgs.app.ui.drawing.render_loop import RenderLoop
from streamstgs.app.ui.preferences import Preferences
from streamstgs.app.ui.viewport.poster_loader import Posters
from streamstgs.codec.poster import Poster

_POSTER_MS = 80  # a poster that is there by then spares the card
_PATIENCE_MS = 4000  # who looks at a poster for longer wants to know what goes on
_HOLD_MS = 2000  # a picture that can be walked around in is not kept back for longer


class LoadingOverlay(QObject):
    """Owner: the GUI thread.

    A picture without motion shows the first static Gaussians only, and less than the poster does.
    So the poster stays until there is motion, unless somebody moves the camera, which it cannot
    follow.
    """

    def __init__(self, preferences: Preferences, loop: RenderLoop, posters: Posters) -> None:
        super().__init__()
        self._preferences, self._loop, self._posters = preferences, loop, posters
        self._viewport = loop.viewport
        self._location_of_poster = ""
        self._camera_moved = False
        self._card_timer = QTimer(self)
        self._card_timer.setSingleShot(True)
        self._card_timer.timeout.connect(self._show_card)
        self._hold_timer = QTimer(self)
        self._hold_timer.setSingleShot(True)
        self._hold_timer.timeout.connect(self.put_poster_away)
        posters.found.connect(self._show_poster)
        loop.screening.opening.connect(self._scene_opening)
        loop.screening.opened.connect(self._scene_opened)
        loop.scene_shown.connect(self._scene_shown)
        loop.motion_shown.connect(self._motion_shown)
        loop.camera_changed.connect(self._let_camera_move)

    def put_poster_away(self) -> None:
        self._card_timer.stop()
        self._hold_timer.stop()
        self._viewport.poster.put_away()
        self._viewport.spinner.set_running(False)

    def _scene_opening(self, location: str) -> None:
        """A poster, or a card where there is none."""
        if location == self._location_of_poster and self._viewport.poster.isVisible():
            return  # it was asked for before it could be opened
        self.put_poster_away()
        self._card_timer.start(_POSTER_MS)
        self._posters.look_for(location)

    def _show_poster(self, location: str, poster: Poster, image: QImage) -> None:
        as_in_scene = self._preferences.text("background", "scene") == "scene"
        if location == self._loop.awaited and as_in_scene:
            self._viewport.card.put_away()
            self._location_of_poster = location
            self._viewport.poster.show_poster(poster, image)
            self._viewport.spinner.set_running(True)
            self._card_timer.start(_PATIENCE_MS)

    def _show_card(self) -> None:
        if self._loop.awaited is not None:
            self._viewport.spinner.set_running(False)
            self._viewport.card.show_opening(self._loop.awaited)

    def _scene_opened(self) -> None:
        self._camera_moved = False

    def _scene_shown(self) -> None:
        """Its first picture has been painted below what was shown until now."""
        if self._loop.awaited is not None:
            return  # what hangs here announces the next scene already
        self._viewport.card.put_away()
        if self._viewport.poster.isVisible() and not self._camera_moved:
            self._card_timer.stop()
            self._hold_timer.start(_HOLD_MS)
        else:
            self.put_poster_away()

    def _motion_shown(self) -> None:
        if self._loop.awaited is None:
            self.put_poster_away()

    def _let_camera_move(self) -> None:
        self._camera_moved = True
        if self._hold_timer.isActive():
            self.put_poster_away()
