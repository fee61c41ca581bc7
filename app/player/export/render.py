"""Offline rendering: videos and images of a scene without a window."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from streamstgs.app.player.camera.orbit import natural_aspect
from streamstgs.app.player.camera.path import CameraPath, OrbitPath, camera_path
from streamstgs.app.player.errors import OutputError
from streamstgs.app.player.export.video_writer import (
    ReportProgress,
    checked_output,
    checked_size,
    console_progress,
    open_video,
    write_png,
)
from streamstgs.app.player.rendering.frame_renderer import FrameRenderer, RenderRequest
from streamstgs.app.player.status import PlaybackFrame
from streamstgs.app.player.timeline import Timeline
from streamstgs.codec.errors import UnknownQuality
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.codec.quality import Quality
from streamstgs.codec.scene import Scene, open_scene
from streamstgs.codec.streaming.address import is_url, local_path, split_login
from streamstgs.renderer import Gop, RenderSettings
from streamstgs.renderer.backends import choose_backend

PREVIEW_HEIGHT_PX = 360
Rgb8 = NDArray[np.uint8]


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


class FrameReader:
    """Decodes content frames of an open scene in any order; keeps the last GOP.

    Belongs to one thread.
    """

    def __init__(self, scene: Scene, quality: Quality, renderer: FrameRenderer) -> None:
        self._scene = scene
        self._quality = quality
        self._renderer = renderer
        self._timeline = Timeline.of(scene)
        self._kept: tuple[int, Gop] | None = None
        self._settings = RenderSettings(scene.meta.background, scene.meta.near)

    def image(self, index: int, path: CameraPath, time_s: float, size: tuple[int, int]) -> Rgb8:
        """Render a content frame with the camera of the path at `time_s`: [H, W, 3] uint8.

        Raises:
            CodecError, RenderError: the frame cannot be decoded or drawn.
        """
        frame = self.frame(index)
        camera = path.camera_at(time_s, *size)
        image: Rgb8 = self._renderer.render(RenderRequest(frame, camera, self._settings)).rgb8
        return image

    def frame(self, index: int) -> PlaybackFrame:
        """A content frame; decodes its GOP unless the last call did."""
        gop_index, inside = self._timeline.locate(index)
        if self._kept is None or self._kept[0] != gop_index:
            self._kept = None  # two GOPs need not fit into memory
            device = self._renderer.backend.device
            self._kept = gop_index, self._scene.decode_gop(gop_index, self._quality, device)
        return PlaybackFrame(self._kept[1], inside, index, self._quality, 0)


def render_scene(
    location: str,
    camera: str,
    out: Path,
    size: tuple[int, int] | None = None,
    backend: str | None = None,
    qp: int | None = None,
    frames: Sequence[int] | None = None,
    progress: ReportProgress | None = None,
) -> RenderReport:
    """Write a video (.mp4, at the content's frame rate) or an image (.png) of a scene.

    Args:
        location: Path of a .stgs file or a directory, or a URL.
        camera: `orbit`, the name of a preset, or the path of a camera path file.
        out: File to write; its suffix chooses the format.
        size: (width, height) in px, that of the capture by default; made even for videos.
        backend: Name of the backend, None for the fastest.
        qp: QP of the quality, None for the best.
        frames: Content frames in the order they are shown, all by default; a .png shows the
            first of them.
        progress: Called after each frame with (done, total); None shows a progress bar on
            standard error.

    Raises:
        CodecError, RenderError, PlayerError, OSError: with a message for a person.
    """
    checked_output(out)
    scene = open_scene(location)
    try:
        job = _Job.of(scene, camera, out, size, qp, frames)
        with (
            _Rendering(scene, job, backend) as rendering,
            console_progress(out.name, progress) as report,
        ):
            rendering.run(job, report)
            return RenderReport(
                out, len(job.frames), job.size, job.quality, rendering.name, rendering.reason
            )
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
    scene = open_scene(location)
    try:
        size = (round(PREVIEW_HEIGHT_PX * natural_aspect(scene.meta)), PREVIEW_HEIGHT_PX)
        turn_s = OrbitPath.of(scene.meta, scene.duration_s).turn_s
        count = math.ceil(turn_s * scene.meta.fps)
        frames = [index % scene.frame_count for index in range(count)]
        single = _Job.of(scene, "orbit", image, size, None, [0])
        moving = _Job.of(scene, "orbit", video, size, None, frames)
        with _Rendering(scene, single, backend) as rendering:
            rendering.run(single, lambda done, total: None)
            with console_progress(video.name, None) as report:
                rendering.run(moving, report)
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


@dataclass(frozen=True)
class _Job:
    """A checked request to render a file."""

    out: Path
    path: CameraPath
    size: tuple[int, int]
    quality: Quality
    frames: Sequence[int]
    meta: SceneMeta

    @staticmethod
    def of(
        scene: Scene,
        camera: str,
        out: Path,
        size: tuple[int, int] | None,
        qp: int | None,
        frames: Sequence[int] | None,
    ) -> _Job:
        video = out.suffix.lower() == ".mp4"
        shown = list(range(scene.frame_count) if frames is None else frames)
        if not shown or not all(0 <= index < scene.frame_count for index in shown):
            raise OutputError(f"Frames should be 0 to {scene.frame_count - 1}, at least one.")
        try:
            quality = scene.qualities[-1] if qp is None else scene.quality(qp)
        except UnknownQuality as error:
            raise OutputError(str(error)) from None
        meta = scene.meta
        natural = (meta.width, meta.height) if meta.width > 0 and meta.height > 0 else (1280, 720)
        path = camera_path(camera, meta, len(shown) / meta.fps)
        return _Job(
            out,
            path,
            checked_size(size or natural, video),
            quality,
            shown if video else shown[:1],
            meta,
        )

    def images(self, reader: FrameReader) -> Iterator[Rgb8]:
        """The frames of the job; the camera path runs from 0, whichever frames are shown."""
        for number, index in enumerate(self.frames):
            yield reader.image(index, self.path, number / self.meta.fps, self.size)


class _Rendering:
    """A backend and a reader that renders with it, closed at the end."""

    def __init__(self, scene: Scene, job: _Job, backend: str | None) -> None:
        choice = choose_backend(backend)
        self.name, self.reason = choice.backend.name, choice.reason
        self._backend = choice.backend
        self._renderer = FrameRenderer(choice.backend)
        self._reader = FrameReader(scene, job.quality, self._renderer)

    def __enter__(self) -> _Rendering:
        return self

    def __exit__(self, *_: object) -> None:
        self._renderer.close()
        self._backend.close()

    def run(self, job: _Job, progress: ReportProgress) -> None:
        """Write the job's file."""
        images = job.images(self._reader)
        if job.out.suffix.lower() == ".png":
            write_png(job.out, next(images))
            progress(1, 1)
            return
        with open_video(job.out, job.meta.fps) as video:
            for image in images:
                video.write(image)
                progress(video.frames, len(job.frames))
