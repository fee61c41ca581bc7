"""The viewer model: everything a viewer shows and everything a person can change about it.

It imports no Qt. The window subscribes to its events and calls its methods, and a script or a test
does the same without a display:

    model = ViewerModel(lambda location, clock: Playback(location, clock=clock))
    model.open("scene.stgs", play=False)
    model.settle(timeout_s=30.0)
    model.transport.seek(3.0)
    model.camera.look_at = (0.0, 0.0, 0.0)
    rgb8 = model.screenshot(640, 360)  # [360, 640, 3] uint8

Each part has one writer per field and a `changed` event: `camera`, `track`, `time_track`,
`markers`, `film`, `scene_view`, `exports`, `options`, `quality`, `transport`, `statistics`. Heavy
modules are imported late: a window has a model before torch.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from psygnal import Signal
from streamstgs.app.player.camera.controller import CameraController
from streamstgs.app.player.camera.limits.surface_finder import SurfaceFinder
from streamstgs.app.player.camera.moves.fly import FlyControl
from streamstgs.app.player.camera.scene_view import (
    SceneViewChoice,
    SceneViewStore,
    ViewsInMemory,
)
from streamstgs.app.player.errors import NoSceneError, SceneFailed, SceneTimeout
from streamstgs.app.player.export.jobs.exports import Exports
from streamstgs.app.player.film.preview import FilmPreview
from streamstgs.app.player.rendering.view_settings import Look, fitting_depths
from streamstgs.app.player.sound.sound_time import SoundTime
from streamstgs.app.player.status import PlaybackFrame, PlaybackState, PlaybackStatus
from streamstgs.app.player.viewer.open_scene import FINAL, OpenPlayback, OpenScene
from streamstgs.app.player.viewer.quality_selection import QualitySelection
from streamstgs.app.player.viewer.render_options import RenderOptions
from streamstgs.app.player.viewer.scene_stack import SceneStack
from streamstgs.app.player.viewer.statistics import RenderStatistics, StatisticsRecorder
from streamstgs.app.player.viewer.transport import Transport
from streamstgs.app.player.watching.playlist import Playlist
from streamstgs.renderer import RenderSettings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from streamstgs.app.player.camera.framing import Vector
    from streamstgs.app.player.camera.track import CameraTrack
    from streamstgs.app.player.compare.comparison import Comparison
    from streamstgs.app.player.film.history import FilmHistory
    from streamstgs.app.player.film.markers import MarkerTrack
    from streamstgs.app.player.film.thumbnails import Thumbnails
    from streamstgs.app.player.index.loader import IndexLoader
    from streamstgs.app.player.scene_info import OpenedScene, ReadSound
    from streamstgs.app.player.sound.sound_player import SoundPlayer
    from streamstgs.app.player.time_track import TimeTrack
    from streamstgs.app.player.viewer.offscreen import OffscreenRenderer
    from streamstgs.codec.package.scene_meta import CameraPreset
    from streamstgs.renderer import Camera

SURFACES_CLOSE_S = 0.2  # the thread ends soon after; the end of the program waits for it
SOUND_RATE_SLACK = 0.051  # live scenes come nearer to their edge by less; films are near it
TICK_S = 0.005  # pause between two looks while `settle` waits


class ViewerModel(SceneStack):
    """Owner: one thread, the GUI's in a window. No method but `settle` and `screenshot` waits.

    `ticked` carries the seconds since the last tick, before the camera is shown: what moves the
    camera by itself follows it.

    Args:
        open_playback: Starts the playback of a location with a clock. None keeps scenes in the
            state REQUESTED until `allow_opening`.
        waits_for_paint: Whether a scene starts to play once `frame_painted` reports its first
            frame. A window sets this, so that slow rendering skips nothing at the start.
        glides: Whether steps of the camera are shown as a smooth move.
        views: Remembers the vertical axis and the opening view of scenes; None forgets them.
    """

    thumbnail_ready = Signal()  # emitted in another thread: `thumbnail` has a new image
    ticked = Signal(float)

    def __init__(
        self,
        open_playback: OpenPlayback | None = None,
        waits_for_paint: bool = False,
        glides: bool = False,
        views: SceneViewStore | None = None,
    ) -> None:
        self.sound_time = SoundTime()  # the clock of scenes: that of the system, or of their sound
        super().__init__(open_playback, waits_for_paint, self.sound_time.now)
        self._sounding = False  # whether the shown scene has sound
        self._read_sound: ReadSound | None = None  # what reads it
        self._index: IndexLoader | None = None
        self._offscreen: OffscreenRenderer | None = None
        self._thumbnails: Thumbnails | None = None
        self.camera = CameraController(glides)
        self.scene_view = SceneViewChoice(
            lambda: self.scene, self.camera, views or ViewsInMemory(), self._enter_camera
        )
        self.exports = Exports(lambda: self.scene)
        self.fly = FlyControl(self.camera)
        self.options = RenderOptions()
        self.transport = Transport(self._shown_scenes)
        self.quality = QualitySelection(
            self.transport,
            lambda: [scene for scene in self._shown_scenes() if not scene.keeps_quality],
        )
        self.compares = False  # whether `comparison` compares anything
        self.statistics = StatisticsRecorder()
        self.film = FilmPreview(
            lambda: self.scene, self.transport, lambda: (self.track, self.time_track)
        )
        self.playlist = Playlist(self)
        self._surfaces = SurfaceFinder()
        self.statistics.changed.connect(self._look_for_surfaces)
        self.follows_track = False  # whether the camera moves along `track` while time runs
        self._followed_s: float | None = None  # the position that the camera follows

    @cached_property
    def sound(self) -> SoundPlayer:
        """Volume and muting; it plays the sound of the shown scene."""
        from streamstgs.app.player.sound.sound_player import SoundPlayer

        return SoundPlayer(time=self.sound_time)

    @property
    def has_sound(self) -> bool:
        """Whether the shown scene has sound."""
        return self._sounding

    @cached_property
    def track(self) -> CameraTrack:
        """Keyframes of a camera that moves by itself."""
        from streamstgs.app.player.camera.track import CameraTrack

        return CameraTrack()

    @cached_property
    def time_track(self) -> TimeTrack:
        """Content times of a video, beside the camera of `track`."""
        from streamstgs.app.player.time_track import TimeTrack

        return TimeTrack()

    @cached_property
    def history(self) -> FilmHistory:
        """Undo and redo of `track` and `time_track` in one order."""
        from streamstgs.app.player.film.history import FilmHistory

        return FilmHistory(self.track, self.time_track)

    @cached_property
    def comparison(self) -> Comparison:
        """What the shown scene is compared with."""
        from streamstgs.app.player.compare.comparison import Comparison

        made = Comparison(self)
        made.changed.connect(lambda: setattr(self, "compares", made.active))
        return made

    @cached_property
    def markers(self) -> MarkerTrack:
        """Named times of the shown scene."""
        from streamstgs.app.player.film.markers import MarkerTrack

        return MarkerTrack()

    @property
    def index(self) -> IndexLoader:
        """Scenes to choose from, read from an index at a path or URL (`index.load`)."""
        from streamstgs.app.player.index.loader import IndexLoader

        if self._index is None:
            self._index = IndexLoader()
        return self._index

    def close(self) -> None:
        """Close all scenes, cancel all exports, and wait for the end of their threads."""
        self._surfaces.cancel()
        self._enter_sound(None)
        self._close_thumbnails(waits=True)
        if self.compares:
            self.comparison.stop()
        super().close()
        if self._index is not None:
            self._index.close()
        self._surfaces.wait(SURFACES_CLOSE_S)
        self.exports.close()
        if self._offscreen is not None:
            self._offscreen.close()

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

    # --- time -------------------------------------------------------------------------------------

    def tick(self, dt_s: float = 0.0) -> PlaybackFrame | None:
        """Go on in time and return the frame to show; call on every display refresh.

        Args:
            dt_s: Seconds since the last call, for a camera that glides.
        """
        if self._index is not None:
            self._index.tick()
        if self.pending is not None:
            self.pending.tick()
        for scene in self._shown_scenes():
            scene.tick()
        if self.compares:
            self.comparison.tick()
        if self.follows_track or self.film.active:
            self._follow_track()
        self.ticked.emit(dt_s)
        if self.fly.moving:
            self.fly.advance(dt_s)
        self.camera.advance(dt_s)
        now_s = time.monotonic()
        self.transport.update(now_s)
        self.statistics.update(now_s, self.transport.status)
        if self._sounding:
            self._update_sound()
        return self.frame

    def frame_painted(self, frame: PlaybackFrame) -> None:
        """Report that a frame is on the screen."""
        scene = self.scene
        if scene is not None and scene.state not in FINAL:
            former = scene.state
            scene.painted(frame)
            if scene.state is not former:
                self.transport.refresh()

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
        return self.options.look.settings(self.meta, self._depths())

    @property
    def look(self) -> Look:
        """What is shown of the scene, apart from camera and time, for exports."""
        look = self.options.look
        if look.is_unchanged or not self.camera.available:
            return look
        return replace(look, depth_range=look.depth_range or self._depths())

    def _depths(self) -> tuple[float, float]:
        pose = self.camera.shown
        return fitting_depths(pose.distance, pose.fov_y_rad)

    def crop_here(self) -> None:
        """Show only a box around the pivot of the camera, half as large as what is visible."""
        if not self.camera.available:
            return
        pose = self.camera.shown
        half = pose.distance * math.tan(pose.fov_y_rad / 2) / 2
        x, y, z = self.camera.look_at
        low, high = (x - half, y - half, z - half), (x + half, y + half, z + half)
        self.options.crop = (low, high)

    def picture_camera(self, width: int, height: int) -> Camera:
        """The camera of a picture of width x height px: the shown pose, with two eyes in stereo."""
        camera = self.camera.to_camera(width, height)
        return self.options.picture_camera(camera, self.camera.shown.distance)

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
        settings = self.render_settings()
        if self.compares:
            return self._compared(frame, camera, settings, backend, timeout_s)
        seen = self.picture_camera(width, height)
        rgb8 = self._offscreen.render(frame, seen, settings, backend)
        self.frame_painted(frame)
        return rgb8

    def _compared(
        self,
        frame: PlaybackFrame,
        camera: Camera,
        settings: RenderSettings,
        backend: str | None,
        timeout_s: float,
    ) -> NDArray[np.uint8]:
        """An image of both sides of the comparison, once the other side has this moment."""
        assert self._offscreen is not None
        end_s = time.monotonic() + timeout_s
        while (pair := self.comparison.pair(frame, camera)) is None or (
            pair[0].index != frame.index
        ):
            if time.monotonic() > end_s or not self.compares:
                raise SceneTimeout(f"The other side had no picture within {timeout_s:g} s.")
            self.tick()
            time.sleep(TICK_S)
        shown, seen_by, other = pair
        rgb8 = self._offscreen.render(shown, seen_by, settings, backend, other)
        self.comparison.report(self._offscreen.psnr_db)
        self.frame_painted(frame)
        return rgb8

    def thumbnail(self, frame: int, width: int, height: int) -> NDArray[np.uint8] | None:
        """A small image of any content frame from the shown camera, at the lowest quality.

        It is rendered in a thread of its own; `thumbnail_ready` is emitted there.

        Returns:
            [height, width, 3] uint8; None until it is rendered, and for scenes of servers.
        """
        from streamstgs.app.player.film.thumbnails import Thumbnails

        if self.scene is None or not self.camera.available:
            return None
        if self._thumbnails is None:
            location, ready = self.scene.location, self.thumbnail_ready
            self._thumbnails = Thumbnails(location, on_ready=ready.emit)
        return self._thumbnails.get(frame, self.camera.to_camera(width, height))

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

    def _follow_track(self) -> None:
        """Move the camera to the track's pose at the time of the film, unless that stands still."""
        from streamstgs.app.player.camera.track import apply_keyframe

        if self.scene is None or not self.camera.available or not len(self.track):
            return
        position_s = self.film.position_s
        if position_s != self._followed_s:
            self._followed_s = position_s
            apply_keyframe(self.camera, self.track.keyframe_at(position_s))
            self.camera.finish_glide()

    def _close_thumbnails(self, waits: bool) -> None:
        thumbnails, self._thumbnails = self._thumbnails, None
        if thumbnails is not None:
            thumbnails.close()
            if waits:
                thumbnails.join()

    def _scene_entered(self, scene: OpenScene, keep_pose: bool) -> None:
        self.scene_view.enter(scene)
        self._close_thumbnails(waits=False)
        if keep_pose:
            self.transport.apply_time_mapping()
        else:
            self.transport.forget_time_mapping()
        self._enter_camera(keep_pose)

    def _enter_camera(self, keep_pose: bool = False) -> None:
        """Show the opening view of the shown scene."""
        from streamstgs.app.player.camera.limits.camera_limits import CameraLimits

        meta = self.meta
        if meta is None:
            return
        opened = self.playback.opened if self.playback is not None else None
        filmed = opened.filmed if opened is not None else ()
        self.camera.enter_scene(meta, keep_pose, CameraLimits(filmed, meta) if filmed else None)
        self._enter_sound(opened)

    def _enter_sound(self, opened: OpenedScene | None) -> None:
        """Play the sound of a scene that becomes the shown one."""
        track = opened.sound if opened is not None else None
        if self._sounding or track is not None:
            self._sounding = track is not None
            self._read_sound = opened.read_sound if opened is not None else None
            position_s = self.scene.clock.clock.position_s() if self.scene is not None else 0.0
            self.sound.enter_scene(track, self._read_sound, position_s)

    def _update_sound(self) -> None:
        """Sound is heard while content plays forwards at its own speed, or nearly so."""
        status, scene = self.transport.status, self.scene
        opened = self.playback.opened if self.playback is not None else None
        if opened is not None and opened.read_sound != self._read_sound:
            self._enter_sound(opened)  # another scene took the place of the shown one
        elif opened is not None and opened.sound is not None:
            self.sound.grow(opened.sound)
        if status is None or scene is None:
            return
        clock = scene.clock.clock
        playing = status.state is PlaybackState.PLAYING and not status.scrubbing
        heard = playing and abs(clock.content_rate - 1.0) < SOUND_RATE_SLACK
        self.sound.update(clock.position_s() if heard else None, clock.content_rate)

    def _look_for_surfaces(self) -> None:
        """Keep what limits the camera up to date with the Gaussians that have arrived."""
        limits, frame, meta = self.camera.limits, self.frame, self.meta
        if limits is None or frame is None or meta is None or self.camera.free_flight:
            return
        if self.scene is not None and self.scene.state in FINAL:
            self._surfaces.look(limits, frame, meta)

    def find_surfaces(self, timeout_s: float = 60.0) -> None:
        """Wait until moves of the camera keep off the surfaces of the frame that is shown.

        A window finds them by itself, shortly after the first frame is painted.
        """
        frame, limits, meta = self.frame, self.camera.limits, self.meta
        if frame is not None and limits is not None and meta is not None:
            self._surfaces.look(limits, frame, meta)
            self._surfaces.wait(timeout_s)
