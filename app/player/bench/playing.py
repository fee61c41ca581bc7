"""Plays a scene in real time for the benchmark, then seeks in it."""

from __future__ import annotations

import gc
import random
import time
from typing import Any

from streamstgs.app.player.bench.opening import Opening
from streamstgs.app.player.bench.stages import Present
from streamstgs.app.player.playback import Playback
from streamstgs.app.player.rendering.frame_pacing import leaves_time
from streamstgs.app.player.rendering.frame_renderer import FrameRenderer, RenderedFrame
from streamstgs.app.player.rendering.render_thread import RenderThread
from streamstgs.app.player.rendering.stage_timer import summary
from streamstgs.app.player.status import PlaybackFrame, PlaybackState
from streamstgs.renderer import RenderError

OPENING_TIMEOUT_S = 60.0
SEEK_TIMEOUT_S = 10.0
POLL_S = 0.0005


def play_and_seek(
    playback: Playback,
    opening: Opening,
    presenter: Present | None,
    seconds: float,
    display_hz: float,
    seeks: int,
) -> dict[str, Any]:
    """Play as the window does: this thread ticks and presents, another one renders. Then seek.

    Returns:
        "playback" and "seek_ms" (from the request to the rendered image of that frame).
    """
    if not playback.settle(OPENING_TIMEOUT_S):
        raise RenderError("The scene did not open in time; bench cannot play it.")
    gc.freeze()  # as the window does: a full collection of all modules lasts three frames
    backend = opening.choice.backend
    to_host = backend.device.type != "cuda"
    thread = RenderThread(lambda: FrameRenderer(backend, to_host=to_host, owns_backend=True))
    opening.owns_backend = False  # the render thread closes it
    try:
        played = _play(playback, opening, thread, presenter, seconds, display_hz)
        playback.pause()
        sought = [_seek_ms(playback, opening, thread, to) for to in _targets(playback, seeks)]
    finally:
        thread.close()
    refused = [event.message for event in thread.take_events()]
    if refused:
        raise RenderError(refused[0])
    return {"playback": played, "seek_ms": summary(sought) if sought else None}


def _play(
    playback: Playback,
    opening: Opening,
    thread: RenderThread,
    presenter: Present | None,
    seconds: float,
    display_hz: float,
) -> dict[str, Any]:
    refreshes, asked, raster_ms = _Refreshes(), None, 0.0
    start_s = time.perf_counter()
    while (passed_s := time.perf_counter() - start_s) < seconds:
        frame = playback.tick()
        if frame is not None and (
            frame is not asked or leaves_time(playback.status(), frame, raster_ms)
        ):
            asked = frame
            thread.show(frame, opening.camera_at(passed_s), opening.render_settings)
            playback.note_skipped(thread.skipped_frames)
        rendered = thread.take_frame()
        if rendered is not None:
            raster_ms = rendered.raster_ms
        if rendered is not None and presenter is not None:
            presenter.present(rendered.rgb8)
        refreshes.count(rendered, playback.state)
        _wait_for_refresh(start_s, display_hz)
    return refreshes.figures(playback, time.perf_counter() - start_s, thread.skipped_frames)


def _targets(playback: Playback, count: int) -> list[int]:
    """Frames all over the scene, the same ones in each run."""
    frames = playback.status().frames
    places = random.Random(0)
    return [places.randrange(frames) for _ in range(count if frames else 0)]


def _seek_ms(playback: Playback, opening: Opening, thread: RenderThread, target: int) -> float:
    """Milliseconds from a seek to the rendered image of its frame."""
    start_s = time.perf_counter()
    playback.seek_frame(target)
    asked: PlaybackFrame | None = None
    while time.perf_counter() - start_s < SEEK_TIMEOUT_S:
        frame = playback.tick()
        if frame is not None and frame is not asked and frame.index == target:
            asked = frame
            thread.show(frame, opening.camera_at(0.0), opening.render_settings)
        rendered = thread.take_frame()
        shown = rendered.request.frame if rendered is not None else None
        if shown is not None and shown is asked and not shown.still:
            return 1000 * (time.perf_counter() - start_s)
        time.sleep(POLL_S)
    raise RenderError(f"The image of frame {target} did not come within {SEEK_TIMEOUT_S:g} s.")


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
