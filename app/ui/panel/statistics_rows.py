"""The statistics as lines of text; the panel and the overlay show the same."""

from __future__ import annotations

from streamstgs.app.player.status import PlaybackStatus
from streamstgs.app.player.viewer.quality_selection import QualitySelection
from streamstgs.app.player.viewer.statistics import RenderStatistics
from streamstgs.app.ui.panel.quality_names import bitrate_text, quality_name

Rows = list[tuple[str, str]]
_UNKNOWN = "\N{EN DASH}"


def basic_rows(
    rendering: RenderStatistics, status: PlaybackStatus | None, quality: QualitySelection
) -> Rows:
    """(name, value) lines for everybody, in reading order."""
    fps = f" of {status.fps:g}" if status is not None else ""
    rows = [
        ("Screen", f"{rendering.display_fps:.0f} images/s"),
        ("Scene", f"{rendering.content_fps:.0f}{fps} frames/s"),
        ("Image size", f"{rendering.width_px} × {rendering.height_px}"),
        ("Gaussians", f"{rendering.static_count + rendering.dynamic_count:,}"),
        ("Renderer", rendering.backend or _UNKNOWN),
    ]
    if status is not None:
        rows += [
            ("Quality", _quality_text(quality, status)),
            ("Network", _rate_text(status.throughput_bps)),
            ("Loaded ahead", f"{status.ahead_s:.1f} s"),
            ("Late frames", str(status.late_frames)),
            ("Missing parts", str(status.corrupt_segments)),
        ]
    return rows


def advanced_rows(
    rendering: RenderStatistics, status: PlaybackStatus | None, quality: QualitySelection
) -> Rows:
    """(name, value) lines for people who know the codec and the renderer."""
    rows = [
        ("Decode", f"{status.decode_ms if status else 0:.1f} ms"),
        ("Deform", f"{rendering.deform_ms:.1f} ms"),
        ("Rasterise", f"{rendering.raster_ms:.1f} ms"),
        ("Present", f"{rendering.present_ms:.1f} ms"),
        ("Static", f"{rendering.static_count:,} Gaussians"),
        ("Moving", f"{rendering.dynamic_count:,} Gaussians"),
        ("Presenter", rendering.presenter or _UNKNOWN),
        ("Renderer choice", _choice_text(rendering)),
    ]
    if status is not None:
        loaded, all_layers = status.static_layers
        shown, coming = quality.shown, quality.coming
        rows += [
            ("Shown QP", str(shown.qp) if shown is not None else _UNKNOWN),
            ("Fetched QP", str(coming.qp) if coming is not None else _UNKNOWN),
            ("Static layers", f"{loaded} of {all_layers}"),
            ("Last fetch", status.fetch_reason or _UNKNOWN),
        ]
    return rows


def _choice_text(rendering: RenderStatistics) -> str:
    return rendering.backend_reason.removeprefix(f"{rendering.backend}: ") or _UNKNOWN


def _quality_text(quality: QualitySelection, status: PlaybackStatus) -> str:
    if quality.shown is None:
        return _rate_text(status.bitrate_bps)
    name = quality_name(quality.shown, len(quality.available))
    return f"{name}, {bitrate_text(status.bitrate_bps)}"


def _rate_text(bits_per_second: float) -> str:
    return bitrate_text(bits_per_second) if bits_per_second > 0 else _UNKNOWN
