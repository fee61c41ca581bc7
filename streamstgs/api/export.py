"""Videos of a scene."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from streamstgs.api.cameras import AnyCamera, Camera, natural_size, pinhole_camera
from streamstgs.api.scene import AnyQuality, Scene, check_scene
from streamstgs.app.player.camera.framing import natural_aspect
from streamstgs.app.player.camera.path import CameraPath, camera_path
from streamstgs.app.player.camera.track import CameraTrack
from streamstgs.app.player.errors import ArgumentError, OutputError
from streamstgs.app.player.export.settings import ExportFormat, ExportSettings, Target
from streamstgs.app.player.export.video_export import VideoExport, content_frames, video_duration_s
from streamstgs.app.player.rendering.view_settings import Look
from streamstgs.app.player.time_track import TimeCurve, TimeTrack, read_time_track
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.renderer import Camera as PinholeCamera

MovingCamera = Callable[[float], Camera]
AnyTimeTrack = TimeCurve | TimeTrack | str | Path | None


def export_video(
    scene: Scene,
    path: str | Path,
    camera: str | Camera | MovingCamera | CameraTrack = "orbit",
    size: tuple[int, int] | None = None,
    *,
    quality: AnyQuality = None,
    start_s: float = 0.0,
    stop_s: float | None = None,
    backend: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    time_track: AnyTimeTrack = None,
    fps: float | None = None,
    duration_s: float | None = None,
    format: ExportFormat | None = None,
    supersampling: int = 1,
    transparent: bool = False,
    look: Look | None = None,
) -> Path:
    """Write a video of a scene: a video, a loop, or a folder of images.

    The file appears when it is complete; an interrupted export leaves none.

    Example:
        st.export_video(scene, "orbit.mp4", camera="orbit", size=(320, 180), stop_s=0.2)

    Args:
        scene: an open scene.
        path: file to write; its name ends in .mp4, .mov, .gif or .webp. A folder for the formats
            "png" and "exr".
        camera: "orbit", the name of a camera of the scene, the path of a camera path file (.json),
            a `Camera`, a function that returns the `Camera` at a time in seconds from the start
            of the video, or the `track` of a viewer model.
        size: (width, height) px, up to 8192 each, made even for videos; None for the size of the
            capture.
        quality: one of `scene.qualities` or its index; None for the best.
        start_s: time in the scene of the first frame, seconds.
        stop_s: time in the scene before which the video ends, seconds; None for the end.
        backend: as of `render`.
        progress: called after each frame with (frames done, frames in all).
        time_track: which time of the scene the video shows at each of its own times, instead of
            `start_s` and `stop_s`: the path of a time track file (.json) or a `TimeCurve`.
        fps: frames per second; None for the rate of the scene. Times between its frames are
            interpolated.
        duration_s: length of the video, seconds; None for that of the time track, else of the
            camera's keyframes, else of the scene.
        format: "h264", "hevc" or "av1" (.mp4), "prores" (.mov), "gif", "webp", "png" or "exr";
            None chooses by the name of the file.
        supersampling: each pixel is the mean of this number of pixels squared, 1 to 8.
        transparent: whether the background is left out (prores, webp, png, exr).
        look: view mode, exposure, splat size, crop and background, such as `viewer.look`; None
            shows the scene as it is.

    Returns:
        The path of the file.

    Raises:
        PlayerError: the name, the format, the size or the transparency do not go together, the time
            range holds no frame, a camera path or a time track is malformed, there is no such
            camera, or the scene is closed.
        TypeError: `scene` is no open scene.
        CodecError, RenderError: as of `render`.
        OSError: the file cannot be written.
    """
    check_scene(scene)
    scene._check_open()
    out = Path(path)
    shown = look or Look()
    asked = ExportSettings(size, fps, duration_s, supersampling, format, transparent, shown)
    asked = asked.checked()
    target = Target.of(out, asked.format, asked.transparent)
    if target.kind == "image":
        raise OutputError(f"{out} is one image; name a video or a folder, or use st.render.")
    rate = asked.fps or scene.fps
    curve = _curve(time_track)
    if curve is None and (start_s != 0.0 or stop_s is not None):
        curve, asked = _range(scene, start_s, stop_s, asked)
    track_s = curve.duration_s if curve else 0.0
    view = _path(camera, scene, asked.duration_s or track_s or scene.duration_s)
    length_s = video_duration_s(asked, curve, view, scene.duration_s)
    count = max(round(length_s * rate), 1)
    frames = content_frames(count, rate, scene.fps, scene.frame_count, curve)
    video = VideoExport.of(target, view, frames, rate, natural_size(scene.meta), asked)
    video.write(scene._frames(scene._quality(quality), backend, asked.look), progress or _silent)
    return out


@dataclass(frozen=True)
class _MovingPath:
    """A camera path of a camera of the public interface, or of a function that returns one."""

    camera: AnyCamera | MovingCamera
    meta: SceneMeta

    def camera_at(self, time_s: float, width: int, height: int) -> PinholeCamera:
        camera = self.camera(time_s) if callable(self.camera) else self.camera
        return pinhole_camera(camera, self.meta, (width, height))


def _path(
    camera: str | Camera | MovingCamera | CameraTrack, scene: Scene, duration_s: float
) -> CameraPath:
    """The camera path of any way to tell a camera. Raises PlayerError."""
    if isinstance(camera, str):
        return camera_path(camera, scene.meta, duration_s)
    if isinstance(camera, CameraTrack):
        return camera.path(natural_aspect(scene.meta))
    path = _MovingPath(camera, scene.meta)
    if not callable(camera):
        path.camera_at(0.0, 2, 2)  # a camera that looks nowhere is refused before work begins
    return path


def _curve(time_track: AnyTimeTrack) -> TimeCurve | None:
    if isinstance(time_track, TimeTrack):
        return time_track.curve()
    if isinstance(time_track, str | Path):
        return read_time_track(Path(time_track))
    if not isinstance(time_track, TimeCurve | None):
        raise ArgumentError(f"time_track is {time_track!r}; it must be a TimeCurve or a file.")
    return time_track


def _range(
    scene: Scene, start_s: float, stop_s: float | None, asked: ExportSettings
) -> tuple[TimeCurve, ExportSettings]:
    """A curve and settings for a range of content times. Raises OutputError."""
    first, stop = scene.frame_range(start_s, stop_s)
    if first >= stop:
        raise OutputError(f"The scene has no frame from {start_s} s to {stop_s} s.")
    length_s = (stop - first) / scene.fps
    curve = TimeCurve.of_speeds([(length_s, 1.0)], start_s=first / scene.fps)
    return curve, replace(asked, duration_s=asked.duration_s or length_s)


def _silent(done: int, total: int) -> None:
    """No progress."""
