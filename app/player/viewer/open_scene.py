"""A scene that a viewer opens and shows, as a state machine.

    REQUESTED -> OPENING -> DECODED -> PREVIEW -> READY, or FAILED or CLOSED from any of them

`TRANSITIONS` is the whole table; an event that the table does not list for a state changes nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

from psygnal import Signal
from streamstgs.app.player.camera.scene_view import SceneView
from streamstgs.app.player.position.clock import PlaybackClock
from streamstgs.app.player.state_machine import StateMachine
from streamstgs.app.player.status import PlaybackFrame, PlaybackState
from streamstgs.app.player.viewer.shared_clock import SharedClock
from streamstgs.app.translation import tr

if TYPE_CHECKING:  # it loads torch, and a window requests a scene before that
    from streamstgs.app.player.playback import Playback
    from streamstgs.codec.package.scene_meta import SceneMeta

OpenPlayback = Callable[[str, PlaybackClock], "Playback"]
CLOSE_TIMEOUT_S = 5.0


class SceneState(Enum):
    """How far a scene is."""

    REQUESTED = "requested"  # its location is known; the player is not ready to open it
    OPENING = "opening"  # its playback reads it; no frame is decoded
    DECODED = "decoded"  # its first frame is decoded; none is on the screen
    PREVIEW = "preview"  # a frame without motion is on the screen
    READY = "ready"  # a frame with motion is on the screen
    FAILED = "failed"  # it could not be opened, or it cannot go on
    CLOSED = "closed"


class SceneEvent(Enum):
    """What happens to a scene."""

    STARTED = "started"
    FRAME_DECODED = "frame decoded"
    PREVIEW_PAINTED = "preview painted"
    FRAME_PAINTED = "frame painted"
    FAILED = "failed"
    CLOSED = "closed"


_END = {SceneEvent.FAILED: SceneState.FAILED, SceneEvent.CLOSED: SceneState.CLOSED}
TRANSITIONS: dict[SceneState, dict[SceneEvent, SceneState]] = {
    SceneState.REQUESTED: {SceneEvent.STARTED: SceneState.OPENING, **_END},
    SceneState.OPENING: {SceneEvent.FRAME_DECODED: SceneState.DECODED, **_END},
    SceneState.DECODED: {
        SceneEvent.PREVIEW_PAINTED: SceneState.PREVIEW,
        SceneEvent.FRAME_PAINTED: SceneState.READY,
        **_END,
    },
    SceneState.PREVIEW: {SceneEvent.FRAME_PAINTED: SceneState.READY, **_END},
    SceneState.READY: _END,
    SceneState.FAILED: {SceneEvent.CLOSED: SceneState.CLOSED},
    SceneState.CLOSED: {},
}
PENDING = frozenset({SceneState.REQUESTED, SceneState.OPENING})
PAINTED = frozenset({SceneState.PREVIEW, SceneState.READY})
FINAL = frozenset({SceneState.READY, SceneState.FAILED, SceneState.CLOSED})  # paints change nothing


class OpenScene:
    """One scene with its playback. Owner: the thread of the viewer model. No method waits.

    Args:
        location: A path or URL.
        position_s: The content time to start at.
        play: Whether it starts to play.
        waits_for_paint: Whether playing starts once the first frame is on the screen, however
            long rendering takes; false starts at once.
        clock: The clock of scenes that show the same content time; None makes one.
    """

    state_changed = Signal(SceneState)
    warned = Signal(str)  # an error that playback survived; what happened

    def __init__(
        self,
        location: str,
        position_s: float = 0.0,
        play: bool = True,
        waits_for_paint: bool = False,
        clock: SharedClock | None = None,
    ) -> None:
        self.location = location
        self.keeps_quality = False  # whether a choice of quality for all scenes leaves it alone
        self.clock = clock or SharedClock()
        self.frame: PlaybackFrame | None = None  # the newest one; written by `tick`
        self._member = self.clock.member()
        self.playback: Playback | None = None
        self.view = SceneView()  # what a person changed; written by `SceneViewChoice`
        self.error = ""  # of the state FAILED: what happened, then what to do
        self._position_s, self._play = position_s, play
        self._waits_for_paint = waits_for_paint
        self._changed: tuple[SceneMeta, SceneView, SceneMeta] | None = None  # the latest `meta`
        self._held = False  # playing is put off until the first frame is painted
        self._unpainted: list[PlaybackFrame] = []  # frames that may be the first one painted
        self._machine = StateMachine(SceneState.REQUESTED, TRANSITIONS)
        self._closing: threading.Thread | None = None
        self.state_since_s = time.monotonic()

    @property
    def state(self) -> SceneState:
        """How far the scene is."""
        return self._machine.state

    @property
    def meta(self) -> SceneMeta | None:
        """Facts about the scene, with what a person changed; None until it is open."""
        meta = self.playback.meta if self.playback is not None else None
        if meta is None or self.view == SceneView():
            return meta
        if self._changed is None or self._changed[:2] != (meta, self.view):
            self._changed = meta, self.view, self.view.applied(meta)
        return self._changed[2]

    @property
    def held(self) -> bool:
        """Whether playing is put off until the first frame is painted."""
        return self._held

    def start(self, open_playback: OpenPlayback) -> None:
        """Start to open the scene; the states follow with `tick` and `painted`."""
        self.playback = playback = open_playback(self.location, self._member)
        if self._position_s:
            playback.seek(self._position_s)
        if not self._play:
            playback.pause()
        self._handle(SceneEvent.STARTED)

    def tick(self) -> PlaybackFrame | None:
        """The frame to show now; None keeps the former one. Call on every display refresh."""
        playback = self.playback
        if playback is None or self.state is SceneState.CLOSED:
            return None
        frame = playback.tick()
        self.frame = frame or self.frame
        failed = playback.state is PlaybackState.FAILED
        for event in playback.take_events():
            if event.fatal:
                self.error, failed = event.message, True
            else:
                self.warned.emit(event.message)
        if failed:
            self.error = self.error or tr("The scene cannot be opened. Try another one.")
            self._handle(SceneEvent.FAILED)
        elif frame is not None and self.state is SceneState.OPENING:
            self._hold()
            self._handle(SceneEvent.FRAME_DECODED)
        if frame is not None and self.state is SceneState.DECODED and not self._knows(frame):
            self._unpainted.append(frame)
        return frame

    def painted(self, frame: PlaybackFrame) -> None:
        """Report that a frame is on the screen; those of other scenes are ignored."""
        if self.state is SceneState.DECODED:
            if not self._knows(frame):
                return
            self._unpainted.clear()
            self._release()
        self._handle(SceneEvent.PREVIEW_PAINTED if frame.still else SceneEvent.FRAME_PAINTED)

    def stay_paused(self) -> bool:
        """Do not play once the first frame is painted; returns whether that was planned."""
        held, self._held = self._held, False
        return held

    def close(self) -> None:
        """Let go of the scene in a thread of its own; safe to call twice."""
        if self.playback is not None and self._closing is None:
            self._closing = threading.Thread(
                target=self.playback.close, name="close-scene", daemon=True
            )
            self._closing.start()
        self.clock.leave(self._member)
        self._handle(SceneEvent.CLOSED)

    def join(self) -> None:
        """Wait for the end of `close`, for at most `CLOSE_TIMEOUT_S`."""
        if self._closing is not None:
            self._closing.join(CLOSE_TIMEOUT_S)

    @property
    def closing(self) -> bool:
        """Whether threads of the scene still run after `close`."""
        return self._closing is not None and self._closing.is_alive()

    def _knows(self, frame: PlaybackFrame) -> bool:
        return any(frame is other for other in self._unpainted)

    def _hold(self) -> None:
        assert self.playback is not None
        self._held = self._waits_for_paint and self.playback.status().wants_play
        if self._held:
            self.playback.pause(leaves_edge=False)

    def _release(self) -> None:
        if self._held and self.playback is not None:
            self.playback.play()
        self._held = False

    def _handle(self, event: SceneEvent) -> None:
        if self._machine.handle(event):
            self.state_since_s = time.monotonic()
            self.state_changed.emit(self.state)
