"""Offline rendering: videos and images of a scene without a window."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from streamstgs.app.player.camera.orbit import natural_aspect
from streamstgs.app.player.camera.path import CameraPath, OrbitPath, camera_path
from streamstgs.app.player.errors import OutputError
from streamstgs.app.player.export.frame_source import SceneFrames
from streamstgs.app.player.export.progress import ReportProgress, console_progress
from streamstgs.app.player.export.settings import ExportSettings, Target
from streamstgs.app.player.export.video_export import VideoExport, content_frames, video_duration_s
from streamstgs.app.player.rendering.frame_renderer import FrameDeformer
from streamstgs.app.player.rendering.view_settings import Look
from streamstgs.app.player.time_track import TimeCurve
from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import UnknownQuality
from streamstgs.codec.formats.reader import SceneReader
from streamstgs.codec.formats.registry import open_reader
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.codec.quality import Quality, quality_with_qp
from streamstgs.codec.streaming.address import is_url, local_path, split_login
from streamstgs.renderer.backends import choose_backend

PREVIEW_HEIGHT_PX = 360


@dataclass(frozen=True)
class RenderReport:
    """What `render_scene` wrote.

    Args:
        path: The file.
        frames: How many frames it holds.
        size: (width, height) in px.
        backend, reason: The backend that rendered them, and why it was chosen.
    """

    path: Path
    frames: int
    size: tuple[int, int]
    quality: Quality
    backend: str
    reason: str


def render_scene(
    location: str,
    camera: str | CameraPath,
    out: Path,
    size: tuple[int, int] | None = None,
    backend: str | None = None,
    qp: int | None = None,
    frames: Sequence[int] | None = None,
    progress: ReportProgress | None = None,
    *,
    settings: ExportSettings | None = None,
    time_track: TimeCurve | None = None,
    cancel: CancelToken = NEVER,
    scene_fps: float | None = None,
) -> RenderReport:
    """Write a video or an image of a scene.

    Args:
        location: A scene, a splat file or a sequence: a path or a URL.
        camera: `orbit`, the name of a preset, the path of a camera path file, or a camera path.
        out: File or folder to write; its name chooses the format unless the settings do.
        size: (width, height) in px, instead of that of the settings.
        backend: Name of the backend, None for the fastest.
        qp: QP of the quality, None for the best.
        frames: Content frames in the order they are shown, one for each frame of the video; an
            image shows the first of them. None for those of the time track, or the whole scene.
        progress: Called after each frame with (done, total); None shows a progress bar on
            standard error.
        settings: How the video is written; None for the defaults.
        time_track: Content time of the video; None plays the scene once.
        cancel: Ends the export; nothing is left of it.
        scene_fps: Content frames per second of a scene that does not tell them; None for 30.

    Raises:
        CodecError, RenderError, PlayerError, OSError: with a message for a person.
    """
    asked = (settings or ExportSettings()).checked()
    asked = replace(asked, size=size or asked.size)
    target = Target.of(out, asked.format, asked.transparent)
    if frames is not None and time_track is not None:
        raise OutputError("Choose either frames or a time track, not both.")
    scene = open_reader(location, fps=scene_fps)
    try:
        quality = _quality(scene, qp)
        video = _video(scene, camera, target, asked, frames, time_track)
        with (
            _Rendering(scene, quality, backend, asked.look) as rendering,
            console_progress(out.name, progress) as report,
        ):
            video.write(rendering.source, report, cancel)
            count = len(video.frames)
            return RenderReport(out, count, video.size, quality, rendering.name, rendering.reason)
    finally:
        scene.close()


def render_preview(
    location: str, out_dir: Path | None = None, backend: str | None = None
) -> tuple[Path, Path]:
    """Write an orbit of the playing scene as MP4 and one PNG, for machines without a display.

    The video repeats the scene until the orbit is complete. Progress goes to standard error.

    Args:
        out_dir: Folder to write to, the working directory by default.

    Returns:
        The paths of the video and the image.

    Raises:
        CodecError, RenderError, PlayerError, OSError: with a message for a person.
    """
    place = split_login(location)[0] if is_url(location) else str(local_path(location))
    stem = Path(place.rstrip("/")).stem or "scene"
    folder = out_dir or Path.cwd()
    video, image = folder / f"{stem}-orbit.mp4", folder / f"{stem}.png"
    scene = open_reader(location)
    try:
        info = scene.info
        size = (round(PREVIEW_HEIGHT_PX * natural_aspect(info.meta)), PREVIEW_HEIGHT_PX)
        turn_s = OrbitPath.of(info.meta, info.duration_s).turn_s
        count = math.ceil(turn_s * info.meta.fps)
        frames = [index % info.frame_count for index in range(count)]
        asked = ExportSettings(size=size)
        single = _video(scene, "orbit", Target.of(image), asked, [0], None)
        moving = _video(scene, "orbit", Target.of(video), asked, frames, None)
        with _Rendering(scene, scene.qualities[-1], backend) as rendering:
            single.write(rendering.source, lambda done, total: None)
            with console_progress(video.name, None) as report:
                moving.write(rendering.source, report)
    finally:
        scene.close()
    return video, image


def parse_frames(text: str | None, count: int) -> range:
    """Parse `start:stop:step` as in Python, or one number, into frames of a scene of `count`.

    Raises:
        OutputError: the text is no such range, or the range is empty.
    """
    try:
        parts = [int(part) if part else None for part in (text or ":").split(":")]
        if len(parts) == 1 and parts[0] is not None:
            chosen = range(count)[parts[0] : (parts[0] + 1) or None]
        else:
            chosen = range(count)[slice(*parts)]
    except (TypeError, ValueError):
        raise OutputError(f"{text!r} is no range of frames; write start:stop:step.") from None
    if not chosen:
        raise OutputError(f"The range {text!r} holds none of the {count} frames of this scene.")
    return chosen


def _quality(scene: SceneReader, qp: int | None) -> Quality:
    """A quality by its QP, the best for None. Raises OutputError."""
    try:
        return scene.qualities[-1] if qp is None else quality_with_qp(scene.qualities, qp)
    except UnknownQuality as error:
        raise OutputError(str(error)) from None


def _video(
    scene: SceneReader,
    camera: str | CameraPath,
    target: Target,
    settings: ExportSettings,
    frames: Sequence[int] | None,
    time_track: TimeCurve | None,
) -> VideoExport:
    """The video of a request. Raises PlayerError."""
    info = scene.info
    meta = info.meta
    fps = settings.fps or meta.fps
    shown: Sequence[float]
    if frames is not None:
        if not frames or not all(0 <= index < info.frame_count for index in frames):
            raise OutputError(f"Frames should be 0 to {info.frame_count - 1}, at least one.")
        shown, duration_s = frames, len(frames) / fps
        path = _path(camera, meta, duration_s)
    else:
        track_s = time_track.duration_s if time_track else 0.0
        path = _path(camera, meta, settings.duration_s or track_s or info.duration_s)
        duration_s = video_duration_s(settings, time_track, path, info.duration_s)
        count = max(round(duration_s * fps), 1)
        shown = content_frames(count, fps, meta.fps, info.frame_count, time_track)
    natural = (meta.width, meta.height) if meta.width > 0 and meta.height > 0 else (1280, 720)
    return VideoExport.of(target, path, shown, fps, natural, settings)


def _path(camera: str | CameraPath, meta: SceneMeta, duration_s: float) -> CameraPath:
    return camera_path(camera, meta, duration_s) if isinstance(camera, str) else camera


class _Rendering:
    """A backend and a source of frames that renders with it, closed at the end."""

    def __init__(
        self, scene: SceneReader, quality: Quality, backend: str | None, look: Look | None = None
    ) -> None:
        choice = choose_backend(backend)
        self.name, self.reason = choice.backend.name, choice.reason
        self._backend = choice.backend
        self._deformer = FrameDeformer()
        self.source = SceneFrames(scene, quality, choice.backend, self._deformer, look)

    def __enter__(self) -> _Rendering:
        return self

    def __exit__(self, *_: object) -> None:
        self._deformer.close()
        self._backend.close()
