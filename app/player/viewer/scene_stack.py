"""The open scenes of a viewer: the shown one, the one being opened, and those beside it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from psygnal import Signal
from streamstgs.app.player.errors import NoSceneError
from streamstgs.app.player.status import PlaybackFrame
from streamstgs.app.player.viewer.open_scene import OpenPlayback, OpenScene, SceneState
from streamstgs.app.player.viewer.shared_clock import SharedClock

if TYPE_CHECKING:
    from streamstgs.app.player.playback import Playback
    from streamstgs.codec.package.scene_meta import SceneMeta


class SceneStack:
    """Opens, replaces and closes scenes. Owner: the thread of the viewer model.

    Args:
        open_playback, waits_for_paint: As of `ViewerModel`.
        monotonic: Seconds that only grow, for the clocks of scenes.
    """

    scene_changed = Signal(OpenScene)  # a scene was requested or reached another state
    failed = Signal(str)  # a scene could not be opened or cannot go on: what happened, what to do
    warned = Signal(str)  # an error that did not stop anything

    def __init__(
        self,
        open_playback: OpenPlayback | None,
        waits_for_paint: bool,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._open_playback = open_playback
        self._waits_for_paint = waits_for_paint
        self.scene: OpenScene | None = None  # the shown one; written by `_take_over`
        self.pending: OpenScene | None = None  # the one being opened
        self.companions: tuple[OpenScene, ...] = ()  # they share the clock of the shown one
        self.last_location: str | None = None
        self._closing: list[OpenScene] = []
        self._keep_pose = False  # of the camera, when the pending scene takes over
        self._reopening = False  # frames of the shown scene are of no use any more

    def open(
        self, location: str, position_s: float = 0.0, play: bool = True, keep_pose: bool = False
    ) -> OpenScene:
        """Start to open a scene, which replaces the shown one once its first frame is decoded.

        If it cannot be opened, the shown one goes on and `failed` says why.

        Args:
            location: A path or URL.
            position_s: The content time to start at.
            play: Whether it starts to play.
            keep_pose: Whether the camera stays, as when the same scene is loaded again.
        """
        self.cancel_opening()
        self.last_location = location
        self._keep_pose = keep_pose
        scene = OpenScene(
            location,
            position_s,
            play,
            self._waits_for_paint,
            clock=SharedClock(self._monotonic),
        )
        self.pending = scene
        self._follow(scene)
        self._start_pending()
        return scene

    def open_beside(self, location: str, keeps_quality: bool = False) -> OpenScene:
        """Start to open a scene that plays together with the shown one, as to compare them.

        It shares the clock: it shows the same content time, and if one of them buffers, both wait.
        Its newest frame is `OpenScene.frame`. Opening another scene closes it.

        Args:
            location: A path or URL.
            keeps_quality: Whether `QualitySelection` leaves its quality alone.

        Raises:
            NoSceneError: No scene is shown.
        """
        if self.scene is None or self._open_playback is None:
            raise NoSceneError("No scene is open. Open one before another one beside it.")
        assert self.scene.playback is not None
        wants_play = self.scene.playback.status().wants_play
        companion = OpenScene(location, play=wants_play, clock=self.scene.clock)
        companion.keeps_quality = keeps_quality
        self.companions = (*self.companions, companion)
        self._follow(companion)
        companion.start(self._open_playback)
        return companion

    def close_beside(self, companion: OpenScene) -> None:
        """Close a scene of `open_beside`."""
        self.companions = tuple(other for other in self.companions if other is not companion)
        self._close_scene(companion)

    def reopen(self) -> None:
        """Load the shown scene again at its position, as for another device; the camera stays."""
        scene, playback = self.scene, self.playback
        if scene is not None and playback is not None:
            status = playback.status()
            wants_play = status.wants_play or scene.held
            follows = status.live is not None and status.live.following
            position_s = 0.0 if follows else status.position_s  # it begins at the live edge
            self.open(scene.location, position_s, wants_play, keep_pose=True)
            self._reopening = True

    def allow_opening(self, open_playback: OpenPlayback) -> None:
        """Start the requested scene, and later ones at once."""
        self._open_playback = open_playback
        self._start_pending()

    def cancel_opening(self) -> None:
        """Give up the scene that is being opened; the shown one stays."""
        pending, self.pending = self.pending, None
        self._reopening = False
        if pending is not None:
            self._close_scene(pending)

    def begin_closing(self) -> None:
        """Let all scenes go without waiting for their threads."""
        self.cancel_opening()
        self._close_shown()

    def close(self) -> None:
        """Close all scenes and wait for the end of their threads."""
        self.begin_closing()
        for closing in self._closing:
            closing.join()

    @property
    def playback(self) -> Playback | None:
        """The playback of the shown scene."""
        return self.scene.playback if self.scene is not None else None

    @property
    def meta(self) -> SceneMeta | None:
        """Facts about the shown scene."""
        return self.scene.meta if self.scene is not None else None

    @property
    def frame(self) -> PlaybackFrame | None:
        """The content frame to show; None until the first one is decoded."""
        return self.scene.frame if self.scene is not None and not self._reopening else None

    def warn(self, message: str) -> None:
        """Publish an error that did not stop anything: what happened, then what to do."""
        self.warned.emit(message)

    # --- inside ----------------------------------------------------------------------------------

    def _shown_scenes(self) -> list[OpenScene]:
        return [self.scene, *self.companions] if self.scene is not None else []

    def _follow(self, scene: OpenScene) -> None:
        """Subscribe to a new scene and publish it."""
        scene.state_changed.connect(lambda state: self._scene_state_changed(scene, state))
        scene.warned.connect(self.warn)
        self.scene_changed.emit(scene)

    def _start_pending(self) -> None:
        pending = self.pending
        if pending is None or pending.state is not SceneState.REQUESTED:
            return
        if self._open_playback is not None:
            pending.start(self._open_playback)

    def _scene_state_changed(self, scene: OpenScene, state: SceneState) -> None:
        if state is SceneState.DECODED and scene is self.pending:
            self._take_over(scene)
        elif state is SceneState.FAILED:
            if scene is self.pending:
                self.cancel_opening()
            elif scene in self.companions:
                self.close_beside(scene)
            self.failed.emit(scene.error)
        if scene.state is state:  # else a newer state was published already
            self.scene_changed.emit(scene)

    def _take_over(self, scene: OpenScene) -> None:
        """The scene that was being opened becomes the shown one."""
        self._close_shown()
        self.scene, self.pending, self._reopening = scene, None, False
        self._scene_entered(scene, self._keep_pose)

    def _scene_entered(self, scene: OpenScene, keep_pose: bool) -> None:
        """Called when a scene becomes the shown one, before its state is published."""

    def _close_shown(self) -> None:
        shown = self._shown_scenes()
        self.scene, self.companions = None, ()
        for scene in shown:
            self._close_scene(scene)

    def _close_scene(self, scene: OpenScene) -> None:
        scene.close()
        self._closing = [old for old in self._closing if old.closing] + [scene]
