"""The kiosk: plays its playlist, gives way to visitors, and goes on after any error."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from enum import Enum

from psygnal import Signal
from streamstgs.app.player.errors import CameraPathError
from streamstgs.app.player.kiosk.attract import AttractCamera
from streamstgs.app.player.kiosk.idle import IdleTimer
from streamstgs.app.player.kiosk.playlist import Playlist, shown_for_s
from streamstgs.app.player.kiosk.preparation import Preparation
from streamstgs.app.player.kiosk.settings import KioskScene, KioskSettings
from streamstgs.app.player.kiosk.watchdog import Watchdog
from streamstgs.app.player.viewer.open_scene import PAINTED, OpenScene, SceneState
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.app.translation import tr
from streamstgs.codec.streaming.address import redact_credentials

log = logging.getLogger(__name__)


class KioskState(Enum):
    """What the kiosk is doing."""

    CLOSED = "closed"  # before `begin` and after `close`
    PREPARING = "preparing"  # it reads its scenes once
    ATTRACT = "attract"  # it plays its playlist
    VISITOR = "visitor"  # a visitor moves the camera or the timeline


class Kiosk:
    """Owner: the thread of the viewer model. No method waits but `close`.

    `changed` follows each change of `state` or `message`. `visitor_left` asks for the language and
    the controls of the start; camera, transport and options are reset here. `picture_stuck` asks
    for another renderer, because no picture reached the screen for long.

    Args:
        model: Opens and plays the scenes.
        settings: The playlist, and times.
        monotonic: Seconds that only grow.
        preparation: Reads the scenes before the start; None starts at once.
    """

    changed = Signal()
    visitor_left = Signal()
    picture_stuck = Signal()

    def __init__(
        self,
        model: ViewerModel,
        settings: KioskSettings,
        monotonic: Callable[[], float] = time.monotonic,
        preparation: Preparation | None = None,
    ) -> None:
        self._model, self._settings, self._monotonic = model, settings, monotonic
        self._preparation = preparation
        self._playlist = Playlist(settings.scenes, settings.retry_s)
        self._idle = IdleTimer(settings.idle_s)
        self._attract = AttractCamera(model.camera, settings.turn_s)
        self._watchdog = Watchdog(settings.stuck_s)
        self._entry: KioskScene | None = None  # of the scene that was asked for last
        self._shown: KioskScene | None = None  # of the scene on the screen
        self._shown_since_s = 0.0
        self._waits = False  # no scene is being opened, because none may be tried yet
        self.state = KioskState.CLOSED
        self.message = ""  # for a screen without a scene: what happens now

    def begin(self) -> None:
        """Prepare the scenes, and play."""
        self._model.scene_changed.connect(self._scene_changed)
        self._model.failed.connect(self._scene_failed)
        self._model.warned.connect(_log_warning)
        self._model.ticked.connect(self._move_camera)
        log.info("The kiosk opens with %d scenes.", len(self._playlist))
        if self._preparation is None:
            self._start()
        else:
            self._preparation.begin()
            self._set_state(KioskState.PREPARING)

    def close(self) -> None:
        """Stop; the model stays open."""
        if self.state is KioskState.CLOSED:
            return
        if self._preparation is not None:
            self._preparation.close()
        self._model.scene_changed.disconnect(self._scene_changed)
        self._model.failed.disconnect(self._scene_failed)
        self._model.warned.disconnect(_log_warning)
        self._model.ticked.disconnect(self._move_camera)
        log.info("The kiosk closes.")
        self._set_state(KioskState.CLOSED)

    @property
    def entry(self) -> KioskScene | None:
        """The entry of the playlist on the screen; None before the first one."""
        return self._shown

    @property
    def titles(self) -> bool:
        """Whether title and credit are shown at the start."""
        return self._settings.titles

    @property
    def language(self) -> str:
        """The language that the kiosk returns to."""
        return self._settings.language

    def touch(self) -> None:
        """Report an input of a visitor, who has the camera from now on."""
        came = self._idle.touch(self._monotonic())
        if came and self.state is KioskState.ATTRACT:
            log.info("A visitor came.")
            self._set_state(KioskState.VISITOR)

    def step(self, steps: int) -> None:
        """Open the next scene of the playlist (1) or the one before (-1)."""
        if self.state in (KioskState.ATTRACT, KioskState.VISITOR):
            self._open(self._playlist.step(steps, self._monotonic()))

    def tick(self) -> None:
        """Look whether something is due; call some times a second."""
        if self.state is KioskState.CLOSED:
            return
        now_s = self._monotonic()
        if self.state is KioskState.PREPARING:
            self._watch_preparation()
            return
        if self._idle.tick(now_s):
            self._visitor_gone(now_s)
        if self._waits:
            self._try_again(now_s)
            return
        if stuck := self._watchdog.look(self._model, now_s):
            self._recover(stuck, now_s)
        elif self._is_over(now_s):
            self._open(self._playlist.step(1, now_s))

    # --- inside -----------------------------------------------------------------------------------

    def _watch_preparation(self) -> None:
        assert self._preparation is not None
        state = self._preparation.state
        if state.done:
            self._start()
            return
        message = tr(
            "Getting ready: scene {number} of {count}, {share:.0%}.",
            number=state.number,
            count=state.count,
            share=state.share,
        )
        if message != self.message:
            self.message = message
            self.changed.emit()

    def _start(self) -> None:
        self.message = ""
        self._set_state(KioskState.VISITOR if self._idle.occupied else KioskState.ATTRACT)
        self._open(self._playlist.scene)

    def _open(self, entry: KioskScene | None) -> None:
        """Open an entry; None waits until one may be tried again."""
        self._entry = entry
        self._waits = entry is None
        if entry is None:
            if self._model.scene is None:
                self.message = tr("No scene is available now. It is tried again soon.")
                self.changed.emit()
            return
        self._watchdog.restart(self._monotonic())
        self._model.open(entry.location)

    def _try_again(self, now_s: float) -> None:
        if self._playlist.next_try_s() <= now_s:
            self._open(self._playlist.step(1, now_s))

    def _is_over(self, now_s: float) -> bool:
        """Whether the next scene of the playlist is due."""
        if self.state is not KioskState.ATTRACT or not self._playlist.has_others:
            return False
        if self._model.pending is not None or self._shown is None or self._model.status is None:
            return False
        length_s = shown_for_s(self._shown, self._model.status.duration_s)
        return now_s - self._shown_since_s >= length_s

    def _scene_changed(self, scene: OpenScene) -> None:
        if scene is not self._model.scene or self._entry is None:
            return
        if scene.state is SceneState.DECODED:
            self._enter(scene, self._entry)
        elif scene.state in PAINTED:
            self._playlist.succeeded()

    def _enter(self, scene: OpenScene, entry: KioskScene) -> None:
        """A scene of the playlist becomes the one on the screen."""
        log.info("%s is shown.", redact_credentials(entry.location))
        self._shown, self._shown_since_s = entry, self._monotonic()
        self._watchdog.restart(self._shown_since_s)
        self._reset_playing()
        assert scene.meta is not None
        try:
            self._attract.enter(entry.camera, scene.meta)
        except CameraPathError as error:
            log.warning("The camera of %s stands still: %s", entry.location, error)
        self.message = ""
        self.changed.emit()

    def _scene_failed(self, message: str) -> None:
        self._recover(message, self._monotonic())

    def _recover(self, why: str, now_s: float) -> None:
        """Go on after an error: with the next scene, or with this one after a pause."""
        log.warning("%s", why)
        if self._watchdog.blames_picture:
            self.picture_stuck.emit()
        other_failed = self._entry is not self._shown  # the scene on the screen goes on
        self._playlist.failed(now_s)
        self._model.cancel_opening()
        entry = self._playlist.step(1, now_s)
        if entry is not None and entry is self._shown and other_failed and self._is_painted():
            self._entry, self._shown_since_s = entry, now_s  # it need not be opened again
            self._watchdog.restart(now_s)
        else:
            self._open(entry)

    def _is_painted(self) -> bool:
        scene = self._model.scene
        return scene is not None and scene.state in PAINTED

    def _visitor_gone(self, now_s: float) -> None:
        log.info("The visitor went.")
        self._shown_since_s = now_s
        self._reset_playing()
        self._attract.restart()
        self._set_state(KioskState.ATTRACT)
        self.visitor_left.emit()

    def _reset_playing(self) -> None:
        """Play as at the start: forward, in a loop, at normal speed, in the scene's own colours."""
        transport, options = self._model.transport, self._model.options
        transport.set_speed(1.0)
        transport.set_loop(True)
        transport.play()
        options.reset()
        if self._model.quality.choice is not None:
            self._model.quality.choice = None

    def _move_camera(self, dt_s: float) -> None:
        if self.state is KioskState.ATTRACT:
            self._attract.advance(dt_s)

    def _set_state(self, state: KioskState) -> None:
        if state is not self.state:
            self.state = state
            self.changed.emit()


def _log_warning(message: str) -> None:
    log.warning("%s", message)
