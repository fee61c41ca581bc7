"""Video files of a scene."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from streamstgs.api.cameras import AnyCamera, Camera, natural_size, pinhole_camera
from streamstgs.api.rendering import render
from streamstgs.api.scene import AnyQuality, Scene
from streamstgs.app.player.camera.path import camera_path
from streamstgs.app.player.errors import OutputError
from streamstgs.app.player.export.video_writer import checked_size, open_video
from streamstgs.renderer import Camera as PinholeCamera

MovingCamera = Callable[[float], Camera]


def export_video(
    scene: Scene,
    path: str | Path,
    camera: str | Camera | MovingCamera = "orbit",
    size: tuple[int, int] | None = None,
    *,
    quality: AnyQuality = None,
    start_s: float = 0.0,
    stop_s: float | None = None,
    backend: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write a video of a scene at its own frame rate: MP4 with H.264.

    The file appears when it is complete; an interrupted export leaves none.

    Example:
        st.export_video(scene, "orbit.mp4", camera="orbit", size=(320, 180), stop_s=0.2)

    Args:
        scene: an open scene.
        path: file to write; its name ends in .mp4.
        camera: "orbit", the name of a camera of the scene, the path of a camera path file (.json),
            a `Camera`, or a function that returns the `Camera` at a time in seconds from the start
            of the video.
        size: (width, height) px, made even; None for the size of the capture.
        quality: one of `scene.qualities` or its index; None for the best.
        start_s: time in the scene of the first frame, seconds.
        stop_s: time in the scene before which the video ends, seconds; None for the end.
        backend: as of `render`.
        progress: called after each frame with (frames done, frames in all).

    Returns:
        The path of the file.

    Raises:
        PlayerError: the file cannot be an .mp4, the size is not 1 to 8192 px, the time range holds
            no frame, or there is no such camera.
        CodecError, RenderError: as of `render`.
        OSError: the file cannot be written.
    """
    out = Path(path)
    if out.suffix.lower() != ".mp4" or out.is_dir():
        raise OutputError(f"{out} should be a file that ends in .mp4.")
    first, stop = scene.frame_range(start_s, stop_s)
    if first >= stop:
        raise OutputError(f"The scene has no frame from {start_s} s to {stop_s} s.")
    width, height = checked_size(size or natural_size(scene.meta), True)
    view = _camera_at(camera, scene, (stop - first) / scene.fps, (width, height))
    with open_video(out, scene.fps) as video:
        for index in range(first, stop):
            done = index - first
            time_s = index / scene.fps
            picture = render(
                scene, time_s, view(done / scene.fps), quality=quality, backend=backend
            )
            video.write(picture)
            if progress is not None:
                progress(done + 1, stop - first)
    return out


def _camera_at(
    camera: AnyCamera | MovingCamera, scene: Scene, duration_s: float, size: tuple[int, int]
) -> Callable[[float], PinholeCamera]:
    """The calibrated camera at each time of the video. Raises PlayerError."""
    if callable(camera):
        return lambda time_s: pinhole_camera(camera(time_s), scene.meta, size)
    if isinstance(camera, str):
        path = camera_path(camera, scene.meta, duration_s)
        return lambda time_s: path.camera_at(time_s, *size)
    fixed = pinhole_camera(camera, scene.meta, size)
    return lambda time_s: fixed
