"""A viewer for scripts: a camera, a position in time and images, without a window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from streamstgs.api.cameras import Camera, named_camera, natural_size
from streamstgs.api.scene import AnyQuality, Scene, open
from streamstgs.app.player.arguments import finite
from streamstgs.app.player.camera.controller import CameraController
from streamstgs.app.player.camera.keyframes import CameraKeyframe
from streamstgs.app.player.camera.track import CameraTrack, apply_keyframe, capture
from streamstgs.app.player.errors import ArgumentError, NoSceneError, OutputError
from streamstgs.app.player.export.settings import checked_size
from streamstgs.app.player.export.writers.image_writer import write_png
from streamstgs.app.player.film.markers import MarkerTrack
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.app.player.rendering.view_settings import Look
from streamstgs.app.player.status import PlaybackStatus
from streamstgs.app.player.time_track import TimeTrack
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.codec.quality import Quality
from streamstgs.renderer.backends import choose_backend

TIMEOUT_S = 60.0
Box = tuple[tuple[float, float, float], tuple[float, float, float]]


class Viewer:
    """A player without a window, for scripts and tests. It belongs to one thread.

    Example:
        with st.Viewer(scene, size=(320, 180)) as viewer:
            viewer.camera.look_at = (0.0, 0.0, 0.0)
            viewer.seek(0.2)
            image = viewer.screenshot()

    Args:
        scene: an open scene, or its path or URL. The viewer opens it a second time for itself.
        size: (width, height) px of the images; None for the size of the capture.
        backend: as of `render`.
        timeout_s: seconds to wait for a frame from a slow server.

    Raises:
        CodecError: there is no scene at this location.
        RenderError: this machine cannot run the backend.
        PlayerError: the scene cannot be played, the first frame took longer than `timeout_s`, or
            the size is not 1 to 8192 px.
    """

    def __init__(
        self,
        scene: Scene | str | Path,
        size: tuple[int, int] | None = None,
        backend: str | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._timeout_s = finite("timeout_s", timeout_s)
        self._closed = False
        self._backend, device = _chosen(backend)  # before a scene is opened that would stay open
        self._owns_scene = not isinstance(scene, Scene)
        self.scene = scene if isinstance(scene, Scene) else open(scene)
        settings = PlaybackSettings(fps=self.scene._given_fps)
        self._model = ViewerModel(
            lambda location, clock: Playback(location, settings, device, clock=clock)
        )
        try:
            self.size = size or natural_size(self.scene.meta)
            self._model.open(self.scene.location, play=False)
            self._model.history  # noqa: B018 - it counts edits from now on
            self._model.settle(timeout_s)
            self.quality = None
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Viewer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the threads of the player, and close the scene if the viewer opened it.

        Camera, tracks and markers can still be read; what needs the scene raises PlayerError.
        """
        self._closed = True
        self._model.close()
        if self._owns_scene:
            self.scene.close()

    # --- camera and image ------------------------------------------------------------------------

    @property
    def camera(self) -> CameraController:
        """The camera: `position`, `look_at`, `fov_y_rad` and `roll_rad` can be read and set."""
        return self._model.camera

    def look_through(self, camera: Camera | str) -> None:
        """Move the camera to a `Camera`, or to a camera of the scene by its name.

        Raises:
            PlayerError: the scene has no camera of this name, or the viewer is closed.
        """
        self._check_open()
        chosen = camera if isinstance(camera, Camera) else named_camera(camera, self.scene.meta)
        up = chosen.up or self.scene.meta.up
        self.camera.look_from_up(chosen.position, chosen.look_at, up, chosen.fov_y_rad)

    @property
    def track(self) -> CameraTrack:
        """Keyframes of a camera that moves by itself, for `export_video`."""
        return self._model.track

    def keyframe(self, time_s: float) -> CameraKeyframe:
        """The present camera as a keyframe at a time of a video, seconds."""
        return capture(self.camera, time_s)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) px of the images. Setting it raises PlayerError beyond 1 to 8192 px."""
        return self._size

    @size.setter
    def size(self, value: tuple[int, int]) -> None:
        self._size = checked_size(value, False)

    @property
    def background(self) -> str:
        """Colour behind the scene: "scene" for the scene's own, "black", "white" or #rrggbb."""
        return self._model.options.background

    @background.setter
    def background(self, value: str) -> None:
        self._model.options.background = value

    @property
    def mode(self) -> str:
        """What images show: "color", "alpha" (coverage as grey), "depth" (near is bright),
        "normals", "opacity", "points", "ellipsoids", "layers", "motion" or "importance"."""
        return self._model.options.mode

    @mode.setter
    def mode(self, value: str) -> None:
        self._model.options.mode = value

    @property
    def exposure(self) -> float:
        """Brightness in stops, -4 to 4; each doubles the colours."""
        return self._model.options.exposure

    @exposure.setter
    def exposure(self, value: float) -> None:
        self._model.options.exposure = value

    @property
    def splat_scale(self) -> float:
        """Size of the Gaussians, times their own, 0.05 to 4."""
        return self._model.options.splat_scale

    @splat_scale.setter
    def splat_scale(self, value: float) -> None:
        self._model.options.splat_scale = value

    @property
    def crop(self) -> Box | None:
        """Two corners (lowest, highest) of a box in the world; only Gaussians inside are shown."""
        return self._model.options.crop

    @crop.setter
    def crop(self, value: Box | None) -> None:
        self._model.options.crop = value

    @property
    def look(self) -> Look:
        """Mode, exposure, splat size, crop and background as one value, for `export_video`."""
        return self._model.look

    @look.setter
    def look(self, value: Look) -> None:
        self._model.options.look = value

    @property
    def quality(self) -> Quality:
        """Quality of the image; set one of `scene.qualities`, its index, or None for the best."""
        return self._quality

    @quality.setter
    def quality(self, value: AnyQuality) -> None:
        self._check_open()
        self._quality = self.scene._quality(value)
        self._model.quality.choice = self._quality

    # --- time ------------------------------------------------------------------------------------

    @property
    def time_s(self) -> float:
        """Position in seconds from the start of the scene."""
        return self._status.position_s

    @property
    def frame(self) -> int:
        """Index of the content frame at this position."""
        return self._status.frame

    @property
    def playing(self) -> bool:
        """True while time runs."""
        return self._status.wants_play

    def seek(self, time_s: float) -> None:
        """Go to a position in seconds; positions outside of the scene are moved to its ends.

        Raises:
            PlayerError: the position is not finite, or the viewer is closed.
        """
        self._check_open()
        self._model.transport.seek(time_s)

    def step(self, frames: int = 1) -> None:
        """Pause and move by a number of frames, negative for backwards.

        Raises:
            PlayerError: the number is not a whole one, or the viewer is closed.
        """
        self._check_open()
        self._model.transport.step(frames)

    def play(self, speed: float = 1.0) -> None:
        """Let time run; each `screenshot` then shows the frame that is due.

        Args:
            speed: seconds of the scene per second, limited to 0.1 .. 8.

        Raises:
            PlayerError: the speed is not above 0, or the viewer is closed.
        """
        self._check_open()
        if not finite("speed", speed) > 0.0:
            raise ArgumentError(f"The speed is {speed}; it must be above 0. `pause` stops time.")
        self._model.transport.set_speed(speed)
        self._model.transport.play()

    def pause(self) -> None:
        """Stop time."""
        self._check_open()
        self._model.transport.pause()

    # --- film and markers ------------------------------------------------------------------------

    @property
    def time_track(self) -> TimeTrack:
        """Which time of the scene each time of a film shows, beside the camera of `track`."""
        return self._model.time_track

    @property
    def film_s(self) -> float:
        """Time of the film, seconds; setting it shows camera and moment of the film there."""
        return self._model.film.position_s

    @film_s.setter
    def film_s(self, value: float) -> None:
        self._status  # noqa: B018 - raises after `close`
        self._model.film.seek(value)
        if len(self.track):
            apply_keyframe(self.camera, self.track.keyframe_at(value))

    @property
    def film_duration_s(self) -> float:
        """Length of the film: of the time track, else of the camera track, else of the scene."""
        self._check_open()
        return self._model.film.duration_s

    def undo(self) -> bool:
        """Take the last edit of `track` or `time_track` back; returns whether there was one."""
        return self._model.history.undo()

    def redo(self) -> bool:
        """Do the edit again that was taken back last; returns whether there was one."""
        return self._model.history.redo()

    @property
    def markers(self) -> MarkerTrack:
        """Named times of the scene."""
        return self._model.markers

    # --- comparison ------------------------------------------------------------------------------

    def compare(
        self, other: Quality | int | Scene | str | Path, layout: str = "split", share: float = 0.5
    ) -> None:
        """Show another quality, or another scene at the same times, beside the scene.

        Args:
            other: one of `scene.qualities` or its index; or a scene, its path or its URL.
            layout: "split", "side" (by side) or "difference".
            share: where the split is: 0 is the left edge, 1 the right one.

        Raises:
            CodecError: the scene has no such quality, or there is no such other scene.
            PlayerError: the viewer is closed.
            ValueError: there is no such layout.
        """
        self._check_open()
        comparison = self._model.comparison
        comparison.layout, comparison.share = layout, share
        if isinstance(other, Quality | int):
            comparison.with_quality(self.scene._quality(other))
        else:
            location = other.location if isinstance(other, Scene) else str(other)
            open(location).close()  # the comparison opens it in a thread and only warns
            comparison.with_scene(location)

    def compare_with_capture(
        self, data: str | Path, camera: str | None = None, layout: str = "split", share: float = 0.5
    ) -> None:
        """Show what a camera of a capture recorded beside the scene, from the place of the camera.

        Args:
            data: folder of the capture.
            camera: name of the camera; None for the first that training did not see.
            layout, share: as of `compare`.

        Raises:
            TrainerError: the folder holds no capture that can be read.
            KeyError: the capture has no such camera.
            ValueError: there is no such layout.
        """
        from streamstgs.api.capture_truth import CaptureTruth

        truth, comparison = CaptureTruth.open(Path(data)), self._model.comparison
        comparison.layout, comparison.share = layout, share
        comparison.with_capture(truth, camera)

    def end_comparison(self) -> None:
        """Show the scene alone again."""
        self._model.comparison.stop()

    @property
    def psnr_db(self) -> float | None:
        """How alike both sides of the last `screenshot` are, PSNR in dB; None without one."""
        return self._model.comparison.psnr_db if self._model.compares else None

    # --- images ----------------------------------------------------------------------------------

    def screenshot(self, path: str | Path | None = None) -> NDArray[Any]:
        """Render the current position with the current camera.

        Args:
            path: PNG file to write as well; its name ends in .png.

        Returns:
            [height, width, 3] uint8, display-encoded RGB, first row on top.

        Raises:
            PlayerError: the scene cannot go on, the frame took longer than `timeout_s`, the name
                of the file is another one, or the viewer is closed.
            RenderError: this machine cannot run the backend, or the backend cannot draw this.
            OSError: the file cannot be written.
        """
        self._check_open()
        if path is not None and Path(path).suffix.lower() != ".png":
            raise OutputError(f"{path} should end in .png.")
        image = self._model.screenshot(*self._size, self._backend, self._timeout_s)
        if path is not None:
            write_png(Path(path), image)
        return image

    @property
    def _status(self) -> PlaybackStatus:
        """The present status. Raises PlayerError after `close`."""
        self._check_open()
        self._model.tick()
        self._model.transport.refresh()
        status = self._model.status
        if status is None:
            raise NoSceneError("The viewer shows no scene yet.")
        return status

    def _check_open(self) -> None:
        """Raise PlayerError after `close`."""
        if self._closed:
            raise NoSceneError("This viewer is closed. Make another one with st.Viewer(scene).")


def _chosen(backend: str | None) -> tuple[str, torch.device]:
    """Name and device of the backend that will render; frames are decoded to this device."""
    chosen = choose_backend(backend).backend
    chosen.close()
    return chosen.name, chosen.device
