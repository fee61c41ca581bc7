"""The frames of a video: which moment of the scene each shows, and from where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from streamstgs.app.player.camera.path import CameraPath
from streamstgs.app.player.errors import OutputError
from streamstgs.app.player.export.progress import ReportProgress
from streamstgs.app.player.export.settings import (
    EVEN_FORMATS,
    FRAME_NAME,
    FRAMES_MAX,
    RENDERED_PX_MAX,
    ExportSettings,
    Target,
    checked_size,
    is_sequence,
)
from streamstgs.app.player.export.writers.image_writer import image_bytes, straight_rgba8
from streamstgs.app.player.export.writers.video_writer import open_video
from streamstgs.app.player.sound.export_sound import FORMATS, ExportSound
from streamstgs.app.player.time_track import TimeCurve
from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.output import output_directory, output_file
from streamstgs.renderer import Camera

SAME_FRAME = 1e-4  # content frames that are closer to a whole one are that one


class FrameSource(Protocol):
    """Renders the moments of one open scene. Belongs to one thread.

    A moment is a content frame; 2.5 is the moment between the frames 2 and 3.
    """

    def rgb8(self, frame: float, camera: Camera) -> NDArray[np.uint8]:
        """[H, W, 3] uint8, over the background of the scene. Raises CodecError, RenderError."""
        ...

    def rgba(self, frame: float, camera: Camera, transparent: bool) -> NDArray[np.float32]:
        """[H, W, 4] float32, display-encoded colours times alpha, and alpha.

        Args:
            transparent: Whether the background is left out; else alpha is 1.
        """
        ...

    def sound(self) -> ExportSound | None:
        """The sound of the scene; None if it has none."""
        ...


@dataclass(frozen=True)
class VideoExport:
    """A checked request to write a video or an image.

    Args:
        target: Where it goes.
        path: Gives the camera of each time of the video.
        frames: The content frame that each frame of the video shows; it may lie between two.
        fps: Frames per second of the video.
        size: (width, height) px.
        supersampling: As of `ExportSettings`.
        transparent: As of `ExportSettings`.
    """

    target: Target
    path: CameraPath
    frames: tuple[float, ...]
    fps: float
    size: tuple[int, int]
    supersampling: int = 1
    transparent: bool = False

    @staticmethod
    def of(
        target: Target,
        path: CameraPath,
        frames: Sequence[float],
        fps: float,
        natural_size: tuple[int, int],
        settings: ExportSettings,
    ) -> VideoExport:
        """A video with the size and quality of the settings.

        Raises:
            OutputError: There is no frame, or the size is too large.
        """
        if not frames:
            raise OutputError("The video has no frame; choose a longer duration.")
        even = target.format in EVEN_FORMATS
        size = checked_size(settings.size or natural_size, even)
        side = max(size) * settings.supersampling
        if side > RENDERED_PX_MAX:
            raise OutputError(
                f"{settings.supersampling}x supersampling of {size[0]}x{size[1]} px needs "
                f"{side} px a side; {RENDERED_PX_MAX} is the most."
            )
        shown = tuple(frames[:1] if target.kind == "image" else frames)
        return VideoExport(
            target, path, shown, fps, size, settings.supersampling, settings.transparent
        )

    def camera(self, number: int) -> Camera:
        """The camera of a frame of the video, at the size that is rendered."""
        width, height = (side * self.supersampling for side in self.size)
        return self.path.camera_at(number / self.fps, width, height)

    def images(self, source: FrameSource) -> Iterator[NDArray[Any]]:
        """The frames of the video.

        [H, W, 3] uint8, or [H, W, 4] float32 as of `FrameSource.rgba` for transparent videos and
        formats with more than 8 bits.
        """
        floats = self.transparent or self.target.needs_floats
        for number, frame in enumerate(self.frames):
            camera = self.camera(number)
            if floats:
                yield averaged(source.rgba(frame, camera, self.transparent), self.supersampling)
            else:
                yield averaged(source.rgb8(frame, camera), self.supersampling)

    def write(
        self, source: FrameSource, progress: ReportProgress, cancel: CancelToken = NEVER
    ) -> None:
        """Render and write the video, whole or not at all.

        Args:
            progress: Called after each frame with (frames done, frames in all).
            cancel: Ends the export before the next frame; nothing is left of it.

        Raises:
            Cancelled: `cancel` was cancelled.
            CodecError, RenderError: A frame cannot be decoded or drawn.
            WriteError, OutputError: The target cannot be written or encoded.
        """
        with self._writer(self._sound_of(source)) as write:
            for number, image in enumerate(self.images(source)):
                cancel.raise_if_cancelled(f"exporting {self.target.path.name}")
                write(image)
                progress(number + 1, len(self.frames))
            cancel.raise_if_cancelled(f"exporting {self.target.path.name}")

    def _sound_of(self, source: FrameSource) -> ExportSound | None:
        wanted = self.target.kind == "video" and self.target.format in FORMATS
        return source.sound() if wanted else None

    def _writer(self, sound: ExportSound | None) -> AbstractContextManager[Any]:
        """A function that takes the images one after the other."""
        target = self.target
        if target.kind == "image":
            return nullcontext(lambda image: _write_image(target, image))
        if target.kind == "sequence":
            return _Sequence(target)
        has_sound = sound is not None
        opening = open_video(target.path, self.fps, target.format, self.transparent, has_sound)
        return _Video(opening, self, sound)


class _Video:
    """Passes images to a video writer."""

    def __init__(
        self, opening: AbstractContextManager[Any], export: VideoExport, sound: ExportSound | None
    ) -> None:
        self._opening, self._export, self._sound = opening, export, sound

    def __enter__(self) -> Any:
        video = self._opening.__enter__()

        def write(image: NDArray[Any]) -> None:
            number = video.frames
            video.write(_as_bytes(image))
            if self._sound is not None:
                export = self._export
                video.write_sound(self._sound.samples(export.frames, number, export.fps))

        return write

    def __exit__(self, *error: Any) -> bool | None:
        return self._opening.__exit__(*error)


class _Sequence:
    """Writes numbered images into a folder, which appears when it is complete."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._opening = output_directory(target.path, is_sequence)
        self._count = 0

    def __enter__(self) -> Any:
        folder = self._opening.__enter__()

        def write(image: NDArray[Any]) -> None:
            name = FRAME_NAME.format(self._count, f".{self._target.format}")
            (folder / name).write_bytes(image_bytes(self._target.format, image))
            self._count += 1

        return write

    def __exit__(self, *error: Any) -> bool | None:
        return self._opening.__exit__(*error)


def content_frames(
    count: int,
    fps: float,
    scene_fps: float,
    scene_frames: int,
    curve: TimeCurve | None = None,
) -> tuple[float, ...]:
    """The content frame that each frame of a video shows; it may lie between two.

    Args:
        count: Frames of the video.
        fps: Frames per second of the video.
        scene_fps, scene_frames: Rate and number of the content frames.
        curve: Content time of the video; None plays the scene once at its own speed.

    Raises:
        OutputError: The video has more than a million frames.
    """
    if count > FRAMES_MAX:
        raise OutputError(f"A video of {count} frames is longer than {FRAMES_MAX} frames.")
    duration_s = scene_frames / scene_fps
    frames = []
    for number in range(count):
        time_s = number / fps
        content_s = curve.content_at(time_s, duration_s) if curve else time_s
        frame = min(max(content_s * scene_fps, 0.0), scene_frames - 1.0)
        frames.append(float(round(frame)) if abs(frame - round(frame)) < SAME_FRAME else frame)
    return tuple(frames)


def video_duration_s(
    settings: ExportSettings, curve: TimeCurve | None, path: CameraPath, scene_s: float
) -> float:
    """The length of a video in seconds: as asked for, else of the time track, camera or scene."""
    track_s = curve.duration_s if curve else 0.0
    path_s = float(getattr(path, "duration_s", 0.0))
    return settings.duration_s or max(track_s, 0.0) or max(path_s, 0.0) or scene_s


def averaged(image: NDArray[Any], factor: int) -> NDArray[Any]:
    """[H / factor, W / factor, C] means of blocks of pixels, of the same type; uint8 is rounded."""
    if factor == 1:
        return image
    height, width, channels = image.shape
    blocks = image.reshape(height // factor, factor, width // factor, factor, channels)
    mean = blocks.mean(axis=(1, 3), dtype=np.float32)
    return (mean + 0.5).astype(np.uint8) if image.dtype == np.uint8 else mean


def _as_bytes(image: NDArray[Any]) -> NDArray[np.uint8]:
    return image if image.dtype == np.uint8 else straight_rgba8(image)


def _write_image(target: Target, image: NDArray[Any]) -> None:
    with output_file(target.path) as partial:
        partial.write_bytes(image_bytes(target.format, image))
