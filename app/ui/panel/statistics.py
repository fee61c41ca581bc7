"""What is measured while drawing, and how it reads; the panel and the overlay show the same."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass

from streamstgs.app.player.status import PlaybackStatus
from streamstgs.app.ui.panel.quality_slider import bitrate_text
from streamstgs.codec.quality import Quality

_WINDOW_S = 1.0


class RateMeter:
    """Events per second over the last second. The caller's thread owns it."""

    def __init__(self) -> None:
        self._times_s: deque[float] = deque()

    def count(self, now_s: float | None = None) -> None:
        self._times_s.append(time.monotonic() if now_s is None else now_s)

    def per_second(self, now_s: float | None = None) -> float:
        now_s = time.monotonic() if now_s is None else now_s
        while self._times_s and self._times_s[0] < now_s - _WINDOW_S:
            self._times_s.popleft()
        return len(self._times_s) / _WINDOW_S


@dataclass(frozen=True)
class Drawing:
    """How the last picture came to be; times in ms."""

    backend: str = ""
    backend_reason: str = ""
    presenter: str = ""
    width_px: int = 0
    height_px: int = 0
    display_fps: float = 0.0
    content_fps: float = 0.0
    deform_ms: float = 0.0
    raster_ms: float = 0.0
    present_ms: float = 0.0
    static_count: int = 0
    dynamic_count: int = 0


def rows(drawing: Drawing, status: PlaybackStatus | None) -> list[tuple[str, str]]:
    """(name, value) lines in reading order."""
    lines = [
        ("Display", f"{drawing.display_fps:.0f} fps"),
        ("Content", f"{drawing.content_fps:.0f} of {status.fps if status else 0:g} fps"),
        ("Decode", f"{status.decode_ms if status else 0:.1f} ms"),
        ("Deform", f"{drawing.deform_ms:.1f} ms"),
        ("Raster", f"{drawing.raster_ms:.1f} ms"),
        ("Present", f"{drawing.present_ms:.1f} ms"),
        ("Picture", f"{drawing.width_px} × {drawing.height_px}"),
        ("Gaussians", f"{drawing.static_count:,} static, {drawing.dynamic_count:,} moving"),
    ]
    if status is not None:
        lines += [
            ("Bitrate", f"{bitrate_text(status.bitrate_bps)}, {_qp(status.quality)}"),
            *streaming_rows(status),
            ("Late frames", str(status.late_frames)),
            ("Broken parts", str(status.corrupt_segments)),
        ]
    why = drawing.backend_reason.removeprefix(f"{drawing.backend}: ")
    lines += [
        ("Renderer", f"{drawing.backend}, {drawing.presenter}".strip(", ") or "–"),
        ("Because", why or "–"),
    ]
    return lines


def _qp(quality: Quality | None) -> str:
    return "\N{EN DASH}" if quality is None else f"QP {quality.qp}"


def streaming_rows(status: PlaybackStatus) -> list[tuple[str, str]]:
    """What the last decision on fetching rests on, and what it was."""
    known = status.throughput_bps > 0
    there, everything = status.static_layers
    return [
        ("Network", bitrate_text(status.throughput_bps) if known else "\N{EN DASH}"),
        ("Ahead", f"{status.ahead_s:.1f} s"),
        ("Static layers", f"{there} of {everything}"),
        (
            "Fetched",
            _qp(status.chosen_quality),
        ),
        ("Reason", status.fetch_reason or "\N{EN DASH}"),
    ]
