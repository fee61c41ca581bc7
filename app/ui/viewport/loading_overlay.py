"""Loading overlay, shown until the first frame of a scene is painted: its poster, or a card."""

from __future__ import annotations

import time
from enum import Enum

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QImage
from streamstgs.app.player.viewer.open_scene import PAINTED, PENDING, OpenScene, SceneState
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.app.ui.viewport.poster_loader import PosterLoader
from streamstgs.app.ui.viewport.viewport import Viewport
from streamstgs.codec.poster import Poster

CARD_S = 0.08  # a poster found by then spares the card
POSTER_ALONE_S = 4.0  # after so long the card says over the poster what is going on
PREVIEW_S = 2.0  # the poster covers a frame without motion for no longer


class Overlay(Enum):
    """What covers the surface while a scene is opened."""

    NONE = "none"
    POSTER = "poster"
    CARD = "card"  # over the poster, if there is one


def overlay_of(
    state: SceneState, state_s: float, poster_s: float | None, camera_moved: bool
) -> Overlay:
    """The overlay of a scene.

    A frame without motion shows the first static layers only, and less than the poster does. So the
    poster stays until there is motion, unless the camera moves, which the poster cannot follow.

    Args:
        state: How far the scene is.
        state_s: Seconds since it reached this state; while it is pending since it was requested.
        poster_s: Seconds since its poster is shown; None without a poster.
        camera_moved: Whether the camera moved since the first frame was decoded.
    """
    if state in PENDING or state is SceneState.DECODED:
        if poster_s is not None:
            return Overlay.POSTER if poster_s < POSTER_ALONE_S else Overlay.CARD
        return Overlay.CARD if state_s >= CARD_S else Overlay.NONE
    if state is SceneState.PREVIEW and poster_s is not None and not camera_moved:
        return Overlay.POSTER if state_s < PREVIEW_S else Overlay.NONE
    return Overlay.NONE


class LoadingOverlay(QObject):
    """Shows poster, card and spinner of the viewport for the newest scene. Owner: the GUI thread.

    Args:
        model: Its newest scene is followed.
        viewport: Carries poster, card and spinner.
        posters: Looks for the poster of the scene.
    """

    def __init__(self, model: ViewerModel, viewport: Viewport, posters: PosterLoader) -> None:
        super().__init__(viewport)
        self._model, self._posters = model, posters
        self._poster, self._card, self._spinner = viewport.poster, viewport.card, viewport.spinner
        self._scene: OpenScene | None = None  # the newest one
        self._requested_s = 0.0
        self._poster_since_s: float | None = None
        self._camera_moved = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._update)
        posters.found.connect(self._show_poster)
        model.scene_changed.connect(self._scene_changed)
        model.camera.changed.connect(self._camera_changed)

    def _scene_changed(self, scene: OpenScene) -> None:
        if scene.state is SceneState.REQUESTED and scene is self._model.pending:
            self._hide_poster()
            self._scene, self._requested_s = scene, time.monotonic()
            self._posters.look_for(scene.location)
        if scene.state is SceneState.DECODED and scene is self._scene:
            self._camera_moved = False
        if scene is self._scene:
            self._update()

    def _show_poster(self, location: str, poster: Poster, image: QImage) -> None:
        scene = self._scene
        fits = self._model.options.is_plain
        if scene is not None and scene.state in PENDING and scene.location == location and fits:
            self._card.put_away()
            self._poster.show_poster(poster, image)
            self._poster_since_s = time.monotonic()
            self._spinner.set_running(True)
            self._update()

    def _camera_changed(self) -> None:
        self._camera_moved = True
        if self._scene is not None and self._scene.state is SceneState.PREVIEW:
            self._update()

    def _update(self) -> None:
        scene, now_s = self._scene, time.monotonic()
        if scene is None:
            return
        pending = scene.state not in PAINTED
        state_s = now_s - (self._requested_s if pending else scene.state_since_s)
        poster_s = None if self._poster_since_s is None else now_s - self._poster_since_s
        overlay = overlay_of(scene.state, state_s, poster_s, self._camera_moved)
        if scene.state in PAINTED:
            self._card.put_away()
        elif overlay is Overlay.CARD and scene.state in PENDING:
            self._spinner.set_running(False)
            self._card.show_opening(scene.location)
        if overlay is Overlay.NONE and self._poster_since_s is not None:
            self._hide_poster()
        self._wait_for_next(state_s, poster_s)
        if scene.state in (SceneState.READY, SceneState.FAILED, SceneState.CLOSED):
            self._scene = None

    def _wait_for_next(self, state_s: float, poster_s: float | None) -> None:
        """Look again when the overlay may change by time alone."""
        limits = [(state_s, CARD_S), (state_s, PREVIEW_S)]
        if poster_s is not None:
            limits.append((poster_s, POSTER_ALONE_S))
        rest_s = min((limit - passed for passed, limit in limits if passed < limit), default=None)
        if rest_s is not None:
            self._timer.start(round(1000 * rest_s) + 1)

    def _hide_poster(self) -> None:
        self._timer.stop()
        self._poster_since_s = None
        self._poster.put_away()
        self._spinner.set_running(False)
