"""The viewer model: everything a viewer shows and everything a person can change about it.

It imports no Qt. The window subscribes to its events and calls its methods, and a script or a test
does the same without a display:

    model = ViewerModel(lambda location, clock: Playback(location, clock=clock))
    model.open("scene.stgs", play=False)
    model.settle(timeout_s=30.0)
    model.transport.seek(3.0)
    model.camera.look_at = (0.0, 0.0, 0.0)
    rgb8 = model.screenshot(640, 360)  # [360, 640, 3] uint8

Each part has one writer per field and a `changed` event: `camera`, `track`, `options`, `quality`,
`transport`, `statistics`. Heavy modules are imported late: a window has a model before torch.
"""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING

from psygnal import Signal
from streamstgs.app.player.camera.controller import CameraController
from streamstgs.app.player.errors import NoSceneError, SceneFailed, SceneTimeout
from streamstgs.app.player.status import PlaybackFrame, PlaybackStatus
from streamstgs.app.player.viewer.open_scene import FINAL, OpenPlayback, OpenScene, SceneState
from streamstgs.app.player.viewer.quality_selection import QualitySelection
from streamstgs.app.player.viewer.render_options import RenderOptions
from streamstgs.app.player.viewer.statistics import RenderStatistics, StatisticsRecorder
from streamstgs.app.player.viewer.transport import Transport
from streamstgs.renderer import RenderSettings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from streamstgs.app.player.camera.framing import Vector
    from streamstgs.app.player.camera.track import CameraTrack
    from streamstgs.app.player.playback import Playback
    from streamstgs.app.player.viewer.offscreen import OffscreenRenderer
    from streamstgs.codec.package.scene_meta import CameraPreset, SceneMeta

TICK_S = 0.005  # pause between two looks while `settle` waits


class ViewerModel:
    """Owner: one thread, the GUI's in a window. No method but `settle` and `screenshot` waits.

    Args:
        open_playback: Starts the playback of a location with a clock. None keeps scenes in the
            state REQUESTED until `allow_opening`.
        waits_for_paint: Whether a scene starts to play once `frame_painted` reports its first
            frame. A window sets this, so that slow rendering skips nothing at the start.
        glides: Whether steps of the camera are shown as a smooth move.
    """

    scene_changed = Signal(OpenScene)  # a scene was requested or reached another state
    failed = Signal(str)  # a scene could not be opened or cannot go on: what happened, what to do
    warned = Signal(str)  # an error that did not stop anything

    def __init__(
        self,
        open_playback: OpenPlayback | None = None,
        waits_for_paint: bool = False,
        glides: bool = False,
    ) -> None:
        self._open_playback = open_playback
        self._waits_for_paint = waits_for_paint
        self.scene: OpenScene | None = None  # the shown one; written by `_scene_state_changed`
        self.pending: OpenScene | None = None  # it is being opened; written by `open` and `cancel`
        self.companions: tuple[OpenScene, ...] = ()  # they share the clock of the shown one
        self.last_location: str | None = None
        self._closing: list[OpenScene] = []
        self._keep_pose = False  # of the camera, when the pending scene takes over
        self._reopening = False  # frames of the shown scene are of no use any more
        self._offscreen: OffscreenRenderer | None = None
        self.camera = CameraController(glides)
        self.options = RenderOptions()
        self.transport = Transport(self._shown_scenes)
        self.quality = QualitySelection(self.transport, self._shown_scenes)
        self.statistics = StatisticsRecorder()

    @cached_property
    def track(self) -> CameraTrack:
        """Keyframes of a camera that moves by itself."""
        from streamstgs.app.player.camera.track import CameraTrack

        return CameraTrack()

    # --- scenes -----------------------------------------------------------------------------------

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
        scene = OpenScene(location, position_s, play, self._waits_for_paint)
        self.pending = scene
        self._follow(scene)
        self._start_pending()
        return scene

    def open_beside(self, location: str) -> OpenScene:
        """Start to open a scene that plays together with the shown one, as to compare them.

        It shares the clock: it shows the same content time, and if one of them buffers, both wait.
        Its newest frame is `OpenScene.frame`. Opening another scene closes it.

        Raises:
            NoSceneError: No scene is shown.
        """
        if self.scene is None or self._open_playback is None:
            raise NoSceneError("No scene is open. Open one before another one beside it.")
        wants_play = self.status is None or self.status.wants_play
        companion = OpenScene(location, play=wants_play, clock=self.scene.clock)
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
        scene, status = self.scene, self.status
        if scene is not None and status is not None:
            self.open(scene.location, status.position_s, status.wants_play, keep_pose=True)
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

    def close(self) -> None:
        """Close all scenes and wait for the end of their threads."""
        self.cancel_opening()
        self._close_shown()
        for closing in self._closing:
            closing.join()
        if self._offscreen is not None:
            self._offscreen.close()

    @property
    def playback(self) -> Playback | None:
        """The playback of the shown scene."""
        return self.scene.playback if self.scene is not None else None

    @property
    def meta(self) -> SceneMeta | None:
        """Facts about the shown scene."""
        return self.scene.meta if self.scene is not None else None

    @property
    def title(self) -> str:
        """The title of the shown scene; empty without one."""
        return self.meta.title if self.meta is not None else ""

    @property
    def presets(self) -> tuple[CameraPreset, ...]:
        """The named views of the shown scene."""
        return self.meta.presets if self.meta is not None else ()

    @property
    def status(self) -> PlaybackStatus | None:
        """The status of playback at the last tick."""
        return self.transport.status

    @property
    def render_statistics(self) -> RenderStatistics:
        """Measurements of the last image."""
        return self.statistics.newest

    @property
    def frame(self) -> PlaybackFrame | None:
        """The content frame to show; None until the first one is decoded."""
        return self.scene.frame if self.scene is not None and not self._reopening else None

    # --- time -------------------------------------------------------------------------------------

    def tick(self, dt_s: float = 0.0) -> PlaybackFrame | None:
        """Go on in time and return the frame to show; call on every display refresh.

        Args:
            dt_s: Seconds since the last call, for a camera that glides.
        """
        if self.pending is not None:
            self.pending.tick()
        for scene in self._shown_scenes():
            scene.tick()
        self.camera.advance(dt_s)
        now_s = time.monotonic()
        self.transport.update(now_s)
        self.statistics.update(now_s)
        return self.frame

    def frame_painted(self, frame: PlaybackFrame) -> None:
        """Report that a frame is on the screen."""
        scene = self.scene
        if scene is not None and scene.state not in FINAL:
            former = scene.state
            scene.painted(frame)
            if scene.state is not former:
                self.transport.refresh()

    def warn(self, message: str) -> None:
        """Publish an error that did not stop anything: what happened, then what to do."""
        self.warned.emit(message)

    def note_skipped(self, frames: int) -> None:
        """Report how many content frames rendering was too slow for, since the start."""
        if self.playback is not None:
            self.playback.note_skipped(frames)

    def settle(self, timeout_s: float) -> PlaybackFrame:
        """Wait until the frame of the position is decoded, and return it. A window never waits.

        Raises:
            NoSceneError: No scene was opened.
            SceneFailed: The scene cannot be opened or cannot go on.
            SceneTimeout: It took longer than `timeout_s`.
        """
        scene = self.pending or self.scene
        if scene is None:
            raise NoSceneError("No scene is open. Open one first.")
        end_s = time.monotonic() + timeout_s
        while True:
            self.tick()
            left_s = end_s - time.monotonic()
            settled = scene.playback is not None and scene.playback.settle(max(left_s, 0.0))
            frame = scene.tick()
            if scene.error:
                raise SceneFailed(scene.error)
            if settled and frame is not None and scene is self.scene:
                self.transport.refresh()
                return frame
            if left_s <= 0.0:
                raise SceneTimeout(f"{scene.location} had no frame within {timeout_s:g} s.")
            time.sleep(TICK_S)

    # --- images -----------------------------------------------------------------------------------

    def render_settings(self) -> RenderSettings:
        """The renderer's settings for the shown scene."""
        if self.meta is None:
            return RenderSettings()
        distance = self.camera.shown.distance if self.camera.available else self.meta.radius
        return self.options.settings(self.meta.background, self.meta.near, distance)

    def screenshot(
        self, width: int, height: int, backend: str | None = None, timeout_s: float = 60.0
    ) -> NDArray[np.uint8]:
        """Render the frame of the position without a display.

        Args:
            backend: The name of a renderer; None chooses the fastest of this machine.
            timeout_s: How long to wait for the frame.

        Returns:
            [height, width, 3] uint8, display-encoded.

        Raises:
            NoSceneError, SceneFailed, SceneTimeout: As of `settle`.
            RenderError: The renderer cannot draw here.
        """
        from streamstgs.app.player.viewer.offscreen import OffscreenRenderer

        frame = self.settle(timeout_s)
        self.camera.finish_glide()
        if self._offscreen is None:
            self._offscreen = OffscreenRenderer()
        camera = self.camera.to_camera(width, height)
        rgb8 = self._offscreen.render(frame, camera, self.render_settings(), backend)
        self.frame_painted(frame)
        return rgb8

    def pick(self, x: float, y: float, width: int, height: int) -> Vector | None:
        """The point of the scene under pixel (x, y) of a width x height px image; None if none.

        It moves and sorts all Gaussians in the calling thread; a window picks in another thread
        (`camera.picking.pick_in_thread`).
        """
        from streamstgs.app.player.camera.picking import point_under

        frame = self.frame
        if frame is None or not self.camera.available:
            return None
        gaussians = frame.gop.gaussians_at(frame.frame)
        return point_under(gaussians, self.camera.to_camera(width, height), x, y)

    def go_to_preset(self, number: int) -> None:
        """Take a named view of the scene by its number from 0; unknown numbers are ignored."""
        if 0 <= number < len(self.presets):
            self.camera.go_to_preset(self.presets[number])

    # --- inside -----------------------------------------------------------------------------------

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
        assert scene.meta is not None
        self.camera.enter_scene(scene.meta, self._keep_pose)

    def _close_shown(self) -> None:
        shown = self._shown_scenes()
        self.scene, self.companions = None, ()
        for scene in shown:
            self._close_scene(scene)

    def _close_scene(self, scene: OpenScene) -> None:
        scene.close()
        self._closing = [old for old in self._closing if old.closing] + [scene]
