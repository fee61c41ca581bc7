"""Measures how fast this machine decodes, deforms, renders, presents, plays and seeks a scene."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from streamstgs.app.player.bench.memory import memory_mb
from streamstgs.app.player.bench.opening import Opening
from streamstgs.app.player.bench.playing import play_and_seek
from streamstgs.app.player.bench.report import hardware
from streamstgs.app.player.bench.stages import Present, StageRun
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.codec.streaming.address import redact_credentials
from streamstgs.renderer import RenderError


@dataclass(frozen=True)
class BenchSettings:
    """How much is measured.

    Args:
        frames: Content frames rendered one after the other to measure the stages.
        seconds: Length of the real-time run.
        display_hz: Display refreshes per second in the real-time run.
        seeks: How many places are sought after the real-time run.
        qp: QP of the quality, None for the best.
        playback: Settings of the real-time run.
    """

    frames: int = 120
    seconds: float = 6.0
    display_hz: float = 60.0
    seeks: int = 20
    qp: int | None = None
    playback: PlaybackSettings = field(default_factory=PlaybackSettings)


def bench(
    location: str,
    backend: str | None = None,
    size: tuple[int, int] = (1280, 720),
    settings: BenchSettings | None = None,
) -> dict[str, Any]:
    """Measure, and return figures that can be written as JSON. Names end in _ms, _s or _mb.

    Repeated figures have `median`, `p95`, `p99` and `noise` (see `stage_timer.summary`). A figure
    is None where this machine or backend has no such stage: `upload_ms` without a GPU, `sort_ms`
    where the backend does not tell it, `present_ms` where no OpenGL context can be made without a
    window (`present_reason` tells why). `tick_ms` is deform, raster and present of a frame.
    `first_picture_s` holds the same steps as in the window, but one after the other; the window
    opens the scene and loads the backend at the same time.

    Args:
        location: Path of a .stgs file or a directory, or a URL.
        backend: Name of the backend, None for the fastest.
        size: (width, height) of the images in px.
        settings: How much is measured.

    Raises:
        CodecError, RenderError, OSError: With a message for a person.
    """
    settings = settings or BenchSettings()
    opening = Opening(location, backend, size, settings.qp)
    try:
        with _presenter(opening.device) as (presenter, present_reason):
            stages = StageRun(opening, presenter).figures(settings.frames)
            opening.scene.close()
            played = _played(location, opening, settings, presenter)
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
            **played,
            "first_picture_s": opening.seconds,
            "memory_mb": memory_mb(),
        }
    finally:
        opening.close()


def _played(
    location: str, opening: Opening, settings: BenchSettings, presenter: Present | None
) -> dict[str, Any]:
    playback = Playback(location, settings.playback, opening.device)
    try:
        return play_and_seek(
            playback, opening, presenter, settings.seconds, settings.display_hz, settings.seeks
        )
    finally:
        playback.close()


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
