"""Measures how fast this machine decodes, deforms, renders, presents and plays a scene."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from streamstgs.app.player.camera.path import OrbitPath
from streamstgs.app.player.export.bench_report import hardware, process_age_s
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.app.player.rendering.frame_pacing import leaves_time
from streamstgs.app.player.rendering.frame_renderer import FrameRenderer, RenderedFrame
from streamstgs.app.player.rendering.render_thread import RenderThread
from streamstgs.app.player.rendering.stage_timer import StageTimer, summary
from streamstgs.app.player.status import PlaybackFrame, PlaybackState
from streamstgs.app.player.timeline import Timeline
from streamstgs.codec.scene import Scene, open_scene
from streamstgs.codec.streaming.address import redact_credentials
from streamstgs.renderer import Camera, Gaussians, Gop, RenderError, RenderSettings
from streamstgs.renderer.backends import BackendChoice, choose_backend

OPENING_TIMEOUT_S = 60.0
WARM_UP_FRAMES = 3


@dataclass(frozen=True)
class BenchSettings:
    """How much is measured.

    Args:
        frames: Content frames rendered one after the other to measure the stages.
        seconds: Length of the real-time run.
        display_hz: Display refreshes per second in the real-time run.
        qp: QP of the quality, None for the best.
        playback: Settings of the real-time run.
    """

    frames: int = 120
    seconds: float = 6.0
    display_hz: float = 60.0
    qp: int | None = None
    playback: PlaybackSettings = field(default_factory=PlaybackSettings)


class Present(Protocol):
    """Copies an image into a texture."""

    def present(self, image: Any) -> int: ...


def bench(
    location: str,
    backend: str | None = None,
    size: tuple[int, int] = (1280, 720),
    settings: BenchSettings | None = None,
) -> dict[str, Any]:
    """Measure, and return figures that can be written as JSON. Times end in _ms or _s.

    `first_picture_s` holds the same steps as in the window, but one after the other; the window
    opens the scene and loads the backend at the same time. `present_ms` is None where no OpenGL
    context can be made without a window; `present_reason` tells why.

    Args:
        location: Path of a .stgs file or a directory, or a URL.
        backend: Name of the backend, None for the fastest.
        size: (width, height) of the images in px.
        settings: How much is measured.

    Raises:
        CodecError, RenderError, OSError: With a message for a person.
    """
    settings = settings or BenchSettings()
    opening = _Opening(location, backend, size, settings.qp)
    try:
        with _presenter(opening.choice.backend.device) as (presenter, present_reason):
            stages = _measure_stages(opening, size, settings, presenter)
            opening.scene.close()
            playing = _measure_playback(location, opening, size, settings, presenter)
        return {
            "scene": redact_credentials(str(location)),
            "qp": opening.quality.qp,
            "size": list(size),
            "backend": opening.choice.backend.name,
            "backend_reason": opening.choice.reason,
            "hardware": hardware(),
            "gaussians": opening.gaussians,
            **stages,
            "present_reason": present_reason,
            "playback": playing,
            "first_picture_s": opening.seconds,
        }
    finally:
        opening.close()


class _Opening:
    """Times each step up to the first image; the scene and the backend stay open."""

    def __init__(
        self, location: str, backend: str | None, size: tuple[int, int], qp: int | None
    ) -> None:
        self.seconds: dict[str, float] = {}
        self.owns_backend = True
        age_s = process_age_s()
        if age_s is not None:
            self.seconds["start_of_program"] = age_s
        with self._step("backend"):
            self.choice: BackendChoice = choose_backend(backend)
            self.choice.backend.warm_up()
        with self._step("open"):
            self.scene: Scene = open_scene(location)
        qualities = self.scene.qualities
        self.quality = qualities[-1] if qp is None else self.scene.quality(qp)
        device = self.choice.backend.device
        with self._step("static"):
            self.scene.read_static(device)
        with self._step("decode"):
            self.gop: Gop = self.scene.decode_gop(0, self.quality, device)
        self.path = OrbitPath.of(self.scene.meta, self.scene.duration_s)
        self.render_settings = RenderSettings(self.scene.meta.background, self.scene.meta.near)
        self.renderer = FrameRenderer(self.choice.backend)
        with self._step("deform"):
            gaussians, _ = self.renderer.gaussians(self.gop, 0)
            _finish(device)
        with self._step("raster"):
            draw(self.choice, gaussians, self.path.camera_at(0.0, *size), self.render_settings)
            _finish(device)
        self.seconds["total"] = sum(self.seconds.values())
        self.gaussians = {
            "static": len(self.gop.static),
            "moving": len(self.gop.canonical),
            "total": len(gaussians),
        }

    def close(self) -> None:
        """Let go of the scene and of the backend."""
        self.scene.close()
        self.renderer.close()
        if self.owns_backend:
            self.choice.backend.close()

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        start_s = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start_s


def draw(
    choice: BackendChoice, gaussians: Gaussians, camera: Camera, settings: RenderSettings
) -> Any:
    """The image as the backend returns it fastest: with 8 bits where it offers that."""
    backend = choice.backend
    render = backend.render_rgb8 if backend.capabilities.writes_rgb8 else backend.render
    return render(gaussians, camera, settings)


def _measure_stages(
    opening: _Opening, size: tuple[int, int], settings: BenchSettings, presenter: Present | None
) -> dict[str, Any]:
    """Render frames one after the other with a moving camera, as fast as possible."""
    scene, device = opening.scene, opening.choice.backend.device
    timeline = Timeline.of(scene)
    decode_s: list[float] = []
    frames_of: list[int] = []
    watch, current = StageTimer(device), -1
    gop = opening.gop
    for number in range(min(settings.frames, timeline.frames) + WARM_UP_FRAMES):
        index = max(number - WARM_UP_FRAMES, 0)
        gop_index, inside = timeline.locate(index)
        if gop_index != current:
            start_s, current = time.perf_counter(), gop_index
            gop = scene.decode_gop(gop_index, opening.quality, device)
            _finish(device)
            decode_s.append(time.perf_counter() - start_s)
            frames_of.append(gop.frames)
        if number == WARM_UP_FRAMES:
            watch = StageTimer(device)
            opening.renderer.close()
            opening.renderer = FrameRenderer(opening.choice.backend)
        _one_lap(watch, opening, gop, inside, index / timeline.fps, size, presenter)
    laps = [summary(stage) for stage in watch.laps_ms()]
    return {
        "decode_ms_per_gop": summary([1000 * s for s in decode_s]),
        "decode_ms_per_frame": summary(
            [1000 * s / frames for s, frames in zip(decode_s, frames_of, strict=True)]
        ),
        "deform_ms": laps[0],
        "raster_ms": laps[1],
        "present_ms": laps[2] if presenter else None,
    }


def _one_lap(
    watch: StageTimer,
    opening: _Opening,
    gop: Gop,
    inside: int,
    time_s: float,
    size: tuple[int, int],
    presenter: Present | None,
) -> None:
    camera = opening.path.camera_at(time_s, *size)
    watch.start()
    gaussians, _ = opening.renderer.gaussians(gop, inside)
    watch.mark()
    image = draw(opening.choice, gaussians, camera, opening.render_settings)
    watch.mark()
    if presenter is not None:
        presenter.present(image)
        watch.mark()


def _measure_playback(
    location: str,
    opening: _Opening,
    size: tuple[int, int],
    settings: BenchSettings,
    presenter: Present | None,
) -> dict[str, Any]:
    """Play in real time with a moving camera, and render once per display refresh."""
    device = opening.choice.backend.device
    playback = Playback(location, settings.playback, device)
    try:
        if not playback.settle(OPENING_TIMEOUT_S):
            raise RenderError("The scene did not open in time; bench cannot play it.")
        gc.freeze()  # as the window does: a full collection of all modules lasts three frames
        return _play(playback, opening, size, settings, presenter)
    finally:
        playback.close()


def _play(
    playback: Playback,
    opening: _Opening,
    size: tuple[int, int],
    settings: BenchSettings,
    presenter: Present | None,
) -> dict[str, Any]:
    """Play as the window does: this thread ticks and presents, another one renders."""
    backend = opening.choice.backend
    to_host = backend.device.type != "cuda"
    thread = RenderThread(lambda: FrameRenderer(backend, to_host=to_host, owns_backend=True))
    opening.owns_backend = False  # the render thread closes it
    refreshes, asked, raster_ms = _Refreshes(), None, 0.0
    start_s = time.perf_counter()
    try:
        while (passed_s := time.perf_counter() - start_s) < settings.seconds:
            frame = playback.tick()
            if frame is not None and (
                frame is not asked or leaves_time(playback.status(), frame, raster_ms)
            ):
                asked = frame
                camera = opening.path.camera_at(passed_s, *size)
                thread.show(frame, camera, opening.render_settings)
                playback.note_skipped(thread.skipped_frames)
            rendered = thread.take_frame()
            if rendered is not None:
                raster_ms = rendered.raster_ms
            if rendered is not None and presenter is not None:
                presenter.present(rendered.rgb8)
            refreshes.count(rendered, playback.state)
            _wait_for_refresh(start_s, settings.display_hz)
    finally:
        thread.close()
    refused = [event.message for event in thread.take_events()]
    if refused:
        raise RenderError(refused[0])
    return refreshes.figures(playback, time.perf_counter() - start_s, thread.skipped_frames)


class _Refreshes:
    """Counts the frames that a display would have shown."""

    def __init__(self) -> None:
        self.rendered = self.frames = self.buffering = 0
        self._last: PlaybackFrame | None = None

    def count(self, rendered: RenderedFrame | None, state: PlaybackState) -> None:
        self.buffering += state is PlaybackState.BUFFERING
        if rendered is not None:
            self.rendered += 1
            self.frames += rendered.request.frame is not self._last
            self._last = rendered.request.frame

    def figures(self, playback: Playback, seconds: float, skipped: int) -> dict[str, Any]:
        status = playback.status()
        return {
            "seconds": seconds,
            "content_fps": self.frames / seconds,
            "wanted_content_fps": status.fps * status.speed,
            "display_fps": self.rendered / seconds,
            "late_frames": status.late_frames + skipped,
            "lost_s": playback.lost_s,
            "buffering_refreshes": self.buffering,
            "corrupt_segments": status.corrupt_segments,
            "qp": status.quality.qp if status.quality else None,
            "quality_reason": status.quality_reason,
            "decode_ms_per_frame": status.decode_ms,
        }


def _wait_for_refresh(start_s: float, display_hz: float) -> None:
    """Wait for the next refresh of a display that has run since `start_s`."""
    elapsed = (time.perf_counter() - start_s) * display_hz
    time.sleep((1.0 - elapsed % 1.0) / display_hz)


@contextmanager
def _presenter(device: torch.device) -> Iterator[tuple[Present | None, str]]:
    """What copies images into an OpenGL texture without a window, or None, and the reason."""
    with ExitStack() as at_end:
        try:
            presenter, reason = _open_presenter(device, at_end)
        except RenderError as error:
            presenter, reason = None, str(error)
        yield presenter, reason


def _open_presenter(device: torch.device, at_end: ExitStack) -> tuple[Present, str]:
    from streamstgs.renderer.present import make_presenter
    from streamstgs.renderer.present.egl_context import EglContext

    context = EglContext((device.index or 0) if device.type == "cuda" else None)
    at_end.callback(context.destroy)
    context.make_current()
    at_end.callback(context.release_current)
    presenter, reason = make_presenter(device)
    at_end.callback(presenter.release)
    return presenter, f"{presenter.name} ({reason}; {context.renderer_name()})"


def _finish(device: torch.device) -> None:
    """Wait for the device, before a time is taken."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
